"""Many products of powers over the same encrypted weights.

``Enc(M w)`` needs, for each row of ``M``, the product of all encrypted weights, each to the power of an
entry. The powers of one row share their squarings (Straus 1964), all rows share one table of small powers per
weight, and the results are packed while they are made (Horner's rule), so that packing costs squarings only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from chain_common.domain.fixed_point import DEFAULT_FORMAT, NumberFormat
from chain_common.domain.paillier.keys import EncryptedWeights
from chain_common.errors import BadInput

Progress = Callable[[float], None]
"""Told the finished part of a long computation, from 0 to 1, never falling."""

_MAX_WINDOW_BITS: Final = 8
"""Widest window tried: 256 powers a weight, 40 MB of tables for 201 weights under a 3072-bit key."""


def affine_products(
    weights: EncryptedWeights,
    matrix: NDArray[np.int64],
    number_format: NumberFormat = DEFAULT_FORMAT,
    progress: Progress | None = None,
) -> tuple[int, ...]:
    """Multiply encrypted weights by an integer matrix and pack the results.

    Ciphertext ``g`` holds ``sum_i (M w)[g s + i] 2**(i slot_bits)``, ``s`` the slots of a ciphertext, as a
    signed sum: offsets that make the slots positive are the caller's. **It is not blinded** and tells the
    key's holder how it was computed; only ``cipher.blind`` makes it fit to leave the machine.

    Entries are raised by ``2**(matrix_bits - 1)`` to be positive, and one inverse of the product of all
    weights takes that off again. About ``n_rows n_weights matrix_bits / window`` multiplications, whatever
    the entries are but for zero digits.

    Parameters
    ----------
    matrix
        int64 (n_rows, n_weights), ``|entry| < 2**(matrix_bits - 1)``.
    progress
        Called once a row.

    Returns
    -------
    ``number_format.n_ciphertexts(n_rows, key bits)`` ciphertexts.

    Raises
    ------
    BadInput
        If the matrix does not fit the weights or the number format.
    """
    _check_matrix(matrix, weights.n_weights, number_format)
    n_rows = len(matrix)
    modulus = mpz(weights.public_key.n_squared)
    window_bits = choose_window_bits(n_rows, weights.n_weights, number_format.matrix_bits)
    tables = [_small_powers(mpz(ciphertext), window_bits, modulus) for ciphertext in weights.ciphertexts]
    sign_correction = _sign_correction(weights, number_format, modulus)
    digits = _window_digits(matrix + number_format.matrix_bound, number_format.matrix_bits, window_bits)
    n_windows = digits.shape[1]
    n_slots = number_format.slots_per_ciphertext(weights.public_key.bits)
    packed = []
    n_done = 0
    for start in range(0, n_rows, n_slots):
        accumulator = mpz(1)
        for row in reversed(range(start, min(start + n_slots, n_rows))):
            # The row's own squarings are the last ones of the shift to the next slot.
            accumulator = _square(accumulator, number_format.slot_bits - n_windows * window_bits, modulus)
            for window in digits[row].tolist():
                accumulator = _square(accumulator, window_bits, modulus)
                for table, digit in zip(tables, window, strict=True):
                    if digit:
                        accumulator = accumulator * table[digit] % modulus
            accumulator = accumulator * sign_correction % modulus
            n_done += 1
            if progress is not None:
                progress(n_done / n_rows)
        packed.append(int(accumulator))
    return tuple(packed)


def choose_window_bits(n_rows: int, n_weights: int, exponent_bits: int) -> int:
    """Return the window width with the fewest multiplications for tables and rows together."""

    def multiplications(window_bits: int) -> int:
        n_windows = -(-exponent_bits // window_bits)
        return n_weights * ((1 << window_bits) + n_rows * n_windows)

    return min(range(1, min(_MAX_WINDOW_BITS, exponent_bits) + 1), key=multiplications)


def _check_matrix(matrix: NDArray[np.int64], n_weights: int, number_format: NumberFormat) -> None:
    if matrix.dtype != np.int64 or matrix.ndim != 2 or matrix.shape[1] != n_weights or len(matrix) == 0:
        raise BadInput(
            f"A matrix of type {matrix.dtype} and shape {matrix.shape}.",
            expected=f"Expected int64 (n_rows, {n_weights}).",
        )
    if np.any(matrix >= number_format.matrix_bound) or np.any(matrix <= -number_format.matrix_bound):
        raise BadInput(
            "An entry of the matrix is out of range.",
            expected=f"Expected |entry| < {number_format.matrix_bound}.",
        )


def _small_powers(base: mpz, window_bits: int, modulus: mpz) -> list[mpz]:
    powers = [mpz(1), base]
    for exponent in range(2, 1 << window_bits):
        if exponent % 2 == 0:
            half = powers[exponent // 2]
            powers.append(half * half % modulus)  # GMP squares in two thirds of the time of a product
        else:
            powers.append(powers[-1] * base % modulus)
    return powers


def _sign_correction(weights: EncryptedWeights, number_format: NumberFormat, modulus: mpz) -> mpz:
    """Return ``(product of all weights)**-(2**(matrix_bits - 1))``: takes off what one row was raised by."""
    product = mpz(1)
    for ciphertext in weights.ciphertexts:
        product = product * ciphertext % modulus
    return _square(gmpy2.invert(product, modulus), number_format.matrix_bits - 1, modulus)


def _window_digits(exponents: NDArray[np.int64], exponent_bits: int, window_bits: int) -> NDArray[np.int64]:
    """Cut exponents (n_rows, n_weights) into digits (n_rows, n_windows, n_weights), highest window first."""
    n_windows = -(-exponent_bits // window_bits)
    shifts = np.arange(n_windows - 1, -1, -1, dtype=np.int64) * window_bits
    digits: NDArray[np.int64] = (exponents[:, None, :] >> shifts[None, :, None]) & ((1 << window_bits) - 1)
    return digits


def _square(value: mpz, times: int, modulus: mpz) -> mpz:
    # A loop beats powmod here: at 6144 bits GMP's Montgomery form costs more than dividing.
    for _ in range(times):
        value = value * value % modulus
    return value
