"""Losses that Python and the contract compute to the same integer.

A settled metric is a sum of squares linear in the weights, so a whole set of rows shrinks to one integer
matrix ``G = Σ u u'`` and every loss sum is ``v' G v``. The lender commits to ``G`` when the model is created;
nobody needs a row to check a loss.

==============  ================================  ==================  ===================================
metric          ``u`` of a row                    ``v``               fractional bits of a sum
==============  ================================  ==================  ===================================
brier           (2^12 x, 2^12 (1 - 2y))           (2^26 w, 2 * 2^26)  80: ``(u v)^2 = 2^76 * 16 (p - y)^2``
balanced-brier  the same, ``G`` by class weights  the same            96: class weights have 16
squared-error   (2^12 x, -2^12 y)                 (2^26 w, 2^26)      76
==============  ================================  ==================  ===================================

With int16 rows, ``|w| <= 2^30`` and class weights of ``C`` in all (the number of rows without them), ``v' G v
<= C (2^45 dimension)^2``, refused from 2^136 on. The contract's ``QuadraticLoss`` is the twin of this module
and shares its byte layouts. Keccak comes from a named backend: ``eth_hash.auto`` asks the environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from eth_hash.backends.pycryptodome import keccak256
from numpy.typing import NDArray

from chain_common.domain.features import ROW_FRACTION_BITS
from chain_common.domain.fixed_point import DEFAULT_FORMAT, check_weights
from chain_common.domain.loss_units import MAX_LOSS
from chain_common.domain.repository import Metric
from chain_common.errors import BadInput, PayloadRejected

CLASS_WEIGHT_FRACTION_BITS: Final = 16
"""Fractional bits of a class weight."""

MAX_ROWS: Final = 4096
"""Most rows of a scoring or closing set (protocol §8)."""

MAX_DIMENSION: Final = 512
"""Most rows of ``G``, in the contract too: a spec's 511 weights, and the label."""

