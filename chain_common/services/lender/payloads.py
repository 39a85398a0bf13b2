"""The payloads of a round at the lender's: fetched once, kept sealed, opened and checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from chain_common.domain.model_secrets import ModelSecrets
from chain_common.domain.model_spec import ModelSpec
from chain_common.domain.opening import open_update
from chain_common.domain.paillier.packing import PackedUpdate
from chain_common.domain.repository import ChainEvent, Rejection, Round
from chain_common.domain.row_floor import row_floor
from chain_common.domain.row_tags import RowTags, largest_overlap
from chain_common.domain.sealing import open_payload
from chain_common.domain.settlement import AcceptedUpdate
from chain_common.domain.wire import Payload
from chain_common.errors import PayloadRejected
from chain_common.services.binding import payload_binding
from chain_common.services.lender.keys import ModelKeys
from chain_common.services.model_reader import ModelReader, committed
from chain_common.state_errors import ContentMissing
from chain_common.world import World

LOOK_LONGER_S: Final = 600
"""Seconds a missing payload is looked for after its time, or a quarter of the time for settling if that is less.

A store that answers late must not cost a data owner its reward."""


@dataclass(frozen=True, slots=True)
class OpenedSeat:
    """What opening a seat's payload gave; ``reason`` is exact and stays on this machine."""

    rejection: Rejection
    reason: str
    update: AcceptedUpdate | None = None
    tags: RowTags | None = None


def _tags_secret(draft_id: str, number: int, index: int) -> str:
    return f"bounties/{draft_id}/row-tags/{number}-{index}"


