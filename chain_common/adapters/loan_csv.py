"""Read a CSV of loans, as Lending Club, a spreadsheet or a bank's export wrote it.

Copes with lines above the column names, section names between rows, totals below them, blank lines, quoted
cells, four separators, decimal commas, gzip and the usual encodings. Only the columns asked for are kept.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from chain_common.adapters.csv_source import FileTooLarge, NotACsv, ReadLimits, TextSource, text_source
from chain_common.domain.loan_table import MAX_EXAMPLES, DroppedRows, LoanTable, ReadReport, labelled
from chain_common.domain.model_spec import ModelSpec, Preset
from chain_common.errors import BadInput

__all__ = [
    "CsvLoanReader",
    "FileTooLarge",
    "NotACsv",
    "ReadLimits",
    "RepeatedColumn",
    "WrongColumns",
    "read_loans",
]

_DELIMITERS: Final = (",", ";", "\t", "|")

_PREVIEW_LINES: Final = 40
"""The column names are looked for in so many lines."""

_CHUNK_ROWS: Final = 4096

_LONGEST_KEPT_CELL: Final = 200
"""Characters kept of a cell; no feature or outcome reads more."""

_COMMA_DECIMAL: Final = re.compile(r"[+-]?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,}) ?%?")
_POINT_DECIMAL: Final = re.compile(r"[+-]?[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,}) ?%?")
_COMMA_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]+)? ?%?")


class WrongColumns(BadInput):
    """Columns that are needed are not in the file.

    ``missing`` are their names, ``nearest`` the most similar name found for each (or empty), ``found`` all
    the names.
    """

    def __init__(self, missing: Sequence[str], found: Sequence[str]) -> None:
        self.missing = tuple(missing)
        self.found = tuple(found)
        self.nearest = {name: _nearest(name, found) for name in missing}
        named = ", ".join(
            f"{name} (is it “{near}”?)" if near else name for name, near in self.nearest.items()
        )
        shown = ", ".join(name[:40] for name in self.found[:12])
        more = f" and {len(self.found) - 12} more" if len(self.found) > 12 else ""
        super().__init__(
            f"The file has no column {named}."
            if len(missing) == 1
            else f"The file lacks the columns {named}.",
            expected=f"It has {shown}{more}.",
            do="Rename the columns in the file, or choose another file or preset.",
            field="file",
        )


class RepeatedColumn(BadInput):
    """A column that is needed is in the file twice. ``column`` names it."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(
            f"The file has more than one column named {column}.",
            expected="Each column that is used is expected once.",
            do="Rename or remove the others.",
            field="file",
        )


@dataclass(slots=True)
class _Header:
    """Where the columns are; ``places`` by the names they were asked for, ``line`` counted from 1."""

    delimiter: str
    names: list[str]
    places: dict[str, int]
    line: int


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
            header = _find_header(text, wanted, limits)
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

    def read(self, source: BinaryIO, *, filename: str, preset: Preset | ModelSpec) -> LoanTable:
        """Return the rows that have an outcome; the report counts the others.

        Raises
        ------
        BadInput
            What :func:`read_loans` and :func:`~chain_common.domain.loan_table.labelled` raise.
        """
        table = read_loans(source, preset.columns, filename=filename, limits=self._limits)
        return labelled(table, preset.target).table


def _name_key(name: str) -> str:
    return "_".join(re.split(r"[\s_-]+", name.strip().casefold()))


def _nearest(name: str, found: Sequence[str]) -> str:
    keys = {_name_key(other): other for other in found}
    close = difflib.get_close_matches(_name_key(name), keys, n=1, cutoff=0.7)
    return keys[close[0]][:40] if close else ""


def _find_header(text: TextSource, wanted: Sequence[str] | None, limits: ReadLimits) -> _Header:
    """Find separator and line of the column names: where most wanted names are, else where most cells are."""
    preview = list(islice(text.open_lines(), _PREVIEW_LINES))
    keys = {_name_key(name) for name in wanted or ()}
    best_score, best = (0, 0, 0), _Header(",", [], {}, 0)
    for delimiter in _DELIMITERS:
        records = list(_preview_records(preview, delimiter))
        widths = Counter(len(record) for _, record in records)
        for line, record in records:
            n_wanted = len(keys.intersection(map(_name_key, record)))
            score = (n_wanted, widths[len(record)], len(record))
            if score > best_score and len(record) > 1:
                best_score, best = score, _Header(delimiter, _named(record), {}, line)
    if len(best.names) < 2:
        raise NotACsv("no line has more than one cell")
    if len(best.names) > limits.columns:
        raise FileTooLarge("columns", limits.columns, len(best.names))
    best.places = _places(best.names, best.names if wanted is None else wanted)
    return best


def _preview_records(preview: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and records, up to one whose quotation mark is closed only beyond the preview."""
    reader = csv.reader(preview, delimiter=delimiter)
    try:
        for record in reader:
            yield reader.line_num, record
    except csv.Error:
        return


def _named(record: list[str]) -> list[str]:
    names = [" ".join(cell.split())[:_LONGEST_KEPT_CELL] for cell in record]
    while names and not names[-1]:
        names.pop()
    return names


def _places(names: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    keys = [_name_key(name) for name in names]
    missing = [name for name in wanted if _name_key(name) not in keys]
    if missing:
        raise WrongColumns(missing, names)
    for name in wanted:
        if keys.count(_name_key(name)) > 1:
            raise RepeatedColumn(name)
    return {name: keys.index(_name_key(name)) for name in wanted}


def _read_rows(text: TextSource, header: _Header, limits: ReadLimits) -> _Rows:
    rows = _Rows(columns=[[] for _ in header.places])
    known: dict[str, str] = {}
    reader = csv.reader(text.open_lines(), delimiter=header.delimiter)
    places = list(header.places.values())
    chunk: list[list[str]] = []
    for record in reader:
        if reader.line_num <= header.line:
            if reader.line_num < header.line and any(record):
                rows.note(reader.line_num)
            continue
        if not _fits(record, header, rows, reader.line_num):
            continue
        chunk.append([record[place] for place in places])
        rows.lines.append(reader.line_num)
        if len(chunk) == _CHUNK_ROWS:
            _keep(chunk, rows, known)
            chunk.clear()
        if len(rows.lines) > limits.rows:
            raise FileTooLarge("rows", limits.rows)
    _keep(chunk, rows, known)
    return rows


def _fits(record: list[str], header: _Header, rows: _Rows, line: int) -> bool:
    """Tell whether a record is a row, and note it if it is not."""
    width = len(header.names)
    if (
        len(record) == width
        and sum(1 for _ in islice(filter(record.__getitem__, header.places.values()), 2)) == 2
    ):
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
