"""The chain in memory against the contract: a long random story, played on both, must not differ in anything.

Real first, then memory with its clock at the block's time. Compared are what becomes of each call (its events, or its
error with the facts) and after each change model, rounds, seats, dues and credits. The story is seeded, and so is its
time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest

from chain_common.contract_errors import ContractError
from chain_common.domain.calls import (
    Call,
    Claim,
    Contribute,
    CreateModel,
    End,
    FailRound,
    Reclaim,
    Settle,
    SettleClosing,
    TopUp,
    Withdraw,
)
from chain_common.domain.repository import ModelStatus, Rejection, RoundState
from tests.chains import MemoryDriver, RealDriver
from tests.ports.ledger_fixtures import (
    ETHER,
    INITIAL,
    STAKE,
    STEP,
    anvil,  # noqa: F401 - the fixture "on_anvil"
    contribute,
    create,
    digest,
    paid,
)

ACCOUNTS = range(4)


class Lockstep:
    """Both chains, and what is drawn for them."""

    def __init__(self, real: RealDriver, seed: int) -> None:
        self.real = real
        self.memory = MemoryDriver()
        self.memory.clock.moment = real.now()
        self.draw = random.Random(seed)
        self.n_calls = 0
        self.seen: set[str] = set()
        names = {self.memory.ledger(i).account(): f"account {i}" for i in ACCOUNTS}
        self.names = names | {real.ledger(i).account(): f"account {i}" for i in ACCOUNTS}

    def plain(self, value: Any) -> Any:
        """A record with accounts by number, so that both chains' can be compared."""
        if isinstance(value, dict):
            return {key: self.plain(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(each) for each in value]
        return self.names.get(value, value) if isinstance(value, str) else value

    def outcome(self, ledger: Any, call: Any, key: str) -> tuple[Any, int]:
        """What became of a call: its events or its error, in plain values, and the time it happened at."""
        try:
            receipt = ledger.send(call, key=key)
        except ContractError as error:
            facts = {name: fact for name, fact in vars(error).items() if name not in ("got", "expected", "now")}
            return (type(error).__name__, self.plain(facts)), ledger.head().timestamp
        said = [(event.name, event.model_id, self.plain(event.arguments)) for event in receipt.events]
        return said, receipt.events[0].timestamp

    def send(self, call: Any, by: int) -> None:
        self.n_calls += 1
        expected, moment = self.outcome(self.real.ledger(by), call, f"call {self.n_calls}")
        self.memory.clock.moment = moment
        found, _ = self.outcome(self.memory.ledger(by), call, f"call {self.n_calls}")
        assert found == expected, call
        self.memory.clock.moment = self.real.now()
        if isinstance(expected, tuple):
            self.seen.add(expected[0])
        else:
            self.seen |= {name for name, _, _ in expected}
            self.compare()

    def pass_time(self, seconds: int) -> None:
        request = self.real.node.web3.manager.request_blocking
        request("evm_setNextBlockTimestamp", [self.real.now() + seconds])  # type: ignore[arg-type]
        request("evm_mine", [])  # type: ignore[arg-type]
        self.memory.clock.moment = self.real.now()
        self.compare()

    def compare(self) -> None:
        assert self.state(self.memory.ledger()) == self.state(self.real.ledger())

    def state(self, ledger: Any) -> Any:
        """All that can be read of the newest model and of the credits."""
        number = ledger.model_count()
        owed = [ledger.credit(account) for account in self.names if ledger.balance(account)]
        if number == 0:
            return owed
        model = ledger.model(number)
        rounds = [ledger.round(number, each) for each in range(model.rounds + 2)]
        seats = [
            (asdict(ledger.seat(number, each.number, index)), ledger.due(number, each.number, index))
            for each in rounds[-2:]
            for index in range(each.seats)
        ]
        return self.plain([asdict(model), [asdict(each) for each in rounds], [list(each) for each in seats], credits])

    # ------------------------------------------------------------------------------------------------------- drawing

    def often(self, probability: float) -> bool:
        return self.draw.random() < probability

    def step(self) -> None:
        """Do what moves the newest model on; now and then something else, or the same thing spoiled."""
        ledger = self.real.ledger()
        number = ledger.model_count()
        if number == 0 or (ledger.model(number).status is ModelStatus.ENDED and self.often(0.3)):
            self.send(self.new_model(), by=0)
            return
        status, state = ledger.model(number).status, ledger.round(number, ledger.model(number).rounds).state
        if self.often(0.12):
            self.pass_time(self.draw.choice([60, 450, 950, 1_050]))
        elif self.often(0.2):
            act = self.draw.choice([self.contribution, self.settlement, self.closing, self.other, self.other])
            self.send(act(number), by=self.draw.choice([0, 1, 2]))
        elif status is not ModelStatus.OPEN:
            self.send(self.closing(number), by=0)
        elif state in (RoundState.DELIVERING, RoundState.AWAITING_SETTLEMENT):
            self.send(self.settlement(number), by=0)
        elif state is RoundState.OVERDUE:
            self.send(FailRound(number), by=1)
        elif self.often(0.1):
            self.send(End(number), by=0)
        else:
            self.send(self.contribution(number), by=self.draw.choice([1, 2, 3]))

    def new_model(self) -> CreateModel:
        pick = self.draw.choice
        closing_share = pick([0, 500_000, 333_333])
        call = create(
            self.real.now(),
            stake_wei=pick([STAKE, 7]),
            seats=pick([1, 2, 3]),
            pilot_seats=pick([0, 1, 2]),
            close_when_full=pick([True, True, False]),
            max_rounds=pick([2, 4, 16]),
            loss_steps=pick([0, 256]),
            closing_share_ppm=closing_share,
            closing_rows=1_000 if closing_share else 0,
            deadline=self.real.now() + pick([3_000, 50_000]),
        )
        published = replace(
            call.publication,
            closing_commitment=call.publication.closing_commitment if closing_share else bytes(32),
        )
        return replace(call, bounty_wei=pick([ETHER, ETHER - 11]), bond_wei=ETHER, publication=published)

    def contribution(self, number: int) -> Contribute:
        ledger = self.real.ledger()
        model = ledger.model(number)
        running = ledger.round(number, model.rounds).state in (1, 2, 3, 4)
        call = contribute(number, f"rows {self.draw.randrange(60)}", model.rounds + (not running))
        right = replace(
            call,
            stake_wei=ledger.terms(number).stake_wei,
            contribution=replace(call.contribution, base_weights=model.base_weights),
        )
        if self.often(0.8):
            return right
        spoiled = self.draw.choice([{"base_weights": digest("x")}, {"rows": 0}, {"round": 9}, {"nonce": bytes(32)}])
        return replace(right, contribution=replace(right.contribution, **spoiled))

    def settlement(self, number: int) -> Settle:
        ledger, pick = self.real.ledger(), self.draw.choice
        model = ledger.model(number)
        n_seats = ledger.round(number, model.rounds).seats or 1
        code = pick([Rejection.ACCEPTED, Rejection.ACCEPTED, Rejection.SAME_ROWS, Rejection.NOT_DELIVERED])
        codes = (Rejection.ACCEPTED,) * (n_seats - 1) + (code if n_seats > 1 else Rejection.ACCEPTED,)
        fall = pick([0, -STEP, STEP, 5 * STEP, 20 * STEP, 20 * STEP, 60 * STEP, 300 * STEP])
        has_money = fall >= 5 * STEP
        share = self.draw.randrange(65) if n_seats > 1 and not codes[-1] else 0
        shares = (64 - share, *[0] * (n_seats - 2), share)[-n_seats:] if n_seats > 1 else (64,)
        unchanged = {"next_weights": model.base_weights, "weights_commitment": model.weights_commitment}
        fresh = {key: digest(f"{key} {self.n_calls}") for key in unchanged}
        loss = max(0, model.best_loss - fall)
        right = paid(number, model.rounds, loss, shares if has_money else (0,) * n_seats, rejections=codes)
        right = replace(right, report=replace(right.report, **(fresh if has_money else unchanged)))
        if self.often(0.8):
            return right
        spoiled = pick(
            [
                unchanged if has_money else fresh,
                {"shares": shares[:-1]},
                {"shares": (1,) * n_seats},
                {"loss": loss + 1},
                {"round": model.rounds + 1},
            ]
        )
        return replace(right, report=replace(right.report, **spoiled))

    def closing(self, number: int) -> Call:
        ledger = self.real.ledger()
        losses, last = [INITIAL], INITIAL
        rounds = ledger.model(number).rounds
        for each in range(1, rounds + 1):
            if ledger.round(number, each).money_wei or self.often(0.1):
                last -= self.draw.choice([0, STEP, 9 * STEP, 40 * STEP, -STEP])
            losses.append(last)
        calls: list[Call] = [Claim(number, each, self.draw.randrange(3)) for each in range(1, rounds + 1)]
        scored: list[Call] = [SettleClosing(number, tuple(losses)), SettleClosing(number, (INITIAL,))]
        return self.draw.choice([*calls, *scored, Reclaim(number), Withdraw()])

    def other(self, number: int) -> Call:
        top_up = TopUp(number, self.draw.choice([1, ETHER // 3, ETHER]), self.draw.choice([0, ETHER // 4]))
        return self.draw.choice(
            [top_up, End(number), FailRound(number), Claim(number, 1, 0), Withdraw(), Claim(9, 1, 0)]
        )


@pytest.fixture
def timed(on_anvil: RealDriver) -> Iterator[RealDriver]:
    """A chain on which every block is a second after the one before, however slow the machine is."""
    request = on_anvil.node.web3.manager.request_blocking
    request("anvil_setBlockTimestampInterval", [1])  # type: ignore[arg-type]
    yield on_anvil
    request("anvil_removeBlockTimestampInterval", [])  # type: ignore[arg-type]


@pytest.mark.chain
def test_a_long_random_story_is_the_same_in_memory_and_on_the_contract(timed: RealDriver) -> None:
    story = Lockstep(timed, seed=4)
    for _ in range(60):
        story.step()
    # It went somewhere: models in all their states, and much of what can be refused.
    went = {
        "ModelCreated",
        "RoundSettled",
        "TrainingEnded",
        "Ended",
        "ClosingSettled",
        "RoundFailed",
        "Withdrawn",
    }
    assert went <= story.seen, sorted(story.seen)
    assert len(story.seen) >= 22, sorted(story.seen)
