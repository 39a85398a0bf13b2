"""The model spec: everything a data owner needs to compute an update, and nothing learned from one.

A spec is a canonical JSON document in the content store, named on chain by the SHA-256 of its bytes. A
:class:`Preset` is what a lender chooses before its own rows give the constants; :mod:`spec_fitting` makes one
the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.document import (
    DocumentError,
    Fields,
    Json,
    as_text,
    canonical_bytes,
    decimal_text,
    parse_canonical,
)
from chain_common.domain.feature_plans import FeaturePlan
from chain_common.domain.features import Columns, Feature, encode, feature_from_document
from chain_common.domain.leakage import refuse_leaking
from chain_common.domain.spec_parts import (
    LOSSES,
    METRICS,
    SERVICES,
    SHARINGS,
    BaseRateStart,
    Loss,
    Metric,
    NumberFormat,
    PrivacyFloor,
    PublicKeys,
    Service,
    Sharing,
    Start,
    TrainingRule,
    rule_from_document,
    rule_to_document,
    start_from_document,
    start_to_document,
)
from chain_common.domain.targets import ClassTarget, ScaleTarget, Target, target_from_document
from chain_common.errors import PayloadRejected

SPEC_VERSION: Final = 1
"""Version of the document; a spec of another version is refused."""

MAX_SPEC_BYTES: Final = 256 * 1024
"""A longer document is not read."""

MAX_WEIGHTS: Final = 511
"""Weights of a model, the intercept included."""

DEFAULT_LOSS_SHIFT: Final = 48
"""Bits the quadratic form is shifted right to make the contract's uint64 loss.

``16 · 2**76 = 2**80`` is one row's Brier loss of 1, so the unit is ``2**-32``.
"""

CLASS_WEIGHT_FRACTION_BITS: Final = 16
"""Fractional bits of a class weight (protocol §8)."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model is, as all parties read it.

    Parameters
    ----------
    name
        For people, 1 to 100 characters.
    target
        Column of the outcome and its values.
    features
        In the order of the weights; the intercept comes after them.
    loss, metric
        The training loss and the settled one: ``taylor-logistic`` with ``brier`` or ``balanced-brier`` on
        classes, ``squared`` with ``squared-error`` on a scale.
    class_weights_q16
        Weight of a good and of a bad row at 16 fractional bits, in training and in the metric; for
        ``balanced-brier`` only, else None.
    overlap_limit
        Share of a contribution's rows, 0 to 1, that accepted contributions may hold already.
    loss_shift
        Bits the quadratic form is shifted right to make the contract's loss.
    tag_salt
        Public key of the row tags, 32 bytes, different for every model.
    demonstration
        The floors on rows and sets are lifted; every page says so.
    """

    name: str
    service: Service
    target: Target
    features: tuple[Feature, ...]
    loss: Loss
    metric: Metric
    start: Start
    rule: TrainingRule
    privacy: PrivacyFloor
    sharing: Sharing
    keys: PublicKeys
    tag_salt: bytes
    numbers: NumberFormat = field(default_factory=NumberFormat)
    class_weights_q16: tuple[int, int] | None = None
    overlap_limit: float = 0.10
    loss_shift: int = DEFAULT_LOSS_SHIFT
    demonstration: bool = False

    def __post_init__(self) -> None:
        as_text(self.name, "name", max_chars=100)
        _check_consistent(self.target, self.loss, self.metric)
        if (self.metric == "balanced-brier") != (self.class_weights_q16 is not None):
            raise DocumentError("class_weights_q16", "are given with balanced-brier and with nothing else")
        if not (self.n_inputs >= 1 and self.n_weights <= MAX_WEIGHTS):
            raise DocumentError("features", f"1 to {MAX_WEIGHTS - 1} inputs are expected, got {self.n_inputs}")
        if len(set(self.input_names)) != self.n_inputs:
            raise DocumentError("features", "two inputs have the same name")
        if any(self.target.column in feature.columns for feature in self.features):
            raise DocumentError("features", f"the outcome's column {self.target.column} is no feature")
        if not 0 <= self.overlap_limit <= 1:
            raise DocumentError("overlap_limit", "does not lie within 0 to 1")
        if not 0 <= self.loss_shift <= 128:
            raise DocumentError("loss_shift", "does not lie within 0 to 128")
        if len(self.tag_salt) != 32:
            raise DocumentError("tag_salt", f"32 bytes are expected, got {len(self.tag_salt)}")

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs in the order of the weights, without the intercept."""
        return tuple(name for feature in self.features for name in feature.input_names)

    @property
    def n_inputs(self) -> int:
        """Number of inputs without the intercept."""
        return len(self.input_names)

    @property
    def n_weights(self) -> int:
        """``D``: number of weights with the intercept."""
        return self.n_inputs + 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns a data owner needs: the features' and the outcome's, each once."""
        return _columns_of(self.features, self.target)

    @property
    def class_weights(self) -> tuple[float, float] | None:
        """Weight of a good and of a bad row, or None where all rows weigh the same."""
        if self.class_weights_q16 is None:
            return None
        good, bad = self.class_weights_q16
        return good / 2**CLASS_WEIGHT_FRACTION_BITS, bad / 2**CLASS_WEIGHT_FRACTION_BITS

    def encode(self, columns: Columns) -> NDArray[np.float64]:
        """Encode rows: float64 (n_rows, n_weights), clipped to the spec's norm, the intercept last."""
        return encode(self.features, columns, norm_bound=self.privacy.norm_bound)

    def start_weights_q26(self) -> NDArray[np.int32] | None:
        """Give the public start, int32 (n_weights,) at 26 fractional bits, or None where it is encrypted."""
        if not isinstance(self.start, BaseRateStart):
            return None
        weights = np.zeros(self.n_weights, dtype=np.int32)
        weights[-1] = self.start.intercept_q26
        return weights

    def digest(self) -> bytes:
        """Give the SHA-256 of the document, 32 bytes."""
        return hashlib.sha256(self.to_bytes()).digest()

    def to_bytes(self) -> bytes:
        """Write the spec as canonical JSON."""
        features: list[Json] = [feature.to_document() for feature in self.features]
        return canonical_bytes(
            {
                "version": SPEC_VERSION,
                "name": self.name,
                "service": self.service,
                "target": self.target.to_document(),
                "features": features,
                "loss": self.loss,
                "metric": self.metric,
                "class_weights_q16": None if self.class_weights_q16 is None else list(self.class_weights_q16),
                "start": start_to_document(self.start),
                "rule": rule_to_document(self.rule),
                "numbers": self.numbers.to_document(),
                "privacy": self.privacy.to_document(),
                "sharing": self.sharing,
                "overlap_limit": decimal_text(self.overlap_limit),
                "loss_shift": self.loss_shift,
                "keys": self.keys.to_document(),
                "tag_salt": self.tag_salt.hex(),
                "demonstration": self.demonstration,
            }
        )

    @classmethod
    def from_bytes(cls, raw: bytes) -> ModelSpec:
        """Read a spec from the content store.

        Raises
        ------
        PayloadRejected
            If the document is too large, not canonical, of another version, or has a field that is missing,
            unknown, of a wrong type or out of range; the sentence names the field.
        """
        try:
            return _spec_from_fields(Fields(parse_canonical(raw, max_bytes=MAX_SPEC_BYTES)))
        except DocumentError as error:
            raise PayloadRejected(f"The model spec cannot be used: {error}.") from error