MAX_FORM_BITS: Final = 136
"""``v' G v`` stays below this power of two (protocol §8)."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoringMatrix:
    """``G`` of one scoring or closing set: the answer sheet, opened only in an audit.

    Parameters
    ----------
    metric
        What it scores.
    n_rows
        Rows summed, 1 to 4,096.
    dimension
        Rows of ``G``: ``n_weights + 1``.
    entries
        int64 (dimension * (dimension + 1) / 2,), the upper triangle row by row, read-only.
    """

    metric: Metric
    n_rows: int
    dimension: int
    entries: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not 1 <= self.n_rows <= MAX_ROWS:
            raise BadInput(f"{self.n_rows} rows.", expected=f"A scoring set has 1 to {MAX_ROWS} rows.")
        if not 2 <= self.dimension <= MAX_DIMENSION:
            raise BadInput(f"Dimension {self.dimension}.", expected=f"Expected 2 to {MAX_DIMENSION}.")
        shape = (_n_entries(self.dimension),)
        if self.entries.shape != shape or self.entries.dtype != np.int64:
            raise BadInput(f"Entries {self.entries.dtype}{self.entries.shape}.", expected=f"Expected int64{shape}.")

    @property
    def n_weights(self) -> int:
        """Number of weights with the intercept."""
        return self.dimension - 1

    def full(self) -> NDArray[np.int64]:
        """Return ``G``, int64 (dimension, dimension)."""
        upper = np.zeros((self.dimension, self.dimension), dtype=np.int64)
        upper[np.triu_indices(self.dimension)] = self.entries
        return upper + np.triu(upper, 1).T

    def to_bytes(self) -> bytes:
        """Encode the entries: int64 big-endian, zero bytes up to a multiple of 32."""
        return _padded(self.entries.astype(">i8").tobytes())

    @classmethod
    def from_bytes(cls, metric: Metric, n_rows: int, dimension: int, blob: bytes) -> ScoringMatrix:
        """Read what :meth:`to_bytes` wrote.

        Raises
        ------
        PayloadRejected
            If the length or the padding is wrong.
        BadInput
            If ``n_rows`` or ``dimension`` is out of range.
        """
        n_bytes = 8 * _n_entries(dimension)
        if len(blob) != n_bytes + -n_bytes % 32 or any(blob[n_bytes:]):
            raise PayloadRejected(f"A matrix of dimension {dimension} does not have {len(blob)} bytes.")
        entries = np.frombuffer(blob, dtype=">i8", count=_n_entries(dimension)).astype(np.int64)
        entries.setflags(write=False)
        return cls(metric, n_rows, dimension, entries)

    def __repr__(self) -> str:
        return f"ScoringMatrix({self.metric.name}, n_rows={self.n_rows}, dimension={self.dimension}, <secret>)"


def _n_entries(dimension: int) -> int:
    return dimension * (dimension + 1) // 2


def _padded(blob: bytes) -> bytes:
    return blob + bytes(-len(blob) % 32)


def _check_class_weights(bad: NDArray[np.bool_], class_weights_q16: tuple[int, int], dimension: int) -> None:
    good_weight, bad_weight = class_weights_q16
    n_bad = int(bad.sum())
    total = (len(bad) - n_bad) * good_weight + n_bad * bad_weight
    expected = len(bad) << CLASS_WEIGHT_FRACTION_BITS
    if good_weight < 1 or bad_weight < 1 or abs(total - expected) > expected // 2:
        raise BadInput(
            f"By the class weights {class_weights_q16} the set's {len(bad)} rows weigh {total / 2**16:g}.",
            expected="The spec's class weights sum to about the number of rows.",
            do="Split the validation file so that both sets have its share of bad rows.",
        )
    if total * ((dimension << 45) ** 2) >= 1 << MAX_FORM_BITS:
        raise BadInput(f"{len(bad)} weighted rows of {dimension - 1} weights.", do="Use fewer rows or features.")


def _gram(u: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``u' u``, exactly: below 2^42 with 4,096 rows, and floats hold whole numbers up to 2^53."""
    real = u.astype(np.float64)
    return (real.T @ real).astype(np.int64)


def scoring_matrix(
    metric: Metric,
    x: NDArray[np.int16],
    y: NDArray[Any],
    *,
    class_weights_q16: tuple[int, int] | None = None,
) -> ScoringMatrix:
    """Sum the rows of a set into its matrix ``G``.

    Parameters
    ----------
    x
        int16 (n_rows, n_weights), 12 fractional bits, the intercept (4,096) last.
    y
        Labels (n_rows,): 0 or 1 for the Brier metrics; for squared-error targets scaled by the spec to ``|y| < 8``,
        rounded here to 12 fractional bits.
    class_weights_q16
        Weight of a good and of a bad row, 16 fractional bits, from the spec: the same for both sets, so that their
        losses compare. Given with balanced-brier and with nothing else.

    Raises
    ------
    BadInput
        If shapes, types, labels or the number of rows do not fit.
    """
    if (metric is Metric.BALANCED_BRIER) != (class_weights_q16 is not None):
        raise BadInput("Class weights do not fit the metric.", expected="balanced-brier has them, no other.")
    if x.dtype != np.int16 or x.ndim != 2 or y.shape != (len(x),) or not len(x):
        raise BadInput(
            f"Rows {x.dtype}{x.shape} with labels {y.shape}.",
            expected="Expected int16 (n_rows, n_weights), (n_rows,).",
        )
    if metric is Metric.SQUARED_ERROR:
        if not (np.abs(y) < 8).all():
            raise BadInput("A target is not a number below 8 in size.", expected="The spec scales targets to |y| < 8.")
        last = -np.rint(y * float(1 << ROW_FRACTION_BITS)).astype(np.int64)
    else:
        if not np.isin(y, (0, 1)).all():
            raise BadInput("A label is neither 0 nor 1.", expected="1 means bad, 0 means good.")
        last = (1 - 2 * y.astype(np.int64)) << ROW_FRACTION_BITS
    u = np.column_stack([x.astype(np.int64), last])
    if len(u) > MAX_ROWS:
        raise BadInput(f"{len(u)} rows.", expected=f"A scoring set has 1 to {MAX_ROWS} rows.")
    if class_weights_q16 is None:
        gram = _gram(u)
    else:
        bad = y == 1
        _check_class_weights(bad, class_weights_q16, u.shape[1])
        good_weight, bad_weight = class_weights_q16
        # Below 2^59: the weights are below 2^29 in all.
        gram = good_weight * _gram(u[~bad]) + bad_weight * _gram(u[bad])
    entries = gram[np.triu_indices(len(gram))]
    entries.setflags(write=False)
    return ScoringMatrix(metric, len(x), len(gram), entries)


