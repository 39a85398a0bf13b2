"""Settling a round, as a job: fetch, open, check, combine, score, publish, send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final, cast

from chain_common.chain_errors import NotEnoughEther
from chain_common.domain.calls import Settle
from chain_common.domain.content_id import digest_of
from chain_common.domain.repository import ChainEvent, Rejection, Round, RoundState, SettlementReport
from chain_common.domain.scoring import weights_commitment
from chain_common.domain.settlement import RoundTerms, settle_round
from chain_common.errors import RuleBroken
from chain_common.ports import Json, JsonObject, StartOver, StepContext, WaitFor
from chain_common.services.lender.bounties import Bounties
from chain_common.services.lender.keys import ModelKeys, weights_document
from chain_common.services.lender.payloads import Payloads
from chain_common.services.lender.publishing import Publishing
from chain_common.services.lender.validation import scores_of
from chain_common.services.model_reader import ModelReader
from chain_common.services.records import to_json
from chain_common.services.retrying import attempt_key, note_refusal, retry_in_time
from chain_common.world import World

KIND: Final = "settle"
_LOOK_AGAIN_S: Final = 1.0
_START_AGAIN_S: Final = 15.0
_SETTLEABLE: Final = (RoundState.DELIVERING, RoundState.AWAITING_SETTLEMENT)


class RoundOver(RuleBroken):
    """A round can no longer be settled."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Round {number} was not settled in time.",
            expected="Anyone can fail it now: the bond and what is left of the bounty are forfeit.",
        )


