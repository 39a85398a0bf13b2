"""How each column of a file was read, beside what the model expects of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from chain_common.domain.feature_parsing import Source, is_missing
from chain_common.domain.features import BinsFeature, CategoryFeature, Columns, Feature, NumberFeature, folded

_LOOK_OUTSIDE: Final = 0.10
"""Share of values outside the lender's range that asks for a look; by construction about 2 % lie outside."""

_LOOK_UNREADABLE: Final = 0.01
"""Share of cells that cannot be read that asks for a look."""

_FORM_WORDS: Final = {
    "plain": "number",
    "percent": "percent",
    "months": "months",
    "employment": "years of employment",
    "date": "date",
}


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """One feature's column in a file.

    Parameters
    ----------
    column
        Its name.
    read_as
        In words: form and transforms.
    n_inputs
        Inputs of the model it makes.
    expected
        The lender's range or levels, in words, in the column's unit.
    n_missing, n_unreadable, n_outside
        Rows without a value, rows whose cell is not of the expected form (they count as missing), and rows
        with a value outside the lender's range or with a level that is not listed.
    median, expected_median
        In the column's unit; None for a category or where there is none.
    note
        What needs a look, as a sentence, or empty.
    """

    column: str
    read_as: str
    n_inputs: int
    expected: str
    n_missing: int
    n_unreadable: int
    n_outside: int
    median: float | None
    expected_median: float | None
    note: str

    @property
    def needs_a_look(self) -> bool:
        """Whether something about the column is unusual."""
        return bool(self.note)


def describe_columns(features: Sequence[Feature], columns: Columns) -> tuple[ColumnReport, ...]:
    """Say how each feature's column was read, those that need a look first.

    Parameters
    ----------
    columns
        str (n_rows,) for every column a feature reads.
    """
    reports = [_describe(feature, columns) for feature in features]
    return tuple(sorted(reports, key=lambda report: not report.needs_a_look))


def _describe(feature: Feature, columns: Columns) -> ColumnReport:
    if isinstance(feature, NumberFeature):
        return _describe_number(feature, columns)
    if isinstance(feature, CategoryFeature):
        return _describe_category(feature, columns)
    return _describe_bins(feature, columns)


def _describe_number(feature: NumberFeature, columns: Columns) -> ColumnReport:
    parsed = feature.source.read(columns)
    seen = parsed.values[~np.isnan(parsed.values)]
    n_outside = int(((seen < feature.low) | (seen > feature.high)).sum())
    median = float(np.median(seen)) if len(seen) else None
    words = [
        _form_words(feature.source),
        "log1p" if feature.log1p else "",
        "missing flagged" if feature.flag else "",
    ]
    note = _unreadable_note(parsed.n_unreadable, parsed.unreadable_example, len(parsed.values))
    if not note and n_outside > _LOOK_OUTSIDE * max(1, len(seen)):
        note = (
            f"{n_outside:,} values lie outside the lender's range; the median is {median:,.6g}, the lender's "
            f"{feature.median:,.6g}. Is the column in another unit?"
        )
    return ColumnReport(
        column=feature.source.column,
        read_as=", ".join(word for word in [*words, "clipped"] if word),
        n_inputs=len(feature.input_names),
        expected=f"{feature.low:,.6g} to {feature.high:,.6g}",
        n_missing=parsed.n_missing,
        n_unreadable=parsed.n_unreadable,
        n_outside=n_outside,
        median=median,
        expected_median=feature.median,
        note=note,
    )


def _describe_category(feature: CategoryFeature, columns: Columns) -> ColumnReport:
    cells = columns[feature.column]
    levels = {folded(level) for level in feature.levels}
    n_missing = sum(map(is_missing, cells))
    n_listed = sum(folded(cell) in levels for cell in cells)
    note = "" if n_listed else "No row has one of the listed levels; all count as “other”."
    return ColumnReport(
        column=feature.column,
        read_as="category",
        n_inputs=len(feature.input_names),
        expected=", ".join(feature.levels),
        n_missing=n_missing,
        n_unreadable=0,
        n_outside=len(cells) - n_missing - n_listed,
        median=None,
        expected_median=None,
        note=note,
    )


def _describe_bins(feature: BinsFeature, columns: Columns) -> ColumnReport:
    parsed = feature.source.read(columns)
    seen = parsed.values[~np.isnan(parsed.values)]
    return ColumnReport(
        column=feature.source.column,
        read_as=f"{_form_words(feature.source)}, in {len(feature.edges) + 1} bins",
        n_inputs=len(feature.input_names),
        expected=f"edges {', '.join(f'{edge:,.6g}' for edge in feature.edges)}",
        n_missing=parsed.n_missing,
        n_unreadable=parsed.n_unreadable,
        n_outside=0,
        median=float(np.median(seen)) if len(seen) else None,
        expected_median=None,
        note=_unreadable_note(parsed.n_unreadable, parsed.unreadable_example, len(parsed.values)),
    )


def _form_words(source: Source) -> str:
    return f"months from it to {source.since}" if source.since else _FORM_WORDS[source.form]


def _unreadable_note(n_unreadable: int, example: str, n_rows: int) -> str:
    if n_unreadable <= _LOOK_UNREADABLE * n_rows:
        return ""
    return f"{n_unreadable:,} cells cannot be read, such as “{example}”; they count as missing."
