import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_common.domain.fixed_point import DEFAULT_FORMAT, NumberFormat
from chain_common.domain.paillier.keys import EncryptedWeights
from chain_common.domain.paillier.multiexp import affine_products, choose_window_bits
from chain_common.domain.paillier.private_key import encrypt_weights
from chain_common.errors import BadInput
from tests.keys import model_key

KEY = model_key(512)  # five slots a ciphertext
ENTRY = st.sampled_from([0, 1, -1, 2**27 - 1, 1 - 2**27, 2**26, -(2**26)]) | st.integers(1 - 2**27, 2**27 - 1)
WEIGHT = st.sampled_from([0, 1, -1, 2**30, -(2**30)]) | st.integers(-(2**30), 2**30)


@st.composite
def systems(draw):
    n_rows, n_weights = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    matrix = draw(st.lists(st.lists(ENTRY, min_size=n_weights, max_size=n_weights), min_size=n_rows, max_size=n_rows))
    return matrix, draw(st.lists(WEIGHT, min_size=n_weights, max_size=n_weights))


def packed_sum(results: list[int], slot_bits: int) -> int:
    return sum(result << (slot_bits * slot) for slot, result in enumerate(results))


@settings(max_examples=60, deadline=None)
@given(systems())
def test_products_are_those_of_plain_integers(system):
    matrix, weights = system
    encrypted = encrypt_weights(KEY, np.array(weights, dtype=np.int32), bytes(32))
    products = affine_products(encrypted, np.array(matrix, dtype=np.int64))
    results = [sum(entry * weight for entry, weight in zip(row, weights, strict=True)) for row in matrix]
    assert [KEY.decrypt(product) for product in products] == [
        packed_sum(results[start : start + 5], 88) for start in range(0, len(results), 5)
    ]


@pytest.mark.parametrize(
    "number_format",
    [
        NumberFormat(matrix_bits=8, matrix_fraction_bits=4, slot_bits=44),
        NumberFormat(matrix_bits=31, matrix_fraction_bits=24, slot_bits=66),
        NumberFormat(matrix_bits=40, matrix_fraction_bits=24, slot_bits=120, guard_bits=8),
    ],
)
def test_other_number_formats_compute_the_same(number_format):
    rng = np.random.default_rng(7)
    bound = number_format.matrix_bound
    matrix = rng.integers(1 - bound, bound, size=(6, 3))
    weights = np.array([2**30, -(2**30), 3], dtype=np.int32)
    products = affine_products(encrypt_weights(KEY, weights, bytes(32)), matrix, number_format)
    results = (matrix.astype(object) @ weights.astype(object)).tolist()
    n_slots = 511 // number_format.slot_bits
    assert [KEY.decrypt(product) for product in products] == [
        packed_sum(results[start : start + n_slots], number_format.slot_bits) for start in range(0, 6, n_slots)
    ]


def test_progress_grows_to_one():
    seen: list[float] = []
    weights = EncryptedWeights(KEY.public_key, (2, 3))
    affine_products(weights, np.ones((7, 2), dtype=np.int64), progress=seen.append)
    assert len(seen) == 7
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize(
    "matrix",
    [
        np.ones((2, 3), dtype=np.int64),
        np.ones((0, 2), dtype=np.int64),
        np.ones(2, dtype=np.int64),
        np.ones((2, 2)),
        np.full((2, 2), 2**27),
        np.full((2, 2), -(2**27)),
        np.full((2, 2), -(2**63)),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(matrix):
    with pytest.raises(BadInput):
        affine_products(EncryptedWeights(KEY.public_key, (2, 3)), matrix)


def test_the_window_has_the_fewest_multiplications():
    # 51 weights: 5 windows of 6 bits, 51 * (64 + 51 * 5) = 16,269; 4 of 7 give 16,932 and 7 of 4 give 19,023.
    assert choose_window_bits(51, 51, DEFAULT_FORMAT.matrix_bits) == 6
    # More rows share a table, so it may be larger: 4 of 7 give 201 * (128 + 201 * 4), 5 of 6 201 * (64 + 201 * 5).
    assert choose_window_bits(201, 201, DEFAULT_FORMAT.matrix_bits) == 7
