"""From a validation file to a bounty that is ready to be posted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.column_report import describe_columns
from chain_common.domain.display_metrics import display_metrics
from chain_common.domain.document import Json as DocumentJson
from chain_common.domain.feature_plans import fit_features
from chain_common.domain.features import Feature, encode, feature_from_document, to_int16
from chain_common.domain.leakage import warn_of_leakage
from chain_common.domain.loan_table import LabelledLoans, labelled
from chain_common.domain.loss_units import mean_loss, metric_of
from chain_common.domain.model_secrets import ValidationRows, rows_from_bytes, rows_to_bytes
from chain_common.domain.model_spec import DEFAULT_LOSS_SHIFT, Preset
from chain_common.domain.reach import fitted_weights
from chain_common.domain.repository import CreateModel, Metric
from chain_common.domain.row_floor import check_set_floor, reward_noise
from chain_common.domain.scoring import MAX_ROWS, loss, scoring_matrix
from chain_common.domain.spec_fitting import balancing_weights_q16, base_rate_start
from chain_common.errors import BadInput, RuleBroken
from chain_common.ports import Job, LoanReader, Presets
from chain_common.services.lender.terms import check_choices, default_choices
from chain_common.services.records import from_json, to_json
from chain_common.services.views import BountyChoices, BountyDraft, BountyReview, Scores
from chain_common.world import World

DRAFTS: Final = "bounties"
PUBLISH: Final = "publish"


_ETHER: Final = 10**18


class NoSuchDraft(BadInput):
    """A bounty draft does not exist on this machine."""

    def __init__(self, draft_id: str) -> None:
        super().__init__(f"There is no bounty draft {draft_id} here.", do="Start a new bounty.")


class AlreadyPosted(RuleBroken):
    """A draft has been posted; its terms are fixed."""

    def __init__(self) -> None:
        super().__init__(
            "This bounty has been posted already.", do="Look at the model, or start a new bounty."
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a draft keeps besides what its page shows, so that it can be published."""

    preset: str
    features: list[dict[str, Any]]
    intercept_q26: int
    balanced_intercept_q26: int
    class_weights_q16: tuple[int, int]


def rows_secret(draft_id: str, which: str) -> str:
    """Name the vault entry of a draft's ``scoring`` or ``closing`` rows."""
    return f"bounties/{draft_id}/rows/{which}"


def start_weights(intercept_q26: int, n_weights: int) -> NDArray[np.int32]:
    """Return the public start: all zero but the intercept, int32 (n_weights,)."""
    weights = np.zeros(n_weights, dtype=np.int32)
    weights[-1] = intercept_q26
    return weights


def scores_of(rows: ValidationRows, weights: NDArray[np.float64]) -> Scores:
    """Measure weights (float64, n_weights) on rows, for display."""
    measured = display_metrics(rows.inputs.astype(np.float64) / 2**12 @ weights, rows.labels)
    return Scores(auc=measured.auc, ks=measured.ks, brier=measured.brier, accuracy=measured.accuracy)


