"""Columns and scores that know the answer.

A column learned after the loan was made predicts well and is worth nothing: no new loan has it. Such columns
are refused by name where they are known, and suspected by the score where they are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from chain_common.errors import BadInput

TOO_GOOD_AUC: Final = 0.78
"""AUC of a baseline above which a column probably knows the answer (Lending Club columns reach 0.70
honestly)."""


class LeakingColumn(BadInput):
    """A feature was asked for that is known only after the loan was made.

    ``column`` and ``reason`` are the facts.
    """

    def __init__(self, column: str, reason: str) -> None:
        self.column = column
        self.reason = reason
        super().__init__(
            f"The column {column} cannot be a feature: {reason}.",
            expected="A feature is known on the day the loan is applied for.",
            do="Leave it out.",
            field=column,
        )


@dataclass(frozen=True, slots=True)
class LeakageWarning:
    """A baseline is too good to be true.

    ``auc`` is what it reached, ``limit`` what honest columns stay below.
    """

    auc: float
    limit: float

    @property
    def sentence(self) -> str:
        """What was seen and what it probably means."""
        return (
            f"The baseline reaches AUC {self.auc:.3f}. Above {self.limit:.2f} a column almost always carries "
            "something learned after the loan was made; a model trained on it cannot judge a new loan."
        )


def refuse_leaking(columns: Iterable[str], known_later: Mapping[str, str]) -> None:
    """Refuse features that are known only after the loan was made.

    Parameters
    ----------
    known_later
        Reason by column.

    Raises
    ------
    LeakingColumn
        For the first such column.
    """
    for column in columns:
        reason = known_later.get(column.strip().casefold())
        if reason is not None:
            raise LeakingColumn(column, reason)


def warn_of_leakage(auc: float, *, limit: float = TOO_GOOD_AUC) -> LeakageWarning | None:
    """Give a warning if a baseline's AUC on held-back rows is too good to be true."""
    return LeakageWarning(auc, limit) if auc > limit else None
