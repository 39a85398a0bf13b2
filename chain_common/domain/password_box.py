"""A file locked with a password of its own, for backups that leave the machine."""

from __future__ import annotations

import struct
import unicodedata
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from chain_common.domain.randomness import Rng
from chain_common.errors import BadInput

SCRYPT_LOG2_N: Final = 17
"""Work of one guess: 128 MiB and about half a second."""

_MAGIC: Final = b"chBX\x01"
_HEADER: Final = struct.Struct(">5sB16s12s")
_MAX_LOG2_N: Final = 20


def lock_with_password(content: bytes, password: str, rng: Rng, *, log2_n: int = SCRYPT_LOG2_N) -> bytes:
    """Encrypt under a password: scrypt, then ChaCha20-Poly1305 with the header as associated data."""
    salt, nonce = rng.random_bytes(16), rng.random_bytes(12)
    header = _HEADER.pack(_MAGIC, log2_n, salt, nonce)
    return header + ChaCha20Poly1305(_key(password, salt, log2_n)).encrypt(nonce, content, header)


def open_with_password(box: bytes, password: str) -> bytes:
    """Decrypt what :func:`lock_with_password` gave.

    Raises
    ------
    BadInput
        If it is something else, damaged, or locked with another password.
    """
    if len(box) < _HEADER.size:
        raise BadInput("The file is no backup.", do="Choose a file that this app wrote.", field="file")
    header = box[: _HEADER.size]
    magic, log2_n, salt, nonce = _HEADER.unpack(header)
    if magic != _MAGIC or not 1 <= log2_n <= _MAX_LOG2_N:
        raise BadInput("The file is no backup.", do="Choose a file that this app wrote.", field="file")
    try:
        return ChaCha20Poly1305(_key(password, salt, log2_n)).decrypt(nonce, box[_HEADER.size :], header)
    except InvalidTag as error:
        raise BadInput(
            "The backup does not open.",
            expected="The password is the one it was made with, and the file is whole.",
            field="password",
        ) from error


def _key(password: str, salt: bytes, log2_n: int) -> bytes:
    spelled = unicodedata.normalize("NFKC", password).encode()
    return Scrypt(salt=salt, length=32, n=1 << log2_n, r=8, p=1).derive(spelled)
