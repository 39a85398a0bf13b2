"""Bytes of a CSV file to lines of text, packed or not, in any encoding a spreadsheet writes, within limits.

A file is gone through twice, first to learn its encoding and size, then to read it, and is never held in
memory as a whole nor written to disk.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from chain_common.errors import BadInput

_CHUNK_BYTES: Final = 1 << 18
_HEAD_BYTES: Final = 1 << 16

_OTHER_KINDS: Final = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "packed twice"),
)


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much is read of a file before it is refused.

    Parameters
    ----------
    file_bytes
        Size as given, packed or not.
    text_bytes
        Size unpacked; bounds what a small packed file can swell to.
    rows, columns
        Of the table.
    line_chars
        Of one line.
    """

    file_bytes: int = 200_000_000
    text_bytes: int = 400_000_000
    rows: int = 1_000_000
    columns: int = 4_096
    line_chars: int = 1_000_000


class NotACsv(BadInput):
    """The file is no table of text. ``problem`` says what it is instead."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The file cannot be read as a table: {problem}.",
            expected="A CSV file is expected, with column names above the rows; it may be packed with gzip.",
            do="Save the table as CSV and choose that file.",
            field="file",
        )


class FileTooLarge(BadInput):
    """The file exceeds a limit.

    ``limit`` and, where it is known, ``size`` are in ``unit``.
    """

    def __init__(self, unit: Literal["bytes", "bytes unpacked", "rows", "columns"], limit: int, size: int = 0) -> None:
        self.unit = unit
        self.limit = limit
        self.size = size
        got = f"{size:,} {unit}" if size else f"more than {limit:,} {unit}"
        super().__init__(
            f"The file has {got}.",
            expected=f"At most {limit:,} {unit} are read.",
            do="Split the file, or leave out columns and rows that are not needed.",
            field="file",
        )


@dataclass(frozen=True, slots=True)
class TextSource:
    """A readable table of text.

    ``encoding`` is Python's name, ``n_bytes`` the size as given; ``lines`` opens a context in which the lines
    can be gone through, from the first.
    """

    encoding: str
    compressed: bool
    n_bytes: int
    lines: Callable[[], AbstractContextManager[Iterator[str]]]


@contextmanager
def text_source(source: Path | BinaryIO, limits: ReadLimits) -> Iterator[TextSource]:
    """Open a file for reading as text.

    Parameters
    ----------
    source
        A path, or a binary stream, which stays open. A stream that cannot be rewound is read into memory
        first.

    Raises
    ------
    FileTooLarge
        More bytes, packed or unpacked, than the limits allow.
    NotACsv
        Empty, binary, a workbook, or damaged.
    BadInput
        The path cannot be opened.
    """
    if isinstance(source, Path):
        try:
            stream: BinaryIO = source.open("rb")
        except OSError as error:
            raise BadInput(f"The file {source} cannot be opened: {error.strerror}.", field="file") from error
        with stream:
            yield _inspect(stream, limits)
    else:
        yield _inspect(_rewindable(source, limits), limits)


def _rewindable(source: BinaryIO, limits: ReadLimits) -> BinaryIO:
    if isinstance(source, io.IOBase) and source.seekable():
        return source
    raw = source.read(limits.file_bytes + 1)
    return io.BytesIO(raw)


def _inspect(stream: BinaryIO, limits: ReadLimits) -> TextSource:
    n_bytes = stream.seek(0, io.SEEK_END)
    if n_bytes > limits.file_bytes:
        raise FileTooLarge("bytes", limits.file_bytes, n_bytes)
    stream.seek(0)
    compressed = stream.read(2) == b"\x1f\x8b"
    head, is_utf8 = b"", True
    utf8 = codecs.getincrementaldecoder("utf-8")()
    n_text = 0
    for chunk in _chunks(stream, compressed=compressed):
        n_text += len(chunk)
        if n_text > limits.text_bytes:
            raise FileTooLarge("bytes unpacked", limits.text_bytes)
        head = head or chunk[:_HEAD_BYTES]
        is_utf8 = is_utf8 and _decodes(utf8, chunk)
    is_utf8 = is_utf8 and _decodes(utf8, b"", final=True)
    encoding = _encoding(head, is_utf8=is_utf8)
    return TextSource(encoding, compressed, n_bytes, lambda: closing(_lines(stream, encoding, compressed, limits)))


def _chunks(stream: BinaryIO, *, compressed: bool) -> Iterator[bytes]:
    stream.seek(0)
    unpacked = gzip.GzipFile(fileobj=stream) if compressed else stream
    with _damage_explained():
        while chunk := unpacked.read(_CHUNK_BYTES):
            yield chunk


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise NotACsv("its gzip packing is damaged or cut off") from error
    except UnicodeError as error:
        raise NotACsv(f"it is not written in the encoding it starts with ({error})") from error


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(head: bytes, *, is_utf8: bool) -> str:
    """Tell the encoding from the first bytes and from whether all of them are UTF-8. Raises ``NotACsv``."""
    if not head.strip():
        raise NotACsv("it is empty")
    for magic, kind in _OTHER_KINDS:
        if head.startswith(magic):
            raise NotACsv(f"it is {kind}")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise NotACsv("it is a web page")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        return _utf16_without_mark(head)
    control = sum(head.count(byte) for byte in range(32) if byte not in b"\t\n\r\x0b\x0c")
    if control > len(head) // 100:
        raise NotACsv("it holds binary data")
    if is_utf8:
        return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    return "cp1252"


def _utf16_without_mark(head: bytes) -> str:
    """In UTF-16 nearly every second byte of a Western table is zero, and hardly any of the others."""
    pairs = len(head) // 2
    zeros_low, zeros_high = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if zeros_high > 0.7 * pairs and zeros_low < 0.05 * pairs:
        return "utf-16-le"
    if zeros_low > 0.7 * pairs and zeros_high < 0.05 * pairs:
        return "utf-16-be"
    raise NotACsv("it holds binary data")


def _lines(stream: BinaryIO, encoding: str, compressed: bool, limits: ReadLimits) -> Generator[str, None, None]:
    stream.seek(0)
    unpacked = gzip.GzipFile(fileobj=stream) if compressed else stream
    # A few bytes have no meaning in Windows-1252; they are shown as replaced and never stop a file.
    errors = "replace" if encoding == "cp1252" else "strict"
    text = io.TextIOWrapper(unpacked, encoding=encoding, errors=errors, newline="")
    try:
        with _damage_explained():
            while line := text.readline(limits.line_chars):
                if len(line) >= limits.line_chars and not line.endswith(("\n", "\r")):
                    raise NotACsv(f"a line has more than {limits.line_chars:,} characters")
                yield line
    finally:
        # The wrapper would close the caller's stream with itself.
        text.detach()
