"""Where the marks of a chart stand: values to coordinates of an SVG, drawn by ``kit/charts.html``.

Every chart is laid out twice, wide and narrow, so that letters keep their size; one unit of the drawing is about one
pixel of the place it is shown at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from chain_common.web import text

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 18, 22, 50
_INSET = 14  # between an axis and the first mark
_NARROW_LABELS = 9  # so many labels of two digits fit under the narrow drawing


@dataclass(frozen=True, slots=True)
class Point:
    """A value to draw; a point that is not ``settled`` is hollow and reached by a dashed line."""

    label: str
    value: float
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A point where it stands."""

    x: str
    y: str
    label: str
    value: str
    settled: bool
    shows_label: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled height."""

    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing of a line chart."""

    css: str
    width: int
    height: int
    left: int
    right: int
    base: int
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    line: str
    open_line: str
    target_y: str
    target_label_dy: int


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line against a target; ``title`` and ``description`` say in words what it shows."""

    ident: str
    title: str
    description: str
    note: str
    x_name: str
    target_label: str
    drawings: tuple[Drawing, Drawing]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a share bar."""

    x: str
    width: str
    label: str
    label_x: str


@dataclass(frozen=True, slots=True)
class ShareBar:
    """Shares of one whole, drawn wide and narrow; the table under it is the key."""

    ident: str
    title: str
    description: str
    drawings: tuple[tuple[str, int, tuple[Slice, ...]], ...]


@dataclass(frozen=True, slots=True)
class Spark:
    """A line the size of a word, for a table's cell; decoration beside the numbers."""

    width: int
    height: int
    line: str
    dot_x: str
    dot_y: str
    target_y: str


def round_ticks(low: float, high: float, about: int = 4) -> tuple[float, ...]:
    """Return round numbers (1, 2 or 5 times a power of ten apart) between two values, ``about`` of them or more."""
    if not high > low:
        return (low,)
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (5, 2, 1) if factor * power <= rough * 1.001)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(k * step for k in range(first, last + 1))


def _decimals(ticks: Sequence[float]) -> int:
    """Return how many decimals tell the ticks apart."""
    if len(ticks) < 2 or ticks[1] <= ticks[0]:
        return 4
    return min(8, max(0, math.ceil(-math.log10(ticks[1] - ticks[0]) - 1e-9)))


def line_chart(
    ident: str,
    title: str,
    description: str,
    points: Sequence[Point],
    target: float,
    *,
    target_name: str = "target",
    places: int = 4,
    x_name: str = "Round",
    note: str = "",
) -> LineChart:
    """Lay out a line of points against a target. ``points`` holds one or more."""
    values = [target, *(point.value for point in points)]
    spread = max(values) - min(values) or abs(target) * 0.1 or 1.0
    low, high = min(values) - 0.12 * spread, max(values) + 0.12 * spread

    def draw(css: str, width: int, height: int) -> Drawing:
        base = height - _BOTTOM
        between = (width - _LEFT - _RIGHT - 2 * _INSET) / max(1, len(points) - 1)
        every = 1 if css == "wide" else math.ceil(len(points) / _NARROW_LABELS)

        def x(index: int) -> float:
            return _LEFT + _INSET + index * between

        def y(value: float) -> float:
            return _TOP + (high - value) * (base - _TOP) / (high - low)

        marks = tuple(
            Mark(
                x=f"{x(index):.1f}",
                y=f"{y(point.value):.1f}",
                label=point.label,
                value=text.digits(point.value, places),
                settled=point.settled,
                shows_label=index == len(points) - 1 or index % every == 0,
            )
            for index, point in enumerate(points)
        )
        heights = round_ticks(low, high)
        settled = [mark for mark in marks if mark.settled]
        opens = [*settled[-1:], *(mark for mark in marks if not mark.settled)]
        above = y(target) > base - 24
        return Drawing(
            css=css,
            width=width,
            height=height,
            left=_LEFT,
            right=width - _RIGHT,
            base=base,
            ticks=tuple(Tick(f"{y(h):.1f}", text.digits(h, _decimals(heights))) for h in heights),
            marks=marks,
            line=" ".join(f"{mark.x},{mark.y}" for mark in settled),
            open_line=" ".join(f"{mark.x},{mark.y}" for mark in opens) if len(opens) > 1 else "",
            target_y=f"{y(target):.1f}",
            target_label_dy=-7 if above else 18,
        )

    return LineChart(
        ident=ident,
        title=title,
        description=description,
        note=note,
        x_name=x_name,
        target_label=f"{target_name} {text.digits(target, places)}",
        drawings=(draw("wide", 700, 300), draw("narrow", 310, 270)),
    )


def share_bar(ident: str, title: str, description: str, parts: Sequence[tuple[str, int]], whole: int = 64) -> ShareBar:
    """Lay out shares of ``whole`` as one bar; ``parts`` are names with how much of the whole each has."""

    def draw(css: str, width: int) -> tuple[str, int, tuple[Slice, ...]]:
        slices: list[Slice] = []
        at = 0
        for name, amount in parts:
            length = amount * width / whole
            if amount > 0:
                long_label = f"{name} {text.percent(amount / whole)}"
                label = long_label if length > 84 else name if length > 34 else ""
                x = at * width / whole
                slices.append(Slice(f"{x:.1f}", f"{max(length - 3, 1):.1f}", label, f"{x + 9:.1f}"))
            at += amount
        return css, width, tuple(slices)

    return ShareBar(ident, title, description, (draw("wide", 700), draw("narrow", 310)))


def spark(values: Sequence[float], target: float, width: int = 96, height: int = 28) -> Spark:
    """Lay out a line the size of a word. ``values`` holds one or more."""
    low, high = min(*values, target), max(*values, target)
    spread = (high - low) or 1.0

    def y(value: float) -> str:
        return f"{4 + (high - value) * (height - 8) / spread:.1f}"

    between = (width - 10) / max(1, len(values) - 1)
    line = " ".join(f"{4 + index * between:.1f},{y(value)}" for index, value in enumerate(values))
    return Spark(
        width=width,
        height=height,
        line=line if len(values) > 1 else "",
        dot_x=f"{4 + (len(values) - 1) * between:.1f}",
        dot_y=y(values[-1]),
        target_y=y(target),
    )
