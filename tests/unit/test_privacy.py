"""Only released statistics meet a lender's weights."""

import math

import numpy as np
import pytest

from chain_common.domain.privacy import NoisedStatistics, NoiseNotWaived, release_without_noise
from chain_common.domain.statistics import accumulate
from chain_common.errors import BadInput, RuleBroken


@pytest.fixture
def statistics():
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.normal(size=(80, 2)), np.ones(80)])
    return accumulate(x, (rng.random(80) < 0.3).astype(float), "taylor-logistic")


def test_statistics_leave_without_noise_only_if_the_data_owner_agrees(statistics):
    with pytest.raises(NoiseNotWaived, match="read all your statistics in one round"):
        release_without_noise(statistics, acknowledged=False)
    with pytest.raises(RuleBroken):
        release_without_noise(statistics, acknowledged="no")
    released = release_without_noise(statistics, acknowledged=True)
    assert (released.gram == statistics.gram).all()
    assert (released.moment == statistics.moment).all()
    assert (released.n_rows, released.noise_scale, released.epsilon) == (80, 0.0, math.inf)


def test_nobody_else_makes_released_statistics(statistics):
    with pytest.raises(TypeError, match="released by"):
        NoisedStatistics(statistics.gram, statistics.moment, 80, 0.0, math.inf)
    with pytest.raises(TypeError, match="released by"):
        NoisedStatistics(statistics.gram, statistics.moment, 80, 0.0, math.inf, permit=object())


def test_released_statistics_cannot_be_changed_afterwards(statistics):
    released = release_without_noise(statistics, acknowledged=True)
    with pytest.raises(ValueError, match="read-only"):
        released.gram[0, 0] = 1.0
    with pytest.raises(AttributeError):
        released.n_rows = 81


def test_stored_statistics_are_read_back_bit_for_bit(statistics):
    released = release_without_noise(statistics, acknowledged=True)
    again = NoisedStatistics.from_bytes(released.to_bytes())
    assert (again.gram == released.gram).all()
    assert (again.moment == released.moment).all()
    assert (again.n_rows, again.noise_scale, again.epsilon) == (80, 0.0, math.inf)


def test_damaged_stored_statistics_are_refused(statistics):
    blob = release_without_noise(statistics, acknowledged=True).to_bytes()
    not_a_number = blob[:-8] + np.array([np.nan], dtype=">f8").tobytes()
    for damaged in (b"", blob[:20], blob[:-1], blob + b"\0", b"XXXX" + blob[4:], not_a_number):
        with pytest.raises(BadInput, match="cannot be read"):
            NoisedStatistics.from_bytes(damaged)


def test_printing_shows_no_statistics(statistics):
    released = release_without_noise(statistics, acknowledged=True)
    assert repr(released) == ("NoisedStatistics(n_rows=80, n_weights=3, noise_scale=0.0, epsilon=inf, <secret>)")


def test_the_statistics_of_one_row_are_the_row_and_its_label():
    # The reason for the row floor, kept as a demonstration (protocol §6).
    row = np.array([[0.75, -2.5, 1.0]])
    for label in (0.0, 1.0):
        found = accumulate(row, np.array([label]), "taylor-logistic")
        assert (4 * found.gram[:, -1]).tolist() == row[0].tolist()
        assert found.moment[-1] + 0.5 == label
