"""What training needs of the rows: one matrix and one vector.

Both losses have gradients affine in the weights, ``g = A w - b``. ``A`` and ``b`` are means over rows, so
they can be summed in any order and in any chunks, and no later step reads a row again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.spec_parts import Loss
from chain_common.errors import BadInput

_GRAM_FACTOR: Final[dict[str, float]] = {"taylor-logistic": 0.25, "squared": 1.0}
"""Second derivative of a row's loss by ``z``; for taylor the slope of the probability (Hardy et al. 2017)."""

_LABEL_CENTRE: Final[dict[str, float]] = {"taylor-logistic": 0.5, "squared": 0.0}
"""Prediction at ``z = 0``, taken off the label in ``b``."""

_CHUNK_ROWS: Final = 8192
"""Rows turned to float64 at a time; bounds the copy at a few MB whatever the caller hands over."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Gradient statistics of one data set, before any noise.

    They are as secret as the rows: with a handful of rows they give the rows back. Only
    :mod:`chain_common.domain.privacy` turns them into something a later step accepts.

    Parameters
    ----------
    gram
        ``A``, float64 (n_weights, n_weights), symmetric: ``X' C X / 4n`` for taylor-logistic, ``X' C X / n``
        for squared, ``C`` the diagonal of class weights (the identity without them).
    moment
        ``b``, float64 (n_weights,): ``X' C (y - 1/2) / n`` for taylor-logistic, ``X' C y / n`` for squared.
    n_rows
        ``n``, at least 1.
    """

    gram: NDArray[np.float64]
    moment: NDArray[np.float64]
    n_rows: int

    @property
    def n_weights(self) -> int:
        """Number of weights with the intercept."""
        return len(self.moment)

    def __repr__(self) -> str:
        return f"Statistics(n_rows={self.n_rows}, n_weights={self.n_weights}, <secret>)"


class StatisticsAccumulator:
    """Sum the statistics of rows that arrive in chunks.

    Parameters
    ----------
    n_weights
        Columns of every chunk, the intercept (a column of ones) last.
    loss
        ``taylor-logistic`` (labels 0 or 1, 1 = bad) or ``squared`` (finite labels).
    class_weights
        Weight of a good and of a bad row, positive and public, from the spec; for taylor-logistic only. The
        mean stays over ``n_rows``, so that statistics of several data owners pool by their rows with or
        without class weights.
    """

    def __init__(self, n_weights: int, loss: Loss, *, class_weights: tuple[float, float] | None = None) -> None:
        if n_weights < 1:
            raise BadInput(f"{n_weights} weights.", expected="At least the intercept is expected.")
        if loss not in _GRAM_FACTOR:
            raise BadInput(f"The loss is {loss!r}.", expected=f"Expected one of {sorted(_GRAM_FACTOR)}.")
        if class_weights is not None:
            if loss != "taylor-logistic":
                raise BadInput(f"Class weights with the loss {loss!r}.", expected="Only taylor-logistic has classes.")
            if not all(np.isfinite(weight) and weight > 0 for weight in class_weights):
                raise BadInput(f"Class weights {class_weights}.", expected="Both are positive and finite.")
        self._loss = loss
        self._class_weights = class_weights
        self._gram = np.zeros((n_weights, n_weights))
        self._moment = np.zeros(n_weights)
        self._n_rows = 0

    @property
    def n_rows(self) -> int:
        """Rows added so far."""
        return self._n_rows

    def add(self, x: NDArray[np.floating[Any]], y: NDArray[np.generic]) -> None:
        """Add a chunk of encoded rows.

        Parameters
        ----------
        x
            Real numbers (n_rows, n_weights), the intercept last. Integer rows are refused: they would be
            scoring rows, 4,096 times too large.
        y
            Labels (n_rows,).

        Raises
        ------
        BadInput
            If shapes or labels do not fit, or a number is not finite. Nothing of the chunk has been added.
        """
        if not np.issubdtype(x.dtype, np.floating):
            raise BadInput(f"Rows of type {x.dtype}.", expected="Encoded rows are real numbers.")
        if x.ndim != 2 or x.shape[1] != len(self._moment) or y.shape != (x.shape[0],):
            raise BadInput(
                f"Rows of shape {x.shape} with labels of shape {y.shape}.",
                expected=f"Expected (n_rows, {len(self._moment)}) and (n_rows,).",
            )
        gram = np.zeros_like(self._gram)
        moment = np.zeros_like(self._moment)
        for start in range(0, len(x), _CHUNK_ROWS):
            rows = x[start : start + _CHUNK_ROWS].astype(np.float64)
            labels = y[start : start + _CHUNK_ROWS].astype(np.float64)
            self._check(rows, labels)
            weighted = rows
            if self._class_weights is not None:
                good, bad = self._class_weights
                weighted = rows * np.where(labels == 1.0, bad, good)[:, None]
            gram += rows.T @ weighted
            moment += weighted.T @ (labels - _LABEL_CENTRE[self._loss])
        self._gram += gram
        self._moment += moment
        self._n_rows += len(x)

    def _check(self, rows: NDArray[np.float64], labels: NDArray[np.float64]) -> None:
        if not np.isfinite(rows).all() or not np.isfinite(labels).all():
            raise BadInput(
                "A row or a label is not a finite number.", do="Encode the rows with the model's spec first."
            )
        if self._loss == "taylor-logistic" and not np.isin(labels, (0.0, 1.0)).all():
            raise BadInput("A label is neither 0 nor 1.", expected="1 means bad, 0 means good.")

    def result(self) -> Statistics:
        """Return the statistics of all rows added.

        Raises
        ------
        BadInput
            If no row has been added.
        """
        if self._n_rows == 0:
            raise BadInput("There are no rows.", expected="At least one row is expected.")
        gram = self._gram * (_GRAM_FACTOR[self._loss] / self._n_rows)
        # Class weights enter on one side of the product only, so its rounding is not symmetric.
        gram = (gram + gram.T) / 2.0
        moment = self._moment / self._n_rows
        for array in (gram, moment):
            array.setflags(write=False)
        return Statistics(gram=gram, moment=moment, n_rows=self._n_rows)

    def __repr__(self) -> str:
        return f"StatisticsAccumulator(n_rows={self._n_rows}, loss={self._loss!r}, <secret>)"


def accumulate(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.generic],
    loss: Loss,
    *,
    class_weights: tuple[float, float] | None = None,
) -> Statistics:
    """Compute the statistics of one array of rows.

    Parameters and errors as in :class:`StatisticsAccumulator`.
    """
    accumulator = StatisticsAccumulator(x.shape[-1], loss, class_weights=class_weights)
    accumulator.add(x, y)
    return accumulator.result()
