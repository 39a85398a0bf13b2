"""Read a CSV of loans, as Lending Club, a spreadsheet or a bank's export wrote it.

Copes with lines above the column names, section names between rows, totals below them, blank lines, quoted
cells, four separators, decimal commas, gzip and the usual encodings. Only the columns asked for are kept.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import numpy as np

from chain_common.adapters.csv_header import Header, RepeatedColumn, WrongColumns, find_header
from chain_common.adapters.csv_source import FileTooLarge, NotACsv, ReadLimits, TextSource, text_source
from chain_common.domain.loan_table import MAX_EXAMPLES, DroppedRows, LoanTable, ReadReport

__all__ = [
    "CsvLoanReader",
    "FileTooLarge",
    "NotACsv",
    "ReadLimits",
    "RepeatedColumn",
    "WrongColumns",
    "read_loans",
]

_CHUNK_ROWS: Final = 4096

_LONGEST_KEPT_CELL: Final = 200
"""Characters kept of a cell; no feature or outcome reads more."""

_COMMA_DECIMAL: Final = re.compile(r"[+-]?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,}) ?%?")
_POINT_DECIMAL: Final = re.compile(r"[+-]?[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,}) ?%?")
_COMMA_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]+)? ?%?")


class _Reader(Protocol):
    """What ``csv.reader`` gives."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(slots=True)
class _Rows:
    """What is collected while reading."""

    columns: list[list[str]]
    lines: list[int] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)
    n_notes: int = 0
    misfits: list[int] = field(default_factory=list)
    n_misfits: int = 0

    def note(self, line: int) -> None:
        self.n_notes += 1
        if len(self.notes) < MAX_EXAMPLES:
            self.notes.append(line)

    def misfit(self, line: int) -> None:
        self.n_misfits += 1
        if len(self.misfits) < MAX_EXAMPLES:
            self.misfits.append(line)


def read_loans(
    source: Path | BinaryIO,
    wanted: Sequence[str] | None = None,
    *,
    filename: str = "",
    limits: ReadLimits | None = None,
) -> LoanTable:
    """Read the rows of a file.

    Time and memory are linear in the file; memory holds the wanted columns only.

    Parameters
    ----------
    source
        A path or a binary stream, gzip or plain.
    wanted
        Columns to keep, found without regard to case, spaces and hyphens; None keeps all.
    filename
        For the report; a path's own name by default.

    Raises
    ------
    NotACsv
        No table of text.
    WrongColumns, RepeatedColumn
        A wanted column is absent or ambiguous.
    FileTooLarge
        A limit is exceeded.
    """
    limits = limits or ReadLimits()
    if isinstance(source, Path):
        filename = filename or source.name
    with text_source(source, limits) as text:
        try:
            header = find_header(text, wanted, limits)
            rows = _read_rows(text, header, limits)
        except csv.Error as error:
            raise NotACsv(f"a cell never ends; look for a stray quotation mark ({error})") from error
    decimal_comma = header.delimiter != "," and _writes_decimal_commas(rows.columns)
    columns = {}
    for name, cells in zip(header.places, rows.columns, strict=True):
        column = np.empty(len(cells), dtype=np.object_)
        column[:] = _with_points(cells) if decimal_comma else cells
        columns[name] = column
    report = ReadReport(
        filename=filename,
        n_bytes=text.n_bytes,
        encoding=text.encoding,
        delimiter=header.delimiter,
        decimal_comma=decimal_comma,
        compressed=text.compressed,
        header_line=header.line,
        note_lines=tuple(rows.notes),
        n_note_lines=rows.n_notes,
        columns=tuple(header.names),
        used=tuple(header.places),
        n_read=len(rows.lines) + rows.n_misfits,
        n_kept=len(rows.lines),
        dropped=(DroppedRows("cell-count", rows.n_misfits, tuple(rows.misfits)),) if rows.n_misfits else (),
    )
    return LoanTable(columns, np.asarray(rows.lines, dtype=np.int64), report)


class CsvLoanReader:
    """Reads a CSV of finished loans, as a :class:`~chain_common.ports.LoanReader`."""

    def __init__(self, limits: ReadLimits | None = None) -> None:
        self._limits = limits

    def read(self, source: BinaryIO, *, filename: str, columns: Sequence[str]) -> LoanTable:
        """Return the rows, these columns only. Raises what :func:`read_loans` raises."""
        return read_loans(source, columns, filename=filename, limits=self._limits)


def _read_rows(text: TextSource, header: Header, limits: ReadLimits) -> _Rows:
    rows = _Rows(columns=[[] for _ in header.places])
    with text.lines() as lines:
        _collect(csv.reader(lines, delimiter=header.delimiter), header, rows, limits)
    return rows


def _collect(reader: _Reader, header: Header, rows: _Rows, limits: ReadLimits) -> None:
    places = list(header.places.values())
    known: dict[str, str] = {}
    chunk: list[list[str]] = []
    for record in reader:
        line = reader.line_num
        if line <= header.line:
            if line < header.line and any(record):
                rows.note(line)
            continue
        if not record or not _fits(record, header, rows, line):
            continue
        chunk.append([record[place] for place in places])
        rows.lines.append(line)
        if len(chunk) == _CHUNK_ROWS:
            _keep(chunk, rows, known)
            chunk.clear()
        if len(rows.lines) > limits.rows:
            raise FileTooLarge("rows", limits.rows)
    _keep(chunk, rows, known)


def _fits(record: list[str], header: Header, rows: _Rows, line: int) -> bool:
    """Tell whether a record is a row, and note it if it is not."""
    width = len(header.names)
    if len(record) == width and sum(1 for _ in islice(filter(record.__getitem__, header.places.values()), 2)) == 2:
        return record != header.names
    n_filled = sum(1 for cell in record if cell.strip())
    if n_filled == 0:
        return False
    if n_filled == 1 and width > 2:
        rows.note(line)
        return False
    if len(record) < width or any(cell.strip() for cell in record[width:]):
        rows.misfit(line)
        return False
    return record[:width] != header.names


def _keep(chunk: list[list[str]], rows: _Rows, known: dict[str, str]) -> None:
    """Move a chunk of rows to the columns; equal cells share one text."""
    for column, cells in zip(rows.columns, zip(*chunk, strict=True), strict=False):
        column.extend([known.setdefault(cell, cell) for cell in (c[:_LONGEST_KEPT_CELL] for c in cells)])


def _writes_decimal_commas(columns: Sequence[Sequence[str]]) -> bool:
    distinct = {cell.strip() for cells in columns for cell in set(cells)}
    n_comma = sum(1 for cell in distinct if _COMMA_DECIMAL.fullmatch(cell))
    n_point = sum(1 for cell in distinct if _POINT_DECIMAL.fullmatch(cell))
    return n_comma > n_point


def _with_points(cells: Sequence[str]) -> list[str]:
    """Write 1.234,5 as 1234.5; anything else stays."""
    known = {cell: cell for cell in set(cells)}
    for cell in known:
        if _COMMA_NUMBER.fullmatch(cell.strip()):
            known[cell] = cell.replace(".", "").replace(",", ".")
    return [known[cell] for cell in cells]
