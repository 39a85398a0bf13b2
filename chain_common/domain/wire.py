"""Binary documents that pass between parties: versioned, length-checked, with exactly one encoding each.

Both go to the content store, the payload sealed. Canonical JSON is in :mod:`chain_common.domain.document`,
digests and CIDs in :mod:`chain_common.domain.content_id`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from chain_common.domain.content_id import MAX_BLOB_BYTES
from chain_common.errors import BadInput, PayloadRejected

PUBLIC_REJECTION_REASON: Final = "The payload cannot be used."
"""All that is said in public of a malformed payload, whatever is wrong with it.

A more exact reason would let its sender learn about the weights (protocol §4). The exact cause stays in the lender's
log.
"""

MAX_PAYLOAD_BYTES: Final = MAX_BLOB_BYTES - 256
"""Largest payload before sealing; sealing adds less than 256 bytes."""

MAX_ROWS: Final = 2**32 - 1
"""Most rows a contribution can declare on chain."""

_VERSION: Final = 1
_DIGEST_BYTES: Final = 32
_WEIGHTS_HEADER: Final = struct.Struct(">4sB32sI")
_WEIGHTS_MAGIC: Final = b"chEW"
_PAYLOAD_HEADER: Final = struct.Struct(">4sBI32sII")
_PAYLOAD_MAGIC: Final = b"chUP"


def _check_digest(digest: bytes, what: str) -> None:
    if len(digest) != _DIGEST_BYTES:
        raise BadInput(f"The {what} has {len(digest)} bytes.", expected=f"Expected {_DIGEST_BYTES}.")


def _within(blob: bytes, limit: int) -> bytes:
    if len(blob) > limit:
        raise BadInput(
            f"The document has {len(blob)} bytes.",
            expected=f"At most {limit} are stored.",
            do="Use fewer rows or a model with fewer features.",
        )
    return blob


@dataclass(frozen=True, slots=True)
class WeightsDocument:
    """Encrypted weights, the base of one or more rounds.

    Parameters
    ----------
    key_fingerprint
        Of the model's public key, 32 bytes: ciphertexts of another key are not weights of this model.
    encrypted_weights
        As the encrypted core encodes them.
    """

    key_fingerprint: bytes
    encrypted_weights: bytes

    def __post_init__(self) -> None:
        _check_digest(self.key_fingerprint, "key fingerprint")

    def to_bytes(self) -> bytes:
        """Encode.

        Raises
        ------
        BadInput
            Above 1 MiB.
        """
        header = _WEIGHTS_HEADER.pack(_WEIGHTS_MAGIC, _VERSION, self.key_fingerprint, len(self.encrypted_weights))
        return _within(header + self.encrypted_weights, MAX_BLOB_BYTES)

    @classmethod
    def from_bytes(cls, blob: bytes) -> WeightsDocument:
        """Read what :meth:`to_bytes` wrote.

        Raises
        ------
        PayloadRejected
            If kind, version or length are wrong.
        """
        if not _WEIGHTS_HEADER.size <= len(blob) <= MAX_BLOB_BYTES:
            raise PayloadRejected(f"A weights document of {len(blob)} bytes.")
        magic, version, fingerprint, n_weights_bytes = _WEIGHTS_HEADER.unpack_from(blob)
        if magic != _WEIGHTS_MAGIC or version != _VERSION:
            raise PayloadRejected("Not a weights document of version 1.")
        if len(blob) != _WEIGHTS_HEADER.size + n_weights_bytes:
            raise PayloadRejected(f"A weights document of {len(blob)} bytes that names another length.")
        return cls(fingerprint, blob[_WEIGHTS_HEADER.size :])


@dataclass(frozen=True, slots=True)
class Payload:
    """What a data owner sends to the lender, before sealing.

    Parameters
    ----------
    n_rows
        Rows the update was made from, 1 to 2^32 - 1; the same as on chain.
    packed_update
        ``Enc(M w + c)`` as the encrypted core encodes it.
    row_tags
        As :meth:`chain_common.domain.row_tags.RowTags.to_bytes` encodes them.
    affine_digest
        SHA-256 of the affine update (M, c), 32 bytes; the same as on chain.
    """

    n_rows: int
    packed_update: bytes
    row_tags: bytes
    affine_digest: bytes

    def __post_init__(self) -> None:
        if not 1 <= self.n_rows <= MAX_ROWS:
            raise BadInput(f"A payload from {self.n_rows} rows.", expected=f"Expected 1 to {MAX_ROWS}.")
        _check_digest(self.affine_digest, "digest of the affine update")

    def __repr__(self) -> str:
        return f"Payload(n_rows={self.n_rows}, <secret>)"

    def to_bytes(self) -> bytes:
        """Encode.

        Raises
        ------
        BadInput
            If it is too large to be stored sealed.
        """
        header = _PAYLOAD_HEADER.pack(
            _PAYLOAD_MAGIC,
            _VERSION,
            self.n_rows,
            self.affine_digest,
            len(self.packed_update),
            len(self.row_tags),
        )
        return _within(header + self.packed_update + self.row_tags, MAX_PAYLOAD_BYTES)

    @classmethod
    def from_bytes(cls, blob: bytes) -> Payload:
        """Read what :meth:`to_bytes` wrote.

        Raises
        ------
        PayloadRejected
            If kind, version or a length are wrong, or no rows are declared.
        """
        if not _PAYLOAD_HEADER.size <= len(blob) <= MAX_PAYLOAD_BYTES:
            raise PayloadRejected(f"A payload of {len(blob)} bytes.")
        magic, version, n_rows, affine_digest, n_update, n_tags = _PAYLOAD_HEADER.unpack_from(blob)
        if magic != _PAYLOAD_MAGIC or version != _VERSION:
            raise PayloadRejected("Not a payload of version 1.")
        if len(blob) != _PAYLOAD_HEADER.size + n_update + n_tags or n_rows < 1:
            raise PayloadRejected(f"A payload of {len(blob)} bytes that names other lengths, or no rows.")
        start_of_tags = _PAYLOAD_HEADER.size + n_update
        return cls(n_rows, blob[_PAYLOAD_HEADER.size : start_of_tags], blob[start_of_tags:], affine_digest)
