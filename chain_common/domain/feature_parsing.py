"""Text cells to numbers: the forms Lending Club's files and spreadsheets write.

Every form is a pure function of one cell, so a borrower's single application reads exactly as a data owner's
file does. A column is read through its distinct texts, which are few.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.document import DocumentError, Fields, Json, as_text

Form = Literal["plain", "percent", "months", "employment", "date"]
"""How a cell is written.

``plain`` 1234.5, 1,234.50 or $1,234 · ``percent`` the same with an optional % sign, in percent · ``months``
"36 months" · ``employment`` "10+ years", "< 1 year" or a bare number, in years · ``date`` "Dec-2011",
"Dec-11", "2011-12-31", "12/31/2011", "31.12.2011", "12/2011" or "2011", in months since year 0.
"""

FORMS: Final[tuple[Form, ...]] = ("plain", "percent", "months", "employment", "date")

Texts = Sequence[str] | NDArray[np.object_]
"""The cells of one column, str (n_rows,)."""

MAX_NAME: Final = 100
"""Characters of a column's name."""

MISSING_TEXTS: Final = frozenset(
    {"", "n/a", "na", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", ".", "missing"}
)
"""What files write for "no value", in lower case."""

_LARGEST: Final = 1e15
"""Above this a cell is no amount, count or rate of a loan; float64 is exact for integers below it."""

_LONGEST_CELL: Final = 64
"""Characters; a longer cell is no number, and the patterns never see it."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")
_MONTHS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(?:mo|mos|month|months)?\.?")
_YEARS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?\+? ?(?:y|yr|yrs|year|years)?\.?")
_UNDER_ONE_YEAR: Final = re.compile(r"< ?1 ?(?:y|yr|yrs|year|years)?\.?")
_MONTH_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED_MONTH: Final = re.compile(r"([a-z]{3})[a-z]*[-/ ]([0-9]{4}|[0-9]{2})")
_NAMED_MONTH_LAST: Final = re.compile(r"([0-9]{4}|[0-9]{2})[-/ ]([a-z]{3})[a-z]*")
_ISO_DATE: Final = re.compile(r"([0-9]{4})(?:[-/.]([0-9]{1,2})(?:[-/.][0-9]{1,2}(?:[t ].*)?)?)?")
_DAY_DATE: Final = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_MONTH_YEAR: Final = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})")

_CENTURY_PIVOT: Final = 40
"""Two-digit years below it are 20xx: credit lines open today began after 1940, no loan is issued after
2039."""


class _NotReadableError(ValueError):
    """A cell holds something, and it is not of the expected form."""


@dataclass(frozen=True, slots=True, eq=False)
class ParsedCells:
    """The numbers of one column.

    Parameters
    ----------
    values
        float64 (n_rows,), ``nan`` where the cell is missing or cannot be read.
    n_missing
        Cells that say "no value".
    n_unreadable
        Cells that hold something else than the expected form; they count as missing from here on.
    unreadable_example
        One of those, cut to 40 characters, or empty.
    """

    values: NDArray[np.float64]
    n_missing: int
    n_unreadable: int
    unreadable_example: str


def is_missing(cell: str) -> bool:
    """Tell whether a cell says "no value"."""
    return len(cell) <= _LONGEST_CELL and cell.strip().lower() in MISSING_TEXTS


def parse_cells(form: Form, cells: Texts) -> ParsedCells:
    """Read the numbers of one column.

    Parameters
    ----------
    cells
        str (n_rows,).
    """
    parse = _PARSERS[form]
    known: dict[str, float] = {}
    missing: set[str] = set()
    unreadable: set[str] = set()
    for cell in set(cells):
        known[cell] = math.nan
        if is_missing(cell):
            missing.add(cell)
            continue
        try:
            known[cell] = parse(cell)
        except _NotReadableError:
            unreadable.add(cell)
    values = np.fromiter((known[cell] for cell in cells), dtype=np.float64, count=len(cells))
    return ParsedCells(
        values=values,
        n_missing=sum(cell in missing for cell in cells) if missing else 0,
        n_unreadable=sum(cell in unreadable for cell in cells) if unreadable else 0,
        unreadable_example=min(unreadable, default="")[:40],
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number comes from.

    Parameters
    ----------
    column
        The file's column.
    form
        How its cells are written.
    since
        For ``form`` "date" only: the column with the later date. The value is the age in months, counted from
        ``column`` to ``since`` (``earliest_cr_line`` to ``issue_d``: months of credit history).
    """

    column: str
    form: Form = "plain"
    since: str = ""

    def __post_init__(self) -> None:
        as_text(self.column, "column", max_chars=MAX_NAME)
        as_text(self.since, "since", max_chars=MAX_NAME, may_be_empty=True)
        if (self.form == "date") != bool(self.since):
            raise DocumentError("since", "a date, and only a date, names the column it is counted to")

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this reads."""
        return (self.column, self.since) if self.since else (self.column,)

    def read(self, columns: Mapping[str, Texts]) -> ParsedCells:
        """Read the values, float64 (n_rows,), ``nan`` where missing."""
        parsed = parse_cells(self.form, columns[self.column])
        if not self.since:
            return parsed
        later = parse_cells(self.form, columns[self.since])
        values = later.values - parsed.values
        n_unreadable = parsed.n_unreadable + later.n_unreadable
        n_missing = max(0, int(np.isnan(values).sum()) - n_unreadable)
        example = parsed.unreadable_example or later.unreadable_example
        return ParsedCells(values, n_missing, n_unreadable, example)

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        return {"column": self.column, "form": self.form, "since": self.since}

    @classmethod
    def from_fields(cls, fields: Fields) -> Source:
        """Take the source's fields out of a feature's document."""
        return cls(
            column=fields.text("column", max_chars=MAX_NAME),
            form=fields.choice("form", FORMS),
            since=fields.text("since", max_chars=MAX_NAME, may_be_empty=True),
        )


def _folded(cell: str) -> str:
    if len(cell) > _LONGEST_CELL:
        raise _NotReadableError
    return " ".join(cell.split()).lower()


def _plain(cell: str) -> float:
    text = _folded(cell)
    if text[:1] in "$€£":
        text = text[1:].lstrip()
    if not _NUMBER.fullmatch(text) or not any(character.isdigit() for character in text):
        raise _NotReadableError
    try:
        value = float(text.replace(",", ""))
    except ValueError as error:
        raise _NotReadableError from error
    if not abs(value) <= _LARGEST:
        raise _NotReadableError
    return value


def _percent(cell: str) -> float:
    text = _folded(cell)
    return _plain(text.removesuffix("%").rstrip())


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise _NotReadableError
    return match


def _months(cell: str) -> float:
    return _plain(_matched(_MONTHS, _folded(cell))[1])


def _employment(cell: str) -> float:
    text = _folded(cell)
    if _UNDER_ONE_YEAR.fullmatch(text):
        return 0.0
    return _plain(_matched(_YEARS, text)[1])


def _date(cell: str) -> float:
    """Months since year 0; the day of the month is not used."""
    text = _folded(cell)
    if match := _NAMED_MONTH.fullmatch(text):
        month, year = _month(match[1]), _full_year(match[2])
    elif match := _NAMED_MONTH_LAST.fullmatch(text):
        month, year = _month(match[2]), _full_year(match[1])
    elif match := _MONTH_YEAR.fullmatch(text):
        month, year = int(match[1]) - 1, int(match[2])
    elif match := _DAY_DATE.fullmatch(text):
        # With dots the day comes first; otherwise the month does where it can, as in Lending Club's country.
        day_first = match[2] == "." or int(match[1]) > 12
        month, year = int(match[3 if day_first else 1]) - 1, int(match[4])
    else:
        match = _matched(_ISO_DATE, text)
        month, year = int(match[2] or 1) - 1, int(match[1])
    if not (0 <= month < 12 and 1900 <= year < 2200):
        raise _NotReadableError
    return float(12 * year + month)


def _month(name: str) -> int:
    return _MONTH_NAMES.index(name) if name in _MONTH_NAMES else -1


def _full_year(digits: str) -> int:
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (2000 if int(digits) < _CENTURY_PIVOT else 1900)


_PARSERS: Final[dict[Form, Callable[[str], float]]] = {
    "plain": _plain,
    "percent": _percent,
    "months": _months,
    "employment": _employment,
    "date": _date,
}
