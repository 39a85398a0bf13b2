"""The contract's events in a person's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from chain_common.domain.repository import ChainEvent
from chain_common.web import inline, text


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a timeline."""

    moment_s: int
    words: Markup
    transaction: str


Said = Mapping[str, Any]


def _money(said: Said, name: str) -> Markup:
    return inline.money(int(said[name]))


def _say(pattern: str, *parts: object) -> Markup:
    return Markup(pattern).format(*parts)  # noqa: S704 # the patterns are below; only their parts come from outside


def _created(said: Said) -> Markup:
    return _say("Bounty posted: {} and a bond of {}", _money(said, "bounty"), _money(said, "bond"))


def _topped_up(said: Said) -> Markup:
    return _say("Topped up: {} to the bounty, {} to the bond", _money(said, "bounty"), _money(said, "bond"))


def _opened(said: Said) -> Markup:
    return _say("Round {} opened; it takes contributions until {}", said["round"], inline.when(int(said["closesBy"])))


def _contributed(said: Said) -> Markup:
    rows = text.count(int(said["contribution"]["rows"]))
    return _say("{} contributed {} rows to round {}", text.short(str(said["owner"])), rows, said["round"])


def _closed(said: Said) -> Markup:
    return _say("Round {} closed; to be settled by {}", said["round"], inline.when(int(said["settleBy"])))


def _settled(said: Said) -> Markup:
    if not int(said["money"]):
        return _say("Round {} settled: the loss did not fall enough, no reward", said["round"])
    return _say("Round {} settled: {}, of which {} held", said["round"], _money(said, "money"), _money(said, "held"))


def _failed(said: Said) -> Markup:
    return _say(
        "Round {} failed: {} to its data owners, {} burned",
        said["round"],
        _money(said, "compensation"),
        _money(said, "burned"),
    )


def _training_ended(_said: Said) -> Markup:
    return Markup("Training ended")


def _closing(said: Said) -> Markup:
    return _say("Closing score: {} to the data owners, {} back", _money(said, "heldPaid"), _money(said, "returned"))


def _claimed(said: Said) -> Markup:
    paid = int(said["reward"]) + int(said["stake"])
    return _say("{} claimed {} for round {}", text.short(str(said["owner"])), inline.money(paid), said["round"])


def _ended(said: Said) -> Markup:
    return _say("Ended: {} returned to the lender", _money(said, "returned"))


def _withdrawn(said: Said) -> Markup:
    return _say("{} withdrawn", _money(said, "amount"))


_WORDS: dict[str, Callable[[Said], Markup]] = {
    "ModelCreated": _created,
    "ToppedUp": _topped_up,
    "RoundOpened": _opened,
    "Contributed": _contributed,
    "RoundClosed": _closed,
    "RoundSettled": _settled,
    "RoundFailed": _failed,
    "TrainingEnded": _training_ended,
    "ClosingSettled": _closing,
    "Claimed": _claimed,
    "Ended": _ended,
    "Withdrawn": _withdrawn,
}


def happening(event: ChainEvent) -> Happening:
    """Put an event into words; one that has none here keeps its name."""
    words = _WORDS.get(event.name)
    said = words(event.arguments) if words else Markup("{}").format(event.name)
    return Happening(event.timestamp, said, event.transaction)


def timeline(events: tuple[ChainEvent, ...]) -> tuple[Happening, ...]:
    """Put events into words, in the order given."""
    return tuple(happening(event) for event in events)
