"""Features before fitting: which columns, which transforms. The lender's own rows give the constants."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.document import DocumentError, Fields, Json
from chain_common.domain.feature_parsing import MAX_NAME, Source, Texts, is_missing
from chain_common.domain.features import (
    MAX_LEVELS,
    BinsFeature,
    CategoryFeature,
    Columns,
    Feature,
    NumberFeature,
    folded,
)
from chain_common.errors import BadInput

CLIP_PERCENT: Final = 1.0
"""Values below the lender's 1 % and above its 99 % quantile are clipped."""

COMMON_LEVEL_SHARE: Final = 0.01
"""A level is listed when at least this share of the lender's rows has it."""

_DIGITS: Final = 6
"""Significant digits of a fitted constant: enough for any model, short on a page, and no row's exact
value."""


class NoValues(BadInput):
    """A column holds no value that can be read in any of the lender's rows. ``column`` names it."""

    def __init__(self, column: str, example: str) -> None:
        self.column = column
        seen = f" It holds texts such as {example!r}." if example else ""
        super().__init__(
            f"The column {column} has no value that can be read.{seen}",
            expected="The validation file gives each feature its median and its range.",
            do="Leave the column out or choose another preset.",
            field=column,
        )


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """A number whose median, clip bounds, mean and deviation are to be fitted."""

    source: Source
    log1p: bool = False
    flag: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this reads."""
        return self.source.columns

    def fit(self, columns: Columns) -> NumberFeature:
        """Fit the constants on the lender's rows. Raises ``NoValues``."""
        parsed = self.source.read(columns)
        seen = parsed.values[~np.isnan(parsed.values)]
        if not len(seen):
            raise NoValues(self.source.column, parsed.unreadable_example)
        low, high = _clip_bounds(seen)
        if self.log1p:
            low, high = max(low, 0.0), max(high, 0.0)
        median = min(max(_rounded(float(np.median(seen))), low), high)
        filled = np.clip(np.where(np.isnan(parsed.values), median, parsed.values), low, high)
        transformed = np.log1p(filled) if self.log1p else filled
        std = _rounded(float(transformed.std()))
        return NumberFeature(
            source=self.source,
            log1p=self.log1p,
            flag=self.flag,
            median=median,
            low=low,
            high=high,
            mean=_rounded(float(transformed.mean())),
            std=std if std > 1e-9 else 1.0,
        )


@dataclass(frozen=True, slots=True)
class CategoryPlan:
    """A category; without listed levels, those of at least 1 % of the lender's rows, most frequent first."""

    column: str
    levels: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this reads."""
        return (self.column,)

    def fit(self, columns: Columns) -> CategoryFeature:
        """Fit the levels on the lender's rows. Raises ``NoValues``."""
        return CategoryFeature(self.column, self.levels or self._common_levels(columns[self.column]))

    def _common_levels(self, cells: Texts) -> tuple[str, ...]:
        spelling = {folded(cell): " ".join(cell.split()) for cell in sorted(set(cells), reverse=True)}
        counts = Counter(folded(cell) for cell in cells if not is_missing(cell))
        counts.pop("other", None)
        common = [
            (count, level)
            for level, count in counts.items()
            if count >= COMMON_LEVEL_SHARE * len(cells) and spelling[level].isprintable() and len(level) <= MAX_NAME
        ]
        if not common:
            raise NoValues(self.column, "")
        ranked = sorted(common, key=lambda item: (-item[0], item[1]))[:MAX_LEVELS]
        return tuple(spelling[level] for _, level in ranked)


@dataclass(frozen=True, slots=True)
class BinsPlan:
    """A scorecard column; without listed edges, the lender's quantiles cut it into ``n_bins`` intervals."""

    source: Source
    edges: tuple[float, ...] = ()
    n_bins: int = 5

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this reads."""
        return self.source.columns

    def fit(self, columns: Columns) -> BinsFeature:
        """Fit the edges on the lender's rows. Raises ``NoValues``."""
        if self.edges:
            return BinsFeature(self.source, self.edges)
        parsed = self.source.read(columns)
        seen = parsed.values[~np.isnan(parsed.values)]
        if not len(seen):
            raise NoValues(self.source.column, parsed.unreadable_example)
        quantiles = np.quantile(seen, np.arange(1, self.n_bins) / self.n_bins)
        return BinsFeature(self.source, tuple(sorted({_rounded(float(edge)) for edge in quantiles})))


FeaturePlan = NumberPlan | CategoryPlan | BinsPlan


def plan_from_document(value: Json, path: str) -> FeaturePlan:
    """Read one planned feature of a preset; fields left out take their defaults. Raises ``DocumentError``."""
    defaults: dict[str, Json] = {
        "form": "plain",
        "since": "",
        "log1p": False,
        "flag": False,
        "levels": [],
        "edges": [],
    }
    if not isinstance(value, dict):
        raise DocumentError(path, "an object is expected")
    wanted = {
        "number": ("form", "since", "log1p", "flag"),
        "category": ("levels",),
        "bins": ("form", "since", "edges"),
    }
    kind = Fields(value, path).choice("kind", tuple(wanted))
    fields = Fields({name: defaults[name] for name in wanted[kind]} | value, path)
    fields.take("kind")
    plan: FeaturePlan
    if kind == "number":
        plan = NumberPlan(Source.from_fields(fields), log1p=fields.truth("log1p"), flag=fields.truth("flag"))
    elif kind == "category":
        plan = CategoryPlan(fields.text("column", max_chars=MAX_NAME), fields.texts("levels", max_items=MAX_LEVELS))
    else:
        plan = BinsPlan(Source.from_fields(fields), fields.numbers("edges", max_items=MAX_LEVELS))
    fields.done()
    return plan


def fit_features(plans: tuple[FeaturePlan, ...], columns: Columns) -> tuple[Feature, ...]:
    """Fit every planned feature on the lender's rows, in order.

    Parameters
    ----------
    columns
        str (n_rows,) for every column a plan reads, at least one row.

    Raises
    ------
    NoValues
        If a column holds no value that can be read.
    """
    return tuple(plan.fit(columns) for plan in plans)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") + 0.0


def _clip_bounds(seen: NDArray[np.float64]) -> tuple[float, float]:
    """Give the 1 % and 99 % quantiles; where they coincide, as in a rare count, the extremes."""
    low, high = np.quantile(seen, (CLIP_PERCENT / 100, 1 - CLIP_PERCENT / 100))
    if low == high:
        low, high = seen.min(), seen.max()
    return _rounded(float(low)), _rounded(float(high))
