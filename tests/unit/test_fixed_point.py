from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.domain.fixed_point import (
    DEFAULT_FORMAT,
    NumberFormat,
    OverflowRefused,
    check_weights,
    matrix_to_int64,
    products_to_float,
    products_to_int,
    weights_to_float,
    weights_to_int32,
)
from chain_common.errors import BadInput, RuleBroken


def test_the_default_format_is_the_protocols():
    widths = (DEFAULT_FORMAT.matrix_bits, DEFAULT_FORMAT.matrix_fraction_bits, DEFAULT_FORMAT.weight_bits)
    assert widths == (28, 24, 32)
    assert (DEFAULT_FORMAT.slot_bits, DEFAULT_FORMAT.guard_bits) == (88, 3)
    assert DEFAULT_FORMAT.product_fraction_bits == 50
    assert DEFAULT_FORMAT.largest_weight == 16.0
    assert DEFAULT_FORMAT.weight_bound == 2**30
    assert DEFAULT_FORMAT.matrix_bound == 2**27
    assert DEFAULT_FORMAT.slot_bound == 2**84


@pytest.mark.parametrize(
    "widths",
    [
        {"matrix_bits": 1},
        {"matrix_bits": 63},
        {"matrix_fraction_bits": 28},
        {"matrix_fraction_bits": -1},
        {"weight_bits": 33},
        {"weight_fraction_bits": 32, "weight_bits": 32},
        {"weight_fraction_bits": 20, "weight_bits": 20},
        {"slot_bits": 128},
        {"slot_bits": 60},
        {"guard_bits": 0},
        {"matrix_bits": 28.0},
        {"matrix_bits": True},
    ],
)
def test_a_format_that_cannot_work_is_refused(widths):
    with pytest.raises(BadInput):
        NumberFormat(**widths)


def test_weights_are_rounded_half_to_even():
    weights = np.array([0.0, 1.0, -0.5, 2.0**-27, 3 * 2.0**-27, -(2.0**-27), 16.0, -16.0])
    assert weights_to_int32(weights).tolist() == [0, 2**26, -(2**25), 0, 2, 0, 2**30, -(2**30)]
    assert weights_to_int32(weights).dtype == np.int32


@given(st.lists(st.floats(-16, 16), min_size=1, max_size=20))
def test_a_rounded_weight_is_off_by_half_a_unit_at_most(weights):
    back = weights_to_float(weights_to_int32(np.array(weights)))
    assert np.max(np.abs(back - weights)) <= 2.0**-27


@pytest.mark.parametrize("weight", [16 + 2.0**-26, -16 - 2.0**-26, 17.0, 1e308])
def test_a_weight_above_sixteen_breaks_a_rule(weight):
    with pytest.raises(OverflowRefused, match="weights up to 16") as refused:
        weights_to_int32(np.array([0.0, weight]))
    assert isinstance(refused.value, RuleBroken)


@pytest.mark.parametrize("weights", [[np.nan], [np.inf], [], [[1.0]]])
def test_weights_that_are_no_vector_of_numbers_are_refused(weights):
    with pytest.raises(BadInput):
        weights_to_int32(np.array(weights))


def test_scoring_weights_have_one_type_and_range():
    check_weights(np.array([2**30, -(2**30)], dtype=np.int32))
    with pytest.raises(BadInput):
        check_weights(np.array([1], dtype=np.int64))
    with pytest.raises(OverflowRefused):
        check_weights(np.array([-(2**31)], dtype=np.int32))


def test_matrix_entries_by_hand():
    assert matrix_to_int64(np.array([[1.0, -0.5], [2.0**-25, 3 * 2.0**-25]])).tolist() == [
        [2**24, -(2**23)],
        [0, 2],
    ]


@pytest.mark.parametrize("entry", [8.0, -8.0, 8 - 2.0**-26, 1e308])
def test_a_matrix_entry_of_eight_or_what_rounds_to_it_is_refused(entry):
    with pytest.raises(OverflowRefused, match="below 8"):
        matrix_to_int64(np.array([[entry]]))
    assert matrix_to_int64(np.array([[8 - 2.0**-24]])).tolist() == [[2**27 - 1]]


def test_a_matrix_entry_that_is_no_number_is_refused():
    with pytest.raises(BadInput):
        matrix_to_int64(np.array([[np.nan]]))


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=10))
def test_offsets_are_the_nearest_integers_at_product_scale(values):
    for value, integer in zip(values, products_to_int(np.array(values)), strict=True):
        assert integer == round(Fraction(value) * 2**50)


@pytest.mark.parametrize("value", [2.0**34, -(2.0**34), 1e308])
def test_an_offset_that_does_not_fit_a_slot_is_refused(value):
    with pytest.raises(OverflowRefused):
        products_to_int(np.array([value]))


def test_an_offset_that_is_no_number_is_refused():
    with pytest.raises(BadInput):
        products_to_int(np.array([np.inf]))


@given(st.lists(st.integers(-(2**84), 2**84), max_size=10))
def test_products_become_the_nearest_floats(products):
    assert products_to_float(products).tolist() == [float(Fraction(product, 2**50)) for product in products]
