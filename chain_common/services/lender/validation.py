"""Reading a validation file: two sets of rows, the constants fitted on them, and what a page says of it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.column_report import describe_columns
from chain_common.domain.display_metrics import display_metrics
from chain_common.domain.document import DocumentError
from chain_common.domain.document import Json as DocumentJson
from chain_common.domain.feature_plans import fit_features
from chain_common.domain.features import Feature, encode, feature_from_document, to_int16
from chain_common.domain.leakage import warn_of_leakage
from chain_common.domain.loan_table import LabelledLoans, labelled
from chain_common.domain.loss_units import mean_loss, metric_of
from chain_common.domain.model_secrets import ValidationRows
from chain_common.domain.model_spec import DEFAULT_LOSS_SHIFT, Preset
from chain_common.domain.randomness import Rng
from chain_common.domain.reach import fitted_weights
from chain_common.domain.repository import Metric
from chain_common.domain.row_floor import check_set_floor, reward_noise
from chain_common.domain.scoring import MAX_ROWS, loss, scoring_matrix
from chain_common.domain.spec_fitting import balancing_weights_q16, base_rate_start
from chain_common.errors import BadInput
from chain_common.ports import LoanReader
from chain_common.services.lender.terms import default_choices
from chain_common.services.lender.views import BountyDraft
from chain_common.services.views import Scores


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a draft keeps besides what its page shows, so that it can be published."""

    preset: str
    features: list[dict[str, Any]]
    intercept_q26: int
    balanced_intercept_q26: int
    class_weights_q16: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Validation:
    """A validation file, read. ``draft`` has no id yet."""

    scoring: ValidationRows
    closing: ValidationRows
    fitted: Fitted
    draft: BountyDraft


def start_weights(intercept_q26: int, n_weights: int) -> NDArray[np.int32]:
    """Return the public start: all zero but the intercept, int32 (n_weights,)."""
    weights = np.zeros(n_weights, dtype=np.int32)
    weights[-1] = intercept_q26
    return weights


def scores_of(rows: ValidationRows, weights: NDArray[np.float64]) -> Scores:
    """Measure weights (float64, n_weights) on rows, for display."""
    measured = display_metrics(rows.inputs.astype(np.float64) / 2**12 @ weights, rows.labels)
    return Scores(auc=measured.auc, ks=measured.ks, brier=measured.brier, accuracy=measured.accuracy)


def read_validation(rng: Rng, reader: LoanReader, preset: Preset, source: BinaryIO, filename: str) -> Validation:
    """Read a validation file for a preset.

    Raises
    ------
    BadInput
        If the file cannot be used; the error says why.
    SetTooSmall
        If a half has fewer than 500 rows.
    """
    table = reader.read(source, filename=filename, columns=preset.columns)
    rows = labelled(table, preset.target)
    half = min(len(rows.labels) // 2, MAX_ROWS)
    check_set_floor(half)
    try:
        features = fit_features(preset.plans, rows.table.columns)
    except DocumentError as error:
        raise BadInput(f"No model can be made of this file: {error}.", do="Check the column it names.") from error
    scoring, closing = _split(rng, preset, features, rows, half)
    weights = balancing_weights_q16(rows.labels)
    fitted = Fitted(
        preset=preset.name,
        features=[dict(feature.to_document()) for feature in features],
        intercept_q26=base_rate_start(rows.labels, preset.loss).intercept_q26,
        balanced_intercept_q26=base_rate_start(rows.labels, preset.loss, weights).intercept_q26,
        class_weights_q16=weights,
    )
    return Validation(scoring, closing, fitted, _describe(filename, preset, rows, scoring, closing, fitted))


def _split(
    rng: Rng, preset: Preset, features: tuple[Feature, ...], rows: LabelledLoans, half: int
) -> tuple[ValidationRows, ValidationRows]:
    seed = int.from_bytes(rng.random_bytes(16), "big")
    # Bad rows fall to both sets alike: chance alone would make one set harder than the other.
    chosen = np.random.default_rng(seed).permutation(len(rows.labels))[: 2 * half]
    by_label = chosen[np.argsort(rows.labels[chosen], kind="stable")]
    inputs = to_int16(encode(features, rows.table.columns, norm_bound=preset.norm_bound))
    first, second = by_label[::2], by_label[1::2]
    return ValidationRows(inputs[first], rows.labels[first]), ValidationRows(inputs[second], rows.labels[second])


def _describe(
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
    reached = fitted_weights(scoring_matrix(metric, closing.inputs, closing.labels, class_weights_q16=weights))
    reach_q26 = np.rint(np.clip(reached, -15.99, 15.99) * 2**26).astype(np.int32)
    initial = loss(matrix, start, DEFAULT_LOSS_SHIFT)
    baseline_score = mean_loss(initial, metric, scoring.n_rows, DEFAULT_LOSS_SHIFT)
    reach_score = mean_loss(loss(matrix, reach_q26, DEFAULT_LOSS_SHIFT), metric, scoring.n_rows, DEFAULT_LOSS_SHIFT)
    reach = scores_of(scoring, reached)
    leakage = warn_of_leakage(reach.auc)
    warnings = [leakage.sentence] if leakage else []
    if reach_score >= baseline_score:
        warnings.append(
            "A model of your own rows is no better than the base rate: these columns may say nothing about the "
            "outcome, or there are too few rows."
        )
    names = tuple(name for feature in _features(fitted) for name in feature.input_names)
    return BountyDraft(
        draft_id="",
        filename=filename,
        preset=preset.name,
        report=rows.table.report,
        columns=describe_columns(_features(fitted), rows.table.columns),
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


def _features(fitted: Fitted) -> tuple[Feature, ...]:
    return tuple(
        feature_from_document(dict[str, DocumentJson](document), f"features[{place}]")
        for place, document in enumerate(fitted.features)
    )