@dataclass(frozen=True, slots=True)
class Bounties:
    """The lender's way from a file to a posted bounty."""

    world: World
    reader: LoanReader
    presets: Presets

    def preset_names(self) -> list[tuple[str, str]]:
        """Return names and titles of the presets, the default first."""
        return [(name, self.presets.get(name).title) for name in self.presets.names()]

    def read_file(self, source: BinaryIO, *, filename: str, preset: str) -> str:
        """Read a validation file and keep what it gave, encrypted, in the vault; return the draft's id.

        The rows are shuffled and split in halves: the scoring set, used in rounds, and the closing set. At most
        4,096 rows go into each; the rest still helps to fit medians, clip bounds and deviations.

        Raises
        ------
        BadInput
            If the file cannot be used; the error says why.
        SetTooSmall
            If a half has fewer than 500 rows.
        """
        chosen = self.presets.get(preset)
        table = self.reader.read(source, filename=filename, columns=chosen.columns)
        rows = labelled(table, chosen.target)
        half = min(len(rows.labels) // 2, MAX_ROWS)
        check_set_floor(half)
        features = fit_features(chosen.plans, rows.table.columns)
        scoring, closing = self._split(chosen, features, rows, half)
        draft_id = self.world.new_id()
        self.world.secrets.put(rows_secret(draft_id, "scoring"), rows_to_bytes(scoring))
        self.world.secrets.put(rows_secret(draft_id, "closing"), rows_to_bytes(closing))
        weights = balancing_weights_q16(rows.labels)
        fitted = Fitted(
            preset=preset,
            features=[dict(feature.to_document()) for feature in features],
            intercept_q26=base_rate_start(rows.labels, chosen.loss).intercept_q26,
            balanced_intercept_q26=base_rate_start(rows.labels, chosen.loss, weights).intercept_q26,
            class_weights_q16=weights,
        )
        draft = self._describe(draft_id, filename, chosen, rows, scoring, closing, fitted)
        self.world.documents.put(DRAFTS, draft_id, {"draft": to_json(draft), "fitted": to_json(fitted)})
        return draft_id

    def _split(
        self, preset: Preset, features: tuple[Feature, ...], rows: LabelledLoans, half: int
    ) -> tuple[ValidationRows, ValidationRows]:
        seed = int.from_bytes(self.world.rng.random_bytes(16), "big")
        order = np.random.default_rng(seed).permutation(len(rows.labels))
        inputs = to_int16(encode(features, rows.table.columns, norm_bound=preset.norm_bound))
        first, second = order[:half], order[half : 2 * half]
        return ValidationRows(inputs[first], rows.labels[first]), ValidationRows(
            inputs[second], rows.labels[second]
        )

    def _describe(
        self,
        draft_id: str,
        filename: str,
        preset: Preset,
        rows: LabelledLoans,
        scoring: ValidationRows,
        closing: ValidationRows,
        fitted: Fitted,
    ) -> BountyDraft:
        metric = metric_of(preset.metric)
        n_weights = scoring.inputs.shape[1]
        start = start_weights(fitted.intercept_q26, n_weights)
        weights = fitted.class_weights_q16 if metric is Metric.BALANCED_BRIER else None
        matrix = scoring_matrix(metric, scoring.inputs, scoring.labels, class_weights_q16=weights)
        reached = fitted_weights(
            scoring_matrix(metric, closing.inputs, closing.labels, class_weights_q16=weights)
        )
        reach_q26 = np.rint(np.clip(reached, -15.99, 15.99) * 2**26).astype(np.int32)
        initial = loss(matrix, start, DEFAULT_LOSS_SHIFT)
        baseline_score = mean_loss(initial, metric, scoring.n_rows, DEFAULT_LOSS_SHIFT)
        reach_score = mean_loss(
            loss(matrix, reach_q26, DEFAULT_LOSS_SHIFT), metric, scoring.n_rows, DEFAULT_LOSS_SHIFT
        )
        reach = scores_of(scoring, reached)
        leakage = warn_of_leakage(reach.auc)
        warnings = [leakage.sentence] if leakage else []
        if reach_score >= baseline_score:
            warnings.append(
                "A model of your own rows is no better than the base rate: these columns may say nothing about the "
                "outcome, or there are too few rows."
            )
        names = tuple(name for feature in self._features(fitted) for name in feature.input_names)
        return BountyDraft(
            draft_id=draft_id,
            filename=filename,
            preset=preset.name,
            report=rows.table.report,
            columns=describe_columns(self._features(fitted), rows.table.columns),
            known_later=rows.table.report.known_later(preset.known_later),
            n_scoring=scoring.n_rows,
            n_closing=closing.n_rows,
            n_bad=rows.n_bad,
            base_rate=float(np.mean(rows.labels)),
            baseline=scores_of(scoring, start / 2**26),
            baseline_score=baseline_score,
            reach=reach,
            reach_score=reach_score,
            reward_noise=reward_noise(scoring.n_rows),
            warnings=tuple(warnings),
            features=names,
            choices=default_choices(preset, baseline_score, reach_score, n_weights),
            complete=False,
        )

    @staticmethod
    def _features(fitted: Fitted) -> tuple[Feature, ...]:
        return tuple(
            feature_from_document(dict[str, DocumentJson](document), f"features[{place}]")
            for place, document in enumerate(fitted.features)
        )

    def draft(self, draft_id: str) -> BountyDraft:
        """Return a draft. Raises ``NoSuchDraft``."""
        document = self.world.documents.get(DRAFTS, draft_id)
        if document is None:
            raise NoSuchDraft(draft_id)
        return from_json(document["draft"], BountyDraft)

    def fitted(self, draft_id: str) -> Fitted:
        """Return what a draft keeps for publishing. Raises ``NoSuchDraft``."""
        document = self.world.documents.get(DRAFTS, draft_id)
        if document is None:
            raise NoSuchDraft(draft_id)
        return from_json(document["fitted"], Fitted)

    def drafts(self) -> list[BountyDraft]:
        """Return the drafts that have not been posted, oldest first."""
        return [
            from_json(document["draft"], BountyDraft)
            for _, document in self.world.documents.all(DRAFTS)
            if "model_id" not in document
        ]

    def rows(self, draft_id: str, which: str) -> ValidationRows:
        """Read the ``scoring`` or ``closing`` rows from the vault."""
        return rows_from_bytes(self.world.secrets.get(rows_secret(draft_id, which)))

    def choose(self, draft_id: str, choices: BountyChoices) -> BountyDraft:
        """Keep the lender's choices after checking them.

        Raises
        ------
        BadInput
            With the field that cannot stay as it is.
        AlreadyPosted
            If publishing has begun.
        """
        draft = self.draft(draft_id)
        if self.world.jobs.get(self.publish_key(draft_id)) is not None:
            raise AlreadyPosted
        check_choices(choices, draft)
        chosen = replace(draft, choices=choices, complete=True)
        self.world.documents.update(DRAFTS, draft_id, lambda old: {**old, "draft": to_json(chosen)})
        return chosen

    def discard(self, draft_id: str) -> None:
        """Delete a draft and its rows. Raises ``AlreadyPosted`` once publishing has begun."""
        if self.world.jobs.get(self.publish_key(draft_id)) is not None:
            raise AlreadyPosted
        for which in ("scoring", "closing"):
            self.world.secrets.delete(rows_secret(draft_id, which))
        self.world.documents.delete(DRAFTS, draft_id)

    def review(self, draft_id: str) -> BountyReview:
        """Return the last page before money moves."""
        draft = self.draft(draft_id)
        choices = draft.choices
        value = choices.bounty_wei + choices.bond_wei
        ledger = self.world.ledger
        fee = ledger.fee_allowance(CreateModel)
        balance = ledger.balance(ledger.account())
        return BountyReview(
            draft=draft,
            value_wei=value,
            fee_estimate_wei=fee,
            balance_wei=balance,
            short_by_wei=max(0, value + fee - balance),
            target_fall_percent=100 * (draft.baseline_score - choices.target_score) / draft.baseline_score,
            rounds_at_most=choices.max_rounds,
            longest_silence_s=choices.settle_window_s,
        )

    @staticmethod
    def publish_key(draft_id: str) -> str:
        """Name the job that posts a draft."""
        return f"{PUBLISH}.{draft_id}"

    def publish(self, draft_id: str) -> Job:
        """Post the bounty: a job makes the keys, publishes spec and weights, and sends the transaction.

        Raises
        ------
        BadInput
            If terms have not been chosen yet.
        RuleBroken
            If the account cannot pay bounty, bond and fee.
        """
        review = self.review(draft_id)
        if not review.draft.complete:
            raise BadInput("The terms of this bounty have not been chosen.", do="Choose them first.")
        if review.short_by_wei and self.world.jobs.get(self.publish_key(draft_id)) is None:
            raise NotEnoughForBounty(review)
        data = {"draft_id": draft_id, "title": f"Post the bounty “{review.draft.choices.title}”"}
        return self.world.jobs.enqueue(PUBLISH, self.publish_key(draft_id), {**data})


class NotEnoughForBounty(RuleBroken):
    """The account cannot pay bounty, bond and fee; ``short_by_wei`` is what is missing."""

    def __init__(self, review: BountyReview) -> None:
        self.short_by_wei = review.short_by_wei
        super().__init__(
            f"The account has {review.balance_wei / _ETHER:.6f} ETH.",
            expected=f"Bounty, bond and fee come to {(review.value_wei + review.fee_estimate_wei) / _ETHER:.6f} ETH.",
            do="Fund the account or lower bounty and bond. Your draft is kept.",
        )
