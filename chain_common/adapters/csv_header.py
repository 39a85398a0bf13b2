"""Find the column names of a CSV file, and with them its separator."""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from chain_common.adapters.csv_source import FileTooLarge, NotACsv, ReadLimits, TextSource
from chain_common.errors import BadInput

_DELIMITERS: Final = (",", ";", "\t", "|")

_PREVIEW_LINES: Final = 40
"""The column names are looked for in so many lines."""

_LONGEST_NAME: Final = 200
"""Characters kept of a column's name."""


class WrongColumns(BadInput):
    """Columns that are needed are not in the file.

    ``missing`` are their names, ``nearest`` the most similar name found for each (or empty), ``found`` all
    the names.
    """

    def __init__(self, missing: Sequence[str], found: Sequence[str]) -> None:
        self.missing = tuple(missing)
        self.found = tuple(found)
        self.nearest = {name: _nearest(name, found) for name in missing}
        named = ", ".join(f"{name} (is it “{near}”?)" if near else name for name, near in self.nearest.items())
        shown = ", ".join(name[:40] for name in self.found[:12])
        more = f" and {len(self.found) - 12} more" if len(self.found) > 12 else ""
        super().__init__(
            f"The file has no column {named}." if len(missing) == 1 else f"The file lacks the columns {named}.",
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
class Header:
    """Where the columns are; ``places`` by the names they were asked for, ``line`` counted from 1."""

    delimiter: str
    names: list[str]
    places: dict[str, int]
    line: int


def _name_key(name: str) -> str:
    return "_".join(re.split(r"[\s_-]+", name.strip().casefold()))


def _nearest(name: str, found: Sequence[str]) -> str:
    keys = {_name_key(other): other for other in found}
    close = difflib.get_close_matches(_name_key(name), keys, n=1, cutoff=0.7)
    return keys[close[0]][:40] if close else ""


def find_header(text: TextSource, wanted: Sequence[str] | None, limits: ReadLimits) -> Header:
    """Find separator and line of the column names: where most wanted names are, else where most cells are."""
    with text.lines() as lines:
        preview = list(islice(lines, _PREVIEW_LINES))
    keys = {_name_key(name) for name in wanted or ()}
    best_score, best = (0, 0, 0), Header(",", [], {}, 0)
    for delimiter in _DELIMITERS:
        records = list(_preview_records(preview, delimiter))
        widths = Counter(len(record) for _, record in records)
        for line, record in records:
            n_wanted = len(keys.intersection(map(_name_key, record)))
            score = (n_wanted, widths[len(record)], len(record))
            if score > best_score and len(record) > 1:
                best_score, best = score, Header(delimiter, _named(record), {}, line)
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
    names = [" ".join(cell.split())[:_LONGEST_NAME] for cell in record]
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
