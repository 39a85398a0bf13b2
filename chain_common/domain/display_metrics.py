"""Figures shown beside the settled loss, and never settled on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chain_common.errors import BadInput

DECILES: Final = 10


@dataclass(frozen=True, slots=True)
class CalibrationBand:
    """Rows with similar predictions: their number, mean predicted and observed share of bad ones."""

    n_rows: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class DisplayMetrics:
    """How well a score separates good from bad rows.

    Parameters
    ----------
    auc
        Probability that a bad row scores above a good one, ties counting half.
    ks
        Largest distance between the score distributions of the two classes, 0 to 1.
    gini
        ``2 auc - 1``.
    brier
        Mean squared error of ``clip(1/2 + z/4)``; the settled Brier score is the unclipped one.
    accuracy
        Share of rows on their own side of probability one half. On loans "all good" already scores high:
        never judge by it.
    calibration
        Ten bands of about equal size, by rising prediction; fewer with fewer than ten rows.
    """

    auc: float
    ks: float
    gini: float
    brier: float
    accuracy: float
    calibration: tuple[CalibrationBand, ...]


def probability(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the model's probability of bad, ``clip(1/2 + z/4, 0, 1)``, (n_rows,)."""
    return np.clip(0.5 + z / 4.0, 0.0, 1.0)


def display_metrics(z: NDArray[np.float64], y: NDArray[Any]) -> DisplayMetrics:
    """Measure a score.

    Parameters
    ----------
    z
        Scores ``w x``, float64 (n_rows,), finite; not probabilities.
    y
        0 or 1, (n_rows,); both occur.

    Raises
    ------
    BadInput
        If shapes or labels do not fit, a score is not finite, or a class has no row.
    """
    if z.ndim != 1 or y.shape != z.shape or not np.isfinite(z).all():
        raise BadInput(f"Scores {z.shape} with labels {y.shape}.", expected="Expected finite (n_rows,) and (n_rows,).")
    if not np.isin(y, (0, 1)).all():
        raise BadInput("A label is neither 0 nor 1.", expected="1 means bad, 0 means good.")
    bad = y == 1
    n_bad = int(bad.sum())
    n_good = len(z) - n_bad
    if n_bad == 0 or n_good == 0:
        raise BadInput("All rows have one label.", expected="Good and bad rows are expected.")

    _, place, counts = np.unique(z, return_inverse=True, return_counts=True)
    bad_at = np.bincount(place, weights=bad, minlength=len(counts))
    good_at = counts - bad_at
    good_below = np.cumsum(good_at) - good_at
    auc = float((bad_at * (good_below + good_at / 2.0)).sum() / (n_bad * n_good))
    ks = float(np.abs(np.cumsum(bad_at) / n_bad - np.cumsum(good_at) / n_good).max())

    p = probability(z)
    return DisplayMetrics(
        auc=auc,
        ks=ks,
        gini=2.0 * auc - 1.0,
        brier=float(np.mean((p - bad) ** 2)),
        accuracy=float(np.mean((p >= 0.5) == bad)),
        calibration=_calibration(p, bad),
    )


def _calibration(p: NDArray[np.float64], bad: NDArray[np.bool_]) -> tuple[CalibrationBand, ...]:
    bands = np.array_split(np.argsort(p, kind="stable"), min(DECILES, len(p)))
    return tuple(
        CalibrationBand(n_rows=len(band), predicted=float(p[band].mean()), observed=float(bad[band].mean()))
        for band in bands
    )
