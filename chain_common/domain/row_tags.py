"""Tags of rows: the same rows must not be paid twice, a data owner's new rows must be.

A tag is a keyed hash of a row as encoded, cut so short that about every second one would fit a row nobody
has: it says little about a row the lender already knows, and many of them together still show a repeated data
set. Fabricated tags are not recognised (protocol §7).
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.features import ROW_FRACTION_BITS
from chain_common.errors import BadInput, PayloadRejected

OVERLAP_LIMIT: Final = 0.10
"""Share of repeated rows above which a contribution is rejected, unless the spec says otherwise (protocol §7)."""

OVERLAP_DEVIATIONS: Final = 4.0
"""Standard deviations an overlap must exceed as well, or chance alone would reject small contributions."""

SALT_BYTES: Final = 32
_HEADER: Final = struct.Struct(">BI")
_HASH_BITS: Final = 64
_PERSON: Final = b"chain/row-tag/1"
_ROOT_LABEL: Final = b"chain/tag-root/1"


def tag_bits(n_rows: int, rows_accepted: int) -> int:
    """Return the bits of a tag: ``⌈log2 max(n_rows, rows_accepted)⌉ + 1``.

    Parameters
    ----------
    n_rows
        Rows of the contribution, positive.
    rows_accepted
        Rows of all contributions accepted in earlier rounds of the model; public.
    """
    return (max(n_rows, rows_accepted) - 1).bit_length() + 1


@dataclass(frozen=True, slots=True, eq=False)
class RowTags:
    """The tags of one contribution.

    Parameters
    ----------
    bits
        Bits of each tag, 1 to 64: the first ones of a row's hash, so that longer tags can be cut to shorter
        ones.
    values
        uint64 (n_rows,), sorted, which hides the order of the rows; read-only.
    """

    bits: int
    values: NDArray[np.uint64]

    @property
    def n_rows(self) -> int:
        """Rows tagged, repeated ones included."""
        return len(self.values)

    def __repr__(self) -> str:
        return f"RowTags(n_rows={self.n_rows}, bits={self.bits}, <secret>)"

    def cut(self, bits: int) -> NDArray[np.uint64]:
        """Return the first ``bits`` bits of every tag, uint64 (n_rows,), sorted."""
        return self.values >> np.uint64(self.bits - bits)

    def shortened(self, bits: int) -> RowTags:
        """Return the tags with fewer bits, as a rule with fewer rows asks for."""
        values = self.cut(bits)
        values.setflags(write=False)
        return RowTags(bits, values)

    def to_bytes(self) -> bytes:
        """Encode: bits (1 byte), number (4 bytes big-endian), the tags bit by bit, zero bits at the end."""
        places = np.arange(self.bits - 1, -1, -1, dtype=np.uint64)
        bit_table = (self.values[:, None] >> places) & np.uint64(1)
        return _HEADER.pack(self.bits, self.n_rows) + np.packbits(bit_table.astype(np.uint8)).tobytes()

    @classmethod
    def from_bytes(cls, blob: bytes, *, n_rows: int, rows_accepted: int) -> RowTags:
        """Read what another party's :meth:`to_bytes` wrote.

        Parameters
        ----------
        n_rows
            Rows the contribution declares on chain.
        rows_accepted
            As in :func:`tag_bits`. Shorter tags than the rule asks for would hide an overlap.

        Raises
        ------
        PayloadRejected
            If number or bits are not as declared, the length is wrong, or the tags are not in canonical form.
        """
        bits = tag_bits(n_rows, rows_accepted)
        if blob[: _HEADER.size] != _HEADER.pack(bits, n_rows):
            raise PayloadRejected(f"The row tags are not {n_rows} tags of {bits} bits.")
        return cls.read(blob)

    @classmethod
    def read(cls, blob: bytes) -> RowTags:
        """Read what :meth:`to_bytes` wrote, whatever its number and bits; for tags from one's own vault.

        Raises
        ------
        PayloadRejected
            If the length is wrong or the tags are not in canonical form.
        """
        if len(blob) < _HEADER.size:
            raise PayloadRejected(f"{len(blob)} bytes hold no row tags.")
        bits, n_rows = _HEADER.unpack_from(blob)
        n_bits = n_rows * bits
        if not 1 <= bits <= _HASH_BITS or len(blob) != _HEADER.size + (n_bits + 7) // 8:
            raise PayloadRejected(f"The row tags are not {n_rows} tags of {bits} bits.")
        table = np.unpackbits(np.frombuffer(blob, dtype=np.uint8, offset=_HEADER.size))
        if table[n_bits:].any():
            raise PayloadRejected("The row tags end in bits that are not zero.")
        places = np.arange(bits - 1, -1, -1, dtype=np.uint64)
        values = (table[:n_bits].reshape(n_rows, bits).astype(np.uint64) << places).sum(axis=1, dtype=np.uint64)
        if np.any(values[1:] < values[:-1]):
            raise PayloadRejected("The row tags are not sorted.")
        values.setflags(write=False)
        return cls(bits, values)

    def root(self) -> bytes:
        """Return the 32 bytes a contribution commits to on chain: SHA-256 of a label and :meth:`to_bytes`."""
        return hashlib.sha256(_ROOT_LABEL + self.to_bytes()).digest()


def tag_rows(salt: bytes, x: NDArray[np.int16], y: NDArray[np.float64], *, rows_accepted: int) -> RowTags:
    """Tag a data owner's rows.

    Parameters
    ----------
    salt
        The spec's public salt, 32 bytes, different for every model.
    x
        int16 (n_rows, n_weights), rows as they are scored, 12 fractional bits.
    y
        Labels (n_rows,): 0 or 1, or the scaled target; rounded to 12 fractional bits.
    rows_accepted
        As in :func:`tag_bits`.

    Raises
    ------
    BadInput
        If shapes or types do not fit or there is no row.
    """
    if len(salt) != SALT_BYTES:
        raise BadInput(f"A salt of {len(salt)} bytes.", expected=f"Expected {SALT_BYTES}.")
    if x.dtype != np.int16 or x.ndim != 2 or y.shape != (len(x),) or not len(x):
        raise BadInput(f"Rows {x.dtype}{x.shape} with labels {y.shape}.", expected="Expected int16 rows, and labels.")
    # Big-endian bytes of each row and its label, side by side.
    labels = np.rint(y * float(1 << ROW_FRACTION_BITS)).astype(">i4").view(np.uint8).reshape(len(x), 4)
    messages = np.column_stack([np.ascontiguousarray(x.astype(">i2")).view(np.uint8), labels])
    keyed = hashlib.blake2b(key=salt, digest_size=_HASH_BITS // 8, person=_PERSON)
    hashes = bytearray()
    for message in messages:
        hasher = keyed.copy()
        hasher.update(message.tobytes())
        hashes += hasher.digest()
    bits = tag_bits(len(x), rows_accepted)
    values = np.sort(np.frombuffer(bytes(hashes), dtype=">u8").astype(np.uint64) >> np.uint64(_HASH_BITS - bits))
    values.setflags(write=False)
    return RowTags(bits, values)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of a contribution's rows accepted contributions seem to hold already.

    Parameters
    ----------
    estimate
        Share of rows, the excess over chance; 0 for unrelated rows on average, and then negative half of the
        time.
    deviation
        Standard deviation of the estimate for unrelated rows; infinite where the tags can tell nothing.
    """

    estimate: float
    deviation: float

    def is_too_much(self, limit: float = OVERLAP_LIMIT) -> bool:
        """Tell whether to reject: above the limit, and above four standard deviations."""
        return self.excess(limit) > 0.0

    def excess(self, limit: float = OVERLAP_LIMIT) -> float:
        """Return by how much the estimate exceeds the limit and four standard deviations, whichever is more."""
        return self.estimate - max(limit, OVERLAP_DEVIATIONS * self.deviation)


