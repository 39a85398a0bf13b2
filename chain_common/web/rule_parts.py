"""The rules a model was created with, in a person's words."""

from __future__ import annotations

from markupsafe import Markup

from chain_common.services.views import ModelView
from chain_common.web import inline, text
from chain_common.web.tables import Cell

METRIC_WORDS = {
    "brier": "Brier score",
    "balanced-brier": "Balanced Brier score",
    "squared-error": "Mean squared error",
}
SHARING_WORDS = {
    "shapley": "Shapley: each contribution is paid for what it adds, whatever the order",
    "sequential": "Sequential: rounds of one seat; in a crowd the first one gets most of the bounty",
}


def rules(view: ModelView) -> tuple[tuple[str, Cell, str], ...]:
    """List the rules a model was created with, in words."""
    seats = f"{view.seats} seats"
    first = f"the first one {view.pilot_seats}" if view.pilot_seats != view.seats else ""
    closes = "closes when they are full or by time" if view.close_when_full else "closes by time"
    bad = text.words([f"“{value}”" for value in view.bad_values], "or")
    predicts = (
        Markup("{} is {}").format(inline.code(view.target_column), bad) if bad else inline.code(view.target_column)
    )
    held = view.closing_share_ppm / 1_000_000
    return (
        ("Predicts", predicts, ""),
        (
            "Settled on",
            METRIC_WORDS[view.card.metric],
            "AUC, KS and accuracy are shown beside it and decide nothing.",
        ),
        ("Shared by", SHARING_WORDS.get(view.sharing, view.sharing), ""),
        (
            "A round has",
            f"{seats}{', ' + first if first else ''}; {closes}",
            f"at most {view.card.max_rounds} rounds",
        ),
        (
            "Held for the closing score",
            text.percent(held, 0) if held else "nothing",
            f"a set of {text.count(view.closing_rows)} rows that no round touches"
            if held
            else "there is no closing set",
        ),
        ("Rows a data owner must bring", f"{text.count(view.row_floor)} or more", ""),
        ("Stake", inline.money(view.card.stake_wei), "given back; a rejected seat loses a tenth of it"),
    )
