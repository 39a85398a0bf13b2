"""The lender's side of Paillier: making a key, encrypting fast, decrypting.

Never reachable from ``data_owner_app``; import-linter checks it.

A single wrong result of one of the two halves gives the key away to whoever learns the right one (Boneh, DeMillo,
Lipton 1997). So every power of a foreign number is computed beside a small modulus and compared (Shamir 1997), and the
joined result is checked against both halves before it is returned.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from chain_common.domain.fixed_point import DEFAULT_FORMAT, NumberFormat, check_weights
from chain_common.domain.paillier.cipher import encode_plaintext, weight_units
from chain_common.domain.paillier.keys import (
    KEY_BITS_STEP,
    MAX_KEY_BITS,
    MIN_KEY_BITS,
    EncryptedWeights,
    PublicKey,
    check_group,
)
from chain_common.domain.randomness import Rng, random_below
from chain_common.errors import BadInput, ChainError

DEFAULT_KEY_BITS: Final = 3072
"""Size of a new key (protocol §5); 128 bits of security by NIST SP 800-57."""

_CHECK_PRIME: Final = mpz(2**64 - 59)
"""Largest 64-bit prime; a fault in a power passes the comparison modulo it with probability 2**-64."""

_PRIME_TEST_ROUNDS: Final = 32
"""GMP 6.3: Baillie-PSW and 8 rounds of Miller-Rabin; FIPS 186-5 asks for 4 at this size."""

_PRIME_DISTANCE_BITS: Final = 100
"""FIPS 186-5, A.1.3: the primes differ in their upper 100 bits, so that Fermat's factoring finds nothing."""

_HEADER: Final = struct.Struct(">4sBH")
_MAGIC: Final = b"chSK"
_VERSION: Final = 1


class ComputationFault(ChainError):
    """The machine computed wrongly with the private key; the result was withheld, or it would give the key away."""

    def __init__(self) -> None:
        super().__init__(
            "A computation with the model key went wrong.",
            do="Nothing was released. Try again; if it happens twice, check this machine's memory.",
        )


@dataclass(frozen=True, slots=True, repr=False)
class _Half:
    """Everything modulo one prime ``p`` of ``n = p q``."""

    prime: mpz
    prime_squared: mpz
    unit_exponent: mpz
    """``q mod (p - 1)``: raising to it modulo ``p`` is raising to ``q``."""
    log_scale: mpz
    """``(-q)**-1 mod p``, the inverse of the logarithm of ``(1 + n)**(p - 1)``."""

    @classmethod
    def of(cls, prime: int, other: int) -> _Half:
        p, q = mpz(prime), mpz(other)
        return cls(p, p * p, q % (p - 1), gmpy2.invert(-q, p))

    def plaintext(self, ciphertext: mpz) -> tuple[mpz, mpz]:
        """Return the plaintext modulo ``p`` and ``c**(p - 1) mod p**2``, which says what it must be."""
        power = _checked_power(ciphertext, self.prime - 1, self.prime_squared)
        return power // self.prime * self.log_scale % self.prime, power

    def nth_power(self, unit: mpz) -> mpz:
        """Return ``unit**n mod p**2``.

        ``unit**n = (unit**q)**p``, and a ``p``-th power modulo ``p**2`` depends on its base modulo ``p``
        only: two exponents of half the size, the first under a modulus of a quarter of it.
        """
        root = _checked_power(unit, self.unit_exponent, self.prime)
        power = gmpy2.powmod_sec(root, self.prime, self.prime_squared)
        if power % self.prime != root:
            raise ComputationFault
        return power


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A Paillier private key.

    Parameters
    ----------
    p, q
        The two primes, ``p < q``.

    Raises
    ------
    BadInput
        If they are not the primes of a usable key.
    """

    p: int
    q: int
    public_key: PublicKey = field(init=False, compare=False)
    _halves: tuple[_Half, _Half] = field(init=False, compare=False)
    _p_inverse: mpz = field(init=False, compare=False)
    _p_squared_inverse: mpz = field(init=False, compare=False)

    def __post_init__(self) -> None:
        p, q = mpz(self.p), mpz(self.q)
        n = p * q
        if not 2 < p < q or n % 2 == 0 or gmpy2.gcd(n, (p - 1) * (q - 1)) != 1:
            raise BadInput("The two numbers are not the primes of a model key.")
        object.__setattr__(self, "public_key", PublicKey(int(n)))
        object.__setattr__(self, "_halves", (_Half.of(self.p, self.q), _Half.of(self.q, self.p)))
        object.__setattr__(self, "_p_inverse", gmpy2.invert(p, q))
        object.__setattr__(self, "_p_squared_inverse", gmpy2.invert(p * p, q * q))

    def encrypt_with(self, plaintext: int, unit: int) -> int:
        """Encrypt an integer under given randomness: the same bits as ``cipher.encrypt_with``, sooner.

        Parameters
        ----------
        unit
            A member of ``Z*_n``, used for no other plaintext.

        Raises
        ------
        BadInput
            If the plaintext is outside ``(-n/2, n)``.
        ComputationFault
            If the machine computed wrongly.
        """
        low, high = self._halves
        low_power, high_power = low.nth_power(mpz(unit)), high.nth_power(mpz(unit))
        lift = (high_power - low_power) * self._p_squared_inverse % high.prime_squared
        power = low_power + low.prime_squared * lift
        if power % high.prime_squared != high_power:
            raise ComputationFault
        shift = 1 + mpz(encode_plaintext(self.public_key, plaintext)) * self.public_key.n
        return int(shift * power % self.public_key.n_squared)

    def decrypt(self, ciphertext: int) -> int:
        """Decrypt to a signed integer in ``(-n/2, n/2)``.

        Raises
        ------
        PayloadRejected
            If the ciphertext lies outside ``Z*_{n**2}``.
        ComputationFault
            If the machine computed wrongly.
        """
        residue = self.decrypt_residue(ciphertext)
        return residue - self.public_key.n if 2 * residue > self.public_key.n else residue

    def decrypt_residue(self, ciphertext: int) -> int:
        """Decrypt to the residue in ``[0, n)``; errors as :meth:`decrypt`."""
        check_group(self.public_key, (ciphertext,))
        low, high = self._halves
        low_plaintext, low_power = low.plaintext(mpz(ciphertext))
        high_plaintext, high_power = high.plaintext(mpz(ciphertext))
        lift = (high_plaintext - low_plaintext) * self._p_inverse % high.prime
        residue = low_plaintext + low.prime * lift
        multiple = residue * self.public_key.n
        for half, power in ((low, low_power), (high, high_power)):
            # The power has turned the ciphertext's n-th residue into one; (1 + n)**(m (p - 1)) has to be left.
            if (1 + multiple * (half.prime - 1) - power) % half.prime_squared != 0:
                raise ComputationFault
        return int(residue)

    def to_bytes(self) -> bytes:
        """Encode for the lender's vault: header, then both primes big-endian in equal width. Secret."""
        width = (self.q.bit_length() + 7) // 8
        return _HEADER.pack(_MAGIC, _VERSION, width) + self.p.to_bytes(width, "big") + self.q.to_bytes(width, "big")

    @classmethod
    def from_bytes(cls, blob: bytes) -> PrivateKey:
        """Read back what :meth:`to_bytes` wrote.

        Raises
        ------
        BadInput
            If the bytes are damaged or are no model key.
        """
        problem = BadInput("The stored model key cannot be read.", do="Restore it from a backup.")
        if len(blob) < _HEADER.size:
            raise problem
        magic, version, width = _HEADER.unpack_from(blob)
        if magic != _MAGIC or version != _VERSION or len(blob) != _HEADER.size + 2 * width:
            raise problem
        p = int.from_bytes(blob[_HEADER.size : _HEADER.size + width], "big")
        q = int.from_bytes(blob[_HEADER.size + width :], "big")
        if not all(gmpy2.is_prime(prime, _PRIME_TEST_ROUNDS) for prime in (p, q)):
            raise problem
        return cls(p, q)

    def __repr__(self) -> str:
        return f"PrivateKey(<secret>, {self.public_key!r})"


