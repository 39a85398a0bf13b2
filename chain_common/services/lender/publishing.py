"""Posting a bounty, as a job: keys, first weights, commitments, content store, transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from chain_common.domain.calls import CreateModel
from chain_common.domain.content_id import digest_of
from chain_common.domain.document import Json as DocumentJson
from chain_common.domain.features import feature_from_document
from chain_common.domain.loss_units import metric_of
from chain_common.domain.model_secrets import ModelSecrets
from chain_common.domain.model_spec import DEFAULT_LOSS_SHIFT, ModelSpec
from chain_common.domain.repository import Metric, Publication
from chain_common.domain.scoring import (
    ScoringMatrix,
    loss,
    matrix_commitment,
    scoring_matrix,
    weights_commitment,
)
from chain_common.domain.sealing import sealing_public_key
from chain_common.domain.spec_parts import BaseRateStart, DampedStep, PrivacyFloor, PublicKeys, Sharing
from chain_common.domain.spec_parts import Metric as MetricName
from chain_common.ports import Json, JsonObject, Presets, StepContext
from chain_common.services.lender.bounties import DRAFTS, PUBLISH, Bounties
from chain_common.services.lender.keys import ModelKeys, weights_document
from chain_common.services.lender.terms import contract_terms
from chain_common.services.lender.validation import scores_of, start_weights
from chain_common.services.records import to_json
from chain_common.world import World


@dataclass(frozen=True, slots=True)
class Publishing:
    """The steps that post a bounty. Each can be repeated: what exists is used, and one key sends one transaction."""

    world: World
    bounties: Bounties
    keys: ModelKeys
    presets: Presets

    def register(self) -> None:
        """Make the job kind known to the worker."""
        self.world.register_job(
            PUBLISH,
            ("Make the model's keys", self._make_keys),
            ("Encrypt the first weights", self._encrypt),
            ("Publish spec and weights", self._publish),
            ("Escrow bounty and bond", self._escrow),
            ("Note the model", self._note),
        )

    def _make_keys(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        context.progress(0.1, f"{self.keys.key_bits}-bit primes")
        secrets = self.keys.make(_draft(data))
        return {"fingerprint": secrets.private_key.public_key.fingerprint}

    def _encrypt(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id = _draft(data)
        secrets, spec = self.keys.of(draft_id), self._spec(draft_id)
        weights = start_weights(cast(BaseRateStart, spec.start).intercept_q26, spec.n_weights)
        document = weights_document(secrets, weights)
        digest = digest_of(document)
        self.keys.keep_weights(draft_id, digest, weights)
        self.world.secrets.put(f"bounties/{draft_id}/first-weights", document)
        return {"base_weights": digest.hex()}

    def _publish(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id = _draft(data)
        self.world.store.put(self.world.secrets.get(f"bounties/{draft_id}/first-weights"))
        digest = self.world.store.put(self._spec(draft_id).to_bytes())
        # The deadline is fixed here, so that a repeated transaction step sends the very same terms.
        return {"spec": digest.hex(), "now": self.world.ledger.head().timestamp}

    def _escrow(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id = _draft(data)
        draft, secrets = self.bounties.draft(draft_id), self.keys.of(draft_id)
        scoring, closing = self.matrix(draft_id, "scoring"), self.matrix(draft_id, "closing")
        base = bytes.fromhex(str(data["base_weights"]))
        weights = self.keys.weights(draft_id, base)
        terms = contract_terms(
            draft.choices, loss(scoring, weights, DEFAULT_LOSS_SHIFT), draft, now=cast(int, data["now"])
        )
        publication = Publication(
            spec=bytes.fromhex(str(data["spec"])),
            base_weights=base,
            weights_commitment=weights_commitment(secrets.weights_seed(weights), weights),
            scoring_commitment=matrix_commitment(secrets.set_salt("scoring"), scoring, DEFAULT_LOSS_SHIFT),
            closing_commitment=matrix_commitment(secrets.set_salt("closing"), closing, DEFAULT_LOSS_SHIFT)
            if terms.closing_rows
            else bytes(32),
        )
        call = CreateModel(draft.choices.bounty_wei, draft.choices.bond_wei, publication, terms)
        # A bounty posted anew after a failure has another deadline, and so is another transaction.
        key = f"{self.bounties.publish_key(draft_id)}.{data['now']}"
        receipt = self.world.ledger.send(call, key=key)
        created = next(event for event in receipt.events if event.name == "ModelCreated")
        return {"model_id": cast(int, created.model_id), "transaction": receipt.transaction}

    def _note(self, data: Mapping[str, Json], context: StepContext) -> JsonObject:
        draft_id, model_id = _draft(data), cast(int, data["model_id"])
        title, chain = self.bounties.draft(draft_id).choices.title, self.world.chain_tag()
        self.world.documents.update(
            DRAFTS,
            draft_id,
            lambda old: {**old, "model_id": model_id, "title": title, "chain": chain},
        )
        rows, base = self.bounties.rows(draft_id, "scoring"), bytes.fromhex(str(data["base_weights"]))
        start = scores_of(rows, self.keys.weights(draft_id, base) / 2**26)
        self.world.documents.update("scores", draft_id, lambda old: {**old, "0": to_json(start)})
        self.world.secrets.delete(f"bounties/{draft_id}/first-weights")
        return {}

    def matrix(self, draft_id: str, which: str) -> ScoringMatrix:
        """Return the matrix of the ``scoring`` or ``closing`` set."""
        rows = self.bounties.rows(draft_id, which)
        metric: Metric = metric_of(self.bounties.draft(draft_id).choices.metric)
        weights = self.bounties.fitted(draft_id).class_weights_q16 if metric is Metric.BALANCED_BRIER else None
        return scoring_matrix(metric, rows.inputs, rows.labels, class_weights_q16=weights)

    def _spec(self, draft_id: str) -> ModelSpec:
        """Build the spec; the same draft and keys give the same bytes."""
        draft, fitted = self.bounties.draft(draft_id), self.bounties.fitted(draft_id)
        preset, secrets = self.presets.get(draft.preset), self.keys.of(draft_id)
        choices = draft.choices
        balanced = choices.metric == "balanced-brier"
        intercept = fitted.balanced_intercept_q26 if balanced else fitted.intercept_q26
        return ModelSpec(
            name=choices.title.strip(),
            service=preset.service,
            target=preset.target,
            features=tuple(
                feature_from_document(cast(dict[str, DocumentJson], document), f"features[{place}]")
                for place, document in enumerate(fitted.features)
            ),
            loss=preset.loss,
            metric=cast(MetricName, choices.metric),
            class_weights_q16=fitted.class_weights_q16 if balanced else None,
            start=BaseRateStart(intercept),
            rule=DampedStep(),
            privacy=PrivacyFloor(row_floor=choices.row_floor, norm_bound=preset.norm_bound),
            sharing=cast(Sharing, choices.sharing),
            keys=_public_keys(secrets),
            tag_salt=secrets.tag_salt(),
        )


def _draft(data: Mapping[str, Json]) -> str:
    return str(data["draft_id"])


def _public_keys(secrets: ModelSecrets) -> PublicKeys:
    return PublicKeys(
        paillier_n=secrets.private_key.public_key.n,
        sealing=sealing_public_key(secrets.sealing_key),
        key_proof=None,
    )
