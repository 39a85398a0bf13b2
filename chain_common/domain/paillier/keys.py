"""Paillier public keys and what is encrypted under them, as both sides see it.

References
----------
Paillier 1999, "Public-key cryptosystems based on composite degree residuosity classes", with the generator
``1 + n`` of Damgård, Jurik, Nielsen 2010.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import gmpy2
from gmpy2 import mpz

from chain_common.errors import PayloadRejected

MIN_KEY_BITS: Final = 2048
"""Smallest modulus accepted outside tests (protocol §5); 112 bits of security by NIST SP 800-57."""

MAX_KEY_BITS: Final = 8192
"""Largest modulus accepted: a larger one only keeps the other side busy."""

KEY_BITS_STEP: Final = 64
"""Moduli have a multiple of this many bits; one that does not came from a generator that missed its size."""

_HEX: Final = re.compile(r"[1-9a-f][0-9a-f]*")
_HEADER: Final = struct.Struct(">4sBHHH32s")
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, repr=False)
class PublicKey:
    """A Paillier public key.

    A key from another party proves nothing by existing: :meth:`check` it before use.

    Parameters
    ----------
    n
        The modulus, a product of two secret primes.
    """

    n: int
    n_squared: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if self.n < 2:
            raise PayloadRejected("The modulus of the model key is not positive.")
        object.__setattr__(self, "n", int(self.n))
        object.__setattr__(self, "n_squared", self.n * self.n)

    @property
    def bits(self) -> int:
        """Size of the modulus."""
        return self.n.bit_length()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the modulus (big-endian, no leading zeros), lower-case hexadecimal."""
        return hashlib.sha256(self.n.to_bytes((self.bits + 7) // 8, "big")).hexdigest()

    def check(self, min_bits: int = MIN_KEY_BITS) -> None:
        """Refuse a modulus that is even, of a wrong size, prime or a power.

        What it cannot see, ``gcd(n, phi(n)) = 1``, is what the key's proof is for.

        Raises
        ------
        PayloadRejected
            With the exact cause.
        """
        if not min_bits <= self.bits <= MAX_KEY_BITS or self.bits % KEY_BITS_STEP:
            raise PayloadRejected(
                f"The model key has {self.bits} bits.",
                expected=f"Expected {min_bits} to {MAX_KEY_BITS} bits in steps of {KEY_BITS_STEP}.",
            )
        if self.n % 2 == 0:
            raise PayloadRejected("The modulus of the model key is even.")
        if gmpy2.is_power(self.n):
            raise PayloadRejected("The modulus of the model key is a power.")
        if gmpy2.is_prime(self.n):
            raise PayloadRejected("The modulus of the model key is prime.")

    def to_text(self) -> str:
        """Write the modulus as lower-case hexadecimal."""
        return f"{self.n:x}"

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """Read a modulus written by :meth:`to_text`. The key is still to be checked.

        Raises
        ------
        PayloadRejected
            If the text is not lower-case hexadecimal without leading zeros, or too long.
        """
        if len(text) > MAX_KEY_BITS // 4 or not _HEX.fullmatch(text):
            raise PayloadRejected("The modulus of the model key is not written as lower-case hexadecimal.")
        return cls(int(text, 16))

    def __repr__(self) -> str:
        return f"PublicKey({self.bits} bits, {self.fingerprint[:16]}…)"


@dataclass(frozen=True, slots=True, repr=False)
class EncryptedWeights:
    """A model's weights, encrypted one by one.

    Parameters
    ----------
    ciphertexts
        n_weights members of ``Z*_{n**2}``.

    Raises
    ------
    PayloadRejected
        If there is none, or one lies outside the group.
    """

    public_key: PublicKey
    ciphertexts: tuple[int, ...]

    def __post_init__(self) -> None:
        check_group(self.public_key, self.ciphertexts)

    @property
    def n_weights(self) -> int:
        """Number of weights with the intercept."""
        return len(self.ciphertexts)

    def to_bytes(self) -> bytes:
        """Encode as :func:`encode_ciphertexts` does, kind ``chEW``."""
        return encode_ciphertexts(b"chEW", self.public_key, self.n_weights, self.ciphertexts)

    @classmethod
    def from_bytes(cls, blob: bytes, public_key: PublicKey, n_weights: int) -> EncryptedWeights:
        """Read what :meth:`to_bytes` wrote under the key and for the number of weights that the spec names.

        Raises
        ------
        PayloadRejected
            With the exact cause.
        """
        return cls(public_key, decode_ciphertexts(b"chEW", public_key, n_weights, n_weights, blob))

    def __repr__(self) -> str:
        return f"EncryptedWeights(n_weights={self.n_weights}, {self.public_key!r})"


def check_group(public_key: PublicKey, ciphertexts: Sequence[int]) -> None:
    """Refuse ciphertexts that do not lie in ``Z*_{n**2}``; at least one is expected.

    Raises
    ------
    PayloadRejected
        Naming the first one outside the group.
    """
    if not ciphertexts:
        raise PayloadRejected("There are no ciphertexts.")
    n = mpz(public_key.n)
    product = mpz(1)
    for index, ciphertext in enumerate(ciphertexts):
        if not 0 < ciphertext < public_key.n_squared:
            raise PayloadRejected(f"Ciphertext {index} is out of range.", expected="Expected 0 < c < n².")
        product = product * ciphertext % n
    # One gcd for all: the product has a factor in common with n exactly if one of them has.
    if gmpy2.gcd(product, n) != 1:
        index = next(i for i, ciphertext in enumerate(ciphertexts) if gmpy2.gcd(ciphertext, n) != 1)
        raise PayloadRejected(f"Ciphertext {index} is not invertible.", expected="Expected a member of Z*_{n²}.")


def encode_ciphertexts(kind: bytes, public_key: PublicKey, n_weights: int, ciphertexts: Sequence[int]) -> bytes:
    """Encode ciphertexts in their one canonical form.

    Header, big-endian: kind (4 bytes), version (1), n_weights (2), number of ciphertexts (2), bytes per
    ciphertext (2), SHA-256 of the modulus (32). Then each ciphertext big-endian in the width of ``n**2``.

    Parameters
    ----------
    kind
        Four bytes that name what the ciphertexts are.
    """
    width = _width(public_key)
    header = _header(kind, public_key, n_weights, len(ciphertexts))
    return header + b"".join(int(ciphertext).to_bytes(width, "big") for ciphertext in ciphertexts)


def decode_ciphertexts(
    kind: bytes, public_key: PublicKey, n_weights: int, n_ciphertexts: int, blob: bytes
) -> tuple[int, ...]:
    """Read what :func:`encode_ciphertexts` wrote; whether they lie in the group is still to be checked.

    Raises
    ------
    PayloadRejected
        If kind, version, key, a count or the length is another than expected.
    """
    width = _width(public_key)
    expected_length = _HEADER.size + n_ciphertexts * width
    if len(blob) != expected_length:
        raise PayloadRejected(f"The payload has {len(blob)} bytes.", expected=f"Expected {expected_length}.")
    if blob[: _HEADER.size] != _header(kind, public_key, n_weights, n_ciphertexts):
        raise PayloadRejected(f"The payload's header is {blob[: _HEADER.size].hex()}.", expected=_expectation(kind))
    body = memoryview(blob)[_HEADER.size :]
    return tuple(int.from_bytes(body[start : start + width], "big") for start in range(0, len(body), width))


def _header(kind: bytes, public_key: PublicKey, n_weights: int, n_ciphertexts: int) -> bytes:
    fingerprint = bytes.fromhex(public_key.fingerprint)
    return _HEADER.pack(kind, _VERSION, n_weights, n_ciphertexts, _width(public_key), fingerprint)


def _expectation(kind: bytes) -> str:
    return f"Expected kind {kind.decode()}, version {_VERSION}, and the model's own key and numbers of weights."


def _width(public_key: PublicKey) -> int:
    return (public_key.n_squared.bit_length() + 7) // 8
