"""Combining a round's updates into the next weights, and dividing its money by what each was worth.

The scored loss is quadratic in the weights, so the Shapley value of every update has a closed form.
Everything that money depends on is computed in integers: whoever opens the round later, on any machine, gets
the same shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.fixed_point import DEFAULT_FORMAT, products_to_float
from chain_common.domain.loss_units import FRACTIONAL_BITS, MAX_LOSS, loss_on_grid
from chain_common.domain.repository import SHARE_UNITS, Terms
from chain_common.domain.rewards import reward
from chain_common.domain.row_caps import capped_rows
from chain_common.domain.scoring import ScoringMatrix, loss_vector, quadratic_form
from chain_common.errors import BadInput

STEP_SHIFTS: Final = (0, 1, 2, 3)
"""Tried lengths of the combined step: 1, 1/2, 1/4 and 1/8 (protocol §9)."""

LARGEST_STEP: Final = 2 * DEFAULT_FORMAT.largest_weight
"""Beyond it lies no step from one set of weights to another: both are within ±16."""

_UPDATE_SHIFT: Final = DEFAULT_FORMAT.product_fraction_bits - DEFAULT_FORMAT.weight_fraction_bits
"""Bits from the scale of weights to that of updates, 24."""


@dataclass(frozen=True, slots=True)
class AcceptedUpdate:
    """One accepted seat's opened update.

    Parameters
    ----------
    n_rows
        Rows it was declared with, positive.
    products
        ``Δ``, integers (n_weights,) with 50 fractional bits, as decrypted.
    """

    n_rows: int
    products: tuple[int, ...]

    def __repr__(self) -> str:
        return f"AcceptedUpdate(n_rows={self.n_rows}, <secret>)"


@dataclass(frozen=True, slots=True)
class RoundTerms:
    """What of a model's terms a settlement needs; losses in the contract's unit.

    Parameters
    ----------
    initial_loss, target_loss
        Loss sums of the first base and of the goal.
    min_gain
        Smallest paid fall of the loss sum.
    loss_steps
        Steps of the grid between initial and target; 0 = exact.
    loss_shift
        Bits from the quadratic form to the contract's unit.
    """

    initial_loss: int
    target_loss: int
    min_gain: int
    loss_steps: int
    loss_shift: int

    @classmethod
    def of(cls, terms: Terms) -> RoundTerms:
        """Take them from the contract's terms."""
        return cls(terms.initial_loss, terms.target_loss, terms.min_gain, terms.loss_steps, terms.loss_shift)


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """A round, settled.

    Parameters
    ----------
    beta
        Length of the combined step: 1, 1/2, 1/4 or 1/8, whichever scores best.
    next_weights
        int32 (n_weights,), read-only: the next base. The old base where the round has no money.
    exact_loss
        Loss sum of the combined weights, in the contract's unit.
    loss
        The same on the grid: what is reported.
    reward_wei
        The round's money; 0 when nothing was gained or too little.
    counted_rows
        Rows each update counted for, (n_owners,); 0 where it is larger than any step between weights.
    values
        Shapley value of each update before rounding: its part of the fall of the real loss sum, negative
        where it did harm, (n_owners,). They sum to the fall of the unrounded combined weights.
    shares
        In 64ths, (n_owners,); they sum to 64, or are all 0 where the round has no money.
    """

    beta: float
    next_weights: NDArray[np.int32]
    exact_loss: int
    loss: int
    reward_wei: int
    counted_rows: tuple[int, ...]
    values: tuple[float, ...]
    shares: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Settlement(loss={self.loss}, reward_wei={self.reward_wei}, shares={self.shares}, <secret>)"


def settle_round(
    matrix: ScoringMatrix,
    base_weights: NDArray[np.int32],
    updates: Sequence[AcceptedUpdate],
    *,
    terms: RoundTerms,
    left_wei: int,
    best_loss: int,
) -> Settlement:
    """Combine the accepted updates of a round, score the result and share the money.

    ``w' = w + β Σ a_i Δ_i`` with ``a_i = n_i / Σ n`` over all accepted seats, rounded to the scoring format
    and cut at ``|w| <= 16``; ``φ_i = -β a_i Δ_i · (g + ½ H β Σ a_j Δ_j)`` with ``g``, ``H`` from the scoring
    set.

    Parameters
    ----------
    matrix
        The scoring set's.
    base_weights
        int32 (n_weights,), 26 fractional bits: the base all updates were made on.
    updates
        In the order of the seats; at least one.
    left_wei
        Bounty not yet given to a round.
    best_loss
        Loss of the base on the grid, as the contract holds it.

    Raises
    ------
    BadInput
        If there is no update, or one does not fit the matrix or declares no rows.
    RuleBroken
        If the base is at its target already.

    References
    ----------
    Shapley 1953; protocol §9.
    """
    if not updates:
        raise BadInput("The round has no accepted update.", do="Settle it at the base's loss with all seats rejected.")
    for update in updates:
        if update.n_rows < 1 or len(update.products) != matrix.n_weights:
            raise BadInput(
                f"An update of {len(update.products)} weights from {update.n_rows} rows.",
                expected=f"Expected {matrix.n_weights} weights and at least one row.",
            )
    counted = _counted_rows(matrix, updates)
    move = _Move.of(matrix, base_weights, updates, counted)
    candidates = {shift: move.stepped(base_weights, shift) for shift in STEP_SHIFTS}
    forms = {shift: quadratic_form(matrix, weights) for shift, weights in candidates.items()}
    # Cutting weights at the bound could gain where the updates themselves do not; nobody earned that.
    gaining = [shift for shift in STEP_SHIFTS if move.gain(shift) > 0]
    shift = min(gaining or STEP_SHIFTS, key=forms.__getitem__)
    exact = min(MAX_LOSS, forms[shift] >> terms.loss_shift)
    reported = loss_on_grid(exact, terms.initial_loss, terms.target_loss, terms.loss_steps)
    if not gaining:
        reported = max(reported, best_loss)

    values = move.values(shift)
    money = reward(left_wei, best_loss, reported, terms.target_loss, terms.min_gain)
    next_weights = candidates[shift] if money else base_weights.copy()
    next_weights.setflags(write=False)
    unit = move.scale(shift) ** 2 << FRACTIONAL_BITS[matrix.metric]
    return Settlement(
        beta=0.5**shift,
        next_weights=next_weights,
        exact_loss=exact,
        loss=reported,
        reward_wei=money,
        counted_rows=counted,
        values=tuple(value / unit for value in values),
        shares=rounded_shares(values) if money else (0,) * len(updates),
    )


