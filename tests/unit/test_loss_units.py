"""Losses on their grid, and as people read them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chain_common.domain.loss_units import (
    MAX_LOSS,
    loss_of_mean,
    loss_on_grid,
    mean_loss,
    metric_label,
    metric_of,
    target_on_grid,
)
from chain_common.domain.repository import Metric
from chain_common.errors import BadInput


@pytest.mark.parametrize(
    ("exact", "on_grid"),
    [
        (1000, 1000),
        (999, 1000),
        (991, 1000),
        (990, 990),
        (989, 990),
        (900, 900),
        (895, 900),
        (1001, 1010),
        (0, 0),
    ],
)
def test_a_loss_is_rounded_up_to_the_grid(exact, on_grid):
    # From 1000 to 900 in 10 steps: multiples of 10, above the first loss too.
    assert loss_on_grid(exact, 1000, 900, 10) == on_grid


def test_no_steps_means_exact():
    assert loss_on_grid(991, 1000, 900, 0) == 991


@given(
    target=st.integers(0, 2**40),
    step=st.integers(1, 2**30),
    steps=st.integers(1, 256),
    exact=st.integers(0, 2**63),
)
def test_the_grid_is_the_contracts(target, step, steps, exact):
    initial = target + step * steps
    reported = loss_on_grid(exact, initial, target, steps)
    assert reported % step == initial % step
    assert exact <= reported < exact + step


def test_a_loss_off_the_scale_stays_within_64_bits():
    reported = loss_on_grid(MAX_LOSS, 1003, 3, 100)
    assert MAX_LOSS - 10 < reported <= MAX_LOSS
    assert reported % 10 == 3


@pytest.mark.parametrize(("initial", "target", "steps"), [(1000, 900, 7), (1000, 1000, 4), (900, 1000, 10)])
def test_a_grid_that_does_not_divide_is_refused(initial, target, steps):
    with pytest.raises(BadInput, match="multiple"):
        loss_on_grid(5, initial, target, steps)


@given(initial=st.integers(1, 2**63), target=st.integers(0, 2**63), steps=st.integers(0, 300))
def test_a_target_is_put_on_the_grid_and_never_made_harder(initial, target, steps):
    assume(initial - target >= max(1, steps))
    found = target_on_grid(initial, target, steps)
    assert target <= found < max(target + steps, target + 1)
    assert loss_on_grid(found, initial, found, steps) == found


def test_a_target_above_the_start_is_refused():
    with pytest.raises(BadInput) as refused:
        target_on_grid(1000, 999, 10)
    assert refused.value.field == "target"


@pytest.mark.parametrize(
    ("metric", "bits"), [(Metric.BRIER, 80), (Metric.BALANCED_BRIER, 96), (Metric.SQUARED_ERROR, 76)]
)
def test_a_mean_is_read_back_from_a_loss(metric, bits):
    # 2000 rows with a mean of 1/8: a real sum of 250.
    loss_sum = 250 << (bits - 48)
    assert mean_loss(loss_sum, metric, 2000, 48) == 0.125
    assert loss_of_mean(0.125, metric, 2000, 48) == loss_sum


def test_metrics_are_named_as_in_the_spec():
    assert [metric_label(metric) for metric in Metric] == ["brier", "balanced-brier", "squared-error"]
    assert metric_of("balanced-brier") is Metric.BALANCED_BRIER
    with pytest.raises(BadInput, match="accuracy"):
        metric_of("accuracy")
