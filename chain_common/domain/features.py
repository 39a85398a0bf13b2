"""Features: fixed public transforms from a file's columns to a model's inputs.

All constants come from the lender's own rows and stand in the model spec, so every data owner and borrower
encodes alike. The intercept is the last column, a column of ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.document import DocumentError, Fields, Json, as_text, decimal_text
from chain_common.domain.feature_parsing import MAX_NAME, Source, Texts, is_missing

CUT: Final = 5.0
"""A standardised number is cut at plus and minus this; int16 scoring rows hold up to 8."""

ROW_FRACTION_BITS: Final = 12
"""Fractional bits of an int16 scoring row (protocol §8)."""

MAX_LEVELS: Final = 64
"""Listed levels of a category, or edges of a scorecard column."""

Columns = Mapping[str, Texts]
"""The columns of a file by name, all of one length."""


@dataclass(frozen=True, slots=True)
class NumberFeature:
    """A number: missing → median, clip, optional ``log1p``, standardise, cut at ±5.

    ``x = cut((t(clip(v, low, high)) − mean) / std)``, ``t`` being ``log1p`` or nothing. Clipping comes before
    ``log1p``, which is monotone, so the result is the same and the bounds stay in the column's own unit.

    Parameters
    ----------
    source
        Column and form.
    log1p
        Whether the clipped value goes through ``log(1 + v)``; then ``low`` is at least 0.
    flag
        Whether a second input, 0 or 1, says that the value was missing. Never standardised: a rare one would
        leave the number format.
    median, low, high
        In the column's unit (percent, months, years or as written).
    mean, std
        Of the transformed values; ``std`` is positive.
    """

    source: Source
    log1p: bool
    flag: bool
    median: float
    low: float
    high: float
    mean: float
    std: float

    def __post_init__(self) -> None:
        if not self.low <= self.median <= self.high:
            raise DocumentError("median", "lies outside low to high")
        if self.log1p and self.low < 0:
            raise DocumentError("low", "is negative, which log1p does not take")
        if not 1e-12 < self.std < 1e15:
            raise DocumentError("std", "is not a usable scale")

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this reads."""
        return self.source.columns

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        name = self.source.column
        return (name, f"{name} missing") if self.flag else (name,)

    def inputs(self, columns: Columns) -> NDArray[np.float64]:
        """Compute the inputs, float64 (n_rows, 1 or 2)."""
        values = self.source.read(columns).values
        missing = np.isnan(values)
        clipped = np.clip(np.where(missing, self.median, values), self.low, self.high)
        transformed = np.log1p(clipped) if self.log1p else clipped
        number = np.clip((transformed - self.mean) / self.std, -CUT, CUT)
        return np.column_stack((number, missing) if self.flag else (number,)).astype(np.float64)

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        constants = {name: decimal_text(getattr(self, name)) for name in ("median", "low", "high", "mean", "std")}
        return {
            "kind": "number",
            "log1p": self.log1p,
            "flag": self.flag,
            **constants,
            **self.source.to_document(),
        }


