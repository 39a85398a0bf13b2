"""What the lender's pages show; conventions as in :mod:`chain_common.services.views`."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.domain.column_report import ColumnReport
from chain_common.domain.loan_table import ReadReport
from chain_common.services.views import JobView, ModelCard, Scores


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The lender's first page."""

    models: tuple[ModelCard, ...]
    drafts: tuple[tuple[str, str], ...]
    jobs: tuple[JobView, ...]
    escrowed_wei: int


@dataclass(frozen=True, slots=True)
class BountyChoices:
    """What the lender chooses for a bounty; the draft's page shows these as defaults."""

    title: str
    metric: str
    target_score: float
    bounty_wei: int
    bond_wei: int
    stake_wei: int
    deadline_s: int
    seats: int
    pilot_seats: int
    max_rounds: int
    close_when_full: bool
    sharing: str
    collect_window_s: int
    deliver_window_s: int
    settle_window_s: int
    closing_window_s: int
    audit_demand_window_s: int
    audit_answer_window_s: int
    closing_share_percent: int
    min_gain_percent: float
    row_floor: int


@dataclass(frozen=True, slots=True)
class BountyDraft:
    """A bounty that is being prepared: what was read from the validation file and what was chosen so far.

    ``reach_score`` is the score that a model fitted on one half of the lender's own rows gets on the other half: a hint
    of what is reachable. ``reward_noise`` is the relative noise of a reward from a scoring set of this size.
    """

    draft_id: str
    filename: str
    preset: str
    report: ReadReport
    columns: tuple[ColumnReport, ...]
    known_later: tuple[tuple[str, str], ...]
    n_scoring: int
    n_closing: int
    n_bad: int
    base_rate: float
    baseline: Scores
    baseline_score: float
    reach: Scores
    reach_score: float
    reward_noise: float
    warnings: tuple[str, ...]
    features: tuple[str, ...]
    choices: BountyChoices
    complete: bool


@dataclass(frozen=True, slots=True)
class BountyReview:
    """The last page before money moves."""

    draft: BountyDraft
    value_wei: int
    fee_estimate_wei: int
    balance_wei: int
    short_by_wei: int
    target_fall_percent: float
    rounds_at_most: int
    longest_silence_s: int


@dataclass(frozen=True, slots=True)
class ModelKeyView:
    """A model key in the lender's vault."""

    model_id: int | None
    draft_id: str
    title: str
    fingerprint: str
    bits: int
