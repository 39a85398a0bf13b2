"""Losses are exact integers, the same for everyone."""

import struct

import numpy as np
import pytest
from Crypto.Hash import keccak
from eth_abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, mean_squared_error

from chain_common.domain.fixed_point import OverflowRefused
from chain_common.domain.loss_units import MAX_LOSS, mean_loss
from chain_common.domain.repository import Metric
from chain_common.domain.scoring import (
    ScoringMatrix,
    loss,
    matrix_commitment,
    quadratic_form,
    scoring_matrix,
    weights_bytes,
    weights_commitment,
)
from chain_common.errors import BadInput, PayloadRejected


def plain_form(metric, x, y, weights, class_weights=None):
    """The loss sum from the rows, in plain Python integers: the definition of protocol §8, and no matrix."""
    last = 2**26 if metric is Metric.SQUARED_ERROR else 2 * 2**26
    total = 0
    for row, label in zip(x.tolist(), y.tolist(), strict=True):
        own = -round(label * 4096) if metric is Metric.SQUARED_ERROR else 4096 * (1 - 2 * int(label))
        weight = 1 if class_weights is None else class_weights[int(label)]
        product = sum(int(entry) * int(w) for entry, w in zip(row, weights.tolist(), strict=True))
        total += weight * (product + own * last) ** 2
    return total


def some_set(n_rows=300, n_weights=5, seed=7):
    rng = np.random.default_rng(seed)
    x = np.rint(rng.normal(size=(n_rows, n_weights)) * 4096).astype(np.int16)
    x[:, -1] = 4096
    y = (rng.random(n_rows) < 0.2).astype(np.float64)
    weights = np.rint(rng.normal(0, 0.4, n_weights) * 2**26).astype(np.int32)
    return x, y, weights


int16 = st.integers(-(2**15), 2**15 - 1)
weight = st.integers(-(2**30), 2**30)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(int16, int16, st.integers(0, 1)), min_size=1, max_size=8),
    w=st.tuples(weight, weight),
)
def test_the_matrix_gives_the_loss_of_the_rows_to_the_last_bit(rows, w):
    x = np.array([row[:2] for row in rows], dtype=np.int16)
    y = np.array([row[2] for row in rows])
    weights = np.array(w, dtype=np.int32)
    matrix = scoring_matrix(Metric.BRIER, x, y)
    assert quadratic_form(matrix, weights) == plain_form(Metric.BRIER, x, y, weights)
    targets = y * 7.75 - 3.5
    matrix = scoring_matrix(Metric.SQUARED_ERROR, x, targets)
    assert quadratic_form(matrix, weights) == plain_form(Metric.SQUARED_ERROR, x, targets, weights)


def test_class_weights_enter_exactly():
    x, y, weights = some_set()
    class_weights = (38_000, 180_000)
    matrix = scoring_matrix(Metric.BALANCED_BRIER, x, y, class_weights_q16=class_weights)
    assert quadratic_form(matrix, weights) == plain_form(Metric.BALANCED_BRIER, x, y, weights, class_weights)


def test_one_row_by_hand():
    # x = (1/2, 1), w = (1, 1/4), bad: z = 3/4, p = 11/16, (p - 1)^2 = 25/256; 2^80 of that is the form.
    x = np.array([[2048, 4096]], dtype=np.int16)
    weights = np.array([2**26, 2**24], dtype=np.int32)
    matrix = scoring_matrix(Metric.BRIER, x, np.array([1]))
    assert matrix.entries.tolist() == [2048**2, 2048 * 4096, -2048 * 4096, 4096**2, -(4096**2), 4096**2]
    assert quadratic_form(matrix, weights) == 25 * 2**72
    assert loss(matrix, weights, 48) == 25 * 2**24
    # The same row as a target of 3/2: (3/4 - 3/2)^2 = 9/16; 2^76 of that.
    assert quadratic_form(scoring_matrix(Metric.SQUARED_ERROR, x, np.array([1.5])), weights) == 9 * 2**72


