"""How few rows are too few: to hide a single one in an update, or to pay by.

Apart from the other privacy rules because both sides apply them: the data owner before computing, the lender
before accepting a seat, and the lender never imports what turns rows into statistics.
"""

from __future__ import annotations

import math
from typing import Final

from chain_common.errors import BadInput

HARD_ROW_FLOOR: Final = 50
"""Rows below which no contribution is computed, whatever the spec says (protocol §6)."""

HARD_ROWS_PER_WEIGHT: Final = 5
"""Rows per weight below which no contribution is computed, whatever the spec says (protocol §6)."""

SET_ROW_FLOOR: Final = 500
"""Rows of a set below which no bounty is posted: a reward would be mostly noise (protocol §8)."""


class TooFewRows(BadInput):
    """A data set is so small that an update would say much of each row.

    ``n_rows`` is what was given, ``floor`` the least that is accepted.
    """

    def __init__(self, n_rows: int, floor: int) -> None:
        self.n_rows = n_rows
        self.floor = floor
        super().__init__(
            f"There are {n_rows} usable rows.",
            expected=f"This model accepts {floor} or more: the fewer the rows, the more an update says of each.",
            do="Add rows, or choose a model with fewer features.",
            field="file",
        )


def row_floor(n_weights: int, spec_floor: int, *, demonstration: bool = False) -> int:
    """Return the least number of rows: ``max(50, 5 n_weights, spec_floor)``, or 1 in a demonstration.

    Parameters
    ----------
    spec_floor
        The floor the model spec names; it can raise the hard floor and never lower it.
    demonstration
        The spec is marked as a demonstration, which lifts both floors (protocol §9).
    """
    return 1 if demonstration else max(HARD_ROW_FLOOR, HARD_ROWS_PER_WEIGHT * n_weights, spec_floor)


def check_row_floor(n_rows: int, n_weights: int, spec_floor: int, *, demonstration: bool = False) -> None:
    """Refuse a data set below :func:`row_floor`.

    Raises
    ------
    TooFewRows
        If there are fewer rows than the floor; always where there is none.
    """
    floor = row_floor(n_weights, spec_floor, demonstration=demonstration)
    if n_rows < floor:
        raise TooFewRows(n_rows, floor)


class SetTooSmall(BadInput):
    """A scoring or closing set has too few rows to pay by. ``n_rows`` is what it has."""

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows
        super().__init__(
            f"A set of {n_rows} rows was given.",
            expected=f"The scoring set and the closing set need {SET_ROW_FLOOR} finished rows each.",
            do="Use a larger validation file.",
            field="file",
        )


def check_set_floor(n_rows: int, *, demonstration: bool = False) -> None:
    """Refuse a set too small to pay by; a spec marked as a demonstration lifts the floor.

    Raises
    ------
    SetTooSmall
        Below 500 rows.
    """
    if n_rows < SET_ROW_FLOOR and not demonstration:
        raise SetTooSmall(n_rows)


def reward_noise(n_rows: int) -> float:
    """Return the relative standard deviation of a reward: about ``8 / sqrt(n_rows)``, simulated on loans."""
    return 8.0 / math.sqrt(n_rows)