def _counted_rows(matrix: ScoringMatrix, updates: Sequence[AcceptedUpdate]) -> tuple[int, ...]:
    """Return the rows each update counts for; one that no training can give counts for none.

    It is not rejected: whether it was would tell its sender something about the weights.
    """
    real = np.array([products_to_float(update.products) for update in updates])
    honest: list[int] = np.flatnonzero(np.max(np.abs(real), axis=1) <= LARGEST_STEP).tolist()
    counted = [0] * len(updates)
    if not honest:
        return (1,) * len(updates)
    curvature = matrix.full()[:-1, :-1].astype(np.float64)
    capped = capped_rows(real[honest], [updates[seat].n_rows for seat in honest], curvature)
    for seat, n_rows in zip(honest, capped, strict=True):
        counted[seat] = n_rows
    return tuple(counted)


@dataclass(frozen=True, slots=True, eq=False)
class _Move:
    """The combined step on the loss, in integers.

    With ``s = 2^24 Σn / β`` the update of seat ``i`` moves the weights, in units of the scoring format, by
    ``d_i = n_i Δ_i / s``. The form ``v' G v`` falls by ``-(2 G v · d + d' G d)`` with ``d = Σ d_i``, and the
    Shapley value of seat ``i`` is ``-d_i · (2 G v + G d)``. Both are kept times ``s²``, so that nothing is
    divided.
    """

    parts: tuple[NDArray[np.object_], ...]
    total: NDArray[np.object_]
    gradient: NDArray[np.object_]
    bend: NDArray[np.object_]
    n_rows: int

    @classmethod
    def of(
        cls,
        matrix: ScoringMatrix,
        base: NDArray[np.int32],
        updates: Sequence[AcceptedUpdate],
        counted: Sequence[int],
    ) -> _Move:
        full = matrix.full().astype(object)
        parts = tuple(
            np.array(update.products, dtype=object) * count for update, count in zip(updates, counted, strict=True)
        )
        total = sum(parts[1:], start=parts[0])
        return cls(
            parts=parts,
            total=total,
            gradient=2 * (full @ loss_vector(matrix.metric, base))[:-1],
            bend=full[:-1, :-1] @ total,
            n_rows=sum(counted),
        )

    def scale(self, shift: int) -> int:
        """Return ``s`` for ``β = 2^-shift``."""
        return self.n_rows << _UPDATE_SHIFT + shift

    def gain(self, shift: int) -> int:
        """Return the fall of the form, times ``s²``."""
        return -int(self.total @ (self.gradient * self.scale(shift) + self.bend))

    def values(self, shift: int) -> tuple[int, ...]:
        """Return the Shapley value of each seat, times ``s²``; they sum to the gain."""
        direction = self.gradient * self.scale(shift) + self.bend
        return tuple(-int(part @ direction) for part in self.parts)

    def stepped(self, base: NDArray[np.int32], shift: int) -> NDArray[np.int32]:
        """Return the combined weights, halves rounded up, cut at the bound of the scoring format."""
        whole = self.scale(shift)
        bound = DEFAULT_FORMAT.weight_bound
        moved = [
            int(weight) + (2 * int(part) + whole) // (2 * whole) for weight, part in zip(base, self.total, strict=True)
        ]
        return np.array([max(-bound, min(bound, weight)) for weight in moved], dtype=np.int32)


def rounded_shares(values: Sequence[int]) -> tuple[int, ...]:
    """Round values to shares in 64ths by largest remainders.

    Negative values count as zero; equal remainders go to the earlier seat.

    Parameters
    ----------
    values
        Whole, in any common unit, (n_owners,); at least one is positive.

    Returns
    -------
    tuple
        They sum to 64.

    Raises
    ------
    BadInput
        If no value is positive.
    """
    positive = [max(0, value) for value in values]
    whole = sum(positive)
    if whole == 0:
        raise BadInput("No update of the round was worth anything.", expected="At least one has a positive value.")
    shares, remainders = zip(*(divmod(SHARE_UNITS * value, whole) for value in positive), strict=True)
    by_remainder = sorted(range(len(values)), key=lambda seat: (-remainders[seat], seat))
    extra = set(by_remainder[: SHARE_UNITS - sum(shares)])
    return tuple(share + (seat in extra) for seat, share in enumerate(shares))
