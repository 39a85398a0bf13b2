"""The data owner's views as pages show them."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from markupsafe import Markup

from chain_common.services.data_owner.views import ContributionDraft, ContributionView
from chain_common.services.views import ModelCard
from chain_common.web import inline, text
from chain_common.web.charts import Spark
from chain_common.web.inline import BadgeKind
from chain_common.web.model_parts import card_spark, seat_name
from chain_common.web.tables import Cell, Column, Table

_BADGES: dict[str, tuple[BadgeKind, str]] = {
    "computing": ("run", "Computing"),
    "round collecting": ("wait", "Round collecting"),
    "to be delivered": ("run", "To be delivered"),
    "waiting to be settled": ("wait", "Waiting to be settled"),
    "half credited": ("good", "Half credited"),
    "closed and paid": ("good", "Closed and paid"),
    "no money in this round": ("warn", "No money in this round"),
    "rejected": ("bad", "Rejected"),
    "round failed": ("warn", "Round failed"),
    "did not get through": ("bad", "Did not get through"),
}

OPEN_STATES = ("open", "collecting", "settling")


def state_badge(view: ContributionView) -> Markup:
    """Show where a contribution stands."""
    return inline.badge(*_BADGES.get(view.state, ("wait", view.state)))


def spark_of(card: ModelCard) -> Spark:
    """Lay out the small drawing of a model's progress."""
    return card_spark(card)


def split_market(cards: Sequence[ModelCard]) -> tuple[list[ModelCard], list[ModelCard]]:
    """Part the models that take contributions from those that have ended."""
    return (
        [card for card in cards if card.state in OPEN_STATES],
        [card for card in cards if card.state not in OPEN_STATES],
    )


def contributions_table(contributions: Sequence[ContributionView]) -> Table:
    """List contributions with their state and what comes next."""

    def row(each: ContributionView) -> tuple[Cell, ...]:
        href = url_for("contributions.one", contribution_id=each.contribution_id)
        round_words = f"round {each.round}" if each.seat is not None else "no round yet"
        state = state_badge(each)
        return (
            inline.under(inline.link(href, each.title), round_words),
            inline.when(each.created_at),
            text.count(each.n_rows),
            inline.under(state, each.reason) if each.reason else state,
            text.ether(each.reward_wei, least=4),
            text.ether(each.held_wei, least=4),
            text.ether(each.due_wei, least=4),
            each.next_step,
        )

    return Table(
        columns=(
            Column("Model and round"),
            Column("Sent"),
            Column("Rows", number=True),
            Column("State"),
            Column("Reward, ETH", number=True),
            Column("Held, ETH", number=True),
            Column("Due now, ETH", number=True),
            Column("Next", long=True),
        ),
        rows=tuple(row(each) for each in contributions),
        foot=(
            f"In all, {len(contributions)}",
            "",
            "",
            "",
            text.ether(sum(each.reward_wei for each in contributions), least=4),
            text.ether(sum(each.held_wei for each in contributions), least=4),
            text.ether(sum(each.due_wei for each in contributions), least=4),
            "",
        ),
    )


def costs(view: ContributionDraft) -> Table:
    """List what leaves the account when a contribution is sent."""
    return Table(
        columns=(Column("What"), Column("Comes back?", long=True), Column("Amount", number=True)),
        rows=(
            ("Stake", "Whole; a rejected contribution loses a tenth of it", inline.money(view.stake_wei)),
            ("Fee of the transaction", "No; an upper estimate", inline.money(view.fee_estimate_wei)),
        ),
        foot=("Leaves your account now", "", inline.money(view.stake_wei + view.fee_estimate_wei)),
    )


def receipt(view: ContributionView) -> tuple[tuple[str, Cell, str], ...]:
    """List what proves a contribution."""
    seat = f"round {view.round}, seat {seat_name(view.seat)}" if view.seat is not None else "not taken yet"
    return (
        ("File", inline.code(view.filename), f"{text.count(view.n_rows)} rows, never written to disk"),
        ("Seat", seat, ""),
        ("Transaction", inline.whole_hash(view.transaction), ""),
        ("Sealed payload", inline.whole_hash(view.payload_cid), "its address in the content store"),
        ("Update", inline.whole_hash(view.update_digest if len(view.update_digest) > 2 else ""), "digest"),
        ("Row tags", inline.whole_hash(view.tag_root), "root of the tags that tell the same rows again"),
    )


def amounts(view: ContributionView) -> tuple[tuple[str, Cell, str], ...]:
    """List what a contribution came to so far."""
    return (
        ("Share of the round", text.share(view.share_64ths) if view.share_64ths else text.DASH, ""),
        ("Reward so far", inline.money_whole(view.reward_wei), ""),
        ("Held", inline.money_whole(view.held_wei), "decided by the closing score"),
        ("Stake", inline.money_whole(view.stake_wei), ""),
        ("Claimed", inline.money_whole(view.claimed_wei), ""),
        ("Due now", inline.money_whole(view.due_wei), ""),
    )


def seen(view: ContributionView) -> str:
    """Name the state of a contribution's page; it changes when something has happened."""
    job = view.job.state if view.job else "none"
    return f"{view.state}.{job}.{view.due_wei}.{view.claimed_wei}".replace(" ", "-")