def generate_private_key(bits: int, rng: Rng, *, min_bits: int = MIN_KEY_BITS) -> PrivateKey:
    """Make a key whose modulus has exactly ``bits`` bits.

    Each prime is drawn afresh, uniformly from the odd numbers in ``[2**(k - 1/2), 2**k)``, ``k = bits / 2``,
    until one is prime; two such primes always multiply to the exact size.

    Parameters
    ----------
    bits
        A multiple of 64, at least ``min_bits``, at most 8192.
    min_bits
        2048 outside tests.

    Raises
    ------
    BadInput
        If the size is out of range.

    References
    ----------
    FIPS 186-5, A.1.3.
    """
    if not min_bits <= bits <= MAX_KEY_BITS or bits % KEY_BITS_STEP:
        raise BadInput(
            f"A key of {bits} bits was asked for.",
            expected=f"Expected {min_bits} to {MAX_KEY_BITS} bits in steps of {KEY_BITS_STEP}.",
        )
    least_distance = 1 << max(bits // 2 - _PRIME_DISTANCE_BITS, 0)
    while True:
        p, q = sorted(_random_prime(bits // 2, rng) for _ in range(2))
        if q - p > least_distance and gmpy2.gcd(p * q, (p - 1) * (q - 1)) == 1:
            return PrivateKey(p, q)


def encrypt_weights(
    private_key: PrivateKey,
    weights: NDArray[np.int32],
    seed: bytes,
    number_format: NumberFormat = DEFAULT_FORMAT,
) -> EncryptedWeights:
    """Encrypt a round's base weights under randomness derived from the round's seed.

    Parameters
    ----------
    weights
        int32 (n_weights,), ``weight_fraction_bits`` fractional bits.
    seed
        At least 32 secret bytes, never used for other weights. Who sees it opened repeats the encryption with
        ``cipher.reencrypt_weights``.

    Raises
    ------
    BadInput, OverflowRefused
        If the weights are not of the number format.
    ComputationFault
        If the machine computed wrongly.
    """
    check_weights(weights, number_format)
    units = weight_units(private_key.public_key, len(weights), seed)
    ciphertexts = (private_key.encrypt_with(weight, unit) for weight, unit in zip(weights.tolist(), units, strict=True))
    return EncryptedWeights(private_key.public_key, tuple(ciphertexts))


def _random_prime(bits: int, rng: Rng) -> int:
    # The interval starts and ends at even numbers, so setting the lowest bit gives each odd number in it alike;
    # the first odd one already lies above the root.
    start = (int(gmpy2.isqrt(mpz(1) << (2 * bits - 1))) + 1) & ~1
    while True:
        candidate = (start + random_below((1 << bits) - start, rng)) | 1
        if gmpy2.is_prime(candidate, _PRIME_TEST_ROUNDS):
            return candidate


def _checked_power(base: mpz, exponent: mpz, modulus: mpz) -> mpz:
    """Return ``base**exponent mod modulus`` in constant time, compared with a second computation."""
    power = gmpy2.powmod_sec(base % (modulus * _CHECK_PRIME), exponent, modulus * _CHECK_PRIME)
    if power % _CHECK_PRIME != gmpy2.powmod(base % _CHECK_PRIME, exponent, _CHECK_PRIME):
        raise ComputationFault
    return power % modulus
