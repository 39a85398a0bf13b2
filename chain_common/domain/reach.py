"""What a linear model reaches on the lender's own validation rows: a hint before a target is chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.repository import Metric
from chain_common.domain.scoring import ScoringMatrix

RIDGE_PER_WEIGHT = 0.1
"""Damping per weight and row, as in the damped step (protocol §3)."""


def fitted_weights(matrix: ScoringMatrix) -> NDArray[np.float64]:
    """Fit weights to the set behind a scoring matrix.

    Minimises the set's own quadratic loss with the damped step's penalty, the intercept not penalised: with
    ``G`` split into inputs and label, ``w = −c (Gxx + 4 n μ P)⁻¹ Gxy`` where ``c`` is 2 for the Brier metrics and 1 for
    squared error.

    Returns
    -------
    NDArray
        float64 (n_weights,), intercept last.
    """
    bits = 40 if matrix.metric is Metric.BALANCED_BRIER else 24
    full = np.ldexp(matrix.full().astype(np.float64), -bits)
    n_weights = matrix.n_weights
    gram, cross = full[:-1, :-1], full[:-1, -1]
    curvature, factor = (1.0, 1.0) if matrix.metric is Metric.SQUARED_ERROR else (4.0, 2.0)
    penalty = np.eye(n_weights) * curvature * matrix.n_rows * max(0.001, RIDGE_PER_WEIGHT * n_weights / matrix.n_rows)
    penalty[-1, -1] = 0.0
    return np.asarray(np.linalg.lstsq(gram + penalty, -factor * cross, rcond=None)[0], dtype=np.float64)
