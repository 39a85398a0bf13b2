"""Settling a round, as a job: fetch, open, check, combine, score, publish, send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from chain_common.domain.content_id import digest_of
from chain_common.domain.model_spec import ModelSpec
from chain_common.domain.opening import open_update
from chain_common.domain.paillier.packing import PackedUpdate
from chain_common.domain.repository import (
    ChainEvent,
    Rejection,
    Round,
    RoundState,
    Settle,
    SettlementReport,
)
from chain_common.domain.row_floor import row_floor
from chain_common.domain.row_tags import RowTags, largest_overlap
from chain_common.domain.scoring import weights_commitment
from chain_common.domain.sealing import open_payload
from chain_common.domain.settlement import AcceptedUpdate, RoundTerms, settle_round
from chain_common.domain.wire import Payload
from chain_common.errors import PayloadRejected
from chain_common.ports import JobKind, Json, JsonObject, StepContext, WaitFor
from chain_common.services.binding import payload_binding
from chain_common.services.lender.bounties import Bounties, scores_of
from chain_common.services.lender.keys import ModelKeys, weights_document
from chain_common.services.lender.publishing import Publishing
from chain_common.services.model_reader import ModelReader, committed
from chain_common.services.records import to_json
from chain_common.world import World

KIND: Final = "settle"
_LOOK_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Opened:
    """What opening a seat's payload gave; ``reason`` is exact and stays on this machine."""

    rejection: Rejection
    reason: str
    update: AcceptedUpdate | None = None
    tags: RowTags | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """The steps that settle a round. What has been opened is kept in the vault until the round is settled."""

    world: World
    reader: ModelReader
    bounties: Bounties
    keys: ModelKeys
    publishing: Publishing

    def register(self) -> None:
        """Make the job kind known to the worker."""
        self.world.jobs.register(
            JobKind(
                KIND,
                (
                    ("Fetch the payloads", self._fetch),
                    ("Open and check", self._open),
                    ("Combine, score and share", self._combine),
                    ("Publish the next weights", self._publish),
                    ("Send the settlement", self._send),
                    ("Note the scores", self._note),
                ),
            )
        )

    def key(self, model_id: int, number: int) -> str:
        """Name the job of a round."""
        return f"{KIND}.{self.world.chain_tag()}.{model_id}.{number}"

    def enqueue(self, draft_id: str, model_id: int, number: int) -> None:
        """Queue the settlement of a round; once is enough."""
        self.world.jobs.enqueue(
            KIND,
            self.key(model_id, number),
            {"draft_id": draft_id, "model_id": model_id, "round": number, "title": f"Settle round {number}"},
        )

    # ------------------------------------------------------------------------------------------------------- steps

    def _fetch(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | WaitFor:
        round_ = self._round(data)
        seats = self._seats(data)
        if len(seats) < round_.seats:
            return WaitFor(_LOOK_AGAIN_S, "copying the newest events")
        present = [self.world.store.has(committed(event).payload) for event in seats]
        context.progress(sum(present) / max(1, len(seats)), f"{sum(present)} of {len(seats)}")
        if not all(present) and round_.state is RoundState.DELIVERING:
            return WaitFor(_LOOK_AGAIN_S, f"{sum(present)} of {len(seats)} payloads have been delivered")
        return {"delivered": list(present)}

    def _open(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        delivered, seats = cast(list[bool], data["delivered"]), self._seats(data)
        opened: list[dict[str, object]] = []
        reasons: list[str] = []
        known = self._accepted_tags(data)
        for index, (event, present) in enumerate(zip(seats, delivered, strict=True)):
            context.progress(index / len(seats), f"{index} of {len(seats)}")
            seat = (
                self._open_seat(data, event, known)
                if present
                else _Opened(Rejection.NOT_DELIVERED, "not delivered")
            )
            reasons.append(seat.reason)
            if seat.update is not None and seat.tags is not None:
                known.append(seat.tags)
            opened.append(
                {
                    "rejection": int(seat.rejection),
                    "rows": seat.update.n_rows if seat.update else 0,
                    "products": [str(product) for product in seat.update.products] if seat.update else [],
                    "tags": seat.tags.to_bytes().hex() if seat.update and seat.tags else "",
                }
            )
        # Opened updates are as confidential as the rows behind them: they go to the vault, not into the job.
        self.world.secrets.put(self._secret(data), json.dumps(opened).encode())
        return {"rejections": [cast(int, each["rejection"]) for each in opened], "reasons": list(reasons)}

    def _open_seat(self, data: Mapping[str, Json], event: ChainEvent, known: Sequence[RowTags]) -> _Opened:
        """Open and check one payload; the exact reason of a rejection stays on this machine."""
        contribution, spec = committed(event), self._spec(data)
        secrets = self.keys.of(str(data["draft_id"]))
        try:
            payload = self._payload(event, secrets.sealing_key)
            accepted = self.reader.rows_accepted(cast(int, event.model_id), contribution.round)
            tags = RowTags.from_bytes(payload.row_tags, n_rows=contribution.rows, rows_accepted=accepted)
            if tags.root() != contribution.tag_root:
                raise PayloadRejected("The row tags are not the ones committed to.")
            public_key = secrets.private_key.public_key
            packed = PackedUpdate.from_bytes(payload.packed_update, public_key, spec.n_weights)
            products = tuple(open_update(secrets.private_key, packed, spec.n_weights))
        except PayloadRejected as error:
            return _Opened(Rejection.UNOPENABLE, error.sentence)
        floor = row_floor(spec.n_weights, spec.privacy.row_floor, demonstration=spec.demonstration)
        if contribution.rows < floor:
            return _Opened(Rejection.ROW_FLOOR, f"{contribution.rows} rows, the floor is {floor}")
        overlap = largest_overlap(tags, known, spec.overlap_limit)
        if overlap.is_too_much(spec.overlap_limit):
            return _Opened(
                Rejection.SAME_ROWS, f"about {overlap.estimate:.0%} of its rows were accepted before"
            )
        return _Opened(Rejection.ACCEPTED, "", AcceptedUpdate(contribution.rows, products), tags)

    def _payload(self, event: ChainEvent, sealing_key: bytes) -> Payload:
        contribution = committed(event)
        binding = payload_binding(self.world.ledger.identity(), cast(int, event.model_id), event)
        sealed = self.world.store.get(contribution.payload)
        payload = Payload.from_bytes(open_payload(sealed, sealing_key, binding))
        if payload.n_rows != contribution.rows or payload.affine_digest != contribution.update_digest:
            raise PayloadRejected("The payload speaks of other rows or another update than the chain.")
        return payload

    def _accepted_tags(self, data: Mapping[str, Json]) -> list[RowTags]:
        """Read the tags of all contributions accepted in earlier rounds."""
        names = self.world.secrets.names(f"bounties/{data['draft_id']}/row-tags/")
        return [RowTags.read(self.world.secrets.get(name)) for name in names]

    def _combine(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id, model_id = str(data["draft_id"]), cast(int, data["model_id"])
        opened = json.loads(self.world.secrets.get(self._secret(data)))
        accepted = [index for index, each in enumerate(opened) if not each["rejection"]]
        model, terms = self.world.ledger.model(model_id), self.world.ledger.terms(model_id)
        base = self.keys.weights(draft_id, model.base_weights)
        loss, next_weights, paid = model.best_loss, base, False
        shares, values = [0] * len(opened), [0.0] * len(opened)
        if accepted:
            context.progress(0.2, f"{len(accepted)} updates")
            settled = settle_round(
                self.publishing.matrix(draft_id, "scoring"),
                base,
                [AcceptedUpdate(opened[i]["rows"], tuple(map(int, opened[i]["products"]))) for i in accepted],
                terms=RoundTerms.of(terms),
                left_wei=model.left_wei,
                best_loss=model.best_loss,
            )
            loss, next_weights = settled.loss, settled.next_weights
            for place, index in enumerate(accepted):
                shares[index], values[index] = settled.shares[place], settled.values[place]
            paid = settled.reward_wei > 0
        if not paid:
            return {
                "loss": loss,
                "shares": list(shares),
                "values": list(values),
                "next": model.base_weights.hex(),
            }
        context.progress(0.6, "encrypting the next weights")
        secrets = self.keys.of(draft_id)
        document = weights_document(secrets, next_weights)
        digest = digest_of(document)
        self.keys.keep_weights(draft_id, digest, next_weights)
        self.world.secrets.put(f"{self._secret(data)}-next", document)
        return {"loss": loss, "shares": list(shares), "values": list(values), "next": digest.hex()}

    def _publish(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        name = f"{self._secret(data)}-next"
        if self.world.secrets.has(name):
            self.world.store.put(self.world.secrets.get(name))
        return {}

    def _send(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id, model_id = str(data["draft_id"]), cast(int, data["model_id"])
        next_document = bytes.fromhex(str(data["next"]))
        weights = self.keys.weights(draft_id, next_document)
        seed = self.keys.of(draft_id).weights_seed(weights)
        report = SettlementReport(
            round=cast(int, data["round"]),
            loss=cast(int, data["loss"]),
            shares=tuple(cast(Sequence[int], data["shares"])),
            rejections=tuple(Rejection(code) for code in cast(Sequence[int], data["rejections"])),
            next_weights=next_document,
            weights_commitment=weights_commitment(seed, weights),
        )
        receipt = self.world.ledger.send(
            Settle(model_id, report), key=self.key(model_id, cast(int, data["round"]))
        )
        return {"transaction": receipt.transaction}

    def _note(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id, number = str(data["draft_id"]), cast(int, data["round"])
        weights = self.keys.weights(draft_id, bytes.fromhex(str(data["next"]))) / 2**26
        scores = to_json(scores_of(self.bounties.rows(draft_id, "scoring"), weights))
        self.world.documents.update("scores", draft_id, lambda old: {**old, str(number): scores})
        if self.world.secrets.has(self._secret(data)):
            for seat, each in enumerate(json.loads(self.world.secrets.get(self._secret(data)))):
                if each["tags"]:
                    name = f"bounties/{draft_id}/row-tags/{number}-{seat}"
                    self.world.secrets.put(name, bytes.fromhex(each["tags"]))
            self.world.secrets.delete(self._secret(data))
        self.world.secrets.delete(f"{self._secret(data)}-next")
        self.world.documents.put(
            "settled",
            self.key(cast(int, data["model_id"]), number),
            {"values": data["values"], "reasons": data["reasons"]},
        )
        return {}

    # ------------------------------------------------------------------------------------------------------ readers

    def _round(self, data: Mapping[str, Json]) -> Round:
        return self.world.ledger.round(cast(int, data["model_id"]), cast(int, data["round"]))

    def _seats(self, data: Mapping[str, Json]) -> list[ChainEvent]:
        return self.reader.contributions(cast(int, data["model_id"]), cast(int, data["round"]))

    def _spec(self, data: Mapping[str, Json]) -> ModelSpec:
        return self.reader.spec(self.world.ledger.model(cast(int, data["model_id"])).spec)

    @staticmethod
    def _secret(data: Mapping[str, Json]) -> str:
        return f"bounties/{data['draft_id']}/opened/{data['round']}"
