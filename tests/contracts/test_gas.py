"""What a call costs, at the size the apps use by default: eight seats."""

from __future__ import annotations

import pytest

from tests.contracts.market import BOUNTY, HOUR, Market

SEATS = 8
SHARES = [8] * SEATS


@pytest.fixture
def gas(market: Market) -> dict[str, int]:
    """Gas of each call in one story of a model with 2 rounds of 8 seats."""
    used = {}
    model = market.create(seats=SEATS)
    used["createModel"] = market.repository.gas_used
    for index, owner in enumerate([*market.owners, market.stranger][:SEATS]):
        market.contribute(model, owner)
        used[f"contribute {index}"] = market.repository.gas_used
    market.settle(model, 600, SHARES)
    used["settle"] = market.repository.gas_used
    market.claim(model, 1, 0)
    used["claim"] = market.repository.gas_used
    for owner in [*market.owners, market.stranger][:SEATS]:
        market.contribute(model, owner)
    market.settle(model, 200, SHARES)
    used["settle and end"] = market.repository.gas_used
    market.send("settleClosing", model, [1_000, 700, 400], sender=market.lender)
    used["settleClosing"] = market.repository.gas_used
    market.claim(model, 1, 0)
    used["claim held half"] = market.repository.gas_used
    market.claim(model, 2, SEATS - 1)
    used["claim all at once"] = market.repository.gas_used
    market.chain.wait(HOUR + 1)
    market.send("reclaim", model)
    used["reclaim"] = market.repository.gas_used
    market.send("withdraw", sender=market.owners[0])
    used["withdraw"] = market.repository.gas_used
    return used


def test_no_call_costs_more_than_it_may(gas: dict[str, int]) -> None:
    print(gas)
    assert BOUNTY
    for index in range(SEATS):
        assert gas[f"contribute {index}"] <= 140_000
