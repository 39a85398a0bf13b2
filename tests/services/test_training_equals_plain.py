"""A whole run through the real services: what encryption, packing and sealing leave of plain training is all of it.

The reference is written out here in float64 and whole numbers: damped step, combination by rows, length of the step,
Shapley values over all subsets, rewards. Of the code under test it takes only the encoded rows.
"""

import io
from fractions import Fraction
from itertools import combinations
from math import factorial

import numpy as np
import pytest

from chain_common.adapters.loan_csv import CsvLoanReader
from chain_common.contract_errors import NothingToClaim
from chain_common.domain.calls import Claim
from chain_common.domain.loan_table import labelled
from chain_common.domain.repository import ModelStatus
from chain_common.services.data_owner.contributions import NothingToClaimYet
from tests.services.town import PRESET, Town, as_csv, drawn_rows

BRIER_BITS, LOSS_SHIFT = (
    80,
    48,
)  # v'Gv / 2^80 is the sum of squared errors; the contract sees it without the last 48 bits
STEP_LENGTHS = (1, 1 / 2, 1 / 4, 1 / 8)
ROWS_OF = {"anna": 300, "berta": 320, "clara": 500, "dora": 800}


def encoded(spec, rows):
    """Return a data owner's rows as the spec asks: float64 (n_rows, n_weights) and labels."""
    table = CsvLoanReader().read(io.BytesIO(as_csv(rows)), filename="rows.csv", columns=spec.columns)
    loans = labelled(table, spec.target)
    return spec.encode(loans.table.columns), loans.labels


def plain_update(inputs, labels, weights):
    """One damped step of the taylor-logistic loss: (A + mu J)^-1 (b - A w)."""
    n_rows, n_weights = inputs.shape
    curvature = inputs.T @ inputs / (4 * n_rows)
    moment = inputs.T @ (labels - 0.5) / n_rows
    damping = np.eye(n_weights) * max(0.001, 0.1 * n_weights / n_rows)
    damping[-1, -1] = 0
    return np.linalg.solve(curvature + damping, moment - curvature @ weights)


def squared_errors(inputs, labels, weights):
    """Sum of squared errors of the unclipped prediction."""
    return float(np.sum((0.5 + inputs @ weights / 4 - labels) ** 2))


def combined(scoring, weights, updates, n_rows):
    """Return the next weights and each update as it moved them."""
    rows = np.array(n_rows) / sum(n_rows)
    moves = [share * update for share, update in zip(rows, updates, strict=True)]
    beta = min(STEP_LENGTHS, key=lambda length: squared_errors(*scoring, weights + length * sum(moves)))
    return weights + beta * sum(moves), [beta * move for move in moves]


def shapley(scoring, weights, moves):
    """Shapley value of each move by its definition: the mean of what it adds, over all orders of all subsets."""
    n_moves = len(moves)

    def worth(subset):
        there = weights + sum((moves[i] for i in subset), start=np.zeros_like(weights))
        return squared_errors(*scoring, weights) - squared_errors(*scoring, there)

    values = []
    for own in range(n_moves):
        others = [i for i in range(n_moves) if i != own]
        value = 0.0
        for size in range(n_moves):
            weight = factorial(size) * factorial(n_moves - size - 1) / factorial(n_moves)
            value += weight * sum(worth((*s, own)) - worth(s) for s in combinations(others, size))
        values.append(value)
    return values


def in_64ths(values):
    """Largest remainders; what is negative counts as nothing."""
    whole = [64 * max(0.0, value) / sum(max(0.0, v) for v in values) for value in values]
    shares = [int(part) for part in whole]
    for seat in sorted(range(len(whole)), key=lambda seat: shares[seat] - whole[seat])[: 64 - sum(shares)]:
        shares[seat] += 1
    return tuple(shares)


def loss_sum(x_q12, labels, w_q26):
    """The contract's loss in whole numbers, row by row."""
    total = 0
    for row, label in zip(x_q12.tolist(), labels.tolist(), strict=True):
        z = sum(x * w for x, w in zip(row, w_q26.tolist(), strict=True))
        total += (z + (1 - 2 * int(label)) * 2**12 * 2 * 2**26) ** 2
    return total >> LOSS_SHIFT


