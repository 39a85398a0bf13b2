"""Tables as records: the presenters fill them, the ``table`` macro writes them."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

Cell = str | Markup


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading. ``number`` cells are set flush right; a ``long`` one is prose; ``act`` holds a button."""

    label: str
    number: bool = False
    long: bool = False
    act: bool = False

    @property
    def css(self) -> str:
        """The class of the column's cells."""
        return "num" if self.number else "long" if self.long else "act" if self.act else ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first cell of a row is its header. ``foot`` is a row of totals.

    ``cards`` turns rows into cards where there is little room; without it the table scrolls sideways, for figures that
    must stay in rows.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    foot: tuple[Cell, ...] = ()
    cards: bool = True

    def __post_init__(self) -> None:
        for row in (*self.rows, *([self.foot] if self.foot else [])):
            if len(row) != len(self.columns):
                raise ValueError(f"a row has {len(row)} cells, the table has {len(self.columns)} columns")
