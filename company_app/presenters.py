"""The lender's views as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from markupsafe import Markup

from chain_common.services.lender.views import BountyReview, ModelKeyView, OverviewView
from chain_common.services.views import ModelCard, Scores
from chain_common.web import inline, text
from chain_common.web.charts import Spark
from chain_common.web.model_parts import card_spark, score
from chain_common.web.rule_parts import METRIC_WORDS
from chain_common.web.tables import Cell, Column, Table


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing that waits for the lender."""

    title: str
    words: Markup
    href: str
    act: str


def scores_line(scores: Scores) -> str:
    """Write display metrics in one line."""
    auc, ks, accuracy = text.digits(scores.auc, 3), text.digits(scores.ks, 3), text.percent(scores.accuracy)
    return f"AUC {auc} · KS {ks} · accuracy {accuracy}"


def to_do(view: OverviewView) -> tuple[ToDo, ...]:
    """List what waits for the lender, most urgent first."""
    stopped = [
        ToDo(job.title, Markup("{}").format(job.failure), url_for("jobs.show", key=job.key), "See what stopped")
        for job in view.jobs
        if job.state == "failed"
    ]
    drafts = [
        ToDo(
            f"Finish “{title}”",
            Markup("A bounty that has not been posted. Nothing has been spent."),
            url_for("bounties.terms", draft_id=draft_id),
            "Go on",
        )
        for draft_id, title in view.drafts
    ]
    return (*stopped, *drafts)


def overview_seen(view: OverviewView) -> str:
    """Name the state of the first page; it changes when a job ends or a model moves on."""
    jobs = [f"{job.key}.{job.state}" for job in view.jobs]
    models = [f"{card.model_id}.{card.state}.{card.rounds}" for card in view.models]
    return "-".join([*jobs, *models]).replace(" ", "-")


def sparks_of(cards: Sequence[ModelCard]) -> list[Spark]:
    """Lay out the small drawings of the models' progress."""
    return [card_spark(card) for card in cards]


def amounts(review: BountyReview) -> Table:
    """List what leaves the account when a bounty is posted."""
    choices = review.draft.choices
    total = review.value_wei + review.fee_estimate_wei
    return Table(
        columns=(Column("What"), Column("Comes back?", long=True), Column("Amount", number=True)),
        rows=(
            (
                "Bounty",
                "What is unpaid, after the end and the waiting time",
                inline.money(choices.bounty_wei),
            ),
            ("Bond", "Whole, if every round is settled in time", inline.money(choices.bond_wei)),
            ("Fee of the transaction", "No; an upper estimate", inline.money(review.fee_estimate_wei)),
        ),
        foot=("Leaves your account now", "", inline.money(total)),
    )


def review_rules(review: BountyReview) -> tuple[tuple[str, Cell, str], ...]:
    """List what a bounty's target and rules will be."""
    draft, choices = review.draft, review.draft.choices
    seats = text.plural(choices.seats, "seat")
    if choices.pilot_seats:
        seats += f", the first round {choices.pilot_seats}"
    closes = "when they are full or after" if choices.close_when_full else "after"
    return (
        ("Score that pays", METRIC_WORDS[choices.metric], "on the scoring set, exact in integers"),
        (
            "From → to",
            Markup("{} → <b>{}</b>").format(score(draft.baseline_score), score(choices.target_score)),
            f"{text.digits(review.target_fall_percent, 1)} % less; your own rows reach {score(draft.reach_score)}",
        ),
        (
            "Noise of one reward",
            f"about {text.percent(draft.reward_noise, 0)}",
            f"{text.count(draft.n_scoring)} rows",
        ),
        ("Sharing rule", choices.sharing.capitalize(), ""),
        (
            "Round",
            f"{seats}; closes {closes} {text.duration(choices.collect_window_s)}",
            f"{text.duration(choices.deliver_window_s)} to deliver, {text.duration(choices.settle_window_s)} to settle",
        ),
        ("Rounds", f"at most {review.rounds_at_most}", ""),
        (
            "Deadline",
            f"{text.duration(choices.deadline_s)} after posting",
            "a round that runs then is finished first",
        ),
        (
            "Held for the closing score",
            f"{choices.closing_share_percent} %",
            f"decided on {text.count(draft.n_closing)} rows that no round touches",
        ),
        ("Rows a data owner must bring", f"{text.count(choices.row_floor)} or more", ""),
        (
            "Stake of a data owner",
            inline.money(choices.stake_wei),
            "given back; a rejected seat loses a tenth",
        ),
    )


def keys_table(keys: Sequence[ModelKeyView]) -> Table:
    """List the model keys in the vault."""
    return Table(
        columns=(
            Column("Model"),
            Column("Fingerprint"),
            Column("Size", number=True),
            Column("Act", act=True),
        ),
        rows=tuple(
            (
                key_name(key),
                inline.whole_hash(key.fingerprint),
                f"{text.count(key.bits)}{text.NBSP}bits",
                inline.link(f"#backup-{key.draft_id}", "Back up", f"the key of {key.title or 'the draft'}"),
            )
            for key in keys
        ),
    )


def key_name(key: ModelKeyView) -> Cell:
    """Name the model a key belongs to."""
    if key.model_id is None:
        return f"Draft {key.draft_id}"
    return inline.link(url_for("models.show", model_id=key.model_id), key.title or f"Model {key.model_id}")
