"""A content store in a folder, which the apps of one machine share.

Each blob is a file named by its CID, in one of 256 folders named by the digest's first byte. Blobs never change, so
writers need no lock: two that write the same blob rename equal files over each other.
"""

from __future__ import annotations

import contextlib
import errno
import tempfile
from pathlib import Path
from typing import Final

from chain_common.adapters.durable_files import PARTIAL_SUFFIX, write_durably
from chain_common.domain.content_id import MAX_BLOB_BYTES, cid_of, digest_of, require_digest
from chain_common.errors import PayloadRejected, Unavailable
from chain_common.state_errors import BlobTooLarge, ContentMissing

# Blobs are public (specs, ciphertexts, sealed payloads), and the other app may run as another user.
_FILE_MODE: Final = 0o644


class LocalStore:
    """Blobs as files below a folder, checked against their digest at every read.

    Parameters
    ----------
    folder
        Made if it is not there. If it cannot be, every method says so; the app starts nevertheless.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"LocalStore({str(self._folder)!r})"

    def put(self, blob: bytes) -> bytes:
        """Store a blob and return its digest (32 bytes).

        Raises
        ------
        BlobTooLarge
            Above 1 MiB.
        Unavailable
            If the folder is missing, not writable or its disk is full.
        """
        if len(blob) > MAX_BLOB_BYTES:
            raise BlobTooLarge(len(blob), MAX_BLOB_BYTES)
        digest = digest_of(blob)
        path = self._path(digest)
        self._require_folder()
        try:
            # A whole copy may be there already; a damaged one is written over.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_size == len(blob) and path.read_bytes() == blob:
                    return digest
            path.parent.mkdir(exist_ok=True)
            write_durably(path, blob, mode=_FILE_MODE)
        except OSError as error:
            raise self._failed("written", error) from error
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the blob.

        Raises
        ------
        ContentMissing
            If it is not in the folder.
        PayloadRejected
            If the file is not what its name says.
        Unavailable
            If the folder is missing or the file cannot be read.
        """
        try:
            with self._path(digest).open("rb") as file:
                blob = file.read(MAX_BLOB_BYTES + 1)
        except FileNotFoundError as error:
            self._require_folder()
            raise ContentMissing(cid_of(digest), self.location()) from error
        except OSError as error:
            raise self._failed("read", error) from error
        return require_digest(blob, digest)

    def has(self, digest: bytes) -> bool:
        """Tell whether the blob can be read here now."""
        try:
            self.get(digest)
        except (Unavailable, PayloadRejected):
            return False
        return True

    def check(self) -> None:
        """Raise ``Unavailable`` if the folder cannot be read and written."""
        self._require_folder()
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".check.", suffix=PARTIAL_SUFFIX):
                pass
        except OSError as error:
            raise self._failed("written", error) from error

    def location(self) -> str:
        """Return the folder."""
        return str(self._folder)

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest[:1].hex() / cid_of(digest)

    def _require_folder(self) -> None:
        if not self._folder.is_dir():
            raise Unavailable(
                f"The content store's folder {self._folder} is not there.",
                do="Make it, or mount its disk, or set CHAIN_STORAGE_URL to another store.",
            )

    def _failed(self, act: str, error: OSError) -> Unavailable:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            do = "Its disk is full: make room and try again."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            do = "Give this user the right to write there, or set CHAIN_STORAGE_URL to another store."
        else:
            do = "Check the disk and try again."
        return Unavailable(f"The content store at {self._folder} cannot be {act} ({error.strerror}).", do=do)
