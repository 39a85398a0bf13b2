"""Calls a service at regular intervals: what an app does by itself starts here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from chain_common.adapters.job_worker import described_without_message
from chain_common.errors import ChainError

log = logging.getLogger(__name__)

LONGEST_PAUSE_S: Final = 10.0
"""Between two beats while the chain or the store is away."""


class Heartbeat:
    """A thread that calls ``beat`` every so many seconds, and less often while the world is away.

    Parameters
    ----------
    beat
        Idempotent; what it raises is logged and does not end the thread.
    interval_s
        Seconds between the end of one call and the next.
    """

    def __init__(self, beat: Callable[[], None], interval_s: float = 1.0) -> None:
        self._beat = beat
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; it ends with the process or at :meth:`stop`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        pause = self._interval_s
        said = ""
        while not self._ended.wait(pause):
            try:
                self._beat()
                pause, said = self._interval_s, ""
            except ChainError as error:
                pause = min(LONGEST_PAUSE_S, pause * 2)
                if error.sentence != said:
                    said = error.sentence
                    log.warning("%s", said)
            except Exception as error:  # noqa: BLE001 -- a dead thread would stop settling and delivering for good
                pause = min(LONGEST_PAUSE_S, pause * 2)
                log.error("unexpected: %s", described_without_message(error))  # noqa: TRY400
