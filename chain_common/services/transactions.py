"""Single transactions a person asks for, as jobs: recorded, sent once, waited for, seen on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, cast

from chain_common.domain.repository import Claim, End, FailRound, Reclaim, TopUp, Withdraw
from chain_common.ports import Job, JobKind, Json, JsonObject, StepContext
from chain_common.world import World

KIND: Final = "transaction"

SimpleCall = TopUp | FailRound | End | Reclaim | Claim | Withdraw
_CALLS: Final[dict[str, type[SimpleCall]]] = {
    cls.__name__: cls for cls in (TopUp, FailRound, End, Reclaim, Claim, Withdraw)
}


@dataclass(frozen=True, slots=True)
class Transactions:
    """Sends single calls of this app's account."""

    world: World

    def register(self) -> None:
        """Make the job kind known to the worker."""
        self.world.jobs.register(JobKind(KIND, (("Send the transaction", self._send),)))

    def submit(self, call: SimpleCall, *, title: str, intention: str) -> Job:
        """Queue a call; the same intention while one is under way, or has failed, is the same job.

        Parameters
        ----------
        title
            What a page calls it.
        intention
            Names what the person wants, for instance ``claim.<contribution>``; a finished one may be asked for again.
        """
        jobs, documents = self.world.jobs, self.world.documents
        current = documents.get("intentions", intention)
        if current is not None:
            job = jobs.get(str(current["key"]))
            if job is not None and job.state == "failed":
                return jobs.retry(job.key)
            if job is not None and job.state != "done":
                return job
        key = f"{intention}.{self.world.new_id()}"
        documents.put("intentions", intention, {"key": key})
        data: JsonObject = {"call": type(call).__name__, "arguments": asdict(call), "title": title}
        return jobs.enqueue(KIND, key, {**data, "key": key})

    def _send(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        arguments = cast(Mapping[str, int], data["arguments"])
        call = _CALLS[str(data["call"])](**arguments)
        receipt = self.world.ledger.send(call, key=str(data["key"]))
        return {"transaction": receipt.transaction, "fee_wei": str(receipt.fee_wei)}
