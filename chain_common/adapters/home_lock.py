"""One process of an app per home."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from chain_common.adapters.durable_files import make_private_folder
from chain_common.errors import Unavailable
from chain_common.state_errors import HomeInUse

# Windows forbids others to read a locked byte, so the locked one lies behind the process number.
_LOCKED_BYTE = 1 << 20


class HomeLock:
    """An exclusive lock on a home, which the operating system drops when the process ends, however it ends.

    Whoever holds it knows that no other process works on this home: leases left behind are a dead process's.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, making the home if need be.

        Raises
        ------
        HomeInUse
            If another process (or another lock in this one) holds it.
        Unavailable
            If the home cannot be made or written.
        """
        if self._descriptor is not None:
            return
        try:
            make_private_folder(self._home)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unavailable(
                f"The home {self._home} cannot be written ({error.strerror}).",
                do="Choose another CHAIN_HOME, or mend its permissions.",
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise HomeInUse(str(self._home), holder) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def is_held(self) -> bool:
        """Tell whether this object holds the lock."""
        return self._descriptor is not None

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _lock(descriptor: int) -> None:
    """Lock without waiting. Raises ``OSError`` if it is taken."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
