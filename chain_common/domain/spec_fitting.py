"""From a preset and the lender's own rows to a model spec."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.document import DocumentError
from chain_common.domain.feature_plans import fit_features
from chain_common.domain.features import Columns
from chain_common.domain.model_spec import CLASS_WEIGHT_FRACTION_BITS, ModelSpec, Preset
from chain_common.domain.spec_parts import (
    WEIGHT_BOUND,
    WEIGHT_FRACTION_BITS,
    BaseRateStart,
    DampedStep,
    Loss,
    Metric,
    PrivacyFloor,
    PublicKeys,
    Sharing,
    Start,
    TrainingRule,
)
from chain_common.errors import BadInput


def fit_spec(
    preset: Preset,
    columns: Columns,
    labels: NDArray[np.float64],
    *,
    name: str,
    keys: PublicKeys,
    tag_salt: bytes,
    metric: Metric | None = None,
    start: Start | None = None,
    rule: TrainingRule | None = None,
    sharing: Sharing = "shapley",
    demonstration: bool = False,
) -> ModelSpec:
    """Fit a preset's constants on the lender's validation rows.

    Medians, clip bounds, means and deviations come from all of them, rounded to six digits. The default start
    is the base rate: the intercept ``w`` with ``½ + w/4`` equal to the (class-weighted) share of bad rows, or
    the mean label where the loss is ``squared``. The row floor is ``10 D``, ``20 D`` where sharing is
    sequential (protocol §6).

    Parameters
    ----------
    columns
        str (n_rows,) for every name in ``preset.columns``; ``LoanTable.columns`` after ``labelled``.
    labels
        float64 (n_rows,): 1 bad, 0 good, or scaled.
    metric
        Replaces the preset's, ``brier`` by ``balanced-brier`` or back.
    start
        Replaces the base rate, for a lender that starts from its own model.

    Raises
    ------
    NoValues
        If a column holds no value that can be read.
    BadInput
        If the choices do not fit each other.
    """
    metric = metric or preset.metric
    class_weights = balancing_weights_q16(labels) if metric == "balanced-brier" else None
    rows_per_weight = 20 if sharing == "sequential" else 10
    try:
        features = fit_features(preset.plans, columns)
        n_weights = 1 + sum(len(feature.input_names) for feature in features)
        return ModelSpec(
            name=name,
            service=preset.service,
            target=preset.target,
            features=features,
            loss=preset.loss,
            metric=metric,
            class_weights_q16=class_weights,
            start=start or base_rate_start(labels, preset.loss, class_weights),
            rule=rule or DampedStep(),
            privacy=PrivacyFloor(row_floor=rows_per_weight * n_weights, norm_bound=preset.norm_bound),
            sharing=sharing,
            keys=keys,
            tag_salt=tag_salt,
            demonstration=demonstration,
        )
    except DocumentError as error:
        raise BadInput(f"No model can be made of this: {error}.", field=error.path) from error


def balancing_weights_q16(labels: NDArray[np.float64]) -> tuple[int, int]:
    """Give the weights of a good and a bad row, at 16 fractional bits, for classes of equal weight.

    Over the given rows they sum to the number of rows.

    Parameters
    ----------
    labels
        0 or 1, float64 (n_rows,), at least one of each.
    """
    n_rows, n_bad = len(labels), int(np.count_nonzero(labels))
    one = 1 << CLASS_WEIGHT_FRACTION_BITS
    return round(one * n_rows / (2 * (n_rows - n_bad))), round(one * n_rows / (2 * n_bad))


def base_rate_start(
    labels: NDArray[np.float64], loss: Loss, class_weights_q16: tuple[int, int] | None = None
) -> BaseRateStart:
    """Give the intercept that predicts the mean label of the lender's rows and nothing else.

    Parameters
    ----------
    labels
        float64 (n_rows,), at least one row.
    """
    good, bad = class_weights_q16 or (1, 1)
    weights = np.where(labels > 0, bad, good) if loss == "taylor-logistic" else np.ones(len(labels))
    rate = math.fsum(labels * weights) / math.fsum(weights)
    intercept = 4 * (rate - 0.5) if loss == "taylor-logistic" else rate
    bounded = min(max(intercept, -float(WEIGHT_BOUND)), float(WEIGHT_BOUND))
    return BaseRateStart(round(bounded * 2**WEIGHT_FRACTION_BITS))
