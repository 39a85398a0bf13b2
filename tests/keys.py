"""Model keys for tests: small, the same in every run, and known to everyone who reads this."""

from functools import cache

from chain_common.domain.paillier.private_key import PrivateKey, generate_private_key
from chain_common.domain.randomness import SeededRng

PUBLIC_SEED = b"known to everyone, so never for money"


@cache
def model_key(bits: int = 1024) -> PrivateKey:
    """Return the test key of a size; from 2,048 bits on it passes every check a real one has to pass."""
    return generate_private_key(bits, SeededRng(PUBLIC_SEED, f"test model key {bits}"), min_bits=64)


def seeded(purpose: str = "test") -> SeededRng:
    """Return a generator that gives the same bytes in every run."""
    return SeededRng(PUBLIC_SEED, purpose)


class UntouchedRng:
    """A generator that must not be asked."""

    def random_bytes(self, n_bytes: int) -> bytes:
        raise AssertionError(f"{n_bytes} random bytes were drawn")
