"""The time of this machine."""

from __future__ import annotations

import time


class SystemClock:
    """Unix seconds of the machine's clock; deadlines that bind are read from the chain instead."""

    def now(self) -> float:
        """Return unix seconds."""
        return time.time()
