"""Units of a loss: from the contract's integers to what people read, and the grid reported losses lie on."""

from __future__ import annotations

from typing import Final

from chain_common.domain.repository import Metric
from chain_common.errors import BadInput

MAX_LOSS: Final = 2**64 - 1
"""Largest loss the contract can hold; a larger one is reported as this."""

FRACTIONAL_BITS: Final = {Metric.BRIER: 80, Metric.BALANCED_BRIER: 96, Metric.SQUARED_ERROR: 76}
"""``k`` such that ``v' G v / 2^k`` is the real loss sum, see :mod:`chain_common.domain.scoring`."""


def metric_label(metric: Metric) -> str:
    """Return a metric's name in a model spec: ``brier``, ``balanced-brier`` or ``squared-error``."""
    return metric.name.lower().replace("_", "-")


def metric_of(label: str) -> Metric:
    """Return the metric a model spec names.

    Raises
    ------
    BadInput
        If there is none of that name.
    """
    for metric in Metric:
        if metric_label(metric) == label:
            return metric
    names = ", ".join(metric_label(metric) for metric in Metric)
    raise BadInput(f"The metric is {label!r}.", expected=f"Expected one of {names}.", field="metric")


def mean_loss(loss_sum: int, metric: Metric, n_rows: int, loss_shift: int) -> float:
    """Turn a loss of the contract into the mean over rows people read: Brier score or mean squared error."""
    return loss_sum / n_rows * 2.0 ** (loss_shift - FRACTIONAL_BITS[metric])


def loss_of_mean(mean: float, metric: Metric, n_rows: int, loss_shift: int) -> int:
    """Turn a mean over rows into a loss of the contract, rounded down; the inverse of :func:`mean_loss`."""
    return int(mean * n_rows * 2.0 ** (FRACTIONAL_BITS[metric] - loss_shift))


def target_on_grid(initial: int, target: int, steps: int) -> int:
    """Return the least target from ``target`` up whose distance to ``initial`` is a multiple of ``steps``.

    Raises
    ------
    BadInput
        If there is none between 0 and ``initial``.
    """
    distance = initial - target
    on_grid = target if steps == 0 else initial - distance // steps * steps
    if not 0 <= on_grid < initial:
        raise BadInput(
            f"A target of {target} from an initial loss of {initial}.",
            expected=f"The target is below the initial loss by at least {max(1, steps)}.",
            field="target",
        )
    return on_grid


def loss_on_grid(exact: int, initial: int, target: int, steps: int) -> int:
    """Round a loss up to the grid ``initial - k * (initial - target) / steps``, ``k`` any integer.

    Points above ``initial`` belong to the grid too (``k`` negative). Where rounding up would leave 64 bits
    the highest point that fits is taken: such a loss earns nothing either way.

    Parameters
    ----------
    steps
        Steps between ``initial`` and ``target``; 0 means exact.

    Raises
    ------
    BadInput
        If ``initial - target`` is not a positive multiple of ``steps``.
    """
    if steps == 0:
        return exact
    step, remainder = divmod(initial - target, steps)
    if step < 1 or remainder:
        raise BadInput(
            f"{steps} loss steps from {initial} to {target}.",
            expected="The distance is a positive multiple of the steps.",
        )
    rounded = initial - (initial - exact) // step * step
    return rounded if rounded <= MAX_LOSS else rounded - step
