"""Text cells become the numbers a person would read, and rows become the inputs the spec promises."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.domain.document import DocumentError
from chain_common.domain.feature_parsing import FORMS, Source, parse_cells
from chain_common.domain.feature_plans import BinsPlan, CategoryPlan, NoValues, NumberPlan, fit_features
from chain_common.domain.features import BinsFeature, CategoryFeature, NumberFeature, encode, to_int16


@pytest.mark.parametrize(
    ("form", "cell", "value"),
    [
        ("plain", " 24000 ", 24000),
        ("plain", "1,234,567.5", 1234567.5),
        ("plain", "$12,000", 12000),
        ("plain", "-3.5e2", -350),
        ("plain", ".5", 0.5),
        ("percent", " 10.65%", 10.65),
        ("percent", "  8.67%", 8.67),
        ("percent", "13.99", 13.99),
        ("percent", "83.7 %", 83.7),
        ("months", " 36 months", 36),
        ("months", "60", 60),
        ("employment", "10+ years", 10),
        ("employment", "< 1 year", 0),
        ("employment", "1 year", 1),
        ("employment", "7", 7),
        ("date", "Dec-2011", 12 * 2011 + 11),
        ("date", "Jan-85", 12 * 1985),
        ("date", "Mar-07", 12 * 2007 + 2),
        ("date", "11-Dec", 12 * 2011 + 11),
        ("date", "2011-12-31", 12 * 2011 + 11),
        ("date", "12/2011", 12 * 2011 + 11),
        ("date", "12/31/2011", 12 * 2011 + 11),
        ("date", "31/12/2011", 12 * 2011 + 11),
        ("date", "05.12.2011", 12 * 2011 + 11),
        ("date", "2011", 12 * 2011),
    ],
)
def test_cells_read_as_a_person_reads_them(form, cell, value):
    parsed = parse_cells(form, [cell])

    assert parsed.values.tolist() == [value]
    assert (parsed.n_missing, parsed.n_unreadable) == (0, 0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cell", ["", "  ", "n/a", "N/A", "NaN", "null", "-", "?"])
def test_the_ways_to_write_no_value_are_missing_in_every_form(form, cell):
    parsed = parse_cells(form, [cell, cell])

    assert np.isnan(parsed.values).all()
    assert (parsed.n_missing, parsed.n_unreadable) == (2, 0)


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("plain", "12,34"),
        ("plain", "1_000"),
        ("plain", "inf"),
        ("plain", "1e300"),
        ("plain", "10.65%"),
        ("plain", "٣"),
        ("plain", "9" * 100),
        ("percent", "%"),
        ("months", "three months"),
        ("employment", "long"),
        ("date", "Foo-2011"),
        ("date", "13/2011"),
        ("date", "Dec-0011"),
    ],
)
def test_what_is_no_value_of_the_form_counts_as_unreadable_and_missing(form, cell):
    parsed = parse_cells(form, ["", cell])

    assert np.isnan(parsed.values).all()
    assert (parsed.n_missing, parsed.n_unreadable) == (1, 1)
    assert parsed.unreadable_example == cell[:40]


@given(st.sampled_from(FORMS), st.lists(st.text(max_size=80), max_size=20))
def test_no_text_makes_parsing_fail_or_give_anything_but_finite_or_missing(form, cells):
    parsed = parse_cells(form, cells)

    n_missing = int(np.isnan(parsed.values).sum())
    assert not np.isinf(parsed.values).any()
    assert parsed.n_missing + parsed.n_unreadable == n_missing


@given(st.floats(min_value=-1e12, max_value=1e12))
def test_a_number_written_with_thousands_commas_reads_back(value):
    text = f"{value:,.3f}"

    assert parse_cells("plain", [text]).values[0] == float(text.replace(",", ""))


def number(**changes) -> NumberFeature:
    fields = {
        "log1p": False,
        "flag": False,
        "median": 10.0,
        "low": 0.0,
        "high": 20.0,
        "mean": 10.0,
        "std": 5.0,
    }
    return NumberFeature(source=Source("v"), **{**fields, **changes})


def test_a_number_is_filled_clipped_and_standardised():
    x = number(flag=True).inputs({"v": ["15", "", "-7", "1000"]})

    assert x.tolist() == [[1.0, 0.0], [0.0, 1.0], [-2.0, 0.0], [2.0, 0.0]]


def test_a_standardised_number_is_cut_at_five():
    x = number(low=-1000.0, high=1000.0, std=1.0).inputs({"v": ["999", "-999", "13"]})

    assert x.ravel().tolist() == [5.0, -5.0, 3.0]


def test_log1p_comes_after_clipping_and_before_standardising():
    x = number(log1p=True, mean=1.0, std=2.0).inputs({"v": ["-5", "7", "10000"]})

    assert x.ravel() == pytest.approx([-0.5, (math.log(8) - 1) / 2, (math.log(21) - 1) / 2])


def test_an_age_is_the_months_between_two_dates():
    source = Source("earliest_cr_line", "date", since="issue_d")
    parsed = source.read(
        {
            "earliest_cr_line": ["Jan-1985", "Nov-2011", "", "what"],
            "issue_d": ["Dec-2011", "Dec-2011", "Dec-2011", "Dec-2011"],
        }
    )

    assert parsed.values[:2].tolist() == [12 * 26 + 11, 1]
    assert np.isnan(parsed.values[2:]).all()
    assert (parsed.n_missing, parsed.n_unreadable, parsed.unreadable_example) == (1, 1, "what")


def test_a_category_has_one_input_per_level_and_one_for_all_other_words():
    feature = CategoryFeature("home", ("RENT", "OWN"))

    x = feature.inputs({"home": ["rent", " Own ", "CASTLE", "", "n/a"]})

    assert feature.input_names == ("home = RENT", "home = OWN", "home = (other)")
    assert x.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]


def test_a_bin_holds_its_lower_edge_and_missing_has_its_own():
    feature = BinsFeature(Source("v"), (10.0, 20.0))

    x = feature.inputs({"v": ["9.9", "10", "19", "20", "n/a"]})

    assert x.argmax(axis=1).tolist() == [0, 1, 1, 2, 3]
    assert (x.sum(axis=1) == 1).all()
    assert feature.input_names == ("v < 10", "10 ≤ v < 20", "v ≥ 20", "v missing")


def test_the_intercept_is_the_last_column_and_stays_one_when_a_row_is_clipped():
    features = (number(), NumberFeature(Source("u"), False, False, 0.0, -50.0, 50.0, 0.0, 1.0))

    x = encode(features, {"v": ["25", "10"], "u": ["4", "0.5"]}, norm_bound=3.0)

    # The first row is (2, 4) before clipping, of norm sqrt(20).
    assert x[0] == pytest.approx([2 * 3 / math.sqrt(20), 4 * 3 / math.sqrt(20), 1])
    assert x[1].tolist() == [0, 0.5, 1]


@given(
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=20),
    st.floats(min_value=0.5, max_value=10),
)
def test_whatever_a_file_holds_rows_keep_the_number_format_and_the_norm(rows, norm_bound):
    features = (number(flag=True), CategoryFeature("home", ("RENT",)), BinsFeature(Source("v"), (1.0,)))
    columns = {"v": [v for v, _ in rows], "home": [home for _, home in rows]}

    x = encode(features, columns, norm_bound=norm_bound)

    assert x.shape == (len(rows), 2 + 2 + 3 + 1)
    assert np.linalg.norm(x[:, :-1], axis=1).max() <= norm_bound * (1 + 1e-12)
    assert (np.abs(to_int16(x) / 4096 - x) <= 2**-13).all()


def test_scoring_rows_are_rounded_to_twelve_bits_and_never_wrap():
    assert to_int16(np.array([[1.0, -0.5, 7.9998, 2**-13 + 1e-9]])).tolist() == [[4096, -2048, 32767, 1]]
    for entry in (8.0, -8.0, math.nan):
        with pytest.raises(ValueError, match="within ±8"):
            to_int16(np.array([[entry]]))


def test_constants_are_the_lenders_quantiles_median_mean_and_deviation():
    rng = np.random.default_rng(5)
    values = np.round(rng.lognormal(10, 1, 3000), 2)
    cells = [str(value) for value in values] + [""] * 100

    (feature,) = fit_features((NumberPlan(Source("v"), log1p=True),), {"v": cells})

    series = pd.Series(values)
    low, high = series.quantile([0.01, 0.99])
    filled = pd.concat([series, pd.Series([series.median()] * 100)]).clip(low, high)
    transformed = np.log1p(filled)
    fitted = [feature.median, feature.low, feature.high, feature.mean, feature.std]
    assert fitted == pytest.approx([series.median(), low, high, transformed.mean(), transformed.std(ddof=0)], rel=1e-5)
    x = feature.inputs({"v": cells})
    assert x.mean() == pytest.approx(0, abs=1e-4)
    assert x.std() == pytest.approx(1, abs=1e-4)


def test_a_count_that_is_nearly_always_zero_keeps_its_rare_values():
    cells = ["0"] * 995 + ["3"] * 5

    (feature,) = fit_features((NumberPlan(Source("v")),), {"v": cells})

    assert (feature.low, feature.high) == (0, 3)
    assert feature.inputs({"v": ["3"]})[0, 0] == 5.0


def test_a_constant_column_carries_nothing():
    (feature,) = fit_features((NumberPlan(Source("v")),), {"v": ["7"] * 50})

    assert feature.inputs({"v": ["7", "100", ""]}).ravel().tolist() == [0, 0, 0]


def test_a_column_without_any_value_is_refused_by_name():
    with pytest.raises(NoValues) as refused:
        fit_features((NumberPlan(Source("dti")),), {"dti": ["", "lots"]})

    assert refused.value.column == "dti"
    assert "lots" in str(refused.value)


def test_levels_are_the_frequent_ones_in_order_and_other_is_never_listed():
    cells = ["b"] * 50 + ["A"] * 30 + ["a"] * 20 + ["other"] * 90 + ["rare"] + [""] * 5

    (feature,) = fit_features((CategoryPlan("c"),), {"c": cells})

    assert feature.levels == ("A", "b")


def test_edges_come_from_the_lenders_quantiles():
    (feature,) = fit_features((BinsPlan(Source("v"), n_bins=4),), {"v": [str(i) for i in range(101)]})

    assert feature.edges == (25.0, 50.0, 75.0)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Source("d", "date"),
        lambda: Source("d", "plain", since="e"),
        lambda: number(low=30.0),
        lambda: number(low=-1.0, log1p=True),
        lambda: number(std=0.0),
        lambda: number(median=math.nan),
        lambda: CategoryFeature("c", ()),
        lambda: CategoryFeature("c", ("A", "a ")),
        lambda: BinsFeature(Source("v"), (2.0, 1.0)),
        lambda: BinsFeature(Source("v"), ()),
    ],
)
def test_constants_that_make_no_sense_are_refused(build):
    with pytest.raises(DocumentError):
        build()
