"""A model as both apps show it: chart of scores, rounds, shares, rules and money."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from chain_common.services.views import JobView, ModelCard, ModelView, RoundView, ScorePoint, SeatView
from chain_common.web import inline, text
from chain_common.web.charts import LineChart, Point, ShareBar, Spark, line_chart, share_bar, spark
from chain_common.web.event_words import Happening, timeline
from chain_common.web.inline import BadgeKind
from chain_common.web.rule_parts import METRIC_WORDS, rules
from chain_common.web.tables import Cell, Column, Table

SCORE_PLACES = 5

_MODEL_BADGES: dict[str, tuple[BadgeKind, str]] = {
    "open": ("good", "Open"),
    "collecting": ("run", "Round collecting"),
    "settling": ("run", "Being settled"),
    "overdue": ("bad", "Lender is late"),
    "closing score due": ("warn", "Closing score due"),
    "closing": ("run", "Closing"),
    "ended": ("wait", "Ended"),
    "failed": ("bad", "Round failed"),
    "condemned": ("bad", "Condemned"),
}
_ROUND_BADGES: dict[str, tuple[BadgeKind, str]] = {
    "collecting": ("run", "Collecting"),
    "delivering": ("run", "Delivering"),
    "waiting to be settled": ("run", "To be settled"),
    "overdue": ("bad", "Overdue"),
    "settled": ("good", "Settled"),
    "failed": ("bad", "Failed"),
}
_SEAT_BADGES: dict[str, tuple[BadgeKind, str]] = {
    "committed": ("wait", "Committed"),
    "delivered": ("run", "Delivered"),
    "accepted": ("good", "Accepted"),
    "rejected": ("bad", "Rejected"),
    "paid": ("good", "Claimed"),
    "returned": ("warn", "Round failed"),
}

OVER = ("ended", "failed", "condemned")


@dataclass(frozen=True, slots=True)
class RoundPart:
    """One round on a model's page."""

    number: int
    badge: Markup
    note: Markup
    shares: ShareBar | None
    seats: Table


@dataclass(frozen=True, slots=True)
class ModelParts:
    """What a model's page is made of, besides its view."""

    badge: Markup
    metric: str
    chart: LineChart
    rounds_table: Table
    rounds: tuple[RoundPart, ...]
    timeline: tuple[Happening, ...]
    rules: tuple[tuple[str, Cell, str], ...]
    open_jobs: tuple[JobView, ...]
    done_jobs: tuple[JobView, ...]
    latest: ScorePoint
    closing: Table | None
    is_over: bool


def badge(card: ModelCard) -> Markup:
    """Show a model's state."""
    return inline.badge(*_MODEL_BADGES.get(card.state, ("wait", card.state)))


def score(value: float) -> str:
    """Write a score with the decimals that rewards are told apart by."""
    return text.digits(value, SCORE_PLACES)


def card_spark(card: ModelCard) -> Spark:
    """Draw where a model stands between start and target."""
    values = (card.score_start,) if card.score_now == card.score_start else (card.score_start, card.score_now)
    return spark(values, card.score_target)


def model_parts(view: ModelView) -> ModelParts:
    """Lay out a model's page."""
    return ModelParts(
        badge=badge(view.card),
        metric=METRIC_WORDS[view.card.metric],
        chart=score_chart(view),
        rounds_table=rounds_table(view),
        rounds=tuple(round_part(each) for each in view.rounds),
        timeline=timeline(view.timeline),
        rules=rules(view),
        open_jobs=tuple(job for job in view.jobs if job.state != "done"),
        done_jobs=tuple(job for job in view.jobs if job.state == "done"),
        latest=view.points[-1],
        closing=closing_table(view),
        is_over=view.card.state in OVER,
    )


def seen(view: ModelView) -> str:
    """Name the state of a model's page: it changes when something has happened or may now be done."""
    newest = view.timeline[0] if view.timeline else None
    running = sum(job.state in {"waiting", "running"} for job in view.jobs)
    failed = sum(job.state == "failed" for job in view.jobs)
    delivered = sum(seat.delivered for each in view.rounds for seat in each.seats)
    event = f"{newest.block}.{newest.log_index}" if newest else "0"
    limit, can = view.next_limit, view.actions
    may = "".join("ny"[each] for each in (can.can_contribute, can.can_top_up, can.can_end, can.can_reclaim))
    return f"{view.card.state}.{event}.{running}.{failed}.{delivered}.{limit}.{may}".replace(" ", "-")


def score_chart(view: ModelView) -> LineChart:
    """Draw the settled score after each round against the target."""
    metric = METRIC_WORDS[view.card.metric]
    points = [Point("start" if p.round == 0 else str(p.round), p.score, p.settled) for p in view.points]
    told = [f"{score(p.score)} after round {p.round}" for p in view.points[1:]]
    later = f" then {text.words(told)};" if told else ""
    return line_chart(
        "score",
        f"{metric} on the {text.count(view.scoring_rows)} rows of the scoring set; lower is better",
        f"{score(view.points[0].score)} at the start;{later} the target is {score(view.card.score_target)}.",
        points,
        view.card.score_target,
        places=SCORE_PLACES,
        note=f"One reward carries noise of about {text.percent(view.reward_noise, 0)} from a set of this size.",
    )


