"""Rows declared above what an update shows count for less."""

import numpy as np
import pytest

from chain_common.domain.row_caps import capped_rows


def some_updates(seed, n_owners=8, n_weights=20, rows=500):
    """Updates as rows give them: a common part, and scatter with a variance of 1/rows."""
    rng = np.random.default_rng(seed)
    rows = np.broadcast_to(rows, n_owners)
    return rng.normal(size=n_weights) + rng.normal(size=(n_owners, n_weights)) / np.sqrt(rows)[:, None]


def test_honest_rows_are_kept_nearly_whole():
    kept = [sum(capped_rows(some_updates(seed), [500] * 8, np.eye(20))) / 4000 for seed in range(30)]
    assert np.mean(kept) > 0.97
    assert max(kept) <= 1.0


def test_honest_rows_of_different_data_owners_are_kept_too():
    rows = np.array([200, 300, 500, 800, 1000, 2000, 3000, 5000])
    kept = [np.divide(capped_rows(some_updates(seed, rows=rows), rows, np.eye(20)), rows) for seed in range(30)]
    assert np.mean(kept) > 0.95


def test_rows_declared_eightfold_count_for_about_the_slack():
    counted = [capped_rows(some_updates(seed), [4000] + [500] * 7, np.eye(20))[0] for seed in range(30)]
    assert 1.2 * 500 < np.median(counted) < 2.0 * 500
    assert max(counted) < 4000


def test_an_update_that_is_no_ones_mean_counts_for_few_rows():
    updates = some_updates(1)
    updates[3] = 0.0
    assert capped_rows(updates, [500] * 8, np.eye(20))[3] < 50


def test_with_three_data_owners_rows_count_as_declared():
    assert capped_rows(some_updates(1, n_owners=3), [4000, 500, 500], np.eye(20)) == (4000, 500, 500)


def test_clones_are_not_suspected_of_too_many_rows():
    updates = some_updates(2)
    updates[1] = updates[0]
    counted = capped_rows(updates, [250, 250] + [500] * 6, np.eye(20))
    assert counted[:2] == (250, 250)


def test_updates_all_alike_say_nothing_about_rows():
    assert capped_rows(np.ones((5, 3)), [10, 20, 30, 40, 50], np.eye(3)) == (10, 20, 30, 40, 50)


def test_the_scale_of_the_curvature_does_not_matter():
    updates = some_updates(3)
    curvature = np.diag(np.linspace(1, 4, 20))
    rows = [4000] + [500] * 7
    assert capped_rows(updates, rows, curvature) == capped_rows(updates, rows, 2.0**60 * curvature)


@pytest.mark.parametrize("rows", [[1, 1, 1, 1], [1, 2, 3, 10**6]])
def test_at_least_one_row_and_never_more_than_declared(rows):
    counted = capped_rows(some_updates(4, n_owners=4), rows, np.eye(20))
    assert all(1 <= count <= declared for count, declared in zip(counted, rows, strict=True))
