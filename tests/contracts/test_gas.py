"""What a call costs (the limits are the contract issue's), at the size the apps use by default: eight seats."""

from __future__ import annotations

import pytest

from tests.contracts.market import HOUR, Market, digest

SEATS = 8
SHARES = [8] * SEATS

Gas = dict[str, int]


def _contribute(market: Market, model_id: int, prefix: str) -> list[int]:
    """Fill a round of eight seats and return the gas of each contribution."""
    used = []
    for seat in range(SEATS):
        owner = market.owners[seat % len(market.owners)]
        market.contribute(model_id, owner, tagRoot=digest(f"{prefix} rows {seat}"))
        used.append(market.repository.gas_used)
    return used


@pytest.fixture
def gas(market: Market) -> Gas:
    """Gas of each call in the story of a model with two rounds of eight seats."""
    used = {}

    def send(label: str, function: str, *arguments: object, sender: str = market.lender) -> None:
        market.send(function, *arguments, sender=sender)
        used[label] = market.repository.gas_used

    model_id = market.create(seats=SEATS)
    used["createModel"] = market.repository.gas_used
    used["contribute"] = max(_contribute(market, model_id, "first"))
    send("settle", "settle", model_id, tuple(market.settlement(model_id, 600, SHARES).values()))
    send("claim", "claim", model_id, 1, 0)
    _contribute(market, model_id, "second")
    send("settle, the last", "settle", model_id, tuple(market.settlement(model_id, 200, SHARES).values()))
    send("settleClosing", "settleClosing", model_id, [1_000, 700, 400])
    send("claim, held half", "claim", model_id, 1, 0)
    send("claim, both halves", "claim", model_id, 2, SEATS - 1)
    market.chain.wait(HOUR + 1)
    send("reclaim", "reclaim", model_id)
    send("withdraw", "withdraw", sender=market.owners[0])
    return used


def test_no_call_costs_more_than_it_may(gas: Gas) -> None:
    assert gas["contribute"] <= 140_000
    assert gas["settle"] <= 150_000 + 15_000 * SEATS
    assert gas["settle, the last"] <= 150_000 + 15_000 * SEATS
    assert gas["claim"] <= 75_000
    assert gas["claim, held half"] <= 75_000
    assert gas["claim, both halves"] <= 75_000
    assert gas["withdraw"] <= 45_000
    assert gas["createModel"] <= 380_000
    assert gas["settleClosing"] <= 70_000
    assert gas["reclaim"] <= 70_000


def test_a_round_of_one_seat_costs_no_more_than_it_may(market: Market) -> None:
    model_id = market.create(seats=1)
    market.contribute(model_id, market.owners[0])
    assert market.repository.gas_used <= 145_000  # it opens and closes the round, too
    market.settle(model_id, 200, [64])
    assert market.repository.gas_used <= 150_000 + 15_000


def test_nothing_grows_with_models_or_past_rounds(market: Market) -> None:
    first = market.create(seats=SEATS)
    young = _contribute(market, first, "first")
    market.settle(first, 900, SHARES)
    young_settlement = market.repository.gas_used
    for _ in range(5):
        market.create()
    for loss in (800, 700):
        _contribute(market, first, str(loss))
        market.settle(first, loss, SHARES)
    old = _contribute(market, first, "last")
    market.settle(first, 600, SHARES)
    # A few gas up or down: bytes of calldata that happen to be zero.
    assert max(abs(a - b) for a, b in zip(young, old, strict=True)) < 500
    assert abs(market.repository.gas_used - young_settlement) < 500
