"""Too few rows hide nobody and pay nobody."""

import pytest

from chain_common.domain.row_floor import (
    SetTooSmall,
    TooFewRows,
    check_row_floor,
    check_set_floor,
    reward_noise,
    row_floor,
)


@pytest.mark.parametrize(
    ("n_weights", "spec_floor", "floor"),
    [(3, 0, 50), (10, 0, 50), (11, 0, 55), (45, 0, 225), (45, 450, 450), (10, 20, 50)],
)
def test_the_floor_is_fifty_or_five_rows_a_weight_or_the_specs(n_weights, spec_floor, floor):
    assert row_floor(n_weights, spec_floor) == floor
    check_row_floor(floor, n_weights, spec_floor)
    with pytest.raises(TooFewRows) as refused:
        check_row_floor(floor - 1, n_weights, spec_floor)
    assert (refused.value.n_rows, refused.value.floor) == (floor - 1, floor)
    assert str(floor) in str(refused.value)


def test_a_demonstration_takes_one_row_and_not_none():
    check_row_floor(1, 11, 110, demonstration=True)
    with pytest.raises(TooFewRows):
        check_row_floor(0, 11, 110, demonstration=True)


def test_a_set_below_five_hundred_rows_pays_nobody():
    check_set_floor(500)
    check_set_floor(5, demonstration=True)
    with pytest.raises(SetTooSmall, match="499"):
        check_set_floor(499)


def test_reward_noise_is_a_quarter_at_a_thousand_rows():
    assert reward_noise(1000) == pytest.approx(0.25, abs=0.005)
    assert reward_noise(2000) == pytest.approx(0.18, abs=0.005)
