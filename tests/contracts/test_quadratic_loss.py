"""QuadraticLoss on chain, its Python twin and plain Python integers give the same loss sums and commitments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from eth_utils.crypto import keccak
from numpy.typing import NDArray

from chain_common.domain import scoring
from chain_common.domain.repository import Metric
from chain_common.errors import BadInput, PayloadRejected
from tests.contracts.market import Chain, Contract, Refused, artifact, refused

INT32, INT64 = np.iinfo(np.int32), np.iinfo(np.int64)
LARGEST_WEIGHT = 2**30


@pytest.fixture(scope="module")
def harness() -> Contract:
    chain = Chain()
    return chain.deploy(artifact("tests/artifacts", "QuadraticLossHarness"))


@dataclass(frozen=True, slots=True)
class Case:
    """A matrix as its upper triangle, and weights; any integers that the bytes can hold."""

    metric: Metric
    dimension: int
    entries: NDArray[np.int64]
    weights: NDArray[np.int32]
    shift: int

    @property
    def call(self) -> tuple[Any, ...]:
        """Arguments of the contract's lossSum, encoded here and not by the code under test."""
        return (
            _padded(b"".join(int(entry).to_bytes(8, "big", signed=True) for entry in self.entries)),
            self.dimension,
            _padded(b"".join(int(weight).to_bytes(4, "big", signed=True) for weight in self.weights)),
            int(self.metric),
            self.shift,
        )

    def expected(self) -> int:
        """The quadratic form in Python integers, over the whole square."""
        v = [*map(int, self.weights), 2**26 if self.metric is Metric.SQUARED_ERROR else 2**27]
        square = [[0] * self.dimension for _ in range(self.dimension)]
        values = iter(map(int, self.entries))
        for i in range(self.dimension):
            for j in range(i, self.dimension):
                square[i][j] = square[j][i] = next(values)
        return sum(v[i] * square[i][j] * v[j] for i in range(self.dimension) for j in range(self.dimension))


def _padded(blob: bytes) -> bytes:
    return blob + bytes(-len(blob) % 32)


def _rows_case(rng: np.random.Generator, metric: Metric, dimension: int, n_rows: int, largest: int) -> Case:
    """A case that comes of rows, as a scoring set does (protocol §8), summed in Python integers."""
    x = rng.integers(-largest, largest + 1, (n_rows, dimension - 1))
    x[:, -1] = 4_096
    labels = rng.integers(0, 2, n_rows)
    row_weights = np.ones(n_rows, dtype=np.int64)
    squared = metric is Metric.SQUARED_ERROR
    last = -rng.integers(-32_767, 32_768, n_rows) if squared else 4_096 * (1 - 2 * labels)
    if metric is Metric.BALANCED_BRIER:
        row_weights = np.where(labels == 1, 2**17, 2**14)  # sixteen fractional bits: 2 and 1/4
    u = np.column_stack([x, last]).astype(object)
    gram = (u * row_weights.astype(object)[:, None]).T @ u
    entries = gram[np.triu_indices(dimension)].astype(np.int64)
    weights = rng.integers(-LARGEST_WEIGHT, LARGEST_WEIGHT + 1, dimension - 1).astype(np.int32)
    return Case(metric, dimension, entries, weights, int(rng.integers(0, 97)))


@pytest.mark.parametrize("metric", list(Metric))
def test_a_sets_loss_is_the_same_integer_everywhere(harness: Contract, metric: Metric) -> None:
    rng = np.random.default_rng(8_001 + metric)
    for dimension, n_rows, largest in (
        (2, 2, 4_096),
        (3, 5, 32_767),
        (10, 100, 20_480),
        (10, 4_096, 32_767),
        (32, 500, 20_480),
        (46, 4_096, 32_767),
    ):
        case = _rows_case(rng, metric, dimension, n_rows, largest)
        expected = min(2**64 - 1, case.expected() >> case.shift)
        assert case.expected() < 2**136
        assert harness.call("lossSum", *case.call) == expected
        matrix = scoring.ScoringMatrix(metric, n_rows, dimension, case.entries)
        assert scoring.loss(matrix, case.weights, case.shift) == expected


def test_any_bytes_give_what_plain_integers_give(harness: Contract) -> None:
    rng = np.random.default_rng(8_004)
    seen = {"negative": 0, "cut": 0, "exact": 0}
    extremes = np.array([INT64.min, INT64.max, -1, 0, 1])
    for _ in range(120):
        dimension = int(rng.integers(2, 9))
        n_entries = dimension * (dimension + 1) // 2
        entries = rng.integers(INT64.min, INT64.max, n_entries, endpoint=True)
        entries = np.where(rng.random(n_entries) < 0.4, rng.choice(extremes, n_entries), entries)
        weights = rng.integers(INT32.min, INT32.max, dimension - 1, endpoint=True)
        weights = np.where(
            rng.random(dimension - 1) < 0.3, rng.choice([INT32.min, INT32.max, 0], dimension - 1), weights
        )
        case = Case(
            Metric(int(rng.integers(3))),
            dimension,
            entries,
            weights.astype(np.int32),
            int(rng.choice([0, 60, 76, 96, 136, 255])),
        )
        form = case.expected()
        if form < 0:
            seen["negative"] += 1
            with refused("NegativeForm"):
                harness.call("lossSum", *case.call)
            continue
        shifted = form >> case.shift
        seen["cut" if shifted >= 2**64 else "exact"] += 1
        assert harness.call("lossSum", *case.call) == min(2**64 - 1, shifted)
        if abs(case.weights.astype(np.int64)).max() <= LARGEST_WEIGHT:
            matrix = scoring.ScoringMatrix(case.metric, 1, dimension, entries)
            assert scoring.loss(matrix, case.weights, case.shift) == min(2**64 - 1, shifted)
    # The draw must have reached all three.
    assert min(seen.values()) >= 10


