"""claim and withdraw: payments are pulled, once, and no receiver can block another.

::

    claim
    ├── no such model or seat   → UnknownModel, UnknownSeat
    ├── nothing due now         → NothingToClaim
    └── else                    → credited to the seat's owner, whoever calls
    withdraw
    ├── no credit               → NothingToWithdraw
    ├── the receiver refuses    → PaymentFailed, the credit stands
    └── else                    → paid, the credit is gone before
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.market import (
    BOND,
    BOUNTY,
    HOUR,
    STAKE,
    Contract,
    Market,
    Refused,
    Status,
    artifact,
    digest,
    refused,
)


def _account(market: Market, kind: str) -> Contract:
    """Deploy a contract account with some ether of its own."""
    account = market.chain.deploy(artifact("tests/artifacts", kind), market.repository.address, value=20_000)
    account.errors |= market.repository.errors
    return account


def _act(market: Market, account: Contract, function: str, *arguments: Any, value: int = 0) -> None:
    """Have a contract account call the repository."""
    data = market.repository.web3.encode_abi(function, args=list(arguments))
    account.send("act", value, data)


def _seat_of(market: Market, account: Contract, model_id: int) -> None:
    """Give a contract account the first of two seats and half of a round's money."""
    contribution = market.contribution(model_id, account.address)
    _act(market, account, "contribute", model_id, tuple(contribution.values()), value=STAKE)
    market.contribute(model_id, market.owners[0])
    market.settle(model_id, 600, [32, 32])
    market.claim(model_id, 1, 0)
    market.claim(model_id, 1, 1)
    assert market.credit(account.address) == market.credit(market.owners[0]) == STAKE + 800


def test_a_claim_credits_the_seats_owner_once_whoever_calls(market: Market) -> None:
    model_id = market.create()
    market.contribute(model_id, market.owners[0])
    market.contribute(model_id, market.owners[1])
    with refused("NothingToClaim", model_id, 1, 0):
        market.claim(model_id, 1, 0)
    market.settle(model_id, 600, [64, 0])
    assert market.claim(model_id, 1, 0) == (STAKE, 1_600)

    assert market.credit(market.owners[0]) == STAKE + 1_600
    assert market.credit(market.stranger) == 0
    (claimed,) = market.repository.events("Claimed")
    assert claimed == {
        "modelId": model_id,
        "round": 1,
        "owner": market.owners[0],
        "seat": 0,
        "stake": STAKE,
        "reward": 1_600,
    }
    seat = market.seat(model_id, 1, 0)
    assert (seat["claimed"], seat["heldClaimed"]) == (True, False)
    with refused("NothingToClaim", model_id, 1, 0):
        market.claim(model_id, 1, 0)
    # The other seat is untouched by that.
    assert market.claim(model_id, 1, 1) == (STAKE, 0)


def test_only_seats_that_are_there_are_claimed(market: Market) -> None:
    model_id = market.create()
    with refused("UnknownSeat", model_id, 1, 0):
        market.send("claim", model_id, 1, 0)
    with refused("UnknownModel", 9):
        market.send("claim", 9, 1, 0)


def test_credit_of_several_models_is_withdrawn_at_once(market: Market) -> None:
    owner = market.owners[0]
    for _ in range(2):
        model_id = market.create(seats=1)
        market.contribute(model_id, owner)
        market.settle(model_id, 600, [64])
        market.claim(model_id, 1, 0)
    before = market.chain.balance(owner)
    assert market.send("withdraw", sender=owner) == 2 * (STAKE + 1_600)
    (withdrawn,) = market.repository.events("Withdrawn")
    assert withdrawn == {"account": owner, "currency": "0x" + "00" * 20, "amount": 3_400}
    price = market.repository.receipt["effectiveGasPrice"] * market.repository.gas_used
    assert market.chain.balance(owner) == before + 3_400 - price
    assert market.credit(owner) == 0
    with refused("NothingToWithdraw", owner):
        market.send("withdraw", sender=owner)


