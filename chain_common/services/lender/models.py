"""The lender's models: what they look like, what may be done with them, and what is done by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from chain_common.domain.calls import End, FailRound, Reclaim, TopUp
from chain_common.domain.repository import Model, ModelStatus, RoundState
from chain_common.errors import BadInput, ChainError, RuleBroken
from chain_common.ports import Job
from chain_common.services.indexer import Indexer
from chain_common.services.job_views import job_views
from chain_common.services.lender.bounties import DRAFTS, Bounties
from chain_common.services.lender.closing import Closing
from chain_common.services.lender.settling import Settling
from chain_common.services.lender.views import OverviewView
from chain_common.services.model_describer import ModelDescriber
from chain_common.services.model_reader import ModelReader
from chain_common.services.records import from_json
from chain_common.services.transactions import Transactions
from chain_common.services.views import ModelActions, ModelCard, ModelView, Scores
from chain_common.world import World


class NotYourModel(RuleBroken):
    """The model belongs to another lender, or its keys are not on this machine."""

    def __init__(self, model_id: int) -> None:
        super().__init__(
            f"Model {model_id} is not one of yours on this machine.",
            do="Use the app that posted its bounty.",
        )


@dataclass(frozen=True, slots=True)
class LenderModels:
    """The lender's models on this chain."""

    world: World
    indexer: Indexer
    reader: ModelReader
    describer: ModelDescriber
    bounties: Bounties
    settling: Settling
    closing: Closing
    transactions: Transactions

    def _mine(self) -> dict[int, str]:
        """Return the draft behind each of the lender's models on this chain, by model id."""
        tag = self.world.chain_tag()
        return {
            cast(int, document["model_id"]): draft_id
            for draft_id, document in self.world.documents.all(DRAFTS)
            if document.get("chain") == tag
        }

    def _draft_of(self, model_id: int) -> str:
        mine = self._mine()
        if model_id not in mine:
            raise NotYourModel(model_id)
        return mine[model_id]

    def cards(self) -> tuple[ModelCard, ...]:
        """Return the lender's models, newest first."""
        return tuple(self.describer.card(model_id) for model_id in sorted(self._mine(), reverse=True))

    def overview(self) -> OverviewView:
        """Return the first page: models, drafts and what is under way."""
        cards = self.cards()
        models = [self.world.ledger.model(card.model_id) for card in cards]
        return OverviewView(
            models=cards,
            drafts=tuple(self.bounties.drafts()),
            jobs=job_views(self.world.jobs.all(unfinished=True)),
            escrowed_wei=sum(_escrowed(model) for model in models),
        )

    def view(self, model_id: int) -> ModelView:
        """Return a model's page. Raises ``NotYourModel``."""
        draft_id = self._draft_of(model_id)
        scores = self.world.documents.get("scores", draft_id) or {}
        closing = self.world.documents.get("closing-scores", draft_id) or {}
        means = cast(list[float], closing.get("means", []))
        view = self.describer.view(
            model_id,
            actions=self._actions(model_id),
            scores=_by_round(scores),
            closing=_by_round(cast(Mapping[str, object], closing.get("scores", {}))),
        )
        return replace(
            view,
            jobs=job_views(job for job in self.world.jobs.all() if job.data.get("model_id") == model_id),
            closing_score_start=means[0] if means else None,
            closing_score_final=means[-1] if means else None,
        )

    def _actions(self, model_id: int) -> ModelActions:
        seen = self.reader.snapshot(model_id)
        now = self.world.ledger.head().timestamp
        is_open = seen.model.status is ModelStatus.OPEN
        overdue = seen.running is not None and seen.running.state is RoundState.OVERDUE
        return ModelActions(
            can_end=is_open and seen.running is None,
            can_reclaim=seen.model.status is ModelStatus.CLOSING
            and not self.reader.closing_score_due(seen)
            and seen.model.left_wei + seen.model.bond_wei > 0
            and now >= seen.model.reclaim_from > 0,
            can_top_up=is_open and not overdue,
            can_fail_round=overdue,
        )

    # ------------------------------------------------------------------------------------------------------ actions

    def end(self, model_id: int) -> Job:
        """End training; final. Raises ``NotYourModel``; the contract refuses while a round is running."""
        self._draft_of(model_id)
        return self.transactions.submit(End(model_id), title=f"End model {model_id}", intention=f"end.{model_id}")

    def reclaim(self, model_id: int) -> Job:
        """Take back what is left after the audit window."""
        self._draft_of(model_id)
        return self.transactions.submit(
            Reclaim(model_id),
            title=f"Reclaim what is left of model {model_id}",
            intention=f"reclaim.{model_id}",
        )

    def top_up(self, model_id: int, bounty_wei: int, *, once: str) -> Job:
        """Add to the bounty, and to the bond as much as keeps it at half.

        ``once`` names the filled-in form: sent twice, it tops up once.

        Raises
        ------
        BadInput
            If the amount is not positive.
        """
        self._draft_of(model_id)
        if bounty_wei <= 0:
            raise BadInput("Nothing would be added.", expected="A positive amount of ether.", field="bounty_eth")
        model = self.world.ledger.model(model_id)
        bond = max(0, (model.bounty_wei + bounty_wei + 1) // 2 - model.bond_wei)
        return self.transactions.submit(
            TopUp(model_id, bounty_wei, bond),
            title=f"Top up model {model_id}",
            intention=f"top-up.{model_id}.{once}",
            repeatable=False,
        )

    def fail_round(self, model_id: int) -> Job:
        """Fail an overdue round of any model; anyone may."""
        return self.transactions.submit(
            FailRound(model_id), title=f"Fail the round of model {model_id}", intention=f"fail.{model_id}"
        )

    # ---------------------------------------------------------------------------------------------------- by itself

    def watch(self) -> None:
        """Copy new events, and queue what waits for the lender: settlements and closing scores."""
        self.indexer.sync()
        problems: list[ChainError] = []
        for model_id, draft_id in self._mine().items():
            try:
                self._watch_one(model_id, draft_id)
            except ChainError as error:
                # One model that cannot be read must not keep the others' bonds at risk.
                problems.append(error)
        if problems:
            raise problems[0]

    def _watch_one(self, model_id: int, draft_id: str) -> None:
        seen = self.reader.snapshot(model_id)
        self.settling.finish(model_id)
        if seen.running is not None:
            self.settling.ensure(draft_id, seen.running)
        elif self.reader.closing_score_due(seen):
            self.closing.ensure(draft_id, model_id)


def _escrowed(model: Model) -> int:
    """Return the lender's wei the contract still holds for a model."""
    return 0 if model.status is ModelStatus.ENDED else model.left_wei + model.held_wei + model.bond_wei


def _by_round(documents: Mapping[str, object]) -> dict[int, Scores]:
    return {int(number): from_json(document, Scores) for number, document in documents.items()}