def test_losses_read_as_the_scores_of_scikit_learn():
    x, y, weights = some_set(n_rows=2000)
    z = (x / 4096) @ (weights / 2**26)
    p = 0.5 + z / 4
    brier = scoring_matrix(Metric.BRIER, x, y)
    # scikit-learn's Brier score refuses what is not a probability, so the unclipped one is its squared error.
    assert mean_loss(loss(brier, weights, 48), Metric.BRIER, 2000, 48) == pytest.approx(
        mean_squared_error(y, p), rel=1e-9
    )
    inside = weights // 40
    p_inside = 0.5 + (x / 4096) @ (inside / 2**26) / 4
    assert mean_loss(loss(brier, inside, 48), Metric.BRIER, 2000, 48) == pytest.approx(
        brier_score_loss(y, p_inside), rel=1e-9
    )
    n_bad = int(y.sum())
    class_weights = (round(2**16 * 1000 / (2000 - n_bad)), round(2**16 * 1000 / n_bad))
    balanced = scoring_matrix(Metric.BALANCED_BRIER, x, y, class_weights_q16=class_weights)
    expected = (np.mean((p[y == 0]) ** 2) + np.mean((p[y == 1] - 1) ** 2)) / 2
    assert mean_loss(loss(balanced, weights, 60), Metric.BALANCED_BRIER, 2000, 60) == pytest.approx(expected, rel=1e-4)
    targets = np.clip(z + np.random.default_rng(1).normal(size=2000), -7.9, 7.9)
    squared = scoring_matrix(Metric.SQUARED_ERROR, x, targets)
    assert mean_loss(loss(squared, weights, 40), Metric.SQUARED_ERROR, 2000, 40) == pytest.approx(
        mean_squared_error(targets, z), rel=1e-3
    )


def test_the_largest_set_with_the_largest_weights_stays_below_two_to_the_136():
    x = np.full((4096, 511), -(2**15), dtype=np.int16)
    weights = np.full(511, -(2**30), dtype=np.int32)
    matrix = scoring_matrix(Metric.BRIER, x, np.zeros(4096))
    # Every row is alike, so this is 4096 times one product: 511 * 2^45 + 4096 * 2^27.
    assert quadratic_form(matrix, weights) == 4096 * (511 * 2**45 + 2**39) ** 2 < 2**136
    assert loss(matrix, weights, 48) == MAX_LOSS


def test_a_weighted_set_that_could_exceed_136_bits_is_refused():
    x = np.zeros((4096, 511), dtype=np.int16)
    y = np.arange(4096) % 2
    with pytest.raises(BadInput, match="511 weights"):
        scoring_matrix(Metric.BALANCED_BRIER, x, y, class_weights_q16=(2**16, 2**16))
    scoring_matrix(Metric.BALANCED_BRIER, x[:2000], y[:2000], class_weights_q16=(2**16, 2**16))


def test_matrix_bytes_are_big_endian_and_padded_to_words():
    matrix = scoring_matrix(Metric.BRIER, np.array([[1, 4096]], dtype=np.int16), np.array([1]))
    entries = [1, 4096, -4096, 4096**2, -(4096**2), 4096**2]
    assert matrix.to_bytes() == struct.pack(">6q", *entries) + bytes(16)
    again = ScoringMatrix.from_bytes(Metric.BRIER, 1, 3, matrix.to_bytes())
    assert again.entries.tolist() == entries
    assert again.full().tolist() == [
        [1, 4096, -4096],
        [4096, 4096**2, -(4096**2)],
        [-4096, -(4096**2), 4096**2],
    ]


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + bytes(32), lambda b: b[:-1] + b"\x01", lambda _: b""]
)
def test_malformed_matrix_bytes_are_refused(change):
    matrix = scoring_matrix(Metric.BRIER, np.array([[1, 4096]], dtype=np.int16), np.array([1]))
    with pytest.raises(PayloadRejected):
        ScoringMatrix.from_bytes(Metric.BRIER, 1, 3, change(matrix.to_bytes()))


def test_weights_bytes_are_big_endian_and_padded_to_words():
    assert weights_bytes(np.array([1, -2], dtype=np.int32)) == bytes.fromhex("00000001fffffffe") + bytes(24)
    assert len(weights_bytes(np.zeros(8, dtype=np.int32))) == 32


def keccak256(data):
    return keccak.new(data=data, digest_bits=256).digest()


