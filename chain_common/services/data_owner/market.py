"""What a data owner finds: open models, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.domain.repository import ModelStatus, RoundState
from chain_common.errors import ChainError
from chain_common.services.model_describer import ModelDescriber
from chain_common.services.model_reader import ModelReader
from chain_common.services.views import ModelActions, ModelCard, ModelView
from chain_common.world import World


@dataclass(frozen=True, slots=True)
class Market:
    """The models on this contract."""

    world: World
    reader: ModelReader
    describer: ModelDescriber

    def cards(self) -> tuple[ModelCard, ...]:
        """Return the models whose spec can be read here, open ones first, then newest first.

        A lender can name a spec that is absent or malformed; such a model is left out, it cannot be contributed to.
        """
        cards = []
        for model_id in range(self.world.ledger.model_count(), 0, -1):
            try:
                cards.append(self.describer.card(model_id))
            except ChainError:
                if not self._spec_is_bad(model_id):
                    raise
        return tuple(
            sorted(cards, key=lambda card: card.state in ("ended", "closing", "failed", "closing score due"))
        )

    def _spec_is_bad(self, model_id: int) -> bool:
        digest = self.world.ledger.model(model_id).spec
        self.world.store.check()
        try:
            self.reader.spec(digest)
        except ChainError:
            return True
        return False

    def view(self, model_id: int) -> ModelView:
        """Return a model's page."""
        why_not = self.why_not_contribute(model_id)
        return self.describer.view(
            model_id, actions=ModelActions(can_contribute=not why_not, why_not_contribute=why_not)
        )

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
        return ""
