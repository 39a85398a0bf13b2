"""A model spec has one spelling, reads back as it was, and is refused by field when anything is wrong with it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_common.domain.feature_parsing import Source
from chain_common.domain.feature_plans import NumberPlan
from chain_common.domain.features import BinsFeature, CategoryFeature, NumberFeature
from chain_common.domain.leakage import LeakingColumn, warn_of_leakage
from chain_common.domain.model_spec import ModelSpec, Preset
from chain_common.domain.spec_fitting import balancing_weights_q16, base_rate_start, fit_spec
from chain_common.domain.spec_parts import (
    BaseRateStart,
    DampedStep,
    EncryptedStart,
    GradientStep,
    PrivacyFloor,
    PublicKeys,
)
from chain_common.domain.targets import ClassTarget, ScaleTarget
from chain_common.errors import BadInput, PayloadRejected

KEYS = PublicKeys(paillier_n=(1 << 3071) + 1, sealing=bytes(range(32)))
TARGET = ClassTarget("loan_status", good=("Fully Paid",), bad=("Charged Off", "Default"), unfinished=("Current",))
DTI = NumberFeature(Source("dti"), log1p=False, flag=True, median=13.0, low=0.5, high=28.25, mean=13.1, std=6.7)


def spec(**changes) -> ModelSpec:
    fields = {
        "name": "Consumer loans",
        "service": "credit",
        "target": TARGET,
        "features": (
            DTI,
            CategoryFeature("home", ("RENT", "OWN")),
            BinsFeature(Source("int_rate", "percent"), (8.0, 15.5)),
        ),
        "loss": "taylor-logistic",
        "metric": "brier",
        "start": BaseRateStart(-(1 << 26)),
        "rule": DampedStep(),
        "privacy": PrivacyFloor(row_floor=100, norm_bound=3.0),
        "sharing": "shapley",
        "keys": KEYS,
        "tag_salt": b"s" * 32,
    }
    return ModelSpec(**{**fields, **changes})


def changed(path: str, value: object) -> bytes:
    """The canonical bytes of a good spec with one field set (or, for ``...``, removed)."""
    document = json.loads(spec().to_bytes())
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = document
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_spec_reads_back_as_it_was_and_is_named_by_the_hash_of_its_bytes():
    original = spec()

    raw = original.to_bytes()

    assert ModelSpec.from_bytes(raw) == original
    assert original.digest() == hashlib.sha256(raw).digest()


def test_the_document_holds_no_json_floats_and_one_spelling():
    raw = spec().to_bytes()

    document = json.loads(raw, parse_float=lambda text: pytest.fail(f"a JSON float: {text}"))
    assert json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == raw
    assert document["features"][0]["high"] == "28.25"


def test_inputs_are_named_in_the_order_of_the_weights():
    one = spec()

    assert one.input_names == (
        "dti",
        "dti missing",
        "home = RENT",
        "home = OWN",
        "home = (other)",
        "int_rate < 8",
        "8 ≤ int_rate < 15.5",
        "int_rate ≥ 15.5",
        "int_rate missing",
    )
    assert (one.n_inputs, one.n_weights) == (9, 10)
    assert one.columns == ("dti", "home", "int_rate", "loan_status")


constants = st.floats(min_value=-1e9, max_value=1e9)
names = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30)


@st.composite
def specs(draw: st.DrawFn) -> ModelSpec:
    column_names = draw(st.lists(names, min_size=4, max_size=4, unique=True))
    low, median, high = sorted(draw(st.lists(constants, min_size=3, max_size=3)))
    edges = draw(st.lists(constants, min_size=1, max_size=5, unique_by=lambda edge: f"{edge:g}"))
    levels = draw(st.lists(names, min_size=1, max_size=5, unique_by=lambda name: name.casefold()))
    regression = draw(st.booleans())
    return spec(
        name=draw(names),
        service=draw(st.sampled_from(["credit", "insurance", "other"])),
        target=ScaleTarget(column_names[0], draw(constants), draw(st.floats(0.001, 1e6)))
        if regression
        else ClassTarget(column_names[0], good=("0",), bad=("1",), excluded=("policy",)),
        features=(
            NumberFeature(
                Source(column_names[1], draw(st.sampled_from(["plain", "percent", "months", "employment"]))),
                log1p=low >= 0 and draw(st.booleans()),
                flag=draw(st.booleans()),
                median=median,
                low=low,
                high=high,
                mean=draw(constants),
                std=draw(st.floats(1e-6, 1e9)),
            ),
            CategoryFeature(column_names[2], tuple(levels)),
            BinsFeature(Source(column_names[3]), tuple(sorted(edges))),
        ),
        loss="squared" if regression else "taylor-logistic",
        metric="squared-error" if regression else "brier",
        start=draw(st.one_of(st.builds(BaseRateStart, st.integers(-(2**30), 2**30)), st.just(EncryptedStart()))),
        rule=draw(st.one_of(st.just(DampedStep()), st.builds(GradientStep, st.floats(1e-6, 100)))),
        privacy=PrivacyFloor(draw(st.integers(1, 10**6)), draw(st.none() | st.floats(0.5, 10))),
        sharing=draw(st.sampled_from(["shapley", "sequential"])),
        overlap_limit=draw(st.floats(0, 1)),
        loss_shift=draw(st.integers(0, 128)),
        demonstration=draw(st.booleans()),
        tag_salt=draw(st.binary(min_size=32, max_size=32)),
    )


@settings(max_examples=60)
@given(specs())
def test_every_spec_reads_back_as_it_was(original):
    raw = original.to_bytes()

    again = ModelSpec.from_bytes(raw)

    assert again == original
    assert again.to_bytes() == raw


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("name", ..., "name: missing"),
        ("name", 7, "name"),
        ("name", "", "name"),
        ("name", "x" * 101, "name"),
        ("name", "line\nbreak", "name"),
        ("colour", "red", "colour: unknown field"),
        ("target.colour", "red", "target.colour: unknown field"),
        ("features.0.colour", "red", "features[0].colour: unknown field"),
        ("version", 2, "version"),
        ("version", True, "version"),
        ("service", "bank", "service"),
        ("target.kind", "guess", "target.kind"),
        ("target.bad", [], "target.bad"),
        ("target.bad", ["fully paid"], "target"),
        ("target.bad", "Default", "target.bad"),
        ("target.bad", ["v"] * 65, "target.bad"),
        ("features", [], "features"),
        ("features", {}, "features"),
        ("features.0", "dti", "features[0]"),
        ("features.0.kind", "magic", "features[0].kind"),
        ("features.0.std", "0.0", "features[0].std"),
        ("features.0.std", 6.7, "JSON float"),
        ("features.0.mean", "13.10", "features[0].mean"),
        ("features.0.mean", "nan", "features[0].mean"),
        ("features.0.mean", "inf", "features[0].mean"),
        ("features.0.mean", "-0.0", "features[0].mean"),
        ("features.0.mean", None, "features[0].mean"),
        ("features.0.flag", 1, "features[0].flag"),
        ("features.0.form", "roman", "features[0].form"),
        ("features.0.since", "issue_d", "features[0].since"),
        ("features.0.column", "loan_status", "features"),
        ("features.0.column", "int_rate", "features"),
        ("features.1.levels", ["RENT", "rent"], "features[1].levels"),
        ("features.2.edges", ["8.0", "8.0"], "features[2].edges"),
        ("loss", "squared", "loss"),
        ("metric", "squared-error", "metric"),
        ("metric", "balanced-brier", "class_weights_q16"),
        ("class_weights_q16", [1, 2], "class_weights_q16"),
        ("class_weights_q16", [1], "class_weights_q16"),
        ("start.intercept_q26", (16 << 26) + 1, "start.intercept_q26"),
        ("start.kind", "zero", "start.kind"),
        ("rule.damping", "-1.0", "rule"),
        ("rule.damping_floor", "0.0", "rule"),
        ("numbers.slot_bits", 40, "numbers.slot_bits"),
        ("numbers.weight_fraction_bits", 25, "numbers"),
        ("numbers.matrix_bits", 24, "numbers.matrix_bits"),
        ("privacy.row_floor", 0, "privacy.row_floor"),
        ("privacy.norm_bound", "-3.0", "privacy.norm_bound"),
        ("privacy.noise", "lots", "privacy.noise"),
        ("privacy.epsilon", "2.0", "privacy.epsilon"),
        ("sharing", "equal", "sharing"),
        ("overlap_limit", "1.5", "overlap_limit"),
        ("loss_shift", 129, "loss_shift"),
        ("keys.paillier_n", "FF", "keys.paillier_n"),
        ("keys.paillier_n", "0f", "keys.paillier_n"),
        ("keys.paillier_n", "10", "keys.paillier_n"),
        ("keys.paillier_n", "1" + "0" * 2047 + "1", "keys.paillier_n"),
        ("keys.sealing", "00" * 31, "keys.sealing"),
        ("keys.key_proof", 3, "keys.key_proof"),
        ("tag_salt", "zz" * 32, "tag_salt"),
        ("demonstration", 0, "demonstration"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(path, value, named):
    with pytest.raises(PayloadRejected, match=r"model spec cannot be used") as rejected:
        ModelSpec.from_bytes(changed(path, value))

    assert named in str(rejected.value)


GOOD = spec().to_bytes()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        GOOD[:-1],
        GOOD + b" ",
        GOOD.replace(b",", b", ", 1),
        b'{"version":1,' + GOOD[1:],
        json.dumps(json.loads(GOOD), separators=(",", ":")).encode().replace(b'{"class', b'{ "class', 1),
        json.dumps(dict(reversed(json.loads(GOOD).items())), separators=(",", ":")).encode(),
        GOOD.replace(b'"loss_shift":48', b'"loss_shift":NaN'),
        GOOD.replace(b'"loss_shift":48', b'"loss_shift":' + b"9" * 5000),
        GOOD.replace(b'"loss_shift":48', b'"loss_shift":4.8e1'),
        GOOD.replace(b"Consumer loans", b"Consumer \\ud800"),
        GOOD.replace(b"Consumer", b"\\u0043onsumer"),
        b"[" * 200_000,
        b'{"a":"' + b"x" * 262_144 + b'"}',
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_bytes_that_are_no_canonical_document_are_refused(raw):
    with pytest.raises(PayloadRejected):
        ModelSpec.from_bytes(raw)


@settings(max_examples=150)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_damaged_bytes_are_refused_or_read_as_another_spec_and_never_fail_otherwise(place, garbage):
    raw = GOOD[:place] + garbage + GOOD[place + 1 :]

    try:
        again = ModelSpec.from_bytes(raw)
    except PayloadRejected:
        return
    assert again.to_bytes() == raw


def preset(**changes) -> Preset:
    fields = {
        "name": "tiny",
        "title": "Tiny",
        "description": "One number.",
        "service": "credit",
        "target": TARGET,
        "plans": (NumberPlan(Source("dti"), flag=True),),
        "loss": "taylor-logistic",
        "metric": "brier",
        "norm_bound": 3.0,
        "known_later": {"recoveries": "money is recovered only after the loan was charged off"},
    }
    return Preset(**{**fields, **changes})


def fitted(labels: list[float], **changes) -> ModelSpec:
    columns = {"dti": [str(i) for i in range(len(labels))]}
    return fit_spec(preset(), columns, np.array(labels), name="M", keys=KEYS, tag_salt=bytes(32), **changes)


def test_the_start_predicts_the_lenders_base_rate():
    one = fitted([1.0] * 3 + [0.0] * 17)

    # 3 of 20 are bad: 1/2 + w/4 = 0.15, w = -1.4.
    assert one.start == BaseRateStart(round(-1.4 * 2**26))
    assert one.start_weights_q26().tolist() == [0, 0, round(-1.4 * 2**26)]


def test_a_balanced_metric_starts_in_the_middle_and_weighs_the_classes_alike():
    one = fitted([1.0] * 5 + [0.0] * 15, metric="balanced-brier")

    good, bad = one.class_weights_q16
    assert 15 * good == pytest.approx(5 * bad, rel=1e-4)
    assert 15 * good + 5 * bad == pytest.approx(20 << 16, rel=1e-4)
    assert abs(one.start.intercept_q26) < 1000
    assert one.class_weights == (good / 65536, bad / 65536)


def test_balancing_weights_by_hand():
    assert balancing_weights_q16(np.array([1.0, 0.0, 0.0, 0.0])) == (round(65536 * 4 / 6), 65536 * 2)


def test_a_regression_starts_at_the_mean_label():
    assert base_rate_start(np.array([0.5, 1.5, 4.0]), "squared") == BaseRateStart(2 << 26)


def test_the_row_floor_is_ten_rows_a_weight_and_twenty_where_pay_is_sequential():
    labels = [0.0, 1.0] * 10

    assert fitted(labels).privacy == PrivacyFloor(row_floor=30, norm_bound=3.0)
    assert fitted(labels, sharing="sequential").privacy.row_floor == 60


def test_a_fitted_spec_reads_back():
    one = fitted([0.0, 1.0] * 10, start=EncryptedStart(), rule=GradientStep(0.5), demonstration=True)

    assert ModelSpec.from_bytes(one.to_bytes()) == one


def test_choices_that_do_not_fit_are_the_lenders_mistake():
    with pytest.raises(BadInput, match="squared-error does not fit"):
        fitted([0.0, 1.0] * 10, metric="squared-error")


def test_a_column_known_only_later_is_refused_with_the_reason():
    with pytest.raises(LeakingColumn) as refused:
        preset(plans=(NumberPlan(Source("Recoveries")),))

    assert refused.value.column == "Recoveries"
    assert "charged off" in str(refused.value)


def test_a_baseline_too_good_to_be_true_is_reported():
    assert warn_of_leakage(0.70) is None
    warning = warn_of_leakage(0.855)
    assert (warning.auc, warning.limit) == (0.855, 0.78)
    assert "0.855" in warning.sentence


def test_a_spec_cannot_be_changed_into_a_wrong_one():
    with pytest.raises(ValueError, match="overlap_limit"):
        dataclasses.replace(spec(), overlap_limit=math.nan)
