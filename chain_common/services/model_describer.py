"""A model as pages show it, whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from chain_common.domain.content_id import cid_of
from chain_common.domain.model_spec import ClassTarget, ModelSpec
from chain_common.domain.repository import ChainEvent, ModelStatus, Rejection, Round, RoundState
from chain_common.domain.rewards import seat_amounts
from chain_common.domain.wire import PUBLIC_REJECTION_REASON
from chain_common.services.model_reader import ModelReader, Snapshot, committed
from chain_common.services.views import (
    ModelActions,
    ModelCard,
    ModelView,
    Money,
    RoundView,
    ScorePoint,
    Scores,
    SeatView,
)

ROUND_WORDS: Final = {
    RoundState.COLLECTING: "collecting",
    RoundState.DELIVERING: "delivering",
    RoundState.AWAITING_SETTLEMENT: "waiting to be settled",
    RoundState.OVERDUE: "overdue",
    RoundState.SETTLED: "settled",
    RoundState.FAILED: "failed",
}

REJECTION_REASONS: Final = {
    Rejection.ACCEPTED: "",
    Rejection.NOT_DELIVERED: "The payload was not in the content store when the time for delivery was over.",
    Rejection.UNOPENABLE: PUBLIC_REJECTION_REASON,
    Rejection.SAME_ROWS: "Too many of its rows were in an accepted contribution before.",
    Rejection.ROW_FLOOR: "It was made from fewer rows than the model's floor.",
}


def bad_values(spec: ModelSpec) -> tuple[str, ...]:
    """Return the outcomes that count as bad, none for a scale."""
    return spec.target.bad if isinstance(spec.target, ClassTarget) else ()


@dataclass(frozen=True, slots=True)
class ModelDescriber:
    """Turns what the chain says of a model into what a page shows."""

    reader: ModelReader

    def card(self, model_id: int) -> ModelCard:
        """Return a model as a list shows it."""
        return self._card(self.reader.snapshot(model_id))

    def _card(self, seen: Snapshot) -> ModelCard:
        model, terms = seen.model, seen.terms
        spec = self.reader.spec(model.spec)
        return ModelCard(
            model_id=model.model_id,
            title=spec.name,
            state=self._state(seen),
            service=spec.service,
            lender=model.lender,
            is_mine=model.lender == self.reader.world.ledger.account(),
            metric=spec.metric,
            score_start=seen.score(terms.initial_loss),
            score_now=seen.score(model.best_loss),
            score_target=seen.score(terms.target_loss),
            progress=min(1.0, (terms.initial_loss - model.best_loss) / (terms.initial_loss - terms.target_loss)),
            bounty_wei=model.bounty_wei,
            left_wei=model.left_wei,
            stake_wei=terms.stake_wei,
            deadline=terms.deadline,
            rounds=model.rounds,
            max_rounds=terms.max_rounds,
            waits_for=self._waits_for(seen),
            demonstration=spec.demonstration,
        )

    def _state(self, seen: Snapshot) -> str:
        model, running = seen.model, seen.running
        if model.condemned:
            return "condemned"
        if model.failed:
            return "failed"
        if model.status is ModelStatus.ENDED:
            return "ended"
        if model.status is ModelStatus.CLOSING:
            return "closing score due" if self.reader.closing_score_due(seen) else "closing"
        if running is None:
            return "open"
        if running.state is RoundState.OVERDUE:
            return "overdue"
        return "collecting" if running.state is RoundState.COLLECTING else "settling"

    def _waits_for(self, seen: Snapshot) -> str:
        """Say who has to act next: ``lender``, ``data owners``, ``anyone``, ``time`` or nobody."""
        model, running = seen.model, seen.running
        if model.status is ModelStatus.ENDED:
            return ""
        if model.status is ModelStatus.CLOSING:
            return "lender" if self.reader.closing_score_due(seen) else "time"
        if running is None or running.state is RoundState.COLLECTING:
            return "data owners"
        if running.state is RoundState.OVERDUE:
            return "anyone"
        return "data owners" if running.state is RoundState.DELIVERING else "lender"

    def view(
        self,
        model_id: int,
        *,
        actions: ModelActions,
        scores: Mapping[int, Scores] | None = None,
        closing: Mapping[int, Scores] | None = None,
    ) -> ModelView:
        """Return everything a model page shows.

        Parameters
        ----------
        actions
            What the viewer may do; the caller knows who is looking.
        scores, closing
            Display metrics by round (0 is the start) on the scoring and the closing set, where the viewer has them.
        """
        seen = self.reader.snapshot(model_id)
        model, terms, spec = seen.model, seen.terms, self.reader.spec(seen.model.spec)
        limit, meaning = self._next_limit(seen)
        scores, closing = scores or {}, closing or {}
        return ModelView(
            card=self._card(seen),
            features=spec.input_names,
            target_column=spec.target.column,
            bad_values=bad_values(spec),
            row_floor=spec.privacy.row_floor,
            sharing=spec.sharing,
            scoring_rows=terms.scoring_rows,
            closing_rows=terms.closing_rows,
            closing_share_ppm=terms.closing_share_ppm,
            pilot_seats=terms.pilot_seats or terms.seats,
            seats=terms.seats,
            close_when_full=terms.close_when_full,
            next_limit=limit,
            next_limit_means=meaning,
            reward_noise=8 / terms.scoring_rows**0.5,
            points=self._points(seen, scores),
            rounds=tuple(self._round(seen, each) for each in reversed(seen.rounds)),
            money=self._money(seen),
            actions=actions,
            jobs=(),
            timeline=tuple(self.reader.world.index.events(model_id=model_id, newest_first=True, limit=200)),
            contract=self.reader.world.ledger.identity().contract,
            spec_cid=cid_of(model.spec),
            weights_cid=cid_of(model.base_weights),
            closing_start=closing.get(0),
            closing_final=closing.get(model.rounds),
            closing_score_start=None,
            closing_score_final=None,
            demonstration=spec.demonstration,
        )

    def _points(self, seen: Snapshot, scores: Mapping[int, Scores]) -> tuple[ScorePoint, ...]:
        start = seen.terms.initial_loss
        points = [ScorePoint(0, seen.score(start), start, True, scores.get(0))]
        points += [
            ScorePoint(each.number, seen.score(each.loss_after), each.loss_after, True, scores.get(each.number))
            for each in seen.rounds
            if each.state is RoundState.SETTLED
        ]
        return tuple(points)

    def _next_limit(self, seen: Snapshot) -> tuple[int, str]:
        """Return the next moment that matters and what it means."""
        model, running = seen.model, seen.running
        if model.status is ModelStatus.ENDED:
            return 0, ""
        if model.status is ModelStatus.CLOSING:
            if self.reader.closing_score_due(seen):
                return model.closing_by, "for the closing score; after it the held half is paid in full"
            return model.reclaim_from, "until what is left can be reclaimed"
        if running is None:
            return seen.terms.deadline, "for opening a round"
        if running.state is RoundState.COLLECTING:
            return running.closes_by, "for contributions to this round"
        if running.state is RoundState.DELIVERING:
            return running.deliver_by, "for the payloads of this round"
        if running.state is RoundState.OVERDUE:
            return running.settle_by, "was the lender's time to settle; anyone can fail the round now"
        return running.settle_by, "for the lender to settle; after it bond and bounty are forfeit"

    def _money(self, seen: Snapshot) -> Money:
        model = seen.model
        credited = sum(each.money_wei - each.held_wei + each.held_paid_wei for each in seen.rounds)
        # The contract holds a decided part until it is claimed; here it counts as credited from the decision on.
        undecided = model.status is ModelStatus.OPEN or self.reader.closing_score_due(seen)
        held = model.held_wei if undecided else 0
        rest = model.bounty_wei - credited - model.left_wei - held
        return Money(
            bounty_wei=model.bounty_wei,
            bond_wei=model.bond_wei,
            left_wei=model.left_wei,
            credited_wei=credited,
            held_wei=held,
            returned_wei=0 if model.failed or model.condemned else rest,
            forfeited_wei=rest if model.failed or model.condemned else 0,
        )

    def _round(self, seen: Snapshot, each: Round) -> RoundView:
        settled = each.state is RoundState.SETTLED
        first = seat_amounts(each.money_wei - each.held_wei, each.shares) if settled else ()
        held = seat_amounts(each.held_paid_wei, each.shares) if settled else ()
        rewards = [now + later for now, later in zip(first, held, strict=True)] if settled else [0] * each.seats
        return RoundView(
            number=each.number,
            state=ROUND_WORDS[each.state],
            seats_taken=each.seats,
            seats_total=seen.seats_of(each.number),
            closes_by=each.closes_by,
            deliver_by=each.deliver_by,
            settle_by=each.settle_by,
            loss_before=each.loss_before,
            loss_after=each.loss_after,
            score_before=seen.score(each.loss_before),
            score_after=seen.score(each.loss_after if settled else each.loss_before),
            money_wei=each.money_wei,
            held_wei=each.held_wei,
            held_paid_wei=each.held_paid_wei,
            seats=tuple(
                self._seat(each, event, rewards[cast(int, event.arguments["seat"])])
                for event in self.reader.contributions(each.model_id, each.number)
            ),
        )

    def _seat(self, each: Round, event: ChainEvent, reward_wei: int) -> SeatView:
        contribution, index = committed(event), cast(int, event.arguments["seat"])
        rejection = Rejection.ACCEPTED
        delivered = True
        state = "committed"
        if each.state is RoundState.SETTLED:
            rejection = each.rejections[index]
            seat = self.reader.world.ledger.seat(each.model_id, each.number, index)
            all_claimed = seat.claimed and (seat.held_claimed or not each.held_wei or not each.shares[index])
            state = "rejected" if rejection else ("paid" if all_claimed else "accepted")
            delivered = rejection is not Rejection.NOT_DELIVERED
        elif each.state is RoundState.FAILED:
            state = "returned"
        else:
            delivered = each.state is not RoundState.COLLECTING and self.reader.world.store.has(contribution.payload)
            state = "delivered" if delivered else "committed"
        return SeatView(
            index=index,
            owner=str(event.arguments["owner"]),
            rows=contribution.rows,
            stake_wei=cast(int, event.arguments["stake"]),
            state=state,
            reason=REJECTION_REASONS[rejection],
            share_64ths=each.shares[index] if each.state is RoundState.SETTLED else 0,
            reward_wei=reward_wei,
            delivered=delivered,
            is_mine=event.arguments["owner"] == self.reader.world.ledger.account(),
            transaction=event.transaction,
        )
