"""The operating system's random generator, for everything that must not repeat."""

from __future__ import annotations

import os


class OsRng:
    """Uniform bytes from the operating system; safe to share between threads and processes."""

    def random_bytes(self, n_bytes: int) -> bytes:
        """Return ``n_bytes`` fresh bytes."""
        return os.urandom(n_bytes)
