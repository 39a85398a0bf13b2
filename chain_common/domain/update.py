"""The data owner's update: from noised statistics to packed ciphertexts.

Every update is affine in the weights, ``delta = M w + c``, with ``M`` and ``c`` computed in the clear from the
statistics, so the ciphertexts are touched ``n_weights**2`` times whatever number of rows there were (§3).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.fixed_point import (
    DEFAULT_FORMAT,
    NumberFormat,
    OverflowRefused,
    check_weights,
    matrix_to_int64,
    products_to_int,
)
from chain_common.domain.paillier.cipher import add_plaintext, blind
from chain_common.domain.paillier.keys import EncryptedWeights
from chain_common.domain.paillier.multiexp import Progress, affine_products
from chain_common.domain.paillier.packing import PackedUpdate, pack
from chain_common.domain.privacy import NoisedStatistics
from chain_common.domain.randomness import Rng
from chain_common.errors import BadInput, RuleBroken

LEAST_DAMPING: Final = 0.001
"""Least ``mu`` of the damped step (protocol §3)."""

DAMPING_PER_ROW: Final = 0.1
"""``mu`` is at least this times ``n_weights / n_rows`` (protocol §3)."""

DAMPING_PER_NOISE: Final = 2.0
"""``mu`` is at least this times ``s sqrt(n_weights)``, ``s`` the noise of an entry of ``A`` (protocol §6)."""

_MAX_CONDITION: Final = 1e12
"""A system worse than this has lost the six digits that an update is to keep."""

_NULL_DIRECTION: Final = 1e-10
"""Eigenvalues of ``A`` below this part of the largest one say nothing about the optimum their way."""

_DIGEST_HEADER: Final = struct.Struct(">4sBH")


class NoSingleStep(RuleBroken):
    """The statistics do not determine a step: the intercept's column depends on nothing."""

    def __init__(self) -> None:
        super().__init__(
            "The rows do not determine an update.",
            expected="The intercept's column of ones has to weigh something.",
            do="Check that the rows are encoded with the model's spec.",
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AffineUpdate:
    """An update as an affine function of the weights, in integers. As private as the statistics it came from.

    Parameters
    ----------
    matrix
        ``M``, int64 (n_weights, n_weights), ``matrix_fraction_bits`` fractional bits.
    offset
        ``c``, n_weights integers, ``product_fraction_bits`` fractional bits.

    Raises
    ------
    BadInput
        If types or shapes are wrong.
    """

    matrix: NDArray[np.int64]
    offset: tuple[int, ...]

    def __post_init__(self) -> None:
        n_weights = len(self.offset)
        if self.matrix.dtype != np.int64 or self.matrix.shape != (n_weights, n_weights) or n_weights == 0:
            raise BadInput(
                f"{n_weights} offsets with a matrix of type {self.matrix.dtype}, shape {self.matrix.shape}.",
                expected="Expected int64 (n_weights, n_weights) and n_weights offsets.",
            )

    @property
    def n_weights(self) -> int:
        """Number of weights with the intercept."""
        return len(self.offset)

    def __repr__(self) -> str:
        return f"AffineUpdate(n_weights={self.n_weights}, <secret>)"


def damped_step(
    statistics: NoisedStatistics,
    *,
    least_damping: float = LEAST_DAMPING,
    damping_per_row: float = DAMPING_PER_ROW,
    number_format: NumberFormat = DEFAULT_FORMAT,
) -> AffineUpdate:
    """Make the default update: a Newton step held back by ``mu``.

    ``delta = (A + mu J)**-1 (b - A w)`` with ``J`` the identity but for a zero at the intercept, which is not
    penalised, and ``mu = max(least_damping, damping_per_row n_weights / n_rows, 2 s sqrt(n_weights))``. A
    contraction for every positive semidefinite ``A``.

    Parameters
    ----------
    statistics
        ``gram`` ``A``, positive semidefinite; ``moment`` ``b``; ``noise_scale`` ``s``.

    Raises
    ------
    OverflowRefused
        If the update does not fit the number format.
    NoSingleStep
        If ``A + mu J`` is singular.
    """
    gram, moment = statistics.gram, statistics.moment
    damped = _damped(statistics, least_damping, damping_per_row)
    matrix = -_solve(damped, gram)
    offset = _solve(damped, moment)
    return _centred(matrix, offset, _centre(gram, moment, damped, number_format), number_format)


def gradient_step(
    statistics: NoisedStatistics, step: float, *, number_format: NumberFormat = DEFAULT_FORMAT
) -> AffineUpdate:
    """Make one gradient step, ``delta = step (b - A w)``; for teaching and for the original demonstration.

    Parameters
    ----------
    step
        Positive and finite.

    Raises
    ------
    BadInput
        If the step is not a positive number.
    OverflowRefused
        If the update does not fit the number format.
    """
    if not (np.isfinite(step) and step > 0):
        raise BadInput(f"A step of {step}.", expected="Expected a positive number.", field="step")
    gram, moment = statistics.gram, statistics.moment
    centre = _least_norm_optimum(gram, moment)
    limit = number_format.largest_weight
    return _centred(-step * gram, step * moment, np.clip(centre, -limit, limit), number_format)


def check_bound(affine: AffineUpdate, number_format: NumberFormat = DEFAULT_FORMAT) -> None:
    """Refuse an update whose result could leave its slot for some weights of the number format.

    The bound is in integers: ``sum_j |M_ij| weight_bound + |c_i| < slot_bound`` for every ``i``.

    Raises
    ------
    OverflowRefused
        If it could.
    """
    rows: list[list[int]] = affine.matrix.tolist()
    if any(abs(entry) >= number_format.matrix_bound for row in rows for entry in row):
        raise OverflowRefused("largest matrix entry", f"entries below {number_format.matrix_bound}")
    for row, offset in zip(rows, affine.offset, strict=True):
        if sum(map(abs, row)) * number_format.weight_bound + abs(offset) >= number_format.slot_bound:
            raise OverflowRefused("largest possible result", f"results below {number_format.slot_bound}")


def encrypted_update(
    affine: AffineUpdate,
    weights: EncryptedWeights,
    rng: Rng,
    number_format: NumberFormat = DEFAULT_FORMAT,
    progress: Progress | None = None,
) -> PackedUpdate:
    """Apply an affine update to encrypted weights.

    Computes ``Enc(M w + c)`` slot by slot, packed and freshly blinded. Cost: ``n_weights**2`` table look-ups,
    whatever number of rows ``M`` and ``c`` came from.

    Parameters
    ----------
    affine
        ``matrix`` int64 (n_weights, n_weights), 24 fractional bits, ``|entry| < 2**27``; ``offset`` n_weights
        integers at product scale.
    weights
        n_weights ciphertexts in ``Z*_{n**2}``, 26 fractional bits.
    progress
        Told the finished part, from 0 to 1.

    Raises
    ------
    BadInput
        If update and weights differ in size.
    OverflowRefused
        If the integer bound of the result does not fit a slot. Nothing has been encrypted.

    References
    ----------
    Straus 1964 (simultaneous powers); Paillier 1999.
    """
    if affine.n_weights != weights.n_weights:
        raise BadInput(f"An update of {affine.n_weights} weights.", expected=f"Expected {weights.n_weights}.")
    check_bound(affine, number_format)
    public_key = weights.public_key
    products = affine_products(weights, affine.matrix, number_format, progress)
    n_slots = number_format.slots_per_ciphertext(public_key.bits)
    ciphertexts = []
    for index, product in enumerate(products):
        offsets = pack(affine.offset[index * n_slots : (index + 1) * n_slots], number_format)
        ciphertexts.append(blind(public_key, add_plaintext(public_key, product, offsets), rng))
    return PackedUpdate(public_key, affine.n_weights, tuple(ciphertexts))


def apply_plain(
    affine: AffineUpdate, weights: NDArray[np.int32], number_format: NumberFormat = DEFAULT_FORMAT
) -> list[int]:
    """Apply an affine update to weights in the clear: exactly what the lender reads after decryption.

    Parameters
    ----------
    weights
        int32 (n_weights,), ``weight_fraction_bits`` fractional bits.

    Returns
    -------
    n_weights integers at ``2**product_fraction_bits``.

    Raises
    ------
    BadInput
        If the weights are not int32 (n_weights,).
    OverflowRefused
        If a weight lies outside the number format.
    """
    check_weights(weights, number_format)
    if len(weights) != affine.n_weights:
        raise BadInput(f"{len(weights)} weights for an update of {affine.n_weights}.")
    plain: list[int] = weights.tolist()
    rows: list[list[int]] = affine.matrix.tolist()
    return [
        sum(entry * weight for entry, weight in zip(row, plain, strict=True)) + offset
        for row, offset in zip(rows, affine.offset, strict=True)
    ]


def affine_digest(affine: AffineUpdate) -> bytes:
    """Return the SHA-256 of ``(M, c)`` in canonical bytes, 32 bytes.

    ``chAU``, version (1 byte), n_weights (2), then ``M`` row by row in 8 bytes an entry and ``c`` in 16,
    big-endian two's complement.
    """
    header = _DIGEST_HEADER.pack(b"chAU", 1, affine.n_weights)
    offset = b"".join(value.to_bytes(16, "big", signed=True) for value in affine.offset)
    return hashlib.sha256(header + affine.matrix.astype(">i8").tobytes() + offset).digest()


def _damped(statistics: NoisedStatistics, least_damping: float, damping_per_row: float) -> NDArray[np.float64]:
    n_weights = len(statistics.moment)
    damping = max(
        least_damping,
        damping_per_row * n_weights / statistics.n_rows,
        DAMPING_PER_NOISE * statistics.noise_scale * float(np.sqrt(n_weights)),
    )
    penalty = np.full(n_weights, damping)
    penalty[-1] = 0.0
    damped: NDArray[np.float64] = statistics.gram + np.diag(penalty)
    if not np.linalg.cond(damped) < _MAX_CONDITION:
        raise NoSingleStep
    return damped


def _centre(
    gram: NDArray[np.float64],
    moment: NDArray[np.float64],
    damped: NDArray[np.float64],
    number_format: NumberFormat,
) -> NDArray[np.float64]:
    """Return the data owner's own optimum, or a point near it that weights can reach.

    Around the optimum the update vanishes, and so must the rounding. Where noise or few rows put the optimum
    outside the format no weights come near it; the damped optimum then keeps the rounding small against the
    update.
    """
    limit = number_format.largest_weight
    optimum = _least_norm_optimum(gram, moment)
    if np.max(np.abs(optimum)) > limit:
        optimum = _solve(damped, moment)
    return np.clip(optimum, -limit, limit)


def _least_norm_optimum(gram: NDArray[np.float64], moment: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.lstsq(gram, moment, rcond=_NULL_DIRECTION)[0], dtype=np.float64)


def _solve(system: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.solve(system, right), dtype=np.float64)


def _centred(
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    centre: NDArray[np.float64],
    number_format: NumberFormat,
) -> AffineUpdate:
    """Round ``M``, and round ``c`` so that the error of ``M`` vanishes at the centre.

    ``c - (M_q - M) centre`` is sent. Without it the error is that of ``M`` times all of ``w``, not times the distance
    left to go.
    """
    rounded = matrix_to_int64(matrix, number_format)
    error = np.ldexp(rounded.astype(np.float64), -number_format.matrix_fraction_bits) - matrix
    affine = AffineUpdate(rounded, products_to_int(offset - error @ centre, number_format))
    rounded.setflags(write=False)
    check_bound(affine, number_format)
    return affine