@dataclass(frozen=True, slots=True)
class Payloads:
    """Fetches and opens what data owners have delivered.

    Sealed payloads are kept in the vault as they come, so a blob that vanishes from the store later changes nothing.
    Opened updates are as confidential as the rows behind them: they are kept there too, until the round is settled.
    """

    world: World
    reader: ModelReader
    keys: ModelKeys

    def fetch(self, draft_id: str, seats: Sequence[ChainEvent]) -> list[bool]:
        """Fetch what can be read now and say which seats' payloads are here.

        Raises
        ------
        Unavailable
            If the store cannot be reached: that says nothing about any payload.
        """
        self.world.store.check()
        return [self._fetched(draft_id, event) for event in seats]

    def _fetched(self, draft_id: str, event: ChainEvent) -> bool:
        name = self._sealed(draft_id, event)
        if self.world.secrets.has(name):
            return True
        try:
            sealed = self.world.store.get(committed(event).payload)
        except (ContentMissing, PayloadRejected):
            return False
        self.world.secrets.put(name, sealed)
        return True

    def may_still_come(self, round_: Round, now: int) -> bool:
        """Tell whether a missing payload is worth waiting for."""
        patience = min(LOOK_LONGER_S, (round_.settle_by - round_.deliver_by) // 4)
        return now <= round_.deliver_by + patience

    def open_all(
        self,
        draft_id: str,
        spec: ModelSpec,
        seats: Sequence[ChainEvent],
        rows_accepted: int,
        progress: Callable[[float, str], None],
    ) -> list[OpenedSeat]:
        """Open and check every seat's payload, and keep what was opened; one bad payload concerns its seat alone.

        Parameters
        ----------
        rows_accepted
            Rows of all seats accepted in earlier rounds; it sets the length of row tags.
        """
        secrets, number = self.keys.of(draft_id), committed(seats[0]).round
        known = self._tags_accepted_before(draft_id, cast(int, seats[0].model_id), number)
        opened = []
        for index, event in enumerate(seats):
            progress(index / len(seats), f"{index} of {len(seats)}")
            seat = self._open_seat(draft_id, spec, secrets, event, rows_accepted, known)
            if seat.tags is not None:
                known.append(seat.tags)
            opened.append(seat)
        kept = [
            {
                "rows": seat.update.n_rows if seat.update else 0,
                "products": [str(product) for product in seat.update.products] if seat.update else [],
            }
            for seat in opened
        ]
        self.world.secrets.put(self._opened(draft_id, number), json.dumps(kept).encode())
        for index, seat in enumerate(opened):
            if seat.tags is not None:
                self.world.secrets.put(_tags_secret(draft_id, number, index), seat.tags.to_bytes())
        return opened

    def _open_seat(
        self,
        draft_id: str,
        spec: ModelSpec,
        secrets: ModelSecrets,
        event: ChainEvent,
        rows_accepted: int,
        known: Sequence[RowTags],
    ) -> OpenedSeat:
        contribution = committed(event)
        if not self.world.secrets.has(self._sealed(draft_id, event)):
            return OpenedSeat(Rejection.NOT_DELIVERED, "not delivered")
        try:
            payload = self._payload(draft_id, event, secrets.sealing_key)
            tags = RowTags.from_bytes(payload.row_tags, n_rows=contribution.rows, rows_accepted=rows_accepted)
            if tags.root() != contribution.tag_root:
                raise PayloadRejected("The row tags are not the ones committed to.")
            public_key = secrets.private_key.public_key
            packed = PackedUpdate.from_bytes(payload.packed_update, public_key, spec.n_weights)
            products = tuple(open_update(secrets.private_key, packed, spec.n_weights))
        except PayloadRejected as error:
            return OpenedSeat(Rejection.UNOPENABLE, error.sentence)
        floor = row_floor(spec.n_weights, spec.privacy.row_floor, demonstration=spec.demonstration)
        if contribution.rows < floor:
            return OpenedSeat(Rejection.ROW_FLOOR, f"{contribution.rows} rows, the floor is {floor}")
        overlap = largest_overlap(tags, known, spec.overlap_limit)
        if overlap.is_too_much(spec.overlap_limit):
            return OpenedSeat(Rejection.SAME_ROWS, f"about {overlap.estimate:.0%} of its rows were accepted before")
        return OpenedSeat(Rejection.ACCEPTED, "", AcceptedUpdate(contribution.rows, products), tags)

    def _payload(self, draft_id: str, event: ChainEvent, sealing_key: bytes) -> Payload:
        contribution = committed(event)
        binding = payload_binding(self.world.ledger.identity(), cast(int, event.model_id), event)
        sealed = self.world.secrets.get(self._sealed(draft_id, event))
        payload = Payload.from_bytes(open_payload(sealed, sealing_key, binding))
        if payload.n_rows != contribution.rows or payload.affine_digest != contribution.update_digest:
            raise PayloadRejected("The payload speaks of other rows or another update than the chain.")
        return payload

    def updates(self, draft_id: str, number: int) -> list[AcceptedUpdate | None]:
        """Return the opened updates of a round by seat, ``None`` where the seat is rejected."""
        return [
            AcceptedUpdate(each["rows"], tuple(map(int, each["products"]))) if each["products"] else None
            for each in self._kept(draft_id, number)
        ]

    def forget(self, draft_id: str, number: int) -> None:
        """Forget a settled round's payloads and updates; the tags of accepted seats stay, to know the rows again."""
        self.world.secrets.delete(self._opened(draft_id, number))
        for name in self.world.secrets.names(f"bounties/{draft_id}/sealed/{number}-"):
            self.world.secrets.delete(name)

    def _tags_accepted_before(self, draft_id: str, model_id: int, number: int) -> list[RowTags]:
        """Read the tags of the seats that the chain says were accepted in earlier rounds."""
        found = []
        for earlier in range(1, number):
            round_ = self.world.ledger.round(model_id, earlier)
            for index, rejection in enumerate(round_.rejections):
                name = _tags_secret(draft_id, earlier, index)
                if not rejection and self.world.secrets.has(name):
                    found.append(RowTags.read(self.world.secrets.get(name)))
        return found

    def _kept(self, draft_id: str, number: int) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], json.loads(self.world.secrets.get(self._opened(draft_id, number))))

    @staticmethod
    def _sealed(draft_id: str, event: ChainEvent) -> str:
        return f"bounties/{draft_id}/sealed/{event.arguments['round']}-{committed(event).payload.hex()}"

    @staticmethod
    def _opened(draft_id: str, number: int) -> str:
        return f"bounties/{draft_id}/opened/{number}"