def test_one_row_by_hand(harness: Contract) -> None:
    # x = 1 (4,096) with its intercept alone, a bad loan: u = (4096, -4096). Weight 1 (2^26): v = (2^26, 2^27).
    # u v = 2^38 - 2^39 = -2^38, squared 2^76: p = 1/2 + 1/4, off by 1/4, sixteen times whose square is one.
    entries = np.array([2**24, -(2**24), 2**24])
    case = Case(Metric.BRIER, 2, entries, np.array([2**26], dtype=np.int32), 76)
    assert harness.call("lossSum", *case.call) == 1
    # Squared error: v = (2^26, 2^26), u = (4096, -4096): no error at all.
    case = Case(Metric.SQUARED_ERROR, 2, entries, np.array([2**26], dtype=np.int32), 0)
    assert harness.call("lossSum", *case.call) == 0


def test_the_largest_dimension_with_the_largest_numbers_does_not_wrap(harness: Contract) -> None:
    dimension = 64  # the bound for 512 follows from the same sums; 64 fits the gas of a call
    n_entries = dimension * (dimension + 1) // 2
    case = Case(
        Metric.BRIER,
        dimension,
        np.full(n_entries, INT64.max),
        np.full(dimension - 1, INT32.max, dtype=np.int32),
        136,
    )
    assert case.expected() >> 136 > 0
    assert harness.call("lossSum", *case.call) == min(2**64 - 1, case.expected() >> 136)


@pytest.mark.parametrize("dimension", [0, 1, 513, 2**255])
def test_a_dimension_is_2_to_512(harness: Contract, dimension: int) -> None:
    with refused("DimensionOutOfBounds", dimension):
        harness.call("lossSum", b"", dimension, b"", 0, 0)


def test_bytes_have_the_length_of_their_dimension_and_zero_padding(harness: Contract) -> None:
    matrix, weights = bytes(32), bytes(32)  # dimension 2: three entries of eight bytes, one weight of four
    harness.call("lossSum", matrix, 2, weights, 0, 0)
    for wrong in (b"", bytes(24), bytes(31), bytes(33), bytes(64)):
        with refused("WrongByteLength", len(wrong), 32):
            harness.call("lossSum", wrong, 2, weights, 0, 0)
        with refused("WrongByteLength", len(wrong), 32):
            harness.call("lossSum", matrix, 2, wrong, 0, 0)
    # The last byte that counts may be anything; the first and the last after it may not.
    harness.call("lossSum", bytes(23) + b"\1" + bytes(8), 2, bytes(3) + b"\1" + bytes(28), 0, 0)
    for place in (24, 31):
        with refused("UnexpectedPadding"):
            harness.call("lossSum", bytes(place) + b"\1" + bytes(31 - place), 2, weights, 0, 0)
        with pytest.raises(PayloadRejected):
            scoring.ScoringMatrix.from_bytes(Metric.BRIER, 1, 2, bytes(place) + b"\1" + bytes(31 - place))
    for place in (4, 31):
        with refused("UnexpectedPadding"):
            harness.call("lossSum", matrix, 2, bytes(place) + b"\1" + bytes(31 - place), 0, 0)


def test_matrices_that_fill_their_last_word_have_no_padding(harness: Contract) -> None:
    # Dimension 7: 28 entries, seven words; dimension 9: eight weights, one word.
    for dimension in (7, 9):
        n_entries = dimension * (dimension + 1) // 2
        case = Case(Metric.BRIER, dimension, np.ones(n_entries, np.int64), np.ones(dimension - 1, np.int32), 0)
        assert harness.call("lossSum", *case.call) == min(2**64 - 1, case.expected())


def test_a_matrix_that_no_rows_give_has_no_loss_in_python_either() -> None:
    matrix = scoring.ScoringMatrix(Metric.BRIER, 1, 2, np.array([-1, 0, 0]))
    with pytest.raises(BadInput, match="negative"):
        scoring.loss(matrix, np.array([1], dtype=np.int32), 0)


def test_an_unknown_metric_is_no_metric(harness: Contract) -> None:
    with pytest.raises((Refused, AssertionError)):
        harness.call("lossSum", bytes(32), 2, bytes(32), 3, 0)


def test_commitments_are_the_same_everywhere(harness: Contract) -> None:
    rng = np.random.default_rng(8_005)
    case = _rows_case(rng, Metric.BALANCED_BRIER, 10, 300, 20_480)
    matrix = scoring.ScoringMatrix(case.metric, 300, 10, case.entries)
    salt = rng.bytes(32)
    words = (int(case.metric), case.shift, 300, 10)
    by_hand = keccak(salt + b"".join(word.to_bytes(32, "big") for word in words) + keccak(case.call[0]))
    on_chain = harness.call("matrixCommitment", salt, int(case.metric), case.shift, 300, 10, case.call[0])
    assert on_chain == by_hand == scoring.matrix_commitment(salt, matrix, case.shift)

    by_hand = keccak(salt + keccak(case.call[2]))
    assert harness.call("weightsCommitment", salt, case.call[2]) == by_hand
    assert scoring.weights_commitment(salt, case.weights) == by_hand


def test_a_round_at_thirty_features_costs_less_than_200_000_gas_to_recompute(harness: Contract) -> None:
    case = _rows_case(np.random.default_rng(8_006), Metric.BRIER, 32, 2_000, 20_480)
    harness.send("lossSum", *case.call)
    # With the calldata of matrix and weights, which an audit of several rounds sends once.
    assert harness.gas_used < 200_000
