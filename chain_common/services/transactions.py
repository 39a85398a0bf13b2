"""Single transactions a person asks for, as jobs: recorded, sent once, waited for, seen on a page."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, cast

from chain_common.domain.calls import Claim, End, FailRound, Reclaim, TopUp, Withdraw
from chain_common.errors import RuleBroken
from chain_common.ports import Job, Json, JsonObject, StepContext
from chain_common.world import World

KIND: Final = "transaction"

SimpleCall = TopUp | FailRound | End | Reclaim | Claim | Withdraw
_CALLS: Final[dict[str, type[SimpleCall]]] = {
    cls.__name__: cls for cls in (TopUp, FailRound, End, Reclaim, Claim, Withdraw)
}


class UnderWay(RuleBroken):
    """The same thing with other amounts is being sent."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"Another transaction of the kind “{title}” is under way with other amounts.",
            do="Wait until it is mined, then try again.",
        )


@dataclass(frozen=True, slots=True)
class Transactions:
    """Sends single calls of this app's account."""

    world: World
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self) -> None:
        """Make the job kind known to the worker."""
        self.world.register_job(KIND, ("Send the transaction", self._send))

    def submit(self, call: SimpleCall, *, title: str, intention: str, repeatable: bool = True) -> Job:
        """Queue a call. While one of the same intention is under way, that one is returned.

        A failed one is not repeated: whatever was wrong with it, a new transaction is made of what is wanted now.

        Parameters
        ----------
        title
            What a page calls it.
        intention
            Names what the person wants, for instance ``claim.<contribution>``.
        repeatable
            Whether a finished one may be asked for again.

        Raises
        ------
        UnderWay
            If the one under way has other arguments.
        """
        jobs, documents = self.world.jobs, self.world.documents
        intention = f"{intention}.{self.world.chain_tag()}"
        arguments: JsonObject = asdict(call)
        with self._lock:
            current = documents.get("intentions", intention)
            job = jobs.get(str(current["key"])) if current is not None else None
            if job is not None and job.state != "failed" and (job.state != "done" or not repeatable):
                if job.data["arguments"] != arguments:
                    raise UnderWay(title)
                return job
            key = f"{intention}.{self.world.new_id()}"
            documents.put("intentions", intention, {"key": key})
            data: JsonObject = {
                "call": type(call).__name__,
                "arguments": arguments,
                "title": title,
                "key": key,
            }
            return self.world.enqueue(KIND, key, data)

    def _send(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        arguments = cast(Mapping[str, int], data["arguments"])
        call = _CALLS[str(data["call"])](**arguments)
        receipt = self.world.ledger.send(call, key=str(data["key"]))
        return {"transaction": receipt.transaction, "fee_wei": str(receipt.fee_wei)}