def test_a_receiver_that_refuses_keeps_its_credit_and_blocks_nobody(market: Market) -> None:
    account = _account(market, "RefusingReceiver")
    model_id = market.create()
    _seat_of(market, account, model_id)
    with refused("PaymentFailed", account.address, STAKE + 800):
        _act(market, account, "withdraw")
    assert market.credit(account.address) == STAKE + 800
    assert market.send("withdraw", sender=market.owners[0]) == STAKE + 800
    market.play(model_id, 200, [64, 0])
    assert market.model(model_id)["status"] == Status.CLOSING


def test_a_receiver_that_burns_all_gas_blocks_nobody(market: Market) -> None:
    account = _account(market, "GasBurningReceiver")
    model_id = market.create()
    _seat_of(market, account, model_id)
    with pytest.raises(Refused) as caught:
        _act(market, account, "withdraw")
    assert caught.value.name == "PaymentFailed"
    assert market.send("withdraw", sender=market.owners[0]) == STAKE + 800


def test_a_receiver_that_calls_back_is_paid_once(market: Market) -> None:
    account = _account(market, "ReenteringReceiver")
    model_id = market.create()
    _seat_of(market, account, model_id)
    escrowed = market.chain.balance(market.repository.address)
    _act(market, account, "withdraw")
    assert account.call("payments") == 1
    assert account.call("refusal")[:4] == next(
        selector for selector, entry in market.repository.errors.items() if entry["name"] == "NothingToWithdraw"
    )
    assert market.credit(account.address) == 0
    assert market.chain.balance(market.repository.address) == escrowed - (STAKE + 800)


def test_a_contract_account_lends_and_gets_its_money_back(market: Market) -> None:
    account = _account(market, "ContractAccount")
    publication, terms = market.publication(), market.terms()
    _act(
        market,
        account,
        "createModel",
        BOUNTY,
        BOND,
        tuple(publication.values()),
        tuple(terms.values()),
        value=BOUNTY + BOND,
    )
    assert market.model(1)["lender"] == account.address
    market.fill(1)
    settlement = market.settlement(1, 200, [32, 32])
    _act(market, account, "settle", 1, tuple(settlement.values()))
    _act(market, account, "settleClosing", 1, [1_000, 600])
    market.chain.wait(HOUR + 1)
    market.send("reclaim", 1)
    # Closing gain 400 of a scoring gain of 800: half of the 3,200 held comes back, and the bond.
    assert market.credit(account.address) == 1_600 + BOND
    before = market.chain.balance(account.address)
    _act(market, account, "withdraw")
    assert market.chain.balance(account.address) == before + 1_600 + BOND


@pytest.mark.filterwarnings("ignore:SELFDESTRUCT")
def test_ether_forced_into_the_contract_is_nobodys(market: Market) -> None:
    model_id = market.create()
    market.chain.force(market.repository.address, 12_345)
    market.send("end", model_id, sender=market.lender)
    assert market.credit(market.lender) == BOUNTY + BOND
    market.send("withdraw", sender=market.lender)
    assert market.chain.balance(market.repository.address) == 12_345


def test_one_model_never_pays_with_anothers_money(market: Market) -> None:
    """A model that has paid all it had leaves another one's escrow untouched."""
    other = market.create()
    model_id = market.create(seats=1)
    market.contribute(model_id, market.owners[0], tagRoot=digest("rows"))
    market.settle(model_id, 0, [64])
    market.send("settleClosing", model_id, [1_000, 0], sender=market.lender)
    market.claim(model_id, 1, 0)
    market.chain.wait(HOUR + 1)
    market.send("reclaim", model_id)
    market.send("withdraw", sender=market.owners[0])
    market.send("withdraw", sender=market.lender)
    assert market.chain.balance(market.repository.address) == BOUNTY + BOND
    assert market.model(other)["left"] + market.model(other)["bond"] == BOUNTY + BOND
