"""Figures shown beside the loss, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score, roc_curve

from chain_common.domain.display_metrics import display_metrics, probability
from chain_common.errors import BadInput


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-12, 12), st.booleans()), min_size=2, max_size=60).filter(
        lambda rows: len({label for _, label in rows}) == 2
    )
)
def test_auc_ks_brier_and_accuracy_are_scikit_learns_with_many_ties(rows):
    z = np.array([score / 4 for score, _ in rows])
    y = np.array([int(label) for _, label in rows])
    found = display_metrics(z, y)
    p = np.clip(0.5 + z / 4, 0, 1)
    assert found.auc == pytest.approx(roc_auc_score(y, z), abs=1e-12)
    assert found.gini == pytest.approx(2 * roc_auc_score(y, z) - 1, abs=1e-12)
    false_positives, true_positives, _ = roc_curve(y, z, drop_intermediate=False)
    assert found.ks == pytest.approx(np.abs(true_positives - false_positives).max(), abs=1e-12)
    assert found.brier == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    assert found.accuracy == pytest.approx(accuracy_score(y, (p >= 0.5).astype(int)), abs=1e-12)


def test_a_perfect_score_and_its_opposite():
    y = np.array([0, 0, 1, 1])
    assert display_metrics(np.array([-3.0, -2.0, 2.0, 3.0]), y).auc == 1.0
    assert display_metrics(np.array([3.0, 2.0, -2.0, -3.0]), y).auc == 0.0
    assert display_metrics(np.zeros(4), y).auc == 0.5


def test_calibration_has_ten_equal_bands_by_rising_prediction():
    z = np.linspace(-2, 2, 100)[::-1].copy()
    y = (np.arange(100) < 50).astype(int)
    bands = display_metrics(z, y).calibration
    assert [band.n_rows for band in bands] == [10] * 10
    assert [band.observed for band in bands] == [0.0] * 5 + [1.0] * 5
    # The lowest ten scores are -2, -2 + 4/99, ..., -2 + 36/99: a mean of -2 + 18/99, a probability of 4.5/99.
    assert bands[0].predicted == pytest.approx(4.5 / 99)


def test_fewer_than_ten_rows_give_a_band_each():
    bands = display_metrics(np.array([0.5, -0.5, 0.0]), np.array([1, 0, 0])).calibration
    assert [(band.n_rows, band.predicted, band.observed) for band in bands] == [
        (1, 0.375, 0.0),
        (1, 0.5, 0.0),
        (1, 0.625, 1.0),
    ]


def test_probabilities_are_clipped():
    assert probability(np.array([-9.0, -2.0, 0.0, 1.0, 9.0])).tolist() == [0.0, 0.0, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("z", "y"),
    [
        (np.zeros(3), np.array([1, 1, 1])),
        (np.zeros(3), np.array([0, 1, 2])),
        (np.zeros(2), np.array([0, 1, 1])),
        (np.array([np.nan, 0.0]), np.array([0, 1])),
        (np.zeros(0), np.zeros(0)),
    ],
    ids=["one class", "label 2", "shapes", "nan", "empty"],
)
def test_what_cannot_be_measured_is_refused(z, y):
    with pytest.raises(BadInput):
        display_metrics(z, y)
