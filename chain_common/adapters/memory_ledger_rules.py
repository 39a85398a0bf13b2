"""The rules of the ``ModelRepository`` contract in plain Python, in the order in which the contract checks them.

Nothing here is on a chain: time, money sent and caller come in with each call. The conformance suite of the ledgers runs
the same story on this and on the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from chain_common.adapters.ledger_records import commitment_of
from chain_common.contract_errors import (
    BaseMustChange,
    BaseMustStay,
    ClosingAlreadySettled,
    ClosingLossMustStay,
    ClosingOver,
    CurrencyNotSupported,
    DeadlinePassed,
    LossOffGrid,
    MissingDigest,
    ModelNotClosing,
    ModelNotOpen,
    NoRows,
    NotLender,
    RoundFull,
    RoundMismatch,
    RoundNotCollecting,
    RoundNotOverdue,
    RoundNotSettleable,
    RoundRunning,
    RowsAlreadyContributed,
    SharesSum,
    StaleBase,
    StillDeliverable,
    TermOutOfBounds,
    TooEarly,
    UnexpectedDigest,
    UnexpectedShares,
    UnknownModel,
    UnknownSeat,
    WrongLength,
    WrongValue,
)
from chain_common.domain.repository import (
    ETHER,
    SHARE_UNITS,
    Address,
    Contribution,
    ModelStatus,
    Publication,
    Rejection,
    RoundState,
    SettlementReport,
    Terms,
)
from chain_common.domain.rewards import PPM, held_paid, reward, seat_amounts, split_reward

DEVELOPMENT_CHAINS: Final = (1337, 31337, 131277322940537)
_MAX_AMOUNT: Final = 2**120 - 1
_MAX_DEADLINE_S: Final = 730 * 86_400
_MAX_WINDOW_S: Final = 365 * 86_400
_MIN_WINDOW_S: Final = 600
_MIN_ANSWER_S: Final = 3 * 86_400
_STAKE_PARTS: Final = 10
_WINDOWS: Final = {
    "collectWindow": "collect_window_s",
    "deliverWindow": "deliver_window_s",
    "settleWindow": "settle_window_s",
    "closingWindow": "closing_window_s",
    "auditDemandWindow": "audit_demand_window_s",
    "auditAnswerWindow": "audit_answer_window_s",
}
# Solidity's error arguments are named for the reader of the contract; here a caller passes them in order.
Emit = Callable[..., None]


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
class Rules:
    """All models of one deployment, and what is credited and burned.

    ``emit`` is called with each event's name and its values in order.
    """

    emit: Emit
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
