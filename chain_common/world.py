"""What every use case is given: the ports, bound together once by an app's container."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from chain_common.domain.randomness import Rng
from chain_common.ports import Clock, ContentStore, Documents, EventIndex, Jobs, Ledger, SecretStore


@dataclass(frozen=True, slots=True)
class World:
    """The ports of one app, for one user."""

    ledger: Ledger
    store: ContentStore
    secrets: SecretStore
    documents: Documents
    index: EventIndex
    jobs: Jobs
    clock: Clock
    rng: Rng

    def chain_tag(self) -> str:
        """Return twelve hex digits that tell this deployment from others, for naming local documents and jobs.

        A development chain that was started anew repeats address and transaction; the hash of the block differs.
        """
        identity = self.ledger.identity()
        words = (
            identity.chain_id,
            identity.contract,
            identity.deployment_transaction,
            identity.deployment_block_hash,
        )
        return sha256("/".join(map(str, words)).encode()).hexdigest()[:12]

    def new_id(self) -> str:
        """Return a fresh id of 16 hex digits for a local document."""
        return self.rng.random_bytes(8).hex()
