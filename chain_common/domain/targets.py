"""What a model predicts, and which values of the outcome's column say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chain_common.domain.document import DocumentError, Fields, Json, as_text, decimal_text
from chain_common.domain.feature_parsing import FORMS, MAX_NAME, Form

MAX_VALUES: Final = 64
"""Values listed for one class of a target."""


@dataclass(frozen=True, slots=True)
class ClassTarget:
    """What a classifier predicts: 1 for a bad row, 0 for a good one.

    Parameters
    ----------
    column
        The outcome's column.
    good, bad
        Values of finished rows, compared without regard to case and spacing; at least one each.
    unfinished
        Values of rows that have no outcome yet; such rows are dropped and counted.
    excluded
        Values of rows that have an outcome and are not what the model is about, such as loans outside the
        lender's credit policy; dropped and counted.
    """

    column: str
    good: tuple[str, ...]
    bad: tuple[str, ...]
    unfinished: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        as_text(self.column, "target.column", max_chars=MAX_NAME)
        for name in ("good", "bad"):
            if not getattr(self, name):
                raise DocumentError(f"target.{name}", "at least one value is expected")
        values = [
            value_key(value) for group in (self.good, self.bad, self.unfinished, self.excluded) for value in group
        ]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise DocumentError("target", f"the value {twice[:60]!r} is listed twice")

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        return {
            "kind": "classes",
            "column": self.column,
            "good": list(self.good),
            "bad": list(self.bad),
            "unfinished": list(self.unfinished),
            "excluded": list(self.excluded),
        }


@dataclass(frozen=True, slots=True)
class ScaleTarget:
    """What a regression predicts: ``y = (value − offset) / scale``, which has to lie within ±8.

    Parameters
    ----------
    column
        The outcome's column.
    form
        How its cells are written.
    offset, scale
        In the column's unit; ``scale`` is positive.
    """

    column: str
    offset: float
    scale: float
    form: Form = "plain"

    def __post_init__(self) -> None:
        as_text(self.column, "target.column", max_chars=MAX_NAME)
        if self.form == "date":
            raise DocumentError("target.form", "a date is no outcome")
        if not 1e-12 < self.scale < 1e15:
            raise DocumentError("target.scale", "is not a usable scale")

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        return {
            "kind": "scale",
            "column": self.column,
            "form": self.form,
            "offset": decimal_text(self.offset),
            "scale": decimal_text(self.scale),
        }


Target = ClassTarget | ScaleTarget


def value_key(value: str) -> str:
    """Give a target value as it is compared: no case, single spaces, and ``1.0`` like ``1``."""
    text = " ".join(value.split()).casefold()
    try:
        number = float(text)
    except ValueError:
        return text
    return repr(int(number)) if number.is_integer() and abs(number) < 1e15 else text


def target_from_document(fields: Fields) -> Target:
    """Read a target. Raises ``DocumentError``."""
    target: Target
    if fields.choice("kind", ("classes", "scale")) == "classes":
        target = ClassTarget(
            column=fields.text("column", max_chars=MAX_NAME),
            good=fields.texts("good", max_items=MAX_VALUES),
            bad=fields.texts("bad", max_items=MAX_VALUES),
            unfinished=fields.texts("unfinished", max_items=MAX_VALUES),
            excluded=fields.texts("excluded", max_items=MAX_VALUES),
        )
    else:
        target = ScaleTarget(
            column=fields.text("column", max_chars=MAX_NAME),
            form=fields.choice("form", FORMS),
            offset=fields.number("offset"),
            scale=fields.number("scale"),
        )
    fields.done()
    return target
