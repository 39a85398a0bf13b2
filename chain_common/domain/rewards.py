"""Money of a round, in whole wei, exactly as the contract computes it.

Twin of the contract's ``RewardMath``: every division rounds down, and what rounding leaves stays where it
was.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from chain_common.domain.repository import SHARE_UNITS
from chain_common.errors import BadInput, RuleBroken

PPM: Final = 1_000_000
"""Units of the closing share."""


def reward(left: int, best: int, new: int, target: int, min_gain: int) -> int:
    """Compute a round's money: ``left * (best - max(new, target)) / (best - target)``.

    Zero when nothing improved, or when the gain is under the minimum and the target is not reached. Never
    more than ``left``, and all of it at the target. While no money is added this is Sonar's ``bounty * (best
    - new) / (initial - target)``.

    Parameters
    ----------
    left
        Bounty not yet given to a round, wei.
    best, new, target
        Losses of the base, of the combined weights and of the goal, in the contract's unit.
    min_gain
        Smallest paid fall of the loss, same unit.

    Raises
    ------
    RuleBroken
        If the base is at its target already: such a model takes no more rounds.
    """
    if best <= target:
        raise RuleBroken(f"The base has a loss of {best}.", expected=f"It is above the target of {target}.")
    if new >= best or (best - new < min_gain and new > target):
        return 0
    return left * (best - max(new, target)) // (best - target)


def split_reward(money: int, closing_share_ppm: int) -> tuple[int, int]:
    """Split a round's money into what is credited now and what is held for the closing score, in wei."""
    held = money * closing_share_ppm // PPM
    return money - held, held


def seat_amounts(amount: int, shares: Sequence[int]) -> tuple[int, ...]:
    """Divide an amount among the seats of a round, to the last wei.

    Seat ``i`` gets ``floor(amount * c_i / 64) - floor(amount * c_(i-1) / 64)``, ``c`` the running sum of the
    shares.

    Parameters
    ----------
    amount
        Wei, not negative.
    shares
        One per seat, in 64ths; they sum to 64, or are all zero where the round has no money.

    Raises
    ------
    BadInput
        If the shares sum to something else.
    """
    total = sum(shares)
    if total not in {0, SHARE_UNITS} or any(share < 0 for share in shares) or (amount and not total):
        raise BadInput(f"Shares {tuple(shares)} of {amount} wei.", expected=f"They sum to {SHARE_UNITS}.")
    marks = [amount * running // SHARE_UNITS for running in accumulate(shares, initial=0)]
    return tuple(upper - lower for lower, upper in pairwise(marks))


def held_paid(held: int, *, scoring_gain: int, scoring_rows: int, closing_gain: int, closing_rows: int) -> int:
    """Compute what a round gets of its held part: the part of its gain that the closing set confirms.

    ``held * k``, ``k = (closing_gain / closing_rows) / (scoring_gain / scoring_rows)`` cut to [0, 1].

    Parameters
    ----------
    held
        Wei.
    scoring_gain, closing_gain
        Fall of the loss sum the round brought on each set, in the contract's unit; on the closing set it may
        be negative.
    scoring_rows, closing_rows
        Rows of each set.

    Raises
    ------
    BadInput
        If the round gained nothing on the scoring set: it has no held part then.
    """
    if scoring_gain <= 0 or scoring_rows <= 0 or closing_rows <= 0:
        raise BadInput(f"A gain of {scoring_gain} on {scoring_rows} rows.", expected="Paid rounds have gained.")
    whole = scoring_gain * closing_rows
    confirmed = min(max(closing_gain * scoring_rows, 0), whole)
    return held * confirmed // whole