def on_grid(exact, terms):
    """Round a loss up to the grid of the terms."""
    step = (terms.initial_loss - terms.target_loss) // terms.loss_steps
    return terms.initial_loss - (terms.initial_loss - exact) // step * step


class Run:
    """A bounty, one data owner in round 1, three in round 2, closing score, claims, withdrawals, reclaim."""

    def __init__(self):
        self.town = Town()
        self.lender = self.town.lender()
        self.rows = {name: drawn_rows(n, 100 + n) for name, n in ROWS_OF.items()}
        self.owners = {name: self.town.owner(name) for name in ROWS_OF}
        self.started_with = {name: owner.balance() for name, owner in self.owners.items()}
        draft_id = self.lender.prepare(drawn_rows(1400, 1))
        draft = self.lender.app.bounties.draft(draft_id)
        # A third further than the lender's own rows reach: both rounds gain, none arrives.
        target = draft.baseline_score - 4 / 3 * (draft.baseline_score - draft.reach_score)
        self.draft_id, self.model_id = self.lender.post(
            drawn_rows(1400, 1), target_score=target, seats=3, pilot_seats=1, max_rounds=2, audit_demand_window_s=5
        )
        self.contributions = {}
        self.money = [self.look()]
        for number, names in ((1, ("anna",)), (2, ("berta", "clara", "dora"))):
            for name in names:
                self.contributions[name] = self.owners[name].contribute(self.model_id, self.rows[name])
            self.town.pass_time(8)
            self.money.append(self.look())
            assert self.ledger.model(self.model_id).paid_rounds == number
        self.town.pass_time(4)
        self.money.append(self.look())
        self.collect()

    @property
    def ledger(self):
        return self.lender.world.ledger

    def collect(self):
        for name, owner in self.owners.items():
            owner.claim(self.contributions[name])
            self.money.append(self.look())
            owner.withdraw()
        self.town.pass_time(8)
        self.lender.app.models.reclaim(self.model_id)
        self.lender.work()
        self.money.append(self.look())

    def look(self):
        """Return where the bounty is, as the lender's page says it."""
        self.lender.watch()
        return self.lender.app.models.view(self.model_id).money

    def weights(self, number):
        """Return the base after a round, int32 at 2^26, from the lender's vault."""
        model = self.ledger.model(self.model_id)
        if number == model.rounds:
            digest = model.base_weights
        else:
            digest = self.ledger.round(self.model_id, number + 1).base_weights
        return self.lender.app.keys.weights(self.draft_id, digest)


@pytest.fixture(scope="module")
def run():
    return Run()


@pytest.fixture(scope="module")
def plain(run):
    """The same run in float64: weights after each round, and the moves of each round."""
    spec = run.owners["anna"].app.contributing.reader.spec(run.ledger.model(run.model_id).spec)
    rows = run.lender.app.bounties.rows(run.draft_id, "scoring")
    scoring = (rows.inputs / 2**12, rows.labels)
    bad = np.count_nonzero(drawn_rows(1400, 1)[1])
    weights = [np.array([0.0] * len(PRESET.plans) + [4 * (bad / 1400 - 0.5)])]
    moves = []
    for names in (("anna",), ("berta", "clara", "dora")):
        updates = [plain_update(*encoded(spec, run.rows[name]), weights[-1]) for name in names]
        there, moved = combined(scoring, weights[-1], updates, [ROWS_OF[name] for name in names])
        weights.append(there)
        moves.append(moved)
    return scoring, weights, moves


@pytest.mark.parametrize("number", [0, 1, 2])
def test_weights_after_a_round_are_those_of_plain_training(run, plain, number):
    _, weights, _ = plain
    encrypted = run.weights(number) / 2**26
    assert np.linalg.norm(encrypted - weights[number]) <= 1e-6 * np.linalg.norm(weights[number])


def test_the_run_moved_the_weights(plain):
    _, weights, _ = plain
    assert np.linalg.norm(weights[1] - weights[0]) > 0.5
    assert np.linalg.norm(weights[2] - weights[1]) > 0.05