@dataclass(frozen=True, slots=True)
class CategoryFeature:
    """A word out of a list: one 0/1 input per listed level and one for all others, missing ones included.

    Parameters
    ----------
    column
        The file's column.
    levels
        1 to 64, compared without regard to case and spacing.
    """

    column: str
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        as_text(self.column, "column", max_chars=MAX_NAME)
        if not 1 <= len(self.levels) <= MAX_LEVELS:
            raise DocumentError("levels", f"1 to {MAX_LEVELS} are expected, got {len(self.levels)}")
        if len({folded(level) for level in self.levels}) != len(self.levels):
            raise DocumentError("levels", "one is listed twice")

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this reads."""
        return (self.column,)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return (*(f"{self.column} = {level}" for level in self.levels), f"{self.column} = (other)")

    def inputs(self, columns: Columns) -> NDArray[np.float64]:
        """Compute the inputs, float64 (n_rows, n_levels + 1)."""
        places = {folded(level): place for place, level in enumerate(self.levels)}
        cells = columns[self.column]
        known = {cell: places.get(folded(cell), len(places)) for cell in set(cells)}
        place = np.fromiter((known[cell] for cell in cells), dtype=np.intp, count=len(cells))
        return np.eye(len(places) + 1)[place]

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        return {"kind": "category", "column": self.column, "levels": list(self.levels)}


@dataclass(frozen=True, slots=True)
class BinsFeature:
    """A scorecard column: one 0/1 input per interval between the edges and one for a missing value.

    Parameters
    ----------
    source
        Column and form.
    edges
        1 to 64, ascending, in the column's unit; an interval holds its lower edge.
    """

    source: Source
    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.edges) <= MAX_LEVELS:
            raise DocumentError("edges", f"1 to {MAX_LEVELS} are expected, got {len(self.edges)}")
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise DocumentError("edges", "are not ascending")

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this reads."""
        return self.source.columns

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        name = self.source.column
        between = (f"{low:g} ≤ {name} < {high:g}" for low, high in zip(self.edges, self.edges[1:], strict=False))
        return (f"{name} < {self.edges[0]:g}", *between, f"{name} ≥ {self.edges[-1]:g}", f"{name} missing")

    def inputs(self, columns: Columns) -> NDArray[np.float64]:
        """Compute the inputs, float64 (n_rows, n_edges + 2)."""
        values = self.source.read(columns).values
        place = np.searchsorted(np.asarray(self.edges), values, side="right")
        place[np.isnan(values)] = len(self.edges) + 1
        return np.eye(len(self.edges) + 2)[place]

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        edges: list[Json] = [decimal_text(edge) for edge in self.edges]
        return {"kind": "bins", "edges": edges, **self.source.to_document()}


Feature = NumberFeature | CategoryFeature | BinsFeature


def feature_from_document(value: Json, path: str) -> Feature:
    """Read one feature of a model spec.

    Raises
    ------
    DocumentError
        With the path of the field that is wrong.
    """
    fields = Fields(value, path)
    kind = fields.choice("kind", ("number", "category", "bins"))
    feature: Feature
    try:
        if kind == "number":
            feature = NumberFeature(
                source=Source.from_fields(fields),
                log1p=fields.truth("log1p"),
                flag=fields.truth("flag"),
                **{name: fields.number(name) for name in ("median", "low", "high", "mean", "std")},
            )
        elif kind == "category":
            feature = CategoryFeature(
                fields.text("column", max_chars=MAX_NAME), fields.texts("levels", max_items=MAX_LEVELS)
            )
        else:
            feature = BinsFeature(Source.from_fields(fields), fields.numbers("edges", max_items=MAX_LEVELS))
    except DocumentError as error:
        inside = error.path if error.path.startswith(path) else f"{path}.{error.path}"
        raise DocumentError(inside, error.problem) from error
    fields.done()
    return feature


def folded(text: str) -> str:
    """Give a word as it is compared: single spaces, no case; all ways to write "no value" alike."""
    return "" if is_missing(text) else " ".join(text.split()).casefold()


def encode(features: Sequence[Feature], columns: Columns, *, norm_bound: float | None = None) -> NDArray[np.float64]:
    """Turn rows into the model's inputs.

    Parameters
    ----------
    columns
        str (n_rows,) for every column a feature reads.
    norm_bound
        ``R``: the inputs of a row, *without the intercept*, are scaled down to Euclidean norm ``R`` where
        they exceed it. The intercept stays 1, so that the base rate means the same for every row and the
        corner of ``A`` is a public constant; a whole row's norm is at most ``sqrt(1 + R**2)``, which noise is
        to be calibrated to. None leaves the rows as they are.

    Returns
    -------
    float64 (n_rows, n_inputs + 1), the intercept last, every entry within ±5.
    """
    parts = [feature.inputs(columns) for feature in features]
    x = np.hstack([*parts, np.ones((len(parts[0]), 1))])
    if norm_bound is not None:
        norms = np.linalg.norm(x[:, :-1], axis=1, keepdims=True)
        x[:, :-1] *= norm_bound / np.maximum(norms, norm_bound)
    return x


def to_int16(x: NDArray[np.float64]) -> NDArray[np.int16]:
    """Round encoded rows to 12 fractional bits, as they are scored and tagged.

    Raises
    ------
    ValueError
        If an entry does not lie within ±8.
    """
    scaled = np.rint(x * 2.0**ROW_FRACTION_BITS)
    if not (np.abs(scaled) < 2**15).all():
        raise ValueError("an entry of a scoring row does not lie within ±8")
    return scaled.astype(np.int16)
