"""What the services tell pages, programs and the command line: frozen records without behaviour.

Money is in wei, times in unix seconds, digests are ``0x`` hex strings, scores are floats for people (what binds is the
integer loss sum beside them).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chain_common.domain.repository import ChainEvent


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the masthead shows. ``problem`` is a sentence when chain or store is away, else empty."""

    chain_reached: bool
    chain_id: int
    block: int
    store_reached: bool
    store_location: str
    account: str
    balance_wei: int
    credit_wei: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """Display metrics of one set of weights on one set of rows; ``brier`` is the clipped one."""

    auc: float
    ks: float
    brier: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a job: ``state`` is ``done``, ``running``, ``waiting`` or ``failed``."""

    name: str
    state: str
    progress: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as a page shows it: ``state`` is ``waiting``, ``running``, ``done`` or ``failed``."""

    key: str
    title: str
    state: str
    steps: tuple[StepView, ...]
    note: str
    failure: str
    can_retry: bool


@dataclass(frozen=True, slots=True)
class SeatView:
    """One contribution of a round. ``state`` is a word from :data:`SEAT_STATES`."""

    index: int
    owner: str
    rows: int
    stake_wei: int
    state: str
    reason: str
    share_64ths: int
    reward_wei: int
    delivered: bool
    is_mine: bool
    transaction: str


@dataclass(frozen=True, slots=True)
class RoundView:
    """One round. ``state`` is a word from :data:`ROUND_STATES`; losses are loss sums in the model's unit."""

    number: int
    state: str
    seats_taken: int
    seats_total: int
    closes_by: int
    deliver_by: int
    settle_by: int
    loss_before: int
    loss_after: int
    score_before: float
    score_after: float
    money_wei: int
    held_wei: int
    held_paid_wei: int
    seats: tuple[SeatView, ...]


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """A point of the chart: ``score`` is the settled metric's mean, ``scores`` are shown beside it."""

    round: int
    score: float
    loss: int
    settled: bool
    scores: Scores | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """Where a model's bounty is, in wei: ``bounty = left + credited + held + returned + forfeited`` at every moment.

    The bond stands beside it: it goes back with what is returned, or is forfeited too.
    """

    bounty_wei: int
    bond_wei: int
    left_wei: int
    credited_wei: int
    held_wei: int
    returned_wei: int
    forfeited_wei: int


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model in a list."""

    model_id: int
    title: str
    state: str
    service: str
    lender: str
    is_mine: bool
    metric: str
    score_start: float
    score_now: float
    score_target: float
    progress: float
    bounty_wei: int
    left_wei: int
    stake_wei: int
    deadline: int
    rounds: int
    max_rounds: int
    waits_for: str
    demonstration: bool = False


@dataclass(frozen=True, slots=True)
class ModelActions:
    """What the viewer may do now."""

    can_end: bool = False
    can_reclaim: bool = False
    can_top_up: bool = False
    can_fail_round: bool = False
    can_contribute: bool = False
    why_not_contribute: str = ""


@dataclass(frozen=True, slots=True)
class ModelView:
    """Everything a model page shows."""

    card: ModelCard
    features: tuple[str, ...]
    target_column: str
    bad_values: tuple[str, ...]
    row_floor: int
    sharing: str
    scoring_rows: int
    closing_rows: int
    closing_share_ppm: int
    pilot_seats: int
    seats: int
    close_when_full: bool
    next_limit: int
    next_limit_means: str
    reward_noise: float
    points: tuple[ScorePoint, ...]
    rounds: tuple[RoundView, ...]
    money: Money
    actions: ModelActions
    jobs: tuple[JobView, ...]
    timeline: tuple[ChainEvent, ...]
    contract: str
    spec_cid: str
    weights_cid: str
    closing_start: Scores | None
    closing_final: Scores | None
    closing_score_start: float | None
    closing_score_final: float | None
    demonstration: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """The account behind this app."""

    address: str
    balance_wei: int
    credit_wei: int
    chain_id: int
    contract: str
    withdrawals: tuple[ChainEvent, ...] = field(default=())


SEAT_STATES = ("committed", "delivered", "accepted", "rejected", "paid", "returned")
"""A seat is committed, delivered (its payload can be read), then accepted or rejected; paid once its owner has claimed
all that is due, returned when its round failed."""


ROUND_STATES = ("collecting", "delivering", "waiting to be settled", "overdue", "settled", "failed")


MODEL_STATES = (
    "open",
    "collecting",
    "settling",
    "overdue",
    "closing score due",
    "closing",
    "ended",
    "failed",
    "condemned",
)
