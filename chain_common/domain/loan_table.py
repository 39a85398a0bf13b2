"""Rows as they were read, and a report of what was read, dropped and why.

The records are plain frozen values that a page or a command renders as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.feature_parsing import is_missing, parse_cells
from chain_common.domain.targets import ClassTarget, ScaleTarget, Target, value_key
from chain_common.errors import BadInput

DropReason = Literal["cell-count", "unfinished", "excluded", "unknown-outcome", "no-outcome", "out-of-scale"]

MAX_EXAMPLES: Final = 5
"""Line numbers or values shown for one reason."""

_ADVICE: Final[dict[DropReason, tuple[str, str]]] = {
    "cell-count": (
        "More or fewer cells than the header",
        "Check those lines for stray quotes or separators.",
    ),
    "unfinished": ("Loan not finished", "Nothing. An unfinished loan has no outcome yet."),
    "excluded": ("Not what this model is about", "Nothing. The model spec leaves these rows out."),
    "unknown-outcome": (
        "Outcome not recognised",
        "Write the outcome as the model spec lists it and read the file again.",
    ),
    "no-outcome": ("Outcome missing", "Nothing, unless the outcome is known: then write it in."),
    "out-of-scale": ("Outcome outside the model's scale", "Check the unit of the outcome's column."),
}


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """Rows left out for one reason.

    Parameters
    ----------
    n_rows
        How many, at least 1.
    lines
        Line numbers in the file of the first few.
    values
        The most frequent values that caused it, with their counts; empty where no value did.
    """

    reason: DropReason
    n_rows: int
    lines: tuple[int, ...]
    values: tuple[tuple[str, int], ...] = ()

    @property
    def title(self) -> str:
        """The reason in words."""
        return _ADVICE[self.reason][0]

    @property
    def advice(self) -> str:
        """What the owner of the file could do."""
        return _ADVICE[self.reason][1]


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What was found in a file.

    Parameters
    ----------
    filename
        As the user named it, or empty.
    n_bytes
        Of the file as it was given.
    encoding, delimiter, decimal_comma, compressed
        How it is written; ``delimiter`` is the character.
    header_line
        Line number of the column names.
    note_lines
        Line numbers of the first few lines that are neither rows nor column names, such as titles, section
        names and totals; ``n_note_lines`` counts them all.
    columns
        Every column of the file, in its order.
    used
        Those that were asked for, by the name they were asked for.
    n_read
        Rows under the header, kept or dropped.
    n_kept
        Rows that are left.
    dropped
        The others, by reason; ``n_read = n_kept + Σ n_rows``.
    """

    filename: str
    n_bytes: int
    encoding: str
    delimiter: str
    decimal_comma: bool
    compressed: bool
    header_line: int
    note_lines: tuple[int, ...]
    n_note_lines: int
    columns: tuple[str, ...]
    used: tuple[str, ...]
    n_read: int
    n_kept: int
    dropped: tuple[DroppedRows, ...]

    @property
    def n_dropped(self) -> int:
        """Rows that are left out, for all reasons."""
        return sum(group.n_rows for group in self.dropped)

    @property
    def unused(self) -> tuple[str, ...]:
        """Columns of the file that nobody asked for."""
        used = {name.casefold() for name in self.used}
        return tuple(name for name in self.columns if name.casefold() not in used)

    def known_later(self, reasons: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Name the unused columns that are ignored because they are known only after the loan was made.

        Parameters
        ----------
        reasons
            Reason by column, as in ``Preset.known_later``.
        """
        return tuple((name, reasons[name.casefold()]) for name in self.unused if name.casefold() in reasons)


@dataclass(frozen=True, slots=True, eq=False)
class LoanTable:
    """Rows of a file, only the columns that were asked for.

    Parameters
    ----------
    columns
        object (n_rows,) arrays of str by column name.
    lines
        int64 (n_rows,): where each row ends in the file.
    """

    columns: Mapping[str, NDArray[np.object_]]
    lines: NDArray[np.int64]
    report: ReadReport

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.lines)

    def __repr__(self) -> str:
        return f"LoanTable(n_rows={self.n_rows}, columns={list(self.columns)}, <rows>)"

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> LoanTable:
        """Take rows by a mask or by their places; the report stays that of the file."""
        return LoanTable({name: cells[chosen] for name, cells in self.columns.items()}, self.lines[chosen], self.report)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledLoans:
    """The usable rows with their labels.

    Parameters
    ----------
    table
        The rows that have an outcome; its report counts the others.
    labels
        float64 (n_rows,): 1 bad and 0 good, or ``(value − offset) / scale``.
    """

    table: LoanTable
    labels: NDArray[np.float64]

    @property
    def n_bad(self) -> int:
        """Rows labelled 1."""
        return int(np.count_nonzero(self.labels == 1))


class NoRowsLeft(BadInput):
    """No row of the file can be used. ``report`` says what was read and dropped."""

    def __init__(self, report: ReadReport) -> None:
        self.report = report
        reasons = "; ".join(f"{group.title.lower()}: {group.n_rows:,}" for group in report.dropped)
        super().__init__(
            f"None of the {report.n_read:,} rows can be used{f' ({reasons})' if reasons else ''}.",
            expected="Rows of finished loans are expected.",
            do="Choose a file that holds some.",
        )


class OneClassOnly(BadInput):
    """All usable rows have the same outcome.

    ``report`` says what was read; ``present`` is "good" or "bad"; ``expected_values`` would be of the other
    class.
    """

    def __init__(self, report: ReadReport, present: str, column: str, expected_values: Sequence[str]) -> None:
        self.report = report
        self.present = present
        self.expected_values = tuple(expected_values)
        absent = "bad" if present == "good" else "good"
        super().__init__(
            f"All {report.n_kept:,} usable rows are {present}.",
            expected=f"Rows with a {absent} outcome ({column}: {', '.join(expected_values)}) are expected too.",
            do="Choose a file that holds both.",
            field=column,
        )


def labelled(table: LoanTable, target: Target, *, one_class_is_enough: bool = False) -> LabelledLoans:
    """Keep the rows that have an outcome, and label them.

    Applying it to its own result changes nothing.

    Parameters
    ----------
    table
        Holds the target's column.
    one_class_is_enough
        Whether rows of a single class are accepted.

    Raises
    ------
    NoRowsLeft
        If no row has an outcome.
    OneClassOnly
        If all have the same.
    """
    cells = table.columns[target.column]
    if isinstance(target, ClassTarget):
        labels, reasons = _class_labels(target, cells)
    else:
        labels, reasons = _scaled_labels(target, cells)
    kept = np.fromiter((reason is None for reason in reasons), dtype=np.bool_, count=len(reasons))
    dropped = [*table.report.dropped, *_groups(cells, reasons, table.lines)]
    report = replace(table.report, n_kept=int(kept.sum()), dropped=tuple(dropped))
    if not kept.any():
        raise NoRowsLeft(report)
    rest = table.take(kept)
    result = LabelledLoans(LoanTable(rest.columns, rest.lines, report), labels[kept])
    if isinstance(target, ClassTarget) and not one_class_is_enough and result.n_bad in {0, rest.n_rows}:
        present, absent = ("bad", target.good) if result.n_bad else ("good", target.bad)
        raise OneClassOnly(report, present, target.column, absent)
    return result


def _class_labels(
    target: ClassTarget, cells: NDArray[np.object_]
) -> tuple[NDArray[np.float64], list[DropReason | None]]:
    outcomes: dict[str, tuple[float, DropReason | None]] = {}
    groups: tuple[tuple[tuple[str, ...], float, DropReason | None], ...] = (
        (target.good, 0.0, None),
        (target.bad, 1.0, None),
        (target.unfinished, np.nan, "unfinished"),
        (target.excluded, np.nan, "excluded"),
    )
    for values, label, reason in groups:
        outcomes.update({value_key(value): (label, reason) for value in values})
    known = {}
    for cell in set(cells):
        unlisted: DropReason = "no-outcome" if is_missing(cell) else "unknown-outcome"
        known[cell] = outcomes.get(value_key(cell), (np.nan, unlisted))
    labels = np.fromiter((known[cell][0] for cell in cells), dtype=np.float64, count=len(cells))
    return labels, [known[cell][1] for cell in cells]


def _scaled_labels(
    target: ScaleTarget, cells: NDArray[np.object_]
) -> tuple[NDArray[np.float64], list[DropReason | None]]:
    labels = (parse_cells(target.form, cells).values - target.offset) / target.scale
    reasons: list[DropReason | None] = []
    for cell, label in zip(cells, labels, strict=True):
        if np.isnan(label):
            reasons.append("no-outcome" if is_missing(cell) else "unknown-outcome")
        else:
            reasons.append(None if abs(label) < 8 else "out-of-scale")
    return labels, reasons


def _groups(
    cells: NDArray[np.object_], reasons: Sequence[DropReason | None], lines: NDArray[np.int64]
) -> Iterable[DroppedRows]:
    for reason in dict.fromkeys(reason for reason in reasons if reason is not None):
        places = [place for place, other in enumerate(reasons) if other == reason]
        counts = Counter(" ".join(cells[place].split())[:60] for place in places)
        counts.pop("", None)
        yield DroppedRows(
            reason,
            len(places),
            tuple(int(lines[place]) for place in places[:MAX_EXAMPLES]),
            tuple(counts.most_common(MAX_EXAMPLES)),
        )
