"""A round is combined, scored and shared by what each update was worth on the scoring set."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.domain.loss_units import MAX_LOSS
from chain_common.domain.repository import Metric
from chain_common.domain.scoring import loss, scoring_matrix
from chain_common.domain.settlement import AcceptedUpdate, RoundTerms, rounded_shares, settle_round
from chain_common.errors import BadInput, RuleBroken

SHIFT = 48
BOUNTY = 10**18


class World:
    """A lender with a scoring set and a base-rate start, and rows for data owners from one population."""

    def __init__(self, seed=1, n_weights=8, n_scoring=2000):
        self.rng = np.random.default_rng(seed)
        self.n_weights = n_weights
        self.truth = self.rng.normal(0, 0.35, n_weights)
        self.truth[-1] = -1.2
        x, self.y = self.rows(n_scoring)
        x16 = np.rint(x * 4096).astype(np.int16)
        self.x = x16 / 4096
        self.matrix = scoring_matrix(Metric.BRIER, x16, self.y)
        self.base = np.zeros(n_weights, dtype=np.int32)
        self.base[-1] = round(4 * (self.y.mean() - 0.5) * 2**26)
        self.initial = loss(self.matrix, self.base, SHIFT)
        steps = 256
        self.terms = RoundTerms(self.initial, self.initial - self.initial // 10 // steps * steps, 0, steps, SHIFT)

    def rows(self, n):
        x = np.column_stack([np.clip(self.rng.normal(size=(n, self.n_weights - 1)), -3, 3), np.ones(n)])
        p = np.clip(0.5 + x @ self.truth / 4, 0, 1)
        return x, (self.rng.random(n) < p).astype(float)

    def update(self, n, rows=None):
        """The damped step of protocol §3 in float64."""
        x, y = rows if rows is not None else self.rows(n)
        w = self.base / 2**26
        gram, moment = x.T @ x / (4 * len(y)), x.T @ (y - 0.5) / len(y)
        damping = max(0.001, 0.1 * self.n_weights / len(y)) * np.eye(self.n_weights)
        damping[-1, -1] = 0.0
        return accepted(n, np.linalg.solve(gram + damping, moment - gram @ w))

    def settle(self, updates, **changes):
        settings = {"terms": self.terms, "left_wei": BOUNTY, "best_loss": self.initial, **changes}
        return settle_round(self.matrix, self.base, updates, **settings)

    def brier_sum(self, w):
        """The unclipped Brier sum from the rows, in float64."""
        return float(np.sum((0.5 + self.x @ w / 4 - self.y) ** 2))

    def values(self, updates, counted, beta):
        """Shapley values by going through all coalitions, the denominator over the round."""
        start = self.base / 2**26
        steps = [
            beta * n / sum(counted) * np.array(update.products, dtype=float) / 2**50
            for n, update in zip(counted, updates, strict=True)
        ]
        n = len(updates)
        worth = {
            members: self.brier_sum(start)
            - self.brier_sum(start + sum((steps[i] for i in members), np.zeros_like(start)))
            for size in range(n + 1)
            for members in itertools.combinations(range(n), size)
        }
        values = []
        for i in range(n):
            value = 0.0
            for members, base_worth in worth.items():
                if i not in members:
                    weight = math.factorial(len(members)) * math.factorial(n - len(members) - 1) / math.factorial(n)
                    value += weight * (worth[tuple(sorted((*members, i)))] - base_worth)
            values.append(value)
        return values


def accepted(n_rows, delta):
    return AcceptedUpdate(n_rows, tuple(int(value) for value in np.rint(np.asarray(delta) * 2.0**50)))


@pytest.mark.parametrize("n_owners", [1, 2, 5, 8])
def test_values_are_the_exact_shapley_values(n_owners):
    world = World(seed=n_owners)
    updates = [world.update(int(n)) for n in np.linspace(100, 900, n_owners)]
    if n_owners > 2:
        updates[1] = accepted(300, world.rng.normal(0, 0.3, world.n_weights))
    found = world.settle(updates)
    expected = world.values(updates, found.counted_rows, found.beta)
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-9 * max(map(abs, expected)))
    assert sum(found.shares) == 64


def test_shares_follow_the_values():
    world = World()
    updates = [world.update(n) for n in (200, 400, 1500)]
    found = world.settle(updates)
    whole = sum(found.values)
    assert found.shares[2] > found.shares[1] > found.shares[0] > 0
    for share, value in zip(found.shares, found.values, strict=True):
        assert abs(share - 64 * value / whole) < 1


def test_a_zero_update_earns_nothing():
    world = World()
    nothing = accepted(400, np.zeros(world.n_weights))
    found = world.settle([world.update(400), nothing, world.update(400)])
    assert found.values[1] == 0.0
    assert found.shares[1] == 0
    assert found.reward_wei > 0


def test_a_harmful_update_earns_nothing_and_the_others_all():
    world = World()
    good = world.update(900)
    harmful = accepted(100, [-value / 2**50 for value in good.products])
    found = world.settle([good, harmful])
    assert found.values[1] < 0
    assert found.shares == (64, 0)


def test_the_next_weights_are_the_weighted_mean_step():
    world = World()
    updates = [world.update(1000), world.update(3000)]
    found = world.settle(updates)
    steps = np.array([update.products for update in updates], dtype=float) / 2**50
    expected = world.base / 2**26 + found.beta * (steps[0] + 3 * steps[1]) / 4
    assert np.abs(found.next_weights / 2**26 - expected).max() <= 0.51 / 2**26
    assert found.exact_loss == loss(world.matrix, found.next_weights, SHIFT)
    assert 0 <= found.loss - found.exact_loss < (world.terms.initial_loss - world.terms.target_loss) // 256
    assert (world.terms.initial_loss - found.loss) % ((world.terms.initial_loss - world.terms.target_loss) // 256) == 0


@pytest.mark.parametrize(("overshoot", "beta"), [(1, 1.0), (2, 0.5), (4, 0.25), (8, 0.125), (3, 0.25), (1.2, 1.0)])
def test_the_best_length_of_the_step_is_taken(overshoot, beta):
    # Along one line the loss is a parabola with its lowest point at length 1 / overshoot.
    world = World()
    design, target = world.x / 4, world.y - 0.5
    best = np.linalg.lstsq(design, target, rcond=None)[0]
    found = world.settle([accepted(500, overshoot * (best - world.base / 2**26))])
    assert found.beta == beta


def test_a_round_is_paid_like_the_contract_does():
    world = World()
    found = world.settle([world.update(2000)], left_wei=12_345_678_901)
    best, target = world.terms.initial_loss, world.terms.target_loss
    assert found.loss < best
    assert found.reward_wei == 12_345_678_901 * (best - max(found.loss, target)) // (best - target)


def test_at_the_target_all_that_is_left_is_paid():
    world = World()
    easy = RoundTerms(world.initial, world.initial - 256, 0, 256, SHIFT)
    assert world.settle([world.update(2000)], terms=easy).reward_wei == BOUNTY


def assert_unpaid(world, found):
    assert found.reward_wei == 0
    assert set(found.shares) == {0}
    assert (found.next_weights == world.base).all()


def test_without_a_gain_the_base_stays():
    world = World()
    good = world.update(2000)
    found = world.settle([accepted(500, [-value / 2**50 for value in good.products])])
    assert_unpaid(world, found)
    assert found.loss >= world.initial
    # The shortest step did least harm.
    assert found.beta == 0.125
    tried = world.base / 2**26 - np.array(good.products, dtype=float) / 2**53
    assert found.exact_loss / 2.0**32 == pytest.approx(world.brier_sum(tried), rel=1e-7)


def test_a_gain_under_the_minimum_is_neither_paid_nor_kept():
    world = World()
    updates = [world.update(2000)]
    gain = world.initial - world.settle(updates).exact_loss
    assert world.settle(updates, terms=RoundTerms(world.initial, 0, gain, 0, SHIFT)).reward_wei > 0
    found = world.settle(updates, terms=RoundTerms(world.initial, 0, gain + 1, 0, SHIFT))
    assert_unpaid(world, found)
    assert found.loss == found.exact_loss < world.initial


def test_a_bounty_too_small_for_a_wei_changes_nothing():
    world = World()
    assert_unpaid(world, world.settle([world.update(500)], left_wei=1, terms=RoundTerms(world.initial, 0, 0, 0, SHIFT)))


def test_an_update_that_gains_only_by_the_cut_at_sixteen_earns_nothing():
    # One weight with its optimum at 10: a step of 1000 is harmful at every length, 16 would not be.
    matrix = scoring_matrix(Metric.SQUARED_ERROR, np.full((50, 1), 2048, dtype=np.int16), np.full(50, 5.0))
    base = np.zeros(1, dtype=np.int32)
    initial = loss(matrix, base, 40)
    assert loss(matrix, np.array([2**30], dtype=np.int32), 40) < initial
    terms = RoundTerms(initial, 0, 0, 0, 40)
    found = settle_round(matrix, base, [accepted(9, [1000.0])], terms=terms, left_wei=BOUNTY, best_loss=initial)
    assert found.reward_wei == 0
    assert found.loss == initial
    assert found.next_weights.tolist() == [0]


def test_weights_are_cut_at_sixteen():
    # The optimum is 20; a step of 30 is cut to 16 and still better than its half.
    matrix = scoring_matrix(Metric.SQUARED_ERROR, np.full((50, 1), 1024, dtype=np.int16), np.full(50, 5.0))
    base = np.zeros(1, dtype=np.int32)
    terms = RoundTerms(loss(matrix, base, 40), 0, 0, 0, 40)
    found = settle_round(
        matrix, base, [accepted(9, [30.0])], terms=terms, left_wei=BOUNTY, best_loss=terms.initial_loss
    )
    assert found.next_weights.tolist() == [2**30]


def test_an_enormous_update_saturates_the_loss_and_earns_nothing():
    world = World()
    found = world.settle(
        [accepted(500, np.full(world.n_weights, 2.0**30))], terms=RoundTerms(world.initial, 0, 0, 0, 20)
    )
    assert found.exact_loss == MAX_LOSS
    assert_unpaid(world, found)


@pytest.mark.parametrize("n_honest", [1, 3, 7])
@pytest.mark.parametrize("size", [33.0, 2.0**16, 2.0**33])
def test_an_update_no_training_can_give_does_not_spoil_the_round(n_honest, size):
    world = World()
    honest = [world.update(600) for _ in range(n_honest)]
    spoilt = world.settle([*honest, accepted(10**6, np.full(world.n_weights, size))])
    alone = world.settle(honest)
    assert spoilt.counted_rows == (*alone.counted_rows, 0)
    assert spoilt.reward_wei == alone.reward_wei > 0
    assert spoilt.shares == (*alone.shares, 0)
    assert (spoilt.next_weights == alone.next_weights).all()


def test_clones_of_an_update_earn_what_the_one_would_have():
    world = World()
    whole, other = world.update(900), world.update(600)
    clone = AcceptedUpdate(450, whole.products)
    one = world.settle([whole, other])
    two = world.settle([clone, clone, other])
    assert (two.next_weights == one.next_weights).all()
    assert two.values[0] + two.values[1] == pytest.approx(one.values[0], rel=1e-12)


def test_splitting_a_data_set_is_neutral():
    # Figure: 0.89 to 1.07 times.
    ratios = []
    for seed in range(8):
        world = World(seed=100 + seed)
        x, y = world.rows(2000)
        others = [world.update(2000) for _ in range(5)]
        whole = world.settle([world.update(2000, (x, y)), *others])
        halves = [world.update(1000, (x[half], y[half])) for half in (slice(0, 1000), slice(1000, 2000))]
        split = world.settle([*halves, *others])
        ratios.append((split.values[0] + split.values[1]) / whole.values[0])
    assert 0.89 < np.mean(ratios) < 1.07


def test_rows_declared_eightfold_do_not_pay_eightfold():
    # Figures: 3.9 times uncapped, 1.9 times with the cap; here by the same formula on the declared and counted rows.
    uncapped, capped = [], []
    for seed in range(10):
        world = World(seed=200 + seed, n_weights=20)
        updates = [world.update(500) for _ in range(8)]
        honest = world.settle(updates)
        declared = [AcceptedUpdate(4000, updates[0].products), *updates[1:]]
        found = world.settle(declared)
        start = world.base / 2**26
        steps = np.array([update.products for update in updates], dtype=float) / 2**50
        a = np.array([8] + [1] * 7) / 15
        gradient = world.x.T @ (0.5 + world.x @ start / 4 - world.y) / 2
        curvature = world.x.T @ world.x / 8
        uncapped.append(-a[0] * steps[0] @ (gradient + 0.5 * curvature @ (a @ steps)) / honest.values[0])
        capped.append(found.values[0] / honest.values[0])
    assert np.mean(uncapped) > 3.5
    assert 1.0 < np.mean(capped) < 1.95


@given(values=st.lists(st.integers(-(2**300), 2**300), min_size=1, max_size=16).filter(lambda v: max(v) > 0))
def test_shares_are_whole_and_within_one_step(values):
    shares = rounded_shares(values)
    whole = sum(max(0, value) for value in values)
    assert sum(shares) == 64
    assert all(
        abs(share * whole - 64 * max(0, value)) < whole and share >= 0
        for share, value in zip(shares, values, strict=True)
    )


@pytest.mark.parametrize(
    ("values", "shares"),
    [
        ((1, 1, 1), (22, 21, 21)),
        ((3, 1), (48, 16)),
        ((2, 1), (43, 21)),
        ((-5, 10), (0, 64)),
        ((0, 7, -1), (0, 64, 0)),
        ((127, 1), (64, 0)),
        ((1,) * 16, (4,) * 16),
    ],
)
def test_shares_by_hand(values, shares):
    # 2 : 1 is 42.67 : 21.33; 127 : 1 is 63.5 : 0.5, and the earlier seat has the half.
    assert rounded_shares(values) == shares


def test_nothing_of_worth_cannot_be_shared():
    with pytest.raises(BadInput):
        rounded_shares((0, -3))


def test_a_round_that_cannot_be_settled_is_refused():
    world = World()
    with pytest.raises(BadInput, match="no accepted update"):
        world.settle([])
    with pytest.raises(BadInput):
        world.settle([AcceptedUpdate(0, (0,) * world.n_weights)])
    with pytest.raises(BadInput):
        world.settle([AcceptedUpdate(5, (0,) * (world.n_weights + 1))])
    with pytest.raises(RuleBroken):
        world.settle([world.update(500)], best_loss=world.terms.target_loss)


def test_printing_shows_no_weights_and_no_updates():
    world = World()
    found = world.settle([world.update(500)])
    assert "<secret>" in repr(found)
    assert str(int(found.next_weights[0])) not in repr(found)
    assert repr(AcceptedUpdate(5, (123, 456))) == "AcceptedUpdate(n_rows=5, <secret>)"
