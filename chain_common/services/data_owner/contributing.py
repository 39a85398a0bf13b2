"""Contributing, as a job: compute, encrypt, seal, and commit on chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from chain_common.chain_errors import in_ether
from chain_common.contract_errors import RoundFull, RoundMismatch, RoundNotCollecting, StaleBase
from chain_common.domain.calls import Contribute
from chain_common.domain.content_id import digest_of
from chain_common.domain.model_spec import ModelSpec
from chain_common.domain.privacy import NoisedStatistics, release_without_noise
from chain_common.domain.repository import Contribution, RoundState
from chain_common.domain.row_tags import RowTags, tag_bits
from chain_common.domain.sealing import seal_payload
from chain_common.domain.spec_parts import DampedStep
from chain_common.domain.statistics import accumulate
from chain_common.domain.update import (
    AffineUpdate,
    affine_digest,
    damped_step,
    encrypted_update,
    gradient_step,
)
from chain_common.domain.wire import Payload
from chain_common.errors import RuleBroken
from chain_common.ports import Json, JsonObject, StartOver, StepContext, WaitFor
from chain_common.services.binding import binding_for
from chain_common.services.data_owner.delivering import POLL_S, Delivering, contribution_secret
from chain_common.services.data_owner.files import COLLECTION, CannotContribute, Files
from chain_common.services.data_owner.market import Market
from chain_common.services.model_reader import ModelReader
from chain_common.world import World

CONTRIBUTE: Final = "contribute"
ROUND_MOVED: Final = (RoundMismatch, RoundFull, RoundNotCollecting, StaleBase)
"""The round or its base changed between reading and sending: the contribution starts over on what is there now."""

_RECEIPT: Final = (
    *("round", "seat", "base", "payload", "nonce"),
    *("update_digest", "tag_root", "transaction", "stake_wei"),
)
"""What a contribution's document keeps of the job that committed it."""


class NotEnoughForContribution(RuleBroken):
    """The account cannot pay stake and fee; ``short_by_wei`` is what is missing."""

    def __init__(self, short_by_wei: int) -> None:
        self.short_by_wei = short_by_wei
        super().__init__(
            f"The account is {in_ether(short_by_wei)} short of stake and fee.",
            do="Fund the account and try again. The file stays read for an hour.",
        )


def contribute_key(contribution_id: str) -> str:
    """Name the job that commits a contribution."""
    return f"{CONTRIBUTE}.{contribution_id}"