def test_the_matrix_commitment_is_keccak_of_the_contracts_encoding():
    x, y, _ = some_set(n_rows=700, n_weights=4)
    matrix = scoring_matrix(Metric.BRIER, x, y)
    salt = bytes(range(32))
    types = ["bytes32", "uint8", "uint8", "uint16", "uint16", "bytes32"]
    expected = keccak256(encode(types, [salt, 0, 48, 700, 5, keccak256(matrix.to_bytes())]))
    assert matrix_commitment(salt, matrix, 48) == expected


def test_the_weights_commitment_is_keccak_of_the_contracts_encoding():
    weights = np.array([5, -7, 2**30], dtype=np.int32)
    seed = bytes(reversed(range(32)))
    expected = keccak256(encode(["bytes32", "bytes32"], [seed, keccak256(weights_bytes(weights))]))
    assert weights_commitment(seed, weights) == expected


def test_commitments_hide_behind_a_salt_and_bind_every_part():
    x, y, weights = some_set()
    matrix = scoring_matrix(Metric.BRIER, x, y)
    flipped = y.copy()
    flipped[0] = 1 - flipped[0]
    salt = bytes(32)
    commitments = {
        matrix_commitment(salt, matrix, 48),
        matrix_commitment(b"\x01" * 32, matrix, 48),
        matrix_commitment(salt, matrix, 49),
        matrix_commitment(salt, scoring_matrix(Metric.BRIER, x, flipped), 48),
        matrix_commitment(salt, scoring_matrix(Metric.BRIER, x[1:], y[1:]), 48),
    }
    assert len(commitments) == 5
    moved = weights.copy()
    moved[0] += 1
    assert weights_commitment(salt, weights) != weights_commitment(salt, moved)
    with pytest.raises(BadInput):
        weights_commitment(salt[:31], weights)


ROWS = np.zeros((3, 2), dtype=np.int16)


@pytest.mark.parametrize(
    ("metric", "x", "y", "class_weights"),
    [
        (Metric.BRIER, ROWS.astype(np.int32), np.zeros(3), None),
        (Metric.BRIER, ROWS, np.zeros(2), None),
        (Metric.BRIER, ROWS, np.array([0, 1, 2]), None),
        (Metric.BRIER, ROWS, np.array([0, 1, np.nan]), None),
        (Metric.BRIER, ROWS[:0], np.zeros(0), None),
        (Metric.BRIER, np.zeros((4097, 1), dtype=np.int16), np.zeros(4097), None),
        (Metric.BRIER, ROWS, np.zeros(3), (2**16, 2**16)),
        (Metric.BALANCED_BRIER, ROWS, np.array([0, 1, 1]), None),
        (Metric.BALANCED_BRIER, ROWS, np.array([0, 1, 1]), (2**16, 2**18)),
        (Metric.BALANCED_BRIER, ROWS, np.array([0, 1, 1]), (0, 2**16)),
        (Metric.SQUARED_ERROR, ROWS, np.array([0.0, 1.0, 8.0]), None),
        (Metric.SQUARED_ERROR, ROWS, np.array([0.0, 1.0, np.nan]), None),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(metric, x, y, class_weights):
    with pytest.raises(BadInput):
        scoring_matrix(metric, x, y, class_weights_q16=class_weights)


def test_weights_that_do_not_fit_are_refused():
    matrix = scoring_matrix(Metric.BRIER, ROWS, np.zeros(3))
    with pytest.raises(BadInput):
        loss(matrix, np.zeros(3, dtype=np.int32), 48)
    with pytest.raises(BadInput):
        loss(matrix, np.zeros(2), 48)
    with pytest.raises(OverflowRefused):
        loss(matrix, np.array([0, 2**30 + 1], dtype=np.int32), 48)


def test_a_matrix_no_rows_could_give_has_no_loss():
    forged = ScoringMatrix(Metric.BRIER, 1, 2, np.array([-1, 0, 0]))
    with pytest.raises(BadInput, match="negative"):
        loss(forged, np.array([2**26], dtype=np.int32), 0)


def test_printing_shows_no_entries():
    assert (
        repr(scoring_matrix(Metric.BRIER, ROWS, np.zeros(3))) == "ScoringMatrix(BRIER, n_rows=3, dimension=3, <secret>)"
    )