@dataclass(frozen=True, slots=True)
class Settling:
    """The steps that settle a round. Each can be repeated; what no longer fits the chain starts over."""

    world: World
    reader: ModelReader
    bounties: Bounties
    keys: ModelKeys
    publishing: Publishing
    payloads: Payloads

    def register(self) -> None:
        """Make the job kind known to the worker."""
        self.world.register_job(
            KIND,
            ("Fetch the payloads", self._fetch),
            ("Open and check", self._open),
            ("Combine, score and share", self._combine),
            ("Publish the next weights", self._publish),
            ("Send the settlement", self._send),
            ("Note the scores", self._note),
        )

    def key(self, model_id: int, number: int) -> str:
        """Name the job of a round."""
        return f"{KIND}.{self.world.chain_tag()}.{model_id}.{number}"

    def ensure(self, draft_id: str, round_: Round) -> None:
        """Queue the settlement of a round that can be settled; a failed try is repeated while there is time."""
        if round_.state not in _SETTLEABLE:
            return
        key = self.key(round_.model_id, round_.number)
        data: JsonObject = {
            "draft_id": draft_id,
            "model_id": round_.model_id,
            "round": round_.number,
            "title": f"Settle round {round_.number}",
        }
        retry_in_time(self.world, self.world.enqueue(KIND, key, data))

    def finish(self, model_id: int) -> None:
        """Try a model's failed settlement jobs again, also of rounds that are settled: their last step is still due."""
        for job in self.world.jobs.all(kind=KIND, unfinished=True):
            if job.data.get("model_id") == model_id and job.data.get("chain") == self.world.chain_tag():
                retry_in_time(self.world, job)

    # ------------------------------------------------------------------------------------------------------- steps

    def _fetch(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | WaitFor:
        round_ = self._round(data)
        if round_.state is RoundState.SETTLED:
            return {"settled_already": True}
        if round_.state not in _SETTLEABLE:
            raise RoundOver(round_.number)
        seats = self.reader.seats(round_)
        if seats is None:
            return WaitFor(_LOOK_AGAIN_S, "copying the newest events")
        present = self.payloads.fetch(str(data["draft_id"]), seats)
        said = f"{sum(present)} of {len(seats)} payloads are here"
        context.progress(sum(present) / max(1, len(seats)), said)
        if not all(present) and self.payloads.may_still_come(round_, self.world.ledger.head().timestamp):
            return WaitFor(_LOOK_AGAIN_S, said)
        return {}

    def _open(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | WaitFor:
        if data.get("settled_already"):
            return {}
        draft_id, round_ = str(data["draft_id"]), self._round(data)
        seats = self.reader.seats(round_)
        rows_accepted = self.reader.rows_accepted(round_.model_id, round_.number)
        if seats is None or rows_accepted is None:
            return WaitFor(_LOOK_AGAIN_S, "copying the newest events")
        spec = self.reader.spec(self.world.ledger.model(round_.model_id).spec)
        opened = self.payloads.open_all(draft_id, spec, seats, rows_accepted, context.progress)
        return {
            "rejections": [int(seat.rejection) for seat in opened],
            "reasons": [seat.reason for seat in opened],
        }

    def _combine(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        if data.get("settled_already"):
            return {}
        draft_id, model_id = str(data["draft_id"]), cast(int, data["model_id"])
        model, terms = self.world.ledger.model(model_id), self.world.ledger.terms(model_id)
        base = self.keys.weights(draft_id, model.base_weights)
        by_seat = self.payloads.updates(draft_id, cast(int, data["round"]))
        accepted = {index: update for index, update in enumerate(by_seat) if update is not None}
        loss, next_weights, paid = model.best_loss, base, False
        shares, values = [0] * len(by_seat), [0.0] * len(by_seat)
        if accepted:
            context.progress(0.2, f"{len(accepted)} updates")
            settled = settle_round(
                self.publishing.matrix(draft_id, "scoring"),
                base,
                list(accepted.values()),
                terms=RoundTerms.of(terms),
                left_wei=model.left_wei,
                best_loss=model.best_loss,
            )
            loss, next_weights, paid = settled.loss, settled.next_weights, settled.reward_wei > 0
            for place, index in enumerate(accepted):
                shares[index], values[index] = settled.shares[place], settled.values[place]
        result: JsonObject = {"loss": loss, "shares": list(shares), "values": list(values)}
        if not paid:
            return {**result, "next": model.base_weights.hex()}
        context.progress(0.6, "encrypting the next weights")
        document = weights_document(self.keys.of(draft_id), next_weights)
        digest = digest_of(document)
        self.keys.keep_weights(draft_id, digest, next_weights)
        self.world.secrets.put(self._next_secret(data), document)
        return {**result, "next": digest.hex()}

    def _publish(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        if not data.get("settled_already") and self.world.secrets.has(self._next_secret(data)):
            self.world.store.put(self.world.secrets.get(self._next_secret(data)))
        return {}

    def _send(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | StartOver:
        if data.get("settled_already"):
            return {}
        draft_id, model_id = str(data["draft_id"]), cast(int, data["model_id"])
        next_document = bytes.fromhex(str(data["next"]))
        weights = self.keys.weights(draft_id, next_document)
        report = SettlementReport(
            round=cast(int, data["round"]),
            loss=cast(int, data["loss"]),
            shares=tuple(cast(Sequence[int], data["shares"])),
            rejections=tuple(Rejection(code) for code in cast(Sequence[int], data["rejections"])),
            next_weights=next_document,
            weights_commitment=weights_commitment(self.keys.of(draft_id).weights_seed(weights), weights),
        )
        # Another report is another transaction; the contract settles a round once, whichever comes first.
        words = sha256(repr(sorted(asdict(report).items())).encode()).hexdigest()[:16]
        intention = f"{self.key(model_id, report.round)}.{words}"
        try:
            receipt = self.world.ledger.send(Settle(model_id, report), key=attempt_key(self.world, intention))
        except NotEnoughEther:
            raise
        except RuleBroken as error:
            note_refusal(self.world, intention)
            if self._round(data).state in (*_SETTLEABLE, RoundState.SETTLED):
                return StartOver(_START_AGAIN_S, f"the chain refused the settlement: {error.got}")
            raise
        return {"transaction": receipt.transaction}

    def _note(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | WaitFor:
        draft_id, number = str(data["draft_id"]), cast(int, data["round"])
        settled = self._settled(data)
        if settled is None:
            return WaitFor(_LOOK_AGAIN_S, "copying the newest events")
        base = bytes.fromhex(str(settled.arguments["nextWeights"]).removeprefix("0x"))
        weights = self.keys.weights(draft_id, base) / 2**26
        scores = to_json(scores_of(self.bounties.rows(draft_id, "scoring"), weights))
        self.world.documents.update("scores", draft_id, lambda old: {**old, str(number): scores})
        self.payloads.forget(draft_id, number)
        self.world.secrets.delete(self._next_secret(data))
        noted = {name: data[name] for name in ("values", "reasons") if name in data}
        self.world.documents.put("settled", self.key(cast(int, data["model_id"]), number), noted)
        return {}

    # ------------------------------------------------------------------------------------------------------ readers

    def _round(self, data: Mapping[str, Json]) -> Round:
        return self.world.ledger.round(cast(int, data["model_id"]), cast(int, data["round"]))

    def _settled(self, data: Mapping[str, Json]) -> ChainEvent | None:
        events = self.world.index.events(model_id=cast(int, data["model_id"]), name="RoundSettled")
        return next((event for event in events if event.arguments["round"] == data["round"]), None)

    @staticmethod
    def _next_secret(data: Mapping[str, Json]) -> str:
        return f"bounties/{data['draft_id']}/next/{data['round']}"
