"""What the contract keeps of a contribution."""

from __future__ import annotations

from eth_hash.backends.pycryptodome import keccak256

from chain_common.domain.repository import Contribution


def contribution_commitment(contribution: Contribution) -> bytes:
    """Return ``keccak256(abi.encode(contribution))``: seven words of 32 bytes, in the order of the struct."""
    return keccak256(
        contribution.round.to_bytes(32, "big")
        + contribution.base_weights
        + contribution.payload
        + contribution.tag_root
        + contribution.update_digest
        + contribution.rows.to_bytes(32, "big")
        + contribution.nonce
    )
