"""What the data owner's pages show; conventions as in :mod:`chain_common.services.views`."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.domain.column_report import ColumnReport
from chain_common.domain.loan_table import ReadReport
from chain_common.services.views import JobView


@dataclass(frozen=True, slots=True)
class ContributionDraft:
    """A data owner's file, read and not yet contributed. The rows are in memory only."""

    draft_id: str
    model_id: int
    title: str
    filename: str
    report: ReadReport
    columns: tuple[ColumnReport, ...]
    known_later: tuple[tuple[str, str], ...]
    n_rows: int
    n_bad: int
    base_rate: float
    model_base_rate: float
    row_floor: int
    stake_wei: int
    fee_estimate_wei: int
    balance_wei: int
    short_by_wei: int
    round: int
    warnings: tuple[str, ...]
    no_noise_sentence: str
    expires_at: float
    demonstration: bool = False


@dataclass(frozen=True, slots=True)
class ContributionView:
    """One of the data owner's contributions. ``state`` is a word from :data:`CONTRIBUTION_STATES`."""

    contribution_id: str
    model_id: int
    title: str
    filename: str
    n_rows: int
    created_at: float
    round: int
    seat: int | None
    state: str
    reason: str
    next_step: str
    stake_wei: int
    share_64ths: int
    reward_wei: int
    held_wei: int
    due_wei: int
    claimed_wei: int
    can_claim: bool
    job: JobView | None
    transaction: str
    payload_cid: str
    update_digest: str
    tag_root: str


@dataclass(frozen=True, slots=True)
class ContributionsView:
    """The data owner's contributions and what they came to."""

    contributions: tuple[ContributionView, ...]
    due_wei: int
    credit_wei: int
    earned_wei: int


CONTRIBUTION_STATES = (
    "computing",
    "round collecting",
    "to be delivered",
    "waiting to be settled",
    "half credited",
    "closed and paid",
    "no money in this round",
    "rejected",
    "round failed",
    "did not get through",
)
