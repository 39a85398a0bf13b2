"""Delivering a payload, as a job: it is published after its round has closed, so that nobody can copy it in there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from chain_common.domain.repository import RoundState
from chain_common.errors import RuleBroken
from chain_common.ports import Json, JsonObject, StepContext, WaitFor
from chain_common.services.data_owner.files import COLLECTION
from chain_common.world import World

DELIVER: Final = "deliver"
POLL_S: Final = 2.0
"""Seconds between looks at a round that is not ready."""


class TooLateToDeliver(RuleBroken):
    """The round was settled, or has failed, without this payload; it never leaves this machine."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Round {number} is over; the payload was not delivered in time and never left this machine.",
            do="Claim what is due of your stake.",
        )


def deliver_key(contribution_id: str) -> str:
    """Name the job that delivers it."""
    return f"{DELIVER}.{contribution_id}"


def contribution_secret(contribution_id: str, what: str) -> str:
    """Name an entry of the vault."""
    return f"contributions/{contribution_id}/{what}"


@dataclass(frozen=True, slots=True)
class Delivering:
    """From a committed contribution to a payload the lender can read."""

    world: World

    def register(self) -> None:
        """Make the job kind known to the worker."""
        self.world.register_job(
            DELIVER, ("Wait until the round has closed", self._wait_for_close), ("Deliver the payload", self._deliver)
        )

    def enqueue(self, committed: Mapping[str, Json]) -> None:
        """Queue the delivery of what a contribution's job has committed."""
        contribution_id = str(committed["contribution_id"])
        data: JsonObject = {name: committed[name] for name in ("contribution_id", "model_id", "round", "payload")}
        self.world.enqueue(DELIVER, deliver_key(contribution_id), {**data, "title": "Deliver the payload"})

    def _wait_for_close(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | WaitFor:
        round_ = self.world.ledger.round(cast(int, data["model_id"]), cast(int, data["round"]))
        if round_.state is RoundState.COLLECTING:
            return WaitFor(POLL_S, "the payload stays here until nobody can copy it into the same round")
        if round_.state is RoundState.NONE:
            return WaitFor(POLL_S, "the chain does not have this round now")
        return {}

    def _deliver(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        round_ = self.world.ledger.round(cast(int, data["model_id"]), cast(int, data["round"]))
        if round_.state not in (RoundState.DELIVERING, RoundState.AWAITING_SETTLEMENT):
            raise TooLateToDeliver(round_.number)
        sealed = self.world.secrets.get(contribution_secret(str(data["contribution_id"]), f"payload/{data['payload']}"))
        self.world.store.put(sealed)
        return {}

    def tidy(self) -> None:
        """Forget the payloads of rounds that are over.

        Statistics and tags stay: they tell later what the own update would have given, and which rows were contributed.
        """
        tag = self.world.chain_tag()
        for contribution_id, document in self.world.documents.all(COLLECTION):
            names = self.world.secrets.names(f"contributions/{contribution_id}/payload/")
            if not names or document["chain"] != tag or "seat" not in document:
                continue
            round_ = self.world.ledger.round(cast(int, document["model_id"]), cast(int, document["round"]))
            if round_.state in (RoundState.SETTLED, RoundState.FAILED):
                for name in names:
                    self.world.secrets.delete(name)
