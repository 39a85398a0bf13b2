"""Randomness as an argument.

The domain never reaches for the operating system's generator. It takes an :class:`Rng`; the adapters give it one that
reads the operating system, tests and re-encryption give it a :class:`SeededRng`.
"""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Rng(Protocol):
    """A source of uniform random bytes."""

    def random_bytes(self, n_bytes: int) -> bytes:
        """Return ``n_bytes`` uniform bytes."""
        ...


class SeededRng:
    """A deterministic generator: ChaCha20's key stream under a key derived from a seed and a purpose.

    Parameters
    ----------
    seed
        At least 32 bytes of secret entropy.
    purpose
        Names what the stream is for; two purposes give independent streams from one seed.

    References
    ----------
    RFC 8439 (ChaCha20), RFC 5869 (HKDF).
    """

    def __init__(self, seed: bytes, purpose: str) -> None:
        if len(seed) < 32:
            raise ValueError(f"a seed has at least 32 bytes, got {len(seed)}")
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"chain/rng/" + purpose.encode()).derive(seed)
        self._stream = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()

    def random_bytes(self, n_bytes: int) -> bytes:
        """Return the next ``n_bytes`` of the stream."""
        return self._stream.update(bytes(n_bytes))

    def __repr__(self) -> str:
        return "SeededRng(<secret>)"


def random_below(bound: int, rng: Rng) -> int:
    """Draw an integer uniformly from ``[0, bound)`` by rejection sampling.

    Parameters
    ----------
    bound
        Positive.
    """
    if bound <= 0:
        raise ValueError(f"a bound is positive, got {bound}")
    n_bits = bound.bit_length()
    n_bytes = (n_bits + 7) // 8
    excess = 8 * n_bytes - n_bits
    while True:
        candidate = int.from_bytes(rng.random_bytes(n_bytes), "big") >> excess
        if candidate < bound:
            return candidate
