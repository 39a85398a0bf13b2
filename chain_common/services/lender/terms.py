"""What a lender chooses for a bounty: defaults, checks, and the contract's terms."""

from __future__ import annotations

from typing import Final

from chain_common.domain.loss_units import loss_of_mean, metric_of, target_on_grid
from chain_common.domain.model_spec import DEFAULT_LOSS_SHIFT, Preset
from chain_common.domain.repository import Terms
from chain_common.errors import BadInput
from chain_common.services.lender.views import BountyChoices, BountyDraft

LOSS_STEPS: Final = 256
"""Reported losses lie on a grid of so many steps between initial and target (protocol §9)."""

REACHABLE_PART: Final = 0.8
"""Part of the improvement a model of the lender's own rows shows that is proposed as the target."""

_ETHER: Final = 10**18
_DAY: Final = 24 * 3600


def default_choices(preset: Preset, baseline: float, reach: float, n_weights: int) -> BountyChoices:
    """Propose terms for a bounty; ``baseline`` and ``reach`` are the settled metric's means on the scoring set."""
    gain = max(baseline - reach, 0.01 * baseline)
    return BountyChoices(
        title=preset.title,
        metric=preset.metric,
        target_score=round(baseline - REACHABLE_PART * gain, 6),
        bounty_wei=_ETHER,
        bond_wei=_ETHER // 2,
        stake_wei=_ETHER // 1000,
        deadline_s=14 * _DAY,
        seats=8,
        pilot_seats=0,
        max_rounds=8,
        close_when_full=True,
        sharing="shapley",
        collect_window_s=_DAY,
        deliver_window_s=_DAY,
        settle_window_s=3 * _DAY,
        closing_window_s=3 * _DAY,
        audit_demand_window_s=2 * _DAY,
        audit_answer_window_s=3 * _DAY,
        closing_share_percent=50,
        min_gain_percent=2.0,
        row_floor=10 * n_weights,
    )


def contract_terms(choices: BountyChoices, initial_loss: int, draft: BountyDraft, *, now: int) -> Terms:
    """Turn the lender's choices into the contract's terms.

    Parameters
    ----------
    initial_loss
        Exact loss of the first weights on the scoring set.
    now
        The chain's time, seconds.
    """
    metric = metric_of(choices.metric)
    wished = loss_of_mean(choices.target_score, metric, draft.n_scoring, DEFAULT_LOSS_SHIFT)
    target = target_on_grid(initial_loss, wished, LOSS_STEPS)
    return Terms(
        stake_wei=choices.stake_wei,
        audit_fee_wei=choices.bounty_wei // 10,
        initial_loss=initial_loss,
        target_loss=target,
        min_gain=int((initial_loss - target) * choices.min_gain_percent / 100),
        loss_steps=LOSS_STEPS,
        closing_share_ppm=choices.closing_share_percent * 10_000,
        max_rounds=choices.max_rounds,
        seats=choices.seats,
        pilot_seats=choices.pilot_seats,
        close_when_full=choices.close_when_full,
        deadline=now + choices.deadline_s,
        collect_window_s=choices.collect_window_s,
        deliver_window_s=choices.deliver_window_s,
        settle_window_s=choices.settle_window_s,
        closing_window_s=choices.closing_window_s,
        audit_demand_window_s=choices.audit_demand_window_s,
        audit_answer_window_s=choices.audit_answer_window_s,
        metric=metric,
        loss_shift=DEFAULT_LOSS_SHIFT,
        scoring_rows=draft.n_scoring,
        closing_rows=draft.n_closing if choices.closing_share_percent else 0,
    )


def check_choices(choices: BountyChoices, draft: BountyDraft) -> None:
    """Refuse what the contract would refuse, and what cannot be meant, naming the field."""
    if not 1 <= len(choices.title.strip()) <= 100:
        raise BadInput("The title is empty or too long.", expected="1 to 100 characters.", field="title")
    if not 0 < choices.target_score < draft.baseline_score:
        raise BadInput(
            f"The target is {choices.target_score:.6f}.",
            expected=f"A score below the starting one of {draft.baseline_score:.6f}; lower is better.",
            field="target_score",
        )
    if choices.bounty_wei <= 0:
        raise BadInput("The bounty is zero.", expected="Some ether for the data owners.", field="bounty_eth")
    if 2 * choices.bond_wei < choices.bounty_wei:
        raise BadInput(
            "The bond is less than half of the bounty.",
            expected="At least half: it is what a silent or lying lender loses.",
            field="bond_eth",
        )
    if choices.stake_wei > choices.bounty_wei:
        raise BadInput(
            "The stake is above the bounty.", expected="At most the bounty; a small part of it.", field="stake_eth"
        )
    bounds = {
        "seats": (choices.seats, 1, 16),
        "pilot_seats": (choices.pilot_seats, 0, 16),
        "max_rounds": (choices.max_rounds, 1, 16),
        "closing_share_percent": (choices.closing_share_percent, 0, 100),
        "row_floor": (choices.row_floor, 1, 10**6),
    }
    for name, (value, least, most) in bounds.items():
        if not least <= value <= most:
            raise BadInput(f"Got {value}.", expected=f"A whole number from {least} to {most}.", field=name)
    if choices.sharing == "sequential" and (choices.seats != 1 or choices.pilot_seats > 1):
        raise BadInput(
            f"Sequential sharing with {choices.seats} seats.",
            expected="Rounds of one seat: sequential pays one data owner at a time.",
            field="seats",
        )
    if not 0 <= choices.min_gain_percent <= 50:
        raise BadInput(
            f"Got {choices.min_gain_percent} %.",
            expected="0 to 50 % of the way to the target.",
            field="min_gain_percent",
        )
