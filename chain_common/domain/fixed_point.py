"""Integers on the wire: how real numbers become integers and when they are refused.

Number formats are public and fixed by the model spec, so no float exponent leaves a machine (protocol §4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.errors import BadInput, RuleBroken


class OverflowRefused(RuleBroken):
    """A number does not fit the model's number format; nothing has been rounded, sent or encrypted.

    ``what`` names the number, ``bound`` is the bound it would break, in the text's own unit.
    """

    def __init__(self, what: str, bound: str) -> None:
        self.what = what
        self.bound = bound
        super().__init__(
            f"The {what} is too large for the model's number format.",
            expected=f"The format holds {bound}.",
            do="Check that the columns are scaled as the model spec says.",
        )


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The integers of an encrypted update.

    Parameters
    ----------
    matrix_bits
        Bits of a signed matrix entry: ``|entry| < 2**(matrix_bits - 1)``.
    matrix_fraction_bits
        Fractional bits of a matrix entry.
    weight_bits
        Bits of a signed weight. A quarter of the range is used, ``|weight| <= 2**(weight_bits - 2)``.
    weight_fraction_bits
        Fractional bits of a weight.
    slot_bits
        Bits of the plaintext that one result takes.
    guard_bits
        Top bits of a slot that stay zero in every honest payload.

    Raises
    ------
    BadInput
        If a width is out of range, or one product of an entry and a weight does not fit a slot.
    """

    matrix_bits: int = 28
    matrix_fraction_bits: int = 24
    weight_bits: int = 32
    weight_fraction_bits: int = 26
    slot_bits: int = 88
    guard_bits: int = 3

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            low, high = _WIDTHS[item.name]
            if not isinstance(value, int) or not low <= value <= high:
                raise BadInput(f"The number format has {item.name} = {value}.", expected=f"Expected {low} to {high}.")
        if self.matrix_fraction_bits >= self.matrix_bits or self.weight_fraction_bits >= self.weight_bits:
            raise BadInput("The number format has no bits before the point.")
        if self.matrix_bound * self.weight_bound >= self.slot_bound:
            raise BadInput(
                f"Slots of {self.slot_bits} bits do not hold one product.",
                expected=f"Expected {self.matrix_bits + self.weight_bits + self.guard_bits} bits or more.",
            )

    @property
    def product_fraction_bits(self) -> int:
        """Fractional bits of an entry times a weight, and so of an update."""
        return self.matrix_fraction_bits + self.weight_fraction_bits

    @property
    def matrix_bound(self) -> int:
        """Exclusive bound of ``|matrix entry|`` as an integer."""
        return 1 << (self.matrix_bits - 1)

    @property
    def weight_bound(self) -> int:
        """Inclusive bound of ``|weight|`` as an integer."""
        return 1 << (self.weight_bits - 2)

    @property
    def largest_weight(self) -> float:
        """Inclusive bound of ``|weight|`` as a real number."""
        return math.ldexp(self.weight_bound, -self.weight_fraction_bits)

    @property
    def slot_bound(self) -> int:
        """Exclusive bound of ``|result|`` as an integer: a slot less its guard bits and one bit for the sign."""
        return 1 << (self.slot_bits - self.guard_bits - 1)

    def slots_per_ciphertext(self, key_bits: int) -> int:
        """Return how many results one plaintext below a modulus of ``key_bits`` bits holds.

        Raises
        ------
        BadInput
            If the key is too small for a single slot.
        """
        n_slots = (key_bits - 1) // self.slot_bits
        if n_slots < 1:
            raise BadInput(f"A key of {key_bits} bits.", expected=f"More than {self.slot_bits} bits are expected.")
        return n_slots

    def n_ciphertexts(self, n_results: int, key_bits: int) -> int:
        """Return how many ciphertexts ``n_results`` results are packed into."""
        return -(-n_results // self.slots_per_ciphertext(key_bits))


_WIDTHS: Final[dict[str, tuple[int, int]]] = {
    # int64 holds the matrix, int32 the weights; 16 bytes hold a result in every digest.
    "matrix_bits": (2, 62),
    "matrix_fraction_bits": (0, 61),
    "weight_bits": (3, 32),
    "weight_fraction_bits": (0, 31),
    "slot_bits": (8, 124),
    "guard_bits": (1, 32),
}

DEFAULT_FORMAT: Final = NumberFormat()
"""Matrix entries below 8, weights up to 16, 34 results in a 3072-bit plaintext (protocol §4)."""


def weights_to_int32(weights: NDArray[np.float64], number_format: NumberFormat = DEFAULT_FORMAT) -> NDArray[np.int32]:
    """Round weights to scoring weights, half to even.

    Parameters
    ----------
    weights
        Real numbers (n_weights,), ``|w| <= 16`` in the default format.

    Returns
    -------
    int32 (n_weights,) at ``2**weight_fraction_bits``.

    Raises
    ------
    BadInput
        If the shape is wrong or a weight is not a finite number.
    OverflowRefused
        If a weight is out of the format's range.
    """
    scaled = _rounded(_finite_vector(weights, "weights"), number_format.weight_fraction_bits)
    if np.any(np.abs(scaled) > number_format.weight_bound):
        raise OverflowRefused("largest weight", f"weights up to {number_format.largest_weight:g}")
    return scaled.astype(np.int32)


def weights_to_float(weights: NDArray[np.int32], number_format: NumberFormat = DEFAULT_FORMAT) -> NDArray[np.float64]:
    """Give scoring weights int32 (n_weights,) as the real numbers they stand for, exactly.

    Raises
    ------
    BadInput, OverflowRefused
        As :func:`check_weights`.
    """
    check_weights(weights, number_format)
    return np.ldexp(weights.astype(np.float64), -number_format.weight_fraction_bits)


def check_weights(weights: NDArray[np.int32], number_format: NumberFormat = DEFAULT_FORMAT) -> None:
    """Refuse scoring weights that are not int32 (n_weights,) or lie outside the format.

    Raises
    ------
    BadInput
        If type or shape are wrong.
    OverflowRefused
        If a weight is out of the format's range.
    """
    if weights.dtype != np.int32 or weights.ndim != 1 or len(weights) == 0:
        raise BadInput(
            f"Weights of type {weights.dtype} and shape {weights.shape}.",
            expected="Expected int32 (n_weights,).",
        )
    if np.any(np.abs(weights.astype(np.int64)) > number_format.weight_bound):
        raise OverflowRefused("largest weight", f"weights up to {number_format.largest_weight:g}")


def matrix_to_int64(matrix: NDArray[np.float64], number_format: NumberFormat = DEFAULT_FORMAT) -> NDArray[np.int64]:
    """Round matrix entries half to even.

    Parameters
    ----------
    matrix
        Real numbers (n_weights, n_weights), ``|entry| < 8`` in the default format.

    Returns
    -------
    int64 (n_weights, n_weights) at ``2**matrix_fraction_bits``.

    Raises
    ------
    BadInput
        If an entry is not a finite number.
    OverflowRefused
        If an entry is out of the format's range.
    """
    if not np.isfinite(matrix).all():
        raise BadInput("An entry of the matrix is not a finite number.")
    scaled = _rounded(matrix.astype(np.float64), number_format.matrix_fraction_bits)
    if np.any(np.abs(scaled) >= number_format.matrix_bound):
        bound = math.ldexp(number_format.matrix_bound, -number_format.matrix_fraction_bits)
        raise OverflowRefused("largest matrix entry", f"entries below {bound:g}")
    return scaled.astype(np.int64)


def products_to_int(values: NDArray[np.float64], number_format: NumberFormat = DEFAULT_FORMAT) -> tuple[int, ...]:
    """Round real numbers (n_weights,) to integers at ``2**product_fraction_bits``, half to even.

    Raises
    ------
    BadInput
        If the shape is wrong or a value is not a finite number.
    OverflowRefused
        If a value does not fit a slot.
    """
    scaled = _rounded(_finite_vector(values, "offset"), number_format.product_fraction_bits)
    if np.any(np.abs(scaled) >= number_format.slot_bound):
        bound = math.ldexp(number_format.slot_bound, -number_format.product_fraction_bits)
        raise OverflowRefused("largest offset", f"results below {bound:g}")
    # A whole float is exact as a Python integer of any size.
    return tuple(int(value) for value in scaled.tolist())


def products_to_float(products: Iterable[int], number_format: NumberFormat = DEFAULT_FORMAT) -> NDArray[np.float64]:
    """Give integers at ``2**product_fraction_bits`` as the nearest float64 (n_weights,)."""
    scale = 1 << number_format.product_fraction_bits
    # Division of two integers is correctly rounded in Python, also where neither fits a float exactly.
    return np.array([int(product) / scale for product in products], dtype=np.float64)


def _rounded(values: NDArray[np.float64], fraction_bits: int) -> NDArray[np.float64]:
    # Times a power of two is exact; what leaves the floats becomes infinite and fails the bound that follows.
    with np.errstate(over="ignore"):
        return np.asarray(np.rint(np.ldexp(values, fraction_bits)), dtype=np.float64)


def _finite_vector(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    if values.ndim != 1 or len(values) == 0:
        raise BadInput(f"The {name} have the shape {values.shape}.", expected="Expected (n_weights,).")
    if not np.isfinite(values).all():
        raise BadInput(f"One of the {name} is not a finite number.")
    return values.astype(np.float64)
