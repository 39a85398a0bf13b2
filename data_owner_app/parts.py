"""What the pages need of the app's container."""

from __future__ import annotations

from typing import Protocol

from flask import current_app

from chain_common.ports import Clock, Keyring
from chain_common.services.data_owner.data_owner import DataOwner


class Parts(Protocol):
    """Built once by :mod:`data_owner_app.container` and given to ``create_app``."""

    @property
    def data_owner(self) -> DataOwner:
        """The data owner's use cases."""

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


def data_owner() -> DataOwner:
    """Return the data owner's use cases for the current request."""
    parts: Parts = current_app.extensions["data-owner-parts"]
    return parts.data_owner
