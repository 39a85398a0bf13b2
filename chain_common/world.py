"""What every use case is given: the ports, bound together once by an app's container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from chain_common.domain.randomness import Rng
from chain_common.ports import (
    Clock,
    ContentStore,
    Documents,
    EventIndex,
    Job,
    JobKind,
    Jobs,
    Json,
    JsonObject,
    Ledger,
    SecretStore,
    StartOver,
    Step,
    StepContext,
    WaitFor,
)

_OTHER_CHAIN_S: Final = 30.0


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

    def register_job(self, kind: str, *steps: tuple[str, Step]) -> None:
        """Make a kind of job known to the worker; its steps run on the chain it was queued on and on no other."""
        self.jobs.register(JobKind(kind, tuple((name, self._on_its_chain(step)) for name, step in steps)))

    def _on_its_chain(self, step: Step) -> Step:
        def guarded(data: Mapping[str, Json], context: StepContext) -> JsonObject | WaitFor | StartOver:
            if data["chain"] != self.chain_tag():
                return WaitFor(_OTHER_CHAIN_S, "This belongs to another chain than the one this app is on now.")
            return step(data, context)

        return guarded

    def enqueue(self, kind: str, key: str, data: JsonObject) -> Job:
        """Add a job for this chain unless one of that key exists; return the one that is there."""
        return self.jobs.enqueue(kind, key, {**data, "chain": self.chain_tag()})

    def new_id(self) -> str:
        """Return a fresh id of 16 hex digits for a local document."""
        return self.rng.random_bytes(8).hex()
