"""Names of immutable blobs: the SHA-256 digest on chain, and the same digest as an IPFS CID for people and Kubo.

A CID here is version 1, codec ``raw``, hash ``sha2-256``, in lower-case base32: the multibase prefix ``b`` and the
bytes ``01 55 12 20`` before the digest.

References
----------
https://github.com/multiformats/cid
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from chain_common.errors import BadInput, PayloadRejected

# The largest block that IPFS nodes exchange by default; a blob is always one raw block.
MAX_BLOB_BYTES: Final = 1 << 20

_PREFIX: Final = bytes([0x01, 0x55, 0x12, 0x20])


def digest_of(blob: bytes) -> bytes:
    """Return the SHA-256 digest (32 bytes) of a blob."""
    digest = Hash(SHA256())
    digest.update(blob)
    return digest.finalize()


def require_digest(blob: bytes, digest: bytes) -> bytes:
    """Return the blob if it has this digest. Raises ``PayloadRejected`` otherwise."""
    found = digest_of(blob)
    if found != digest:
        raise PayloadRejected(
            f"The store returned other content ({cid_of(found)}) than the one asked for ({cid_of(digest)}).",
            do="It was damaged or exchanged; try another store.",
        )
    return blob


def cid_of(digest: bytes) -> str:
    """Return the CID of a digest (32 bytes), 59 characters."""
    if len(digest) != 32:
        raise ValueError(f"a SHA-256 digest has 32 bytes, got {len(digest)}")
    return "b" + base64.b32encode(_PREFIX + digest).decode().lower().rstrip("=")


def digest_from_cid(cid: str) -> bytes:
    """Return the digest (32 bytes) that a CID names.

    Raises
    ------
    BadInput
        If it is not a CID of the one kind used here.
    """
    text = cid.strip()
    try:
        raw = base64.b32decode(text[1:].upper() + "=" * (-len(text[1:]) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 36 or not raw.startswith(_PREFIX) or cid_of(raw[4:]) != text:
        raise BadInput(
            f"{cid[:80]!r} does not name a content.",
            expected="A CID of 59 characters, bafkrei…, was expected.",
        )
    return raw[4:]