def rounds_table(view: ModelView) -> Table:
    """List the rounds, newest first, down to the start; figures to be compared stay in rows."""
    points = {point.round: point for point in view.points}

    def beside(number: int) -> tuple[Cell, Cell]:
        scores = points[number].scores if number in points else None
        return (text.digits(scores.auc, 3), text.digits(scores.ks, 3)) if scores else (text.DASH, text.DASH)

    rows: list[tuple[Cell, ...]] = []
    for each in view.rounds:
        settled = each.state == "settled"
        rows.append(
            (
                inline.under(str(each.number), f"{each.seats_taken} of {text.plural(each.seats_total, 'seat')}"),
                score(each.score_after) if settled else text.DASH,
                *beside(each.number),
                _given(each) if settled else text.DASH,
                inline.badge(*_ROUND_BADGES.get(each.state, ("wait", each.state))),
                text.count(each.loss_after) if settled else text.DASH,
            )
        )
    start = view.points[0]
    rows.append(
        (
            "Start",
            score(start.score),
            *beside(0),
            text.DASH,
            inline.badge("wait", "Start"),
            text.count(start.loss),
        )
    )
    return Table(
        columns=(
            Column("Round"),
            Column(METRIC_WORDS[view.card.metric], number=True),
            Column("AUC", number=True),
            Column("KS", number=True),
            Column("Reward, ETH", number=True),
            Column("State"),
            Column("Loss sum", number=True),
        ),
        rows=tuple(rows),
        cards=False,
    )


def _given(each: RoundView) -> Cell:
    """Write a settled round's money, and what of it is held."""
    given = text.ether(each.money_wei, least=4)
    return inline.under(given, f"{text.ether(each.held_wei, least=4)} held") if each.held_wei else given


def seat_name(index: int) -> str:
    """Name a seat by a letter: A for the first of at most 16."""
    return chr(ord("A") + index)


def round_part(each: RoundView) -> RoundPart:
    """Lay out one round: who sits in it, and who is paid what."""
    settled = each.state == "settled"
    shares = None
    if settled and each.money_wei:
        parts = [(seat_name(seat.index), seat.share_64ths) for seat in each.seats]
        told = ", ".join(f"{name} {text.share(units)}" for name, units in parts)
        title = f"Shares of {text.ether(each.money_wei)} ETH"
        shares = share_bar(f"shares-{each.number}", title, told, parts)
    return RoundPart(
        number=each.number,
        badge=inline.badge(*_ROUND_BADGES.get(each.state, ("wait", each.state))),
        note=_round_note(each),
        shares=shares,
        seats=_seats_table(each),
    )


def _round_note(each: RoundView) -> Markup:
    """Say what is known of a round, or what it waits for."""
    if each.state == "settled":
        if not each.money_wei:
            return Markup("The loss did not fall enough for a reward; stakes go back. Unpaid gains are not kept.")
        losses = text.count(each.loss_before), text.count(each.loss_after)
        given, held = inline.money(each.money_wei), inline.money(each.held_wei)
        if each.held_paid_wei:
            told = Markup("Loss sum {} to {}. {} was given; of the {} held, {} is paid.")
            return told.format(*losses, given, held, inline.money(each.held_paid_wei))
        return Markup("Loss sum {} to {}. {} was given, {} of it is held for the closing score.").format(
            *losses, given, held
        )
    waits = {
        "collecting": ("Takes contributions until {}.", each.closes_by),
        "delivering": ("Payloads are delivered until {}.", each.deliver_by),
        "waiting to be settled": ("To be settled by {}.", each.settle_by),
        "overdue": ("Should have been settled by {}; anyone can fail the round now.", each.settle_by),
    }
    if each.state in waits:
        words, limit = waits[each.state]
        return Markup(words).format(inline.when(limit))  # noqa: S704 # the words are above
    return Markup("Not settled in time: stakes went back, bond and bounty were forfeit.")


def _seats_table(each: RoundView) -> Table:
    """List the seats of a round."""
    settled = each.state == "settled"

    def row(seat: SeatView) -> tuple[Cell, ...]:
        state = inline.badge(*_SEAT_BADGES.get(seat.state, ("wait", seat.state)))
        owner = inline.whole_hash(seat.owner)
        return (
            seat_name(seat.index),
            Markup("{} <b>you</b>").format(owner) if seat.is_mine else owner,
            text.count(seat.rows),
            inline.under(state, seat.reason) if seat.reason else state,
            text.share(seat.share_64ths) if settled else text.DASH,
            text.ether(seat.reward_wei, least=4) if settled else text.DASH,
        )

    total = sum(seat.reward_wei for seat in each.seats)
    return Table(
        columns=(
            Column("Seat"),
            Column("Data owner"),
            Column("Rows", number=True),
            Column("State"),
            Column("Share", number=True),
            Column("Credited, ETH", number=True),
        ),
        rows=tuple(row(seat) for seat in each.seats),
        foot=("In all", "", text.count(sum(s.rows for s in each.seats)), "", "", text.ether(total, least=4))
        if settled
        else (),
    )


def closing_table(view: ModelView) -> Table | None:
    """Compare start and end on the closing set, once it has been scored."""
    if view.closing_start is None or view.closing_final is None:
        return None
    first, last = view.closing_start, view.closing_final
    rows: list[tuple[Cell, ...]] = []
    if view.closing_score_start is not None and view.closing_score_final is not None:
        named = f"{METRIC_WORDS[view.card.metric]} (settled)"
        rows.append((named, score(view.closing_score_start), score(view.closing_score_final)))
    rows += [
        ("AUC", text.digits(first.auc, 4), text.digits(last.auc, 4)),
        ("KS", text.digits(first.ks, 4), text.digits(last.ks, 4)),
        ("Brier score, clipped", score(first.brier), score(last.brier)),
        ("Accuracy", text.percent(first.accuracy, 2), text.percent(last.accuracy, 2)),
    ]
    columns = (
        Column("On the closing set"),
        Column("Start", number=True),
        Column("Last weights", number=True),
    )
    return Table(columns=columns, rows=tuple(rows))
