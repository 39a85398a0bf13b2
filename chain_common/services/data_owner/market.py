"""What a data owner finds: open models, in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from chain_common.domain.calls import FailRound
from chain_common.domain.loss_units import metric_of
from chain_common.domain.repository import ModelStatus, RoundState
from chain_common.domain.spec_parts import NumberFormat
from chain_common.errors import PayloadRejected
from chain_common.ports import Job
from chain_common.services.model_describer import ModelDescriber
from chain_common.services.model_reader import ModelReader
from chain_common.services.transactions import Transactions
from chain_common.services.views import ModelActions, ModelCard, ModelView
from chain_common.state_errors import ContentMissing
from chain_common.world import World

LOOK_AGAIN_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Market:
    """The models on this contract."""

    world: World
    reader: ModelReader
    describer: ModelDescriber
    transactions: Transactions
    _absent: dict[bytes, float] = field(default_factory=dict)

    def cards(self) -> tuple[ModelCard, ...]:
        """Return the models whose spec can be read here, open ones first, then newest first.

        A lender can name a spec that is absent or malformed; such a model is left out, it cannot be contributed to.
        """
        cards = [
            self.describer.card(model_id)
            for model_id in range(self.world.ledger.model_count(), 0, -1)
            if self._spec_can_be_read(model_id)
        ]
        return tuple(sorted(cards, key=lambda card: card.state in ("ended", "closing", "failed", "closing score due")))

    def _spec_can_be_read(self, model_id: int) -> bool:
        """Look for a model's spec; one that is absent or malformed is not looked for again for five minutes."""
        digest, now = self.world.ledger.model(model_id).spec, self.world.clock.now()
        if self._absent.get(digest, 0.0) > now:
            return False
        self.world.store.check()
        try:
            self.reader.spec(digest)
        except (ContentMissing, PayloadRejected):
            self._absent[digest] = now + LOOK_AGAIN_S
            return False
        return True

    def view(self, model_id: int) -> ModelView:
        """Return a model's page."""
        why_not = self.why_not_contribute(model_id)
        return self.describer.view(
            model_id,
            actions=ModelActions(
                can_contribute=not why_not,
                why_not_contribute=why_not,
                can_fail_round=self._is_overdue(model_id),
            ),
        )

    def _is_overdue(self, model_id: int) -> bool:
        running = self.reader.snapshot(model_id).running
        return running is not None and running.state is RoundState.OVERDUE

    def why_not_contribute(self, model_id: int) -> str:
        """Say why no contribution can be made now, or return an empty string."""
        seen = self.reader.snapshot(model_id)
        if seen.model.status is not ModelStatus.OPEN:
            return "Training has ended."
        running = seen.running
        if running is None and self.world.ledger.head().timestamp > seen.terms.deadline:
            return "The deadline for new rounds has passed."
        if running is not None and running.state is RoundState.OVERDUE:
            return "The lender did not settle a round in time."
        spec = self.reader.spec(seen.model.spec)
        same_metric = metric_of(spec.metric) is seen.terms.metric and spec.loss_shift == seen.terms.loss_shift
        if not same_metric or spec.numbers != NumberFormat():
            return "Its terms on chain and its model spec do not fit each other."
        return ""

    def fail_round(self, model_id: int) -> Job:
        """Fail an overdue round, so that its stakes and the lender's forfeit can be claimed; anyone may."""
        return self.transactions.submit(
            FailRound(model_id), title=f"Fail the round of model {model_id}", intention=f"fail.{model_id}"
        )
