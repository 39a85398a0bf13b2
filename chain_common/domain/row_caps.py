"""Rows a data owner declares, held against what its update shows.

An update from ``n`` rows scatters around the others' with a variance proportional to ``1/n``. One that is
declared with eight times its rows therefore lies too far away for so many, and counts for fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

SLACK: Final = 1.5
"""How far declared rows may exceed what the residual shows (protocol §9): scatter alone rarely exceeds it."""

MIN_OWNERS: Final = 4
"""Data owners from which on residuals are comparable (protocol §9)."""

_PASSES: Final = 12
"""Passes until the caps stand: the others' mean depends on their caps. Three or four are usual."""


def capped_rows(updates: NDArray[np.float64], n_rows: Sequence[int], curvature: NDArray[np.float64]) -> tuple[int, ...]:
    """Cap declared rows where an update's residual contradicts them.

    The residual ``r_i`` is taken to the mean of the other updates, weighted by their capped rows, and
    measured by the scoring set: ``|r|^2 = r' H r``. With ``m_i`` the others' rows, ``|r_i|^2 / (1/n_i +
    1/m_i)`` estimates one row's scatter; the median over data owners stands for the truth, and ``n_i`` is cut
    to 1.5 times the rows for which the residual would be as expected. Repeated until nothing changes.

    Parameters
    ----------
    updates
        float64 (n_owners, n_weights).
    n_rows
        Declared rows, positive, (n_owners,).
    curvature
        ``H``, float64 (n_weights, n_weights), positive semidefinite; its scale does not matter.

    Returns
    -------
    tuple
        Rows that count, at least 1 each and never more than declared; as declared with fewer than four data
        owners.
    """
    declared = np.array(n_rows, dtype=np.float64)
    if len(declared) < MIN_OWNERS:
        return tuple(n_rows)
    counted = declared
    for _ in range(_PASSES):
        others = counted.sum() - counted
        means = (counted @ updates - counted[:, None] * updates) / others[:, None]
        residuals = updates - means
        squares = np.einsum("ij,jk,ik->i", residuals, curvature, residuals)
        scatter = float(np.median(squares / (1.0 / counted + 1.0 / others)))
        if scatter <= 0.0:
            # Most updates are the same; nothing can be said about the rows of the others.
            return tuple(n_rows)
        # 1/n as the residual shows it; not positive where an update is closer to the others than rows explain.
        shown = squares / scatter - 1.0 / others
        cap = np.full_like(declared, np.inf)
        np.divide(SLACK, shown, out=cap, where=shown > 0.0)
        capped = np.maximum(1.0, np.floor(np.minimum(declared, cap)))
        if np.array_equal(capped, counted):
            break
        counted = capped
    return tuple(int(count) for count in counted)