def estimate_overlap(tags: RowTags, accepted: Sequence[RowTags]) -> Overlap:
    """Estimate the share of rows that accepted contributions hold already.

    With ``h`` the share of tags found among the accepted ones and ``p`` the share of all possible tags they
    take up, the estimate is ``(h - p) / (1 - p)``. Accepted tags with fewer bits take up all that start with
    them, longer ones are cut. The deviation is ``sqrt(p Σ c² / (1 - p)) / n_rows``, ``c`` the rows that share
    a tag: rows repeated within the contribution are found, or not, together.

    Parameters
    ----------
    tags
        The contribution's.
    accepted
        Of all contributions accepted before, those of earlier seats of the round among them.
    """
    levels: dict[int, NDArray[np.uint64]] = {}
    for other in accepted:
        bits = min(other.bits, tags.bits)
        levels[bits] = np.union1d(levels.get(bits, np.empty(0, dtype=np.uint64)), other.cut(bits))
    found = np.zeros(tags.n_rows, dtype=np.bool_)
    taken = 0.0
    for bits, cells in sorted(levels.items()):
        fresh = np.ones(len(cells), dtype=np.bool_)
        for shorter, prefixes in levels.items():
            if shorter < bits:
                fresh &= ~np.isin(cells >> np.uint64(bits - shorter), prefixes)
        taken += math.ldexp(int(fresh.sum()), -bits)
        found |= np.isin(tags.cut(bits), cells)
    if taken >= 1.0:
        return Overlap(estimate=0.0, deviation=math.inf)
    _, counts = np.unique(tags.values, return_counts=True)
    clusters = float((counts.astype(np.float64) ** 2).sum())
    return Overlap(
        estimate=(float(found.mean()) - taken) / (1.0 - taken),
        deviation=math.sqrt(taken * clusters / (1.0 - taken)) / tags.n_rows,
    )


def largest_overlap(tags: RowTags, accepted: Sequence[RowTags], limit: float = OVERLAP_LIMIT) -> Overlap:
    """Return the overlap that most exceeds the limit, with any one accepted contribution, or with all of them together.

    Rows are mostly repeated from one contribution, and beside that one alone chance hits are few; rows gathered from
    several show only against all.

    Parameters
    ----------
    tags, accepted
        As in :func:`estimate_overlap`.
    limit
        The spec's, as a share of rows.
    """
    candidates = [estimate_overlap(tags, accepted), *(estimate_overlap(tags, [other]) for other in accepted)]
    return max(candidates, key=lambda found: found.excess(limit))