def loss_vector(metric: Metric, weights: NDArray[np.int32]) -> NDArray[np.object_]:
    """Return ``v`` as Python integers, (n_weights + 1,)."""
    last = 1 if metric is Metric.SQUARED_ERROR else 2
    return np.array([*map(int, weights), last << DEFAULT_FORMAT.weight_fraction_bits], dtype=object)


def quadratic_form(matrix: ScoringMatrix, weights: NDArray[np.int32]) -> int:
    """Compute ``v' G v`` exactly.

    Parameters
    ----------
    weights
        int32 (n_weights,), 26 fractional bits, ``|w| <= 2^30``.

    Raises
    ------
    BadInput
        If the weights do not fit the matrix.
    OverflowRefused
        If a weight is too large.
    """
    check_weights(weights)
    if len(weights) != matrix.n_weights:
        raise BadInput(f"There are {len(weights)} weights.", expected=f"Expected {matrix.n_weights}.")
    v = loss_vector(matrix.metric, weights)
    return int(v @ (matrix.full().astype(object) @ v))


def loss(matrix: ScoringMatrix, weights: NDArray[np.int32], loss_shift: int) -> int:
    """Compute a loss sum as the contract does: ``min(2^64 - 1, v' G v >> loss_shift)``.

    Parameters and errors as in :func:`quadratic_form`; a negative form, which no rows give, is a ``BadInput``
    too.
    """
    form = quadratic_form(matrix, weights)
    if form < 0:
        raise BadInput("The matrix gives a negative loss.", expected="Sums of squares are expected.")
    return min(MAX_LOSS, form >> loss_shift)


def weights_bytes(weights: NDArray[np.int32]) -> bytes:
    """Encode scoring weights: int32 big-endian, zero bytes up to a multiple of 32."""
    return _padded(weights.astype(">i4", casting="equiv").tobytes())


def _packed_words(salt: bytes, values: tuple[int, ...], digest: bytes) -> bytes:
    if len(salt) != 32:
        raise BadInput(f"A salt of {len(salt)} bytes.", expected="Expected 32.")
    return salt + b"".join(value.to_bytes(32, "big") for value in values) + digest


def matrix_commitment(salt: bytes, matrix: ScoringMatrix, loss_shift: int) -> bytes:
    """Commit to a set's matrix.

    ``keccak256(abi.encode(bytes32 salt, uint8 metric, uint8 lossShift, uint16 nRows, uint16 dimension,
    bytes32 keccak256(matrix bytes)))``.

    Raises
    ------
    BadInput
        If the salt does not have 32 bytes.
    """
    terms = (int(matrix.metric), loss_shift, matrix.n_rows, matrix.dimension)
    return keccak256(_packed_words(salt, terms, keccak256(matrix.to_bytes())))


def weights_commitment(seed: bytes, weights: NDArray[np.int32]) -> bytes:
    """Commit to scoring weights, salted with the seed of their encryption.

    ``keccak256(abi.encode(bytes32 seed, bytes32 keccak256(weights bytes)))``.

    Raises
    ------
    BadInput
        If the seed does not have 32 bytes.
    """
    return keccak256(_packed_words(seed, (), keccak256(weights_bytes(weights))))
