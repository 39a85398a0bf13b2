"""What anyone can do with a Paillier public key.

A plaintext is an integer modulo ``n``; negative numbers are the upper half. A ciphertext of ``m`` is
``(1 + m n) r**n mod n**2`` with a unit ``r``.
"""

from __future__ import annotations

from collections.abc import Iterator

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from chain_common.domain.fixed_point import DEFAULT_FORMAT, NumberFormat, check_weights
from chain_common.domain.paillier.keys import EncryptedWeights, PublicKey, check_group
from chain_common.domain.randomness import Rng, SeededRng, random_below
from chain_common.errors import BadInput


def random_unit(public_key: PublicKey, rng: Rng) -> int:
    """Draw a uniform member of ``Z*_n`` by rejection."""
    while True:
        candidate = random_below(public_key.n, rng)
        if gmpy2.gcd(candidate, public_key.n) == 1:
            return candidate


def encode_plaintext(public_key: PublicKey, plaintext: int) -> int:
    """Give a plaintext as its residue in ``[0, n)``.

    Raises
    ------
    BadInput
        If it is outside ``(-n/2, n)``, where two numbers would share a residue.
    """
    if not -public_key.n < 2 * plaintext < 2 * public_key.n:
        raise BadInput("A plaintext does not fit the key.", expected="Expected -n/2 < plaintext < n.")
    return int(plaintext) % public_key.n


def encrypt(public_key: PublicKey, plaintext: int, rng: Rng) -> int:
    """Encrypt an integer under fresh randomness.

    Raises
    ------
    BadInput
        If the plaintext is outside ``(-n/2, n)``.
    """
    return encrypt_with(public_key, plaintext, random_unit(public_key, rng))


def encrypt_with(public_key: PublicKey, plaintext: int, unit: int) -> int:
    """Encrypt an integer under given randomness: ``(1 + m n) unit**n mod n**2``.

    Parameters
    ----------
    unit
        A member of ``Z*_n``, used for no other plaintext.

    Raises
    ------
    BadInput
        If the plaintext is outside ``(-n/2, n)``.
    """
    return add_plaintext(public_key, _nth_power(public_key, unit), plaintext)


def add_plaintext(public_key: PublicKey, ciphertext: int, plaintext: int) -> int:
    """Add an integer to what a ciphertext holds. The randomness stays what it was, so this hides nothing.

    Raises
    ------
    BadInput
        If the plaintext is outside ``(-n/2, n)``.
    """
    shift = 1 + mpz(encode_plaintext(public_key, plaintext)) * public_key.n
    return int(shift * ciphertext % public_key.n_squared)


def blind(public_key: PublicKey, ciphertext: int, rng: Rng) -> int:
    """Multiply a ciphertext by a fresh uniform ``r**n``.

    The result is uniform among all ciphertexts of the same plaintext: nothing about how it was computed is
    left in it.

    Raises
    ------
    PayloadRejected
        If the ciphertext lies outside ``Z*_{n**2}``.
    """
    check_group(public_key, (ciphertext,))
    power = _nth_power(public_key, random_unit(public_key, rng))
    return int(mpz(ciphertext) * power % public_key.n_squared)


def weight_units(public_key: PublicKey, n_weights: int, seed: bytes) -> Iterator[int]:
    """Derive the randomness of a round's encrypted weights from the round's seed, one unit per weight.

    Parameters
    ----------
    seed
        At least 32 bytes, used for these weights and never for others: two encryptions under the same
        randomness give the difference of their plaintexts to anyone.
    """
    rng = SeededRng(seed, "encrypted-weights")
    for _ in range(n_weights):
        yield random_unit(public_key, rng)


def reencrypt_weights(
    public_key: PublicKey,
    weights: NDArray[np.int32],
    seed: bytes,
    number_format: NumberFormat = DEFAULT_FORMAT,
) -> EncryptedWeights:
    """Repeat the lender's encryption from an opened seed, to compare it bit for bit with what was published.

    Parameters
    ----------
    weights
        int32 (n_weights,), ``weight_fraction_bits`` fractional bits.
    seed
        The round's opened seed.

    Raises
    ------
    BadInput, OverflowRefused
        If the weights are not of the number format.
    """
    check_weights(weights, number_format)
    units = weight_units(public_key, len(weights), seed)
    ciphertexts = (encrypt_with(public_key, weight, unit) for weight, unit in zip(weights.tolist(), units, strict=True))
    return EncryptedWeights(public_key, tuple(ciphertexts))


def _nth_power(public_key: PublicKey, unit: int) -> int:
    return int(gmpy2.powmod(unit, public_key.n, public_key.n_squared))
