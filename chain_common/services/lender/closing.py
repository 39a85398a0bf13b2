"""The closing score, as a job: the loss of every settled base on the set that no round has touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from chain_common.domain.calls import SettleClosing
from chain_common.domain.loss_units import mean_loss
from chain_common.domain.scoring import loss
from chain_common.errors import RuleBroken
from chain_common.ports import Json, JsonObject, StepContext
from chain_common.services.lender.bounties import Bounties
from chain_common.services.lender.keys import ModelKeys
from chain_common.services.lender.publishing import Publishing
from chain_common.services.lender.validation import scores_of
from chain_common.services.records import to_json
from chain_common.services.retrying import attempt_key, note_refusal, retry_in_time
from chain_common.world import World

KIND: Final = "closing"


@dataclass(frozen=True, slots=True)
class Closing:
    """The steps that give the closing score."""

    world: World
    bounties: Bounties
    keys: ModelKeys
    publishing: Publishing

    def register(self) -> None:
        """Make the job kind known to the worker."""
        self.world.register_job(KIND, ("Score the closing set", self._score), ("Send the closing score", self._send))

    def key(self, model_id: int) -> str:
        """Name a model's job."""
        return f"{KIND}.{self.world.chain_tag()}.{model_id}"

    def ensure(self, draft_id: str, model_id: int) -> None:
        """Queue the closing score of a model; a failed try is repeated while there is time."""
        data: JsonObject = {"draft_id": draft_id, "model_id": model_id, "title": "Closing score"}
        retry_in_time(self.world, self.world.enqueue(KIND, self.key(model_id), data))

    def _score(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id, model_id = str(data["draft_id"]), cast(int, data["model_id"])
        model, terms = self.world.ledger.model(model_id), self.world.ledger.terms(model_id)
        bases = [self.world.ledger.round(model_id, number).base_weights for number in range(1, model.rounds + 1)]
        matrix, rows = self.publishing.matrix(draft_id, "closing"), self.bounties.rows(draft_id, "closing")
        losses = []
        shown: dict[str, Json] = {}
        for number, base in enumerate([*bases, model.base_weights]):
            context.progress(number / (len(bases) + 1))
            weights = self.keys.weights(draft_id, base)
            losses.append(loss(matrix, weights, terms.loss_shift))
            shown[str(number)] = to_json(scores_of(rows, weights / 2**26))
        means = [mean_loss(each, terms.metric, terms.closing_rows, terms.loss_shift) for each in losses]
        self.world.documents.put("closing-scores", draft_id, {"scores": shown, "means": list(means)})
        return {"losses": [str(each) for each in losses]}

    def _send(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        model_id = cast(int, data["model_id"])
        losses = tuple(int(each) for each in cast(Sequence[str], data["losses"]))
        if self.world.ledger.model(model_id).closing_settled:
            return {}
        key = self.key(model_id)
        try:
            receipt = self.world.ledger.send(SettleClosing(model_id, losses), key=attempt_key(self.world, key))
        except RuleBroken:
            note_refusal(self.world, key)
            raise
        return {"transaction": receipt.transaction}