def test_losses_on_chain_are_sums_over_the_scoring_rows_in_whole_numbers(run):
    rows, terms = run.lender.app.bounties.rows(run.draft_id, "scoring"), run.ledger.terms(run.model_id)
    exact = [loss_sum(rows.inputs, rows.labels, run.weights(number)) for number in range(3)]
    assert terms.initial_loss == exact[0]
    first, second = (run.ledger.round(run.model_id, number) for number in (1, 2))
    assert [first.loss_before, first.loss_after, second.loss_after] == [
        exact[0],
        on_grid(exact[1], terms),
        on_grid(exact[2], terms),
    ]
    assert second.loss_before == first.loss_after
    assert second.loss_after < first.loss_after < first.loss_before


def test_shares_are_the_shapley_values_by_definition(run, plain):
    scoring, weights, moves = plain
    expected = [in_64ths(shapley(scoring, weights[number], moves[number])) for number in range(2)]
    assert [run.ledger.round(run.model_id, number).shares for number in (1, 2)] == expected
    assert expected[0] == (64,)
    assert sum(expected[1]) == 64


def test_a_round_gets_the_part_of_the_way_to_the_target_it_went(run):
    terms, left = run.ledger.terms(run.model_id), 10**18
    for number in (1, 2):
        round_ = run.ledger.round(run.model_id, number)
        way, gone = round_.loss_before - terms.target_loss, round_.loss_before - round_.loss_after
        money = left * gone // way
        assert round_.money_wei == money
        assert round_.held_wei == money // 2
        left -= money
    assert left > 0


def test_the_held_half_is_paid_by_the_gain_on_the_closing_set(run):
    rows, terms = run.lender.app.bounties.rows(run.draft_id, "closing"), run.ledger.terms(run.model_id)
    losses = [loss_sum(rows.inputs, rows.labels, run.weights(number)) for number in range(3)]
    for number in (1, 2):
        round_ = run.ledger.round(run.model_id, number)
        closing_gain = Fraction(losses[number - 1] - losses[number], terms.closing_rows)
        scoring_gain = Fraction(round_.loss_before - round_.loss_after, terms.scoring_rows)
        confirmed = min(Fraction(1), max(Fraction(0), closing_gain / scoring_gain))
        assert round_.held_paid_wei == int(round_.held_wei * confirmed)


def test_every_owner_ends_up_with_its_reward(run):
    fee = 150_000 * 10**9  # one call in the chain in memory
    for number, names in ((1, ("anna",)), (2, ("berta", "clara", "dora"))):
        round_ = run.ledger.round(run.model_id, number)
        now, later, before = round_.money_wei - round_.held_wei, round_.held_paid_wei, 0
        for name, share in zip(names, round_.shares, strict=True):
            part = sum(amount * (before + share) // 64 - amount * before // 64 for amount in (now, later))
            owner = run.owners[name]
            # Contributing, claiming and withdrawing cost a fee each; the stake came back.
            assert owner.balance() - run.started_with[name] == part - 3 * fee
            assert owner.view(run.contributions[name]).reward_wei == part
            before += share


def test_what_was_paid_and_what_came_back_are_the_bounty(run):
    model = run.ledger.model(run.model_id)
    assert model.status is ModelStatus.ENDED
    paid = sum(owner.view(run.contributions[name]).reward_wei for name, owner in run.owners.items())
    ended = [event for event in run.town.chain.events if event.name == "Ended"]
    bond = 10**18 // 2
    assert [int(event.arguments["returned"]) - bond + paid for event in ended] == [10**18]


def test_the_page_accounts_for_the_whole_bounty_at_every_moment(run):
    for money in run.money:
        parts = (money.left_wei, money.credited_wei, money.held_wei, money.returned_wei, money.forfeited_wei)
        assert sum(parts) == 10**18
        assert min(parts) >= 0
    assert [money.held_wei > 0 for money in run.money] == [False, True, *[False] * 7]


def test_a_second_claim_gives_nothing(run):
    anna = run.owners["anna"]
    with pytest.raises(NothingToClaimYet):
        anna.app.contributions.claim(run.contributions["anna"])
    with pytest.raises(NothingToClaim):
        anna.world.ledger.send(Claim(run.model_id, 1, 0), key="once more")
