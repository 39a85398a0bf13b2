"""A secret as one file under a password of its own, to be kept away from the machine it was made on.

::

    "chKB" | version 1 | log2 N | salt 16 | nonce 12 | ChaCha20-Poly1305(scrypt(password, salt, N, 8, 1), secret)

Everything before the ciphertext is authenticated with it.

References
----------
RFC 7914 (scrypt); RFC 8439 (ChaCha20-Poly1305).
"""

from __future__ import annotations

import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from chain_common.domain.randomness import Rng
from chain_common.errors import BadInput

LEAST_PASSWORD: Final = 8
"""Characters."""

WORK_BITS: Final = 17
"""log2 of scrypt's N: 128 MiB and some tenths of a second per password tried (OWASP's recommendation)."""

_HEADER: Final = struct.Struct(">4sBB16s12s")
_MAGIC: Final = b"chKB"
_VERSION: Final = 1
_MAX_WORK_BITS: Final = 20


class BackupRefused(BadInput):
    """A backup cannot be opened: it is something else, damaged, or the password is another."""

    def __init__(self) -> None:
        super().__init__(
            "The backup cannot be opened.",
            expected="A file that this app made, unchanged, and the password given then.",
            do="Check both and try again.",
            field="password",
        )


def seal_backup(secret: bytes, password: str, rng: Rng, *, work_bits: int = WORK_BITS) -> bytes:
    """Encrypt a secret under a password.

    Raises
    ------
    BadInput
        If the password has fewer than eight characters.
    """
    if len(password) < LEAST_PASSWORD:
        raise BadInput(
            f"The password has {len(password)} characters.",
            expected=f"At least {LEAST_PASSWORD}.",
            field="password",
        )
    header = _HEADER.pack(_MAGIC, _VERSION, work_bits, rng.random_bytes(16), rng.random_bytes(12))
    return header + _cipher(header, password).encrypt(header[-12:], secret, header)


def open_backup(blob: bytes, password: str) -> bytes:
    """Return the secret of a backup. Raises ``BackupRefused``."""
    header = blob[: _HEADER.size]
    if len(header) < _HEADER.size:
        raise BackupRefused
    magic, version, work_bits, _salt, nonce = _HEADER.unpack(header)
    if magic != _MAGIC or version != _VERSION or not 1 <= work_bits <= _MAX_WORK_BITS:
        raise BackupRefused
    try:
        return _cipher(header, password).decrypt(nonce, blob[_HEADER.size :], header)
    except InvalidTag as error:
        raise BackupRefused from error


def _cipher(header: bytes, password: str) -> ChaCha20Poly1305:
    _magic, _version, work_bits, salt, _nonce = _HEADER.unpack(header)
    derived = Scrypt(salt=salt, length=32, n=2**work_bits, r=8, p=1).derive(password.encode())
    return ChaCha20Poly1305(derived)
