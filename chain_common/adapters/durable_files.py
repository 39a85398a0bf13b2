"""Files that are whole or not there, whatever is killed when."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

# A half-written file carries this suffix and is never read.
PARTIAL_SUFFIX = ".partial"


def write_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that a crash leaves the old content or the new one, never a part.

    Temporary file in the same folder, flushed to disk, renamed, folder flushed. Raises ``OSError``.

    Parameters
    ----------
    mode
        Permissions of the file, exactly: the process's umask does not apply.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        with os.fdopen(descriptor, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def make_private_folder(path: Path) -> None:
    """Make a folder that only this user can enter, and so those above it that are missing. Raises ``OSError``."""
    if not path.parent.exists():
        make_private_folder(path.parent)
    path.mkdir(exist_ok=True, mode=0o700)
    path.chmod(0o700)


def flush_folder(path: Path) -> None:
    """Make renames in a folder survive a power cut, where the system can (Windows has no such call)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
