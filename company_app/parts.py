"""What the pages need of the app's container."""

from __future__ import annotations

from typing import Protocol

from flask import current_app

from chain_common.ports import Clock, Keyring
from chain_common.services.lender.lender import Lender


class Parts(Protocol):
    """Built once by :mod:`company_app.container` and given to ``create_app``."""

    @property
    def lender(self) -> Lender:
        """The lender's use cases."""

    @property
    def keyring(self) -> Keyring:
        """The user's password-protected home."""

    @property
    def clock(self) -> Clock:
        """The time of this machine."""

    @property
    def secret_key(self) -> bytes:
        """Signs the session cookie."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names besides the loopback ones that the app answers under."""

    @property
    def upload_limit_bytes(self) -> int:
        """Largest upload taken."""


def lender() -> Lender:
    """Return the lender's use cases for the current request."""
    parts: Parts = current_app.extensions["lender-parts"]
    return parts.lender
