"""The statistics of a data set are means over its rows, whatever the chunks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_common.domain.statistics import StatisticsAccumulator, accumulate
from chain_common.errors import BadInput


def some_rows(n_rows, n_weights, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, n_weights))
    x[:, -1] = 1.0
    return x, (rng.random(n_rows) < 0.2).astype(np.float64)


def test_taylor_statistics_are_the_formula_row_by_row():
    x, y = some_rows(40, 3)
    gram, moment = np.zeros((3, 3)), np.zeros(3)
    for row, label in zip(x, y, strict=True):
        for i in range(3):
            moment[i] += row[i] * (label - 0.5) / 40
            for j in range(3):
                gram[i, j] += row[i] * row[j] / 160
    found = accumulate(x, y, "taylor-logistic")
    np.testing.assert_allclose(found.gram, gram, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(found.moment, moment, rtol=1e-13, atol=1e-15)
    assert (found.n_rows, found.n_weights) == (40, 3)


def test_two_rows_by_hand():
    x = np.array([[2.0, 1.0], [-4.0, 1.0]])
    taylor = accumulate(x, np.array([1, 0]), "taylor-logistic")
    assert taylor.gram.tolist() == [[2.5, -0.25], [-0.25, 0.25]]
    assert taylor.moment.tolist() == [1.5, 0.0]
    squared = accumulate(x, np.array([3.0, 0.5]), "squared")
    assert squared.gram.tolist() == [[10.0, -1.0], [-1.0, 1.0]]
    assert squared.moment.tolist() == [2.0, 1.75]


def test_class_weights_weigh_good_and_bad_rows_and_leave_the_number_of_rows():
    x = np.array([[2.0, 1.0], [-4.0, 1.0]])
    found = accumulate(x, np.array([1, 0]), "taylor-logistic", class_weights=(0.5, 3.0))
    assert found.gram.tolist() == [[(3 * 4 + 0.5 * 16) / 8, (3 * 2 - 0.5 * 4) / 8], [0.5, 3.5 / 8]]
    assert found.moment.tolist() == [(3 * 2 * 0.5 + 0.5 * 4 * 0.5) / 2, (3 * 0.5 - 0.5 * 0.5) / 2]


def test_the_gradient_is_the_mean_of_the_rows_gradients():
    x, y = some_rows(500, 5)
    w = np.random.default_rng(2).normal(size=5)
    found = accumulate(x, y, "taylor-logistic")
    per_row = x * (0.5 + x @ w / 4 - y)[:, None]
    np.testing.assert_allclose(found.gram @ w - found.moment, per_row.mean(axis=0), rtol=1e-12, atol=1e-14)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=5))
def test_chunks_do_not_matter(cuts):
    x, y = some_rows(60, 4)
    streamed = StatisticsAccumulator(4, "taylor-logistic")
    marks = [0, *sorted(cuts), 60]
    for start, end in pairwise(marks):
        streamed.add(x[start:end], y[start:end])
    whole = accumulate(x, y, "taylor-logistic")
    assert streamed.n_rows == 60
    np.testing.assert_allclose(streamed.result().gram, whole.gram, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(streamed.result().moment, whole.moment, rtol=1e-13, atol=1e-15)


def test_more_rows_than_one_chunk_are_all_counted():
    x, y = some_rows(20_000, 3)
    found = accumulate(x.astype(np.float32), y, "squared")
    wide = x.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(found.gram, wide.T @ wide / 20_000, rtol=1e-12)
    np.testing.assert_allclose(found.moment, wide.T @ y / 20_000, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("class_weights", [None, (0.6, 3.1)])
def test_statistics_of_two_data_owners_pool_by_their_rows(class_weights):
    x, y = some_rows(300, 4)
    parts = [
        accumulate(x[:100], y[:100], "taylor-logistic", class_weights=class_weights),
        accumulate(x[100:], y[100:], "taylor-logistic", class_weights=class_weights),
    ]
    pooled = accumulate(x, y, "taylor-logistic", class_weights=class_weights)
    np.testing.assert_allclose((parts[0].gram + 2 * parts[1].gram) / 3, pooled.gram, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose((parts[0].moment + 2 * parts[1].moment) / 3, pooled.moment, rtol=1e-12, atol=1e-15)


def test_the_gram_is_exactly_symmetric_and_read_only():
    x, y = some_rows(97, 6)
    found = accumulate(x, y, "taylor-logistic", class_weights=(0.58, 3.5))
    assert (found.gram == found.gram.T).all()
    with pytest.raises(ValueError, match="read-only"):
        found.gram[0, 0] = 0.0


@pytest.mark.parametrize(
    ("x", "y", "loss"),
    [
        (np.ones((2, 3)), np.array([0, 1]), "squared"),
        (np.ones((2, 2)), np.array([0, 1, 1]), "squared"),
        (np.ones(2), np.array([0, 1]), "squared"),
        (np.array([[np.nan, 1.0]]), np.array([1.0]), "squared"),
        (np.ones((1, 2)), np.array([np.inf]), "squared"),
        (np.ones((2, 2)), np.array([0.0, 2.0]), "taylor-logistic"),
        (np.full((2, 2), 4096, dtype=np.int16), np.array([0, 1]), "taylor-logistic"),
    ],
    ids=["columns", "labels", "flat", "nan", "infinite label", "label 2", "scoring rows"],
)
def test_rows_that_do_not_fit_are_refused_and_nothing_of_them_is_added(x, y, loss):
    accumulator = StatisticsAccumulator(2, loss)
    accumulator.add(np.ones((1, 2)), np.ones(1))
    with pytest.raises(BadInput):
        accumulator.add(x, y)
    assert accumulator.n_rows == 1
    assert accumulator.result().gram[0, 0] == (1.0 if loss == "squared" else 0.25)


def test_no_rows_no_statistics():
    with pytest.raises(BadInput, match="no rows"):
        StatisticsAccumulator(2, "squared").result()


@pytest.mark.parametrize(
    ("n_weights", "loss", "class_weights"),
    [
        (0, "squared", None),
        (2, "hinge", None),
        (2, "squared", (1.0, 1.0)),
        (2, "taylor-logistic", (0.0, 1.0)),
    ],
)
def test_impossible_settings_are_refused(n_weights, loss, class_weights):
    with pytest.raises(BadInput):
        StatisticsAccumulator(n_weights, loss, class_weights=class_weights)


def test_printing_shows_no_numbers_of_the_rows():
    x, y = some_rows(10, 2)
    assert repr(accumulate(x, y, "squared")) == "Statistics(n_rows=10, n_weights=2, <secret>)"
