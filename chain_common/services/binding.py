"""What a sealed payload is bound to, from the chain's own words."""

from __future__ import annotations

from chain_common.domain.repository import Address, ChainEvent, ChainIdentity, Contribution
from chain_common.domain.sealing import PayloadBinding
from chain_common.services.model_reader import committed


def binding_for(identity: ChainIdentity, model_id: int, owner: Address, contribution: Contribution) -> PayloadBinding:
    """Bind a payload to chain, contract, model, round, base, data owner and nonce."""
    return PayloadBinding(
        chain_id=identity.chain_id,
        contract=identity.contract,
        model_id=model_id,
        round=contribution.round,
        base_digest=contribution.base_weights,
        owner=owner,
        nonce=contribution.nonce,
    )


def payload_binding(identity: ChainIdentity, model_id: int, event: ChainEvent) -> PayloadBinding:
    """Bind as the ``Contributed`` event says; a payload copied into another seat does not open."""
    return binding_for(identity, model_id, Address(str(event.arguments["owner"])), committed(event))
