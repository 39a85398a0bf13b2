"""A model as anyone can see it: from the contract, the copied events and the content store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from chain_common.domain.commitments import contribution_commitment
from chain_common.domain.loss_units import mean_loss
from chain_common.domain.model_spec import ModelSpec
from chain_common.domain.paillier.keys import EncryptedWeights, PublicKey
from chain_common.domain.repository import ChainEvent, Contribution, Model, ModelStatus, Round, RoundState, Terms
from chain_common.domain.wire import WeightsDocument
from chain_common.errors import PayloadRejected
from chain_common.world import World

RUNNING: Final = (
    RoundState.COLLECTING,
    RoundState.DELIVERING,
    RoundState.AWAITING_SETTLEMENT,
    RoundState.OVERDUE,
)


def committed(event: ChainEvent) -> Contribution:
    """Read the contribution out of a ``Contributed`` event."""
    said = cast(Mapping[str, Any], event.arguments["contribution"])
    return Contribution(
        round=int(said["round"]),
        base_weights=bytes.fromhex(said["baseWeights"][2:]),
        payload=bytes.fromhex(said["payload"][2:]),
        tag_root=bytes.fromhex(said["tagRoot"][2:]),
        update_digest=bytes.fromhex(said["updateDigest"][2:]),
        rows=int(said["rows"]),
        nonce=bytes.fromhex(said["nonce"][2:]),
    )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One reading of a model from the chain, so that a page does not ask twice."""

    model: Model
    terms: Terms
    rounds: tuple[Round, ...]

    def score(self, loss: int) -> float:
        """Turn a scoring-set loss sum into the mean a person reads."""
        return mean_loss(loss, self.terms.metric, self.terms.scoring_rows, self.terms.loss_shift)

    def seats_of(self, number: int) -> int:
        """Return how many contributions a round can take."""
        return (self.terms.pilot_seats or self.terms.seats) if number == 1 else self.terms.seats

    @property
    def running(self) -> Round | None:
        """The round that has been opened and not ended, if any."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].state in RUNNING else None


@dataclass(slots=True)
class ModelReader:
    """Assembles what pages show of a model."""

    world: World
    _specs: dict[bytes, ModelSpec] = field(default_factory=dict)
    _checked_keys: set[int] = field(default_factory=set)

    def spec(self, digest: bytes) -> ModelSpec:
        """Read a model spec; it never changes, so it is read once.

        Raises
        ------
        Unavailable
            If the store does not have it now.
        PayloadRejected
            If what the lender published is not a model spec.
        """
        known = self._specs.get(digest)
        if known is None:
            known = self._specs[digest] = ModelSpec.from_bytes(self.world.store.get(digest))
        return known

    def snapshot(self, model_id: int) -> Snapshot:
        """Read a model, its terms and its rounds from the chain."""
        model = self.world.ledger.model(model_id)
        terms = self.world.ledger.terms(model_id)
        rounds = tuple(self.world.ledger.round(model_id, number) for number in range(1, model.rounds + 1))
        return Snapshot(model, terms, rounds)

    def contributions(self, model_id: int, number: int | None = None) -> list[ChainEvent]:
        """Return the ``Contributed`` events of a model, or of one of its rounds, in the order of their seats."""
        events = self.world.index.events(model_id=model_id, name="Contributed", limit=16 * 16)
        return [event for event in events if number is None or event.arguments["round"] == number]

    def seats(self, round_: Round) -> list[ChainEvent] | None:
        """Return the ``Contributed`` event of each seat of a round, or ``None`` while the copy lags behind the chain.

        Only events that match what the contract keeps of the seat are taken, so that a copy from before a
        reorganisation is never acted on.
        """
        found: dict[int, ChainEvent] = {}
        for event in self.contributions(round_.model_id, round_.number):
            index = cast(int, event.arguments["seat"])
            if index < round_.seats:
                seat = self.world.ledger.seat(round_.model_id, round_.number, index)
                same_owner = seat.owner == event.arguments["owner"]
                if same_owner and seat.commitment == contribution_commitment(committed(event)):
                    found[index] = event
        return [found[index] for index in range(round_.seats)] if len(found) == round_.seats else None

    def rows_accepted(self, model_id: int, before_round: int) -> int | None:
        """Count the rows of the seats accepted in rounds before one; it sets the length of row tags.

        ``None`` while the copy of the events lags behind the chain.
        """
        total = 0
        for number in range(1, before_round):
            each = self.world.ledger.round(model_id, number)
            events = self.seats(each)
            if events is None:
                return None
            if each.state is RoundState.SETTLED:
                total += sum(
                    committed(event).rows
                    for event, rejection in zip(events, each.rejections, strict=True)
                    if not rejection
                )
        return total

    def weights(self, spec: ModelSpec, digest: bytes) -> EncryptedWeights:
        """Read a base: encrypted weights under the model's key, every one checked to lie in the group.

        Raises
        ------
        Unavailable
            If the store does not have them now.
        PayloadRejected
            If they are not weights of this model, or its key is malformed.
        """
        document = WeightsDocument.from_bytes(self.world.store.get(digest))
        public_key = PublicKey(spec.keys.paillier_n)
        if public_key.n not in self._checked_keys:
            public_key.check()
            self._checked_keys.add(public_key.n)
        if document.key_fingerprint.hex() != public_key.fingerprint:
            raise PayloadRejected("The weights are encrypted under another key than the model's.")
        return EncryptedWeights.from_bytes(document.encrypted_weights, public_key, spec.n_weights)

    def closing_score_due(self, seen: Snapshot) -> bool:
        """Tell whether the lender can still give the closing score."""
        model = seen.model
        return (
            model.status is ModelStatus.CLOSING
            and model.held_wei > 0
            and not model.closing_settled
            and not model.failed
            and self.world.ledger.head().timestamp <= model.closing_by
        )
