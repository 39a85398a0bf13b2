"""The heartbeat goes on whatever a beat raises."""

import threading

from chain_common.adapters.heartbeat import Heartbeat
from chain_common.errors import Unavailable


class Beats:
    """Raises at the first beats and lets a test wait for later ones."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calm = threading.Event()

    def __call__(self):
        if self.errors:
            raise self.errors.pop(0)
        self.calm.set()


def test_a_beat_that_fails_is_followed_by_others(caplog):
    secret = "0123456789abcdef"
    beats = Beats(Unavailable("The chain is away."), ValueError(secret))
    heart = Heartbeat(beats, interval_s=0.01)
    heart.start()
    assert beats.calm.wait(10)
    heart.stop()
    assert "The chain is away." in caplog.text
    assert "ValueError" in caplog.text
    assert secret not in caplog.text
