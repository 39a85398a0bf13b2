"""What every use case is given: the ports, bound together once by an app's container."""

from __future__ import annotations

from dataclasses import dataclass

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
        """Return eight hex digits that tell this deployment from others, for naming local documents and jobs."""
        return self.ledger.identity().deployment_transaction.removeprefix("0x")[:8]

    def new_id(self) -> str:
        """Return a fresh id of 16 hex digits for a local document."""
        return self.rng.random_bytes(8).hex()