def _spec_from_fields(fields: Fields) -> ModelSpec:
    fields.integer("version", low=SPEC_VERSION, high=SPEC_VERSION)
    weights = fields.take("class_weights_q16")
    spec = ModelSpec(
        name=fields.text("name", max_chars=100),
        service=fields.choice("service", SERVICES),
        target=target_from_document(fields.members("target")),
        features=tuple(feature_from_document(*item) for item in fields.items("features", max_items=MAX_WEIGHTS)),
        loss=fields.choice("loss", LOSSES),
        metric=fields.choice("metric", METRICS),
        class_weights_q16=None if weights is None else _class_weights(weights),
        start=start_from_document(fields.members("start")),
        rule=rule_from_document(fields.members("rule")),
        numbers=NumberFormat.from_fields(fields.members("numbers")),
        privacy=PrivacyFloor.from_fields(fields.members("privacy")),
        sharing=fields.choice("sharing", SHARINGS),
        overlap_limit=fields.number("overlap_limit"),
        loss_shift=fields.integer("loss_shift", low=0, high=128),
        keys=PublicKeys.from_fields(fields.members("keys")),
        tag_salt=fields.hex_bytes("tag_salt", n_bytes=32),
        demonstration=fields.truth("demonstration"),
    )
    fields.done()
    return spec


def _class_weights(value: Json) -> tuple[int, int]:
    pair = Fields({"good": value[0], "bad": value[1]}) if isinstance(value, list) and len(value) == 2 else None
    if pair is None:
        raise DocumentError("class_weights_q16", "two integers or null are expected")
    return pair.integer("good", low=1, high=2**32), pair.integer("bad", low=1, high=2**32)


def _columns_of(features: tuple[Feature, ...] | tuple[FeaturePlan, ...], target: Target) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(name for feature in features for name in feature.columns), target.column]))


def _check_consistent(target: Target, loss: Loss, metric: Metric) -> None:
    if isinstance(target, ScaleTarget) != (metric == "squared-error"):
        raise DocumentError("metric", f"{metric} does not fit the target")
    if (loss == "squared") != (metric == "squared-error"):
        raise DocumentError("loss", f"{loss} does not fit the metric {metric}")


@dataclass(frozen=True, slots=True)
class Preset:
    """What a lender chooses, before its own rows give the constants.

    Parameters
    ----------
    name
        Short and stable, as in ``--preset``.
    title, description
        For people.
    known_later
        Columns known only after the loan was made, with the reason each; never a feature.
    """

    name: str
    title: str
    description: str
    service: Service
    target: Target
    plans: tuple[FeaturePlan, ...]
    loss: Loss
    metric: Metric
    norm_bound: float | None
    known_later: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_consistent(self.target, self.loss, self.metric)
        refuse_leaking((name for plan in self.plans for name in plan.columns), self.known_later)

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns this needs: the features' and the outcome's, each once."""
        return _columns_of(self.plans, self.target)


__all__ = ["ClassTarget", "ModelSpec", "Preset", "ScaleTarget", "Target"]
