"""What was read from a file, as tables: rows left out and why, and how each column was read."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from chain_common.domain.column_report import ColumnReport
from chain_common.domain.loan_table import DroppedRows, ReadReport
from chain_common.web import inline, text
from chain_common.web.tables import Cell, Column, Table

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def written(report: ReadReport) -> str:
    """Say how a file is written: ``1.4 MB, UTF-8, separated by commas``."""
    parts = [
        text.size(report.n_bytes) + (" compressed" if report.compressed else ""),
        report.encoding.upper(),
        f"separated by {_DELIMITERS.get(report.delimiter, report.delimiter)}",
        "decimal commas" if report.decimal_comma else "",
    ]
    return ", ".join(part for part in parts if part)


def _reason(group: DroppedRows) -> Cell:
    """Name a reason with the values that caused it, or the lines it happened in."""
    if group.values:
        shown = Markup(", ").join(
            Markup("{}&nbsp;({})").format(inline.code(text.short(value, 50, 10)), text.count(times))
            for value, times in group.values
        )
        return inline.under(group.title, shown)
    lines = text.words([text.count(line) for line in group.lines])
    more = " and more" if group.n_rows > len(group.lines) else ""
    return (
        inline.under(group.title, f"line{'s' if len(group.lines) > 1 else ''} {lines}{more}") if lines else group.title
    )


def dropped_rows(report: ReadReport) -> Table:
    """List the rows left out, by reason."""
    return Table(
        columns=(Column("Reason"), Column("Rows", number=True), Column("What you could do", long=True)),
        rows=tuple((_reason(group), text.count(group.n_rows), group.advice) for group in report.dropped),
        foot=("Left out", text.count(report.n_dropped), ""),
    )


def columns_read(columns: Sequence[ColumnReport], n_rows: int, *, to_look_at: bool) -> Table:
    """List how columns were read: those that need a look, or the others."""

    def of_rows(number: int) -> str:
        return f"{text.count(number)} ({text.percent(number / n_rows)})" if number and n_rows else text.count(number)

    return Table(
        columns=(
            Column("Column"),
            Column("State"),
            Column("Read as"),
            Column("Expected"),
            Column("Missing", number=True),
            Column("Unreadable", number=True),
            Column("Outside", number=True),
            Column("Note", long=True),
        ),
        rows=tuple(
            (
                inline.code(column.column),
                inline.badge("warn", "Look") if column.needs_a_look else inline.badge("good", "Used"),
                column.read_as,
                column.expected,
                of_rows(column.n_missing),
                of_rows(column.n_unreadable),
                of_rows(column.n_outside),
                column.note,
            )
            for column in columns
            if column.needs_a_look == to_look_at
        ),
    )


def columns_left_out(report: ReadReport, known_later: Sequence[tuple[str, str]]) -> Table:
    """List the columns of the file that were not used, by reason."""
    later = dict(known_later)
    others = tuple(name for name in report.unused if name not in later)
    rows: list[tuple[Cell, ...]] = []
    if later:
        title = "Known only after the loan was made"
        rows.append((title, text.count(len(later)), inline.codes(tuple(later), 6)))
    if others:
        rows.append(("Not asked for", text.count(len(others)), inline.codes(others, 6)))
    return Table(
        columns=(Column("Reason"), Column("Columns", number=True), Column("Which", long=True)),
        rows=tuple(rows),
    )


def tables(
    report: ReadReport, columns: Sequence[ColumnReport], known_later: Sequence[tuple[str, str]]
) -> tuple[Table, Table, Table, Table]:
    """List rows left out, columns to look at, the other columns used, and columns left out."""
    return (
        dropped_rows(report),
        columns_read(columns, report.n_kept, to_look_at=True),
        columns_read(columns, report.n_kept, to_look_at=False),
        columns_left_out(report, known_later),
    )