@dataclass(frozen=True, slots=True)
class Contributing:
    """From read rows to a seat on chain."""

    world: World
    reader: ModelReader
    market: Market
    files: Files
    delivering: Delivering

    def register(self) -> None:
        """Make the job kinds known to the worker."""
        self.world.register_job(
            CONTRIBUTE,
            ("Read the encrypted model", self._read_model),
            ("Compute and encrypt the update", self._encrypt),
            ("Seal the payload for the lender", self._seal),
            ("Commit on chain", self._commit),
            ("Keep the receipt", self._keep_receipt),
        )

    def confirm(self, draft_id: str, *, acknowledge_no_noise: bool) -> str:
        """Turn a read file into a contribution and start computing; return its id.

        The statistics are computed here, once; from then on the rows are gone and every later step reads only the
        released statistics and the tags in the vault.

        Raises
        ------
        FileForgotten
            If the rows are no longer in memory.
        AlreadyContributed
            If the same rows were contributed to the model since they were read.
        NoiseNotWaived
            If the data owner has not acknowledged that updates carry no noise.
        NotEnoughForContribution
            If the account cannot pay stake and fee.
        """
        if self.world.documents.get(COLLECTION, draft_id) is not None:
            return draft_id  # The form was sent twice.
        short_by = self.files.draft(draft_id).short_by_wei
        if short_by:
            raise NotEnoughForContribution(short_by)
        with self.files.taken(draft_id) as held:
            # Again, for the same file may have been read twice before one of the two was sent.
            self.files.refuse_same_rows(held.draft.model_id, held.tags)
            statistics = accumulate(held.inputs, held.labels, held.spec.loss, class_weights=held.spec.class_weights)
            released = release_without_noise(statistics, acknowledged=acknowledge_no_noise)
            contribution_id = draft_id
            self.world.secrets.put(contribution_secret(contribution_id, "statistics"), released.to_bytes())
            self.world.secrets.put(contribution_secret(contribution_id, "row-tags"), held.tags.to_bytes())
            self.world.documents.put(
                COLLECTION,
                contribution_id,
                {
                    "model_id": held.draft.model_id,
                    "title": held.draft.title,
                    "filename": held.draft.filename,
                    "n_rows": held.draft.n_rows,
                    "stake_wei": str(held.draft.stake_wei),
                    "created_at": self.world.clock.now(),
                    "chain": self.world.chain_tag(),
                    "data_set": held.tags.root().hex(),
                },
            )
        self.ensure(contribution_id)
        return contribution_id

    def ensure(self, contribution_id: str) -> None:
        """Queue the job of a contribution that is not on chain yet; a crash may have come between it and its job."""
        document = self.world.documents.get(COLLECTION, contribution_id)
        if document is not None and "seat" not in document and document["chain"] == self.world.chain_tag():
            self.world.enqueue(
                CONTRIBUTE,
                contribute_key(contribution_id),
                {
                    "contribution_id": contribution_id,
                    "model_id": document["model_id"],
                    "title": f"Contribute to “{document['title']}”",
                },
            )

    # ------------------------------------------------------------------------------------------------------- steps

    def _read_model(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | WaitFor:
        model_id = cast(int, data["model_id"])
        why_not = self.market.why_not_contribute(model_id)
        if why_not:
            raise CannotContribute(why_not)
        seen = self.reader.snapshot(model_id)
        running = seen.running
        if running is not None and running.state is not RoundState.COLLECTING:
            return WaitFor(POLL_S, f"round {running.number} is being settled; the next one takes your contribution")
        if running is not None and running.seats == seen.seats_of(running.number):
            return WaitFor(POLL_S, f"round {running.number} is full; the next one takes your contribution")
        number = running.number if running else seen.model.rounds + 1
        accepted = self.reader.rows_accepted(model_id, number)
        if accepted is None:
            return WaitFor(POLL_S, "copying the newest events")
        spec = self.reader.spec(seen.model.spec)
        context.progress(0.3, "checking the encrypted weights")
        self.reader.weights(spec, seen.model.base_weights)
        return {"base": seen.model.base_weights.hex(), "round": number, "rows_accepted": accepted}

    def _encrypt(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        contribution_id = str(data["contribution_id"])
        spec = self._spec(data)
        statistics = NoisedStatistics.from_bytes(
            self.world.secrets.get(contribution_secret(contribution_id, "statistics"))
        )
        affine = make_update(spec, statistics)
        weights = self.reader.weights(spec, bytes.fromhex(str(data["base"])))
        packed = encrypted_update(affine, weights, self.world.rng, progress=context.progress)
        self.world.secrets.put(contribution_secret(contribution_id, "update"), packed.to_bytes())
        return {"update_digest": affine_digest(affine).hex()}

    def _seal(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        contribution_id = str(data["contribution_id"])
        spec, tags = self._spec(data), self._tags(data)
        payload = Payload(
            n_rows=tags.n_rows,
            packed_update=self.world.secrets.get(contribution_secret(contribution_id, "update")),
            row_tags=tags.to_bytes(),
            affine_digest=bytes.fromhex(str(data["update_digest"])),
        )
        contribution = self._contribution(data, payload=bytes(32), nonce=self.world.rng.random_bytes(32), tags=tags)
        binding = binding_for(
            self.world.ledger.identity(),
            cast(int, data["model_id"]),
            self.world.ledger.account(),
            contribution,
        )
        sealed = seal_payload(payload.to_bytes(), spec.keys.sealing, binding)
        digest = digest_of(sealed).hex()
        # Named by its digest: what a late second run of this step seals never takes the place of what is on chain.
        self.world.secrets.put(contribution_secret(contribution_id, f"payload/{digest}"), sealed)
        return {"payload": digest, "nonce": contribution.nonce.hex()}

    def _commit(self, data: Mapping[str, Json], context: StepContext) -> JsonObject | StartOver:
        contribution_id, model_id = str(data["contribution_id"]), cast(int, data["model_id"])
        contribution = self._contribution(
            data,
            payload=bytes.fromhex(str(data["payload"])),
            nonce=bytes.fromhex(str(data["nonce"])),
            tags=self._tags(data),
        )
        stake = self.world.ledger.terms(model_id).stake_wei
        # The nonce is in the key: a contribution that starts over on another base is another transaction.
        key = f"{contribute_key(contribution_id)}.{str(data['nonce'])[:16]}"
        try:
            receipt = self.world.ledger.send(Contribute(model_id, stake, contribution), key=key)
        except ROUND_MOVED:
            return StartOver(POLL_S, "the round was full or has moved on; starting again on the next one")
        taken = next(event for event in receipt.events if event.name == "Contributed")
        return {
            "tag_root": contribution.tag_root.hex(),
            "seat": cast(int, taken.arguments["seat"]),
            "stake_wei": str(stake),
            "transaction": receipt.transaction,
        }

    def _keep_receipt(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        contribution_id = str(data["contribution_id"])
        kept = {name: data[name] for name in _RECEIPT}
        self.world.documents.update(COLLECTION, contribution_id, lambda old: {**old, **kept})
        self.delivering.enqueue(data)
        self.world.secrets.delete(contribution_secret(contribution_id, "update"))
        return {}

    # ------------------------------------------------------------------------------------------------------ readers

    def _spec(self, data: Mapping[str, Json]) -> ModelSpec:
        return self.reader.spec(self.world.ledger.model(cast(int, data["model_id"])).spec)

    def _tags(self, data: Mapping[str, Json]) -> RowTags:
        """Return the rows' tags, cut to the length the round asks for."""
        kept = RowTags.read(self.world.secrets.get(contribution_secret(str(data["contribution_id"]), "row-tags")))
        return kept.shortened(tag_bits(kept.n_rows, cast(int, data["rows_accepted"])))

    @staticmethod
    def _contribution(data: Mapping[str, Json], *, payload: bytes, nonce: bytes, tags: RowTags) -> Contribution:
        return Contribution(
            round=cast(int, data["round"]),
            base_weights=bytes.fromhex(str(data["base"])),
            payload=payload,
            tag_root=tags.root(),
            update_digest=bytes.fromhex(str(data["update_digest"])),
            rows=tags.n_rows,
            nonce=nonce,
        )


def make_update(spec: ModelSpec, statistics: NoisedStatistics) -> AffineUpdate:
    """Make the update the spec's training rule asks for."""
    if isinstance(spec.rule, DampedStep):
        return damped_step(statistics, least_damping=spec.rule.damping_floor, damping_per_row=spec.rule.damping)
    return gradient_step(statistics, spec.rule.step)
