"""Money rules in whole wei."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.domain.rewards import held_paid, reward, seat_amounts, split_reward
from chain_common.errors import BadInput, RuleBroken

wei = st.integers(0, 2**120 - 1)
some_loss = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("bounty", "distance", "gain", "money"), [(10_000, 2_000, 37, 185), (123_456_789, 9, 4, 54_869_684)]
)
def test_the_first_round_is_paid_by_sonars_formula(bounty, distance, gain, money):
    target = 500
    assert reward(bounty, target + distance, target + distance - gain, target, 0) == money


@pytest.mark.parametrize(
    ("new", "money"),
    [(1000, 0), (1001, 0), (991, 0), (990, 50), (950, 250), (901, 495), (900, 500), (850, 500)],
    ids=["no gain", "worse", "under the minimum", "minimum", "half", "nearly", "target", "beyond"],
)
def test_a_round_by_hand(new, money):
    # 500 wei are left, from 1000 to 900, at least 10.
    assert reward(500, 1000, new, 900, 10) == money


def test_a_small_gain_that_reaches_the_target_is_paid():
    assert reward(500, 905, 899, 900, 10) == 500


def test_a_model_at_its_target_has_no_more_rounds():
    with pytest.raises(RuleBroken):
        reward(500, 900, 800, 900, 0)


@given(bounty=wei, target=some_loss, above=st.lists(st.integers(1, 2**64), min_size=1, max_size=8, unique=True))
def test_rounds_together_pay_what_one_round_would_have_within_a_wei_each(bounty, target, above):
    losses = [target + gap for gap in sorted(above, reverse=True)]
    initial = losses[0]
    left, best = bounty, initial
    for new in losses[1:]:
        money = reward(left, best, new, target, 0)
        assert 0 <= money <= left
        left, best = left - money, new
    at_once = bounty * (initial - best) // (initial - target)
    assert at_once - len(above) <= bounty - left <= at_once
    assert reward(left, best, target, target, 0) == left


def test_half_is_held_and_the_odd_wei_is_credited():
    assert split_reward(101, 500_000) == (51, 50)
    assert split_reward(101, 0) == (101, 0)
    assert split_reward(101, 1_000_000) == (0, 101)


@given(money=wei, ppm=st.integers(0, 1_000_000))
def test_splitting_loses_nothing(money, ppm):
    credited, held = split_reward(money, ppm)
    assert credited + held == money
    assert credited >= 0
    assert held >= 0


def test_seats_are_paid_by_cumulative_rounding():
    # 100 wei: marks at 100 * 21 / 64 = 32.8, 100 * 42 / 64 = 65.6, 100 * 64 / 64.
    assert seat_amounts(100, (21, 21, 22)) == (32, 33, 35)
    assert seat_amounts(7, (0, 64, 0)) == (0, 7, 0)
    assert seat_amounts(0, (0, 0)) == (0, 0)


@given(amount=wei, cuts=st.lists(st.integers(0, 64), max_size=15))
def test_seats_are_paid_the_whole_amount(amount, cuts):
    marks = [0, *sorted(cuts), 64]
    shares = [upper - lower for lower, upper in pairwise(marks)]
    amounts = seat_amounts(amount, shares)
    assert sum(amounts) == amount
    assert all(abs(part * 64 - amount * share) < 64 for part, share in zip(amounts, shares, strict=True))


@pytest.mark.parametrize(("amount", "shares"), [(5, (32, 31)), (5, (65, -1)), (5, (0, 0)), (5, ()), (5, (64, 64))])
def test_shares_that_are_not_a_whole_are_refused(amount, shares):
    with pytest.raises(BadInput):
        seat_amounts(amount, shares)


@pytest.mark.parametrize(
    ("closing_gain", "paid"),
    [(200, 1000), (100, 1000), (50, 500), (33, 330), (1, 10), (0, 0), (-5, 0)],
)
def test_the_held_half_is_paid_as_far_as_the_closing_set_confirms(closing_gain, paid):
    assert held_paid(1000, scoring_gain=100, scoring_rows=2000, closing_gain=closing_gain, closing_rows=2000) == paid


def test_gains_are_compared_per_row():
    # 100 over 2000 rows and 25 over 1000: one half, rounded down.
    assert held_paid(999, scoring_gain=100, scoring_rows=2000, closing_gain=25, closing_rows=1000) == 499


def test_a_round_without_a_gain_has_no_held_part():
    with pytest.raises(BadInput):
        held_paid(10, scoring_gain=0, scoring_rows=2000, closing_gain=5, closing_rows=2000)
