"""What the ``ModelRepository`` contract stores, and what follows from it and the time, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chain_common.contract_errors import (
    ModelNotClosing,
    ModelNotOpen,
    NotLender,
    UnknownModel,
    UnknownSeat,
    WrongValue,
)
from chain_common.domain.repository import Address, ModelStatus, Publication, Rejection, RoundState, Terms


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, with how much wei, at what block time."""

    account: Address
    value: int
    now: int


@dataclass(slots=True)
class SeatRecord:
    """A seat as the contract stores it."""

    owner: Address
    stake: int
    commitment: bytes
    claimed: bool = False
    held_claimed: bool = False


@dataclass(slots=True)
class RoundRecord:
    """A round as the contract stores it; ``outcome`` is ``NONE`` while it runs."""

    opened_at: int
    closes_by: int
    paid_round: int
    seats: list[SeatRecord] = field(default_factory=list)
    outcome: RoundState = RoundState.NONE
    loss_after: int = 0
    money: int = 0
    held_due: int = 0
    shares: tuple[int, ...] = ()
    rejections: tuple[Rejection, ...] = ()


@dataclass(slots=True)
class ModelRecord:
    """A model as the contract stores it; ``bases`` are digest and commitment by the round they came of."""

    number: int
    lender: Address
    terms: Terms
    publication: Publication
    bounty: int
    bond: int
    left: int
    best: int
    bases: dict[int, tuple[bytes, bytes]]
    status: ModelStatus = ModelStatus.OPEN
    held: int = 0
    rounds: list[RoundRecord] = field(default_factory=list)
    paid_round: int = 0
    paid_rounds: int = 0
    seats_total: int = 0
    closing_by: int = 0
    reclaim_from: int = 0
    closing_settled: bool = False
    failed: bool = False
    compensation: int = 0

    def running(self) -> RoundRecord | None:
        """Return the last round if it is neither settled nor failed."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].outcome is RoundState.NONE else None

    def seats_of(self, number: int) -> int:
        """Return how many seats a round has."""
        return self.terms.pilot_seats if number == 1 and self.terms.pilot_seats else self.terms.seats

    def seat(self, number: int, index: int) -> SeatRecord:
        """Return a seat. Raises ``UnknownSeat``."""
        seats = self.rounds[number - 1].seats if 1 <= number <= len(self.rounds) else []
        if not 0 <= index < len(seats):
            raise UnknownSeat(self.number, number, index)
        return seats[index]

    def deliver_by(self, round_: RoundRecord) -> int:
        """Return the last moment for a round's payloads."""
        return round_.closes_by + self.terms.deliver_window_s

    def state_of(self, number: int, now: int) -> RoundState:
        """Return where a round stands."""
        if not 1 <= number <= len(self.rounds):
            return RoundState.NONE
        round_ = self.rounds[number - 1]
        if round_.outcome is not RoundState.NONE:
            return round_.outcome
        full = self.terms.close_when_full and len(round_.seats) == self.seats_of(number)
        if not full and now <= round_.closes_by:
            return RoundState.COLLECTING
        deliver_by = self.deliver_by(round_)
        if now <= deliver_by:
            return RoundState.DELIVERING
        overdue = now > deliver_by + self.terms.settle_window_s
        return RoundState.OVERDUE if overdue else RoundState.AWAITING_SETTLEMENT

    def is_held_due(self, now: int) -> bool:
        """Tell whether the held halves are due: the closing score was given, or its time is over."""
        return self.closing_settled or (self.closing_by != 0 and now > self.closing_by)


@dataclass(frozen=True, slots=True)
class SeatDue:
    """What a seat can be credited with, by where it comes from."""

    stake: int = 0
    first_half: int = 0
    held_half: int = 0
    compensation: int = 0

    @property
    def reward(self) -> int:
        """All but the stake."""
        return self.first_half + self.held_half + self.compensation


@dataclass(slots=True)
class Book:
    """All models of one deployment, and what is credited and burned.

    ``emit`` is called with each event's name and its values in order.
    """

    emit: Callable[..., None]
    chain_id: int = 31337
    models: list[ModelRecord] = field(default_factory=list)
    credits: dict[Address, int] = field(default_factory=dict)
    burned: int = 0
    tag_roots: set[tuple[int, Address, bytes]] = field(default_factory=set)

    def existing(self, model_id: int) -> ModelRecord:
        """Return a model. Raises ``UnknownModel``."""
        if not 1 <= model_id <= len(self.models):
            raise UnknownModel(model_id)
        return self.models[model_id - 1]

    def open(self, model_id: int) -> ModelRecord:
        """Return an open model. Raises ``ModelNotOpen``."""
        model = self.existing(model_id)
        if model.status is not ModelStatus.OPEN:
            raise ModelNotOpen(model_id, model.status)
        return model

    def closing(self, model_id: int) -> ModelRecord:
        """Return a closing model. Raises ``ModelNotClosing``."""
        model = self.existing(model_id)
        if model.status is not ModelStatus.CLOSING:
            raise ModelNotClosing(model_id, model.status)
        return model

    def credit(self, account: Address, amount: int) -> None:
        """Owe an account more."""
        self.credits[account] = self.credits.get(account, 0) + amount

    def end_training(self, model: ModelRecord, now: int) -> None:
        """Let a model close; without held money there is nothing to score."""
        model.status = ModelStatus.CLOSING
        scored_by = now
        if model.held:
            scored_by = model.closing_by = now + model.terms.closing_window_s
        model.reclaim_from = scored_by + model.terms.audit_demand_window_s + 1
        self.emit("TrainingEnded", model.number, model.best, model.closing_by)

    def end_model(self, model: ModelRecord) -> None:
        """End a model and credit its lender with what is left; held halves stay for their seats."""
        returned = model.left + model.bond
        model.status = ModelStatus.ENDED
        model.left = model.bond = 0
        self.credit(model.lender, returned)
        self.emit("Ended", model.number, model.lender, returned)


def require_value(caller: Caller, expected: int) -> None:
    """Raise ``WrongValue`` unless exactly so much was sent."""
    if caller.value != expected:
        raise WrongValue(caller.value, expected)


def require_lender(model: ModelRecord, caller: Caller) -> None:
    """Raise ``NotLender`` unless the model's lender calls."""
    if caller.account != model.lender:
        raise NotLender(model.number, caller.account)
