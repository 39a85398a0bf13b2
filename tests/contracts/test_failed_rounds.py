"""failRound: what a silent lender loses, and to whom.

::

    failRound
    ├── no such model, not open            → UnknownModel, ModelNotOpen
    ├── no round, collecting, to be settled, settled → RoundNotOverdue
    └── overdue                            → closing, failed; half the forfeit burned, half to the seats
"""

from __future__ import annotations

import pytest

from tests.contracts.market import (
    ACCEPTED,
    BOND,
    BOUNTY,
    HOUR,
    STAKE,
    UNOPENABLE,
    Market,
    State,
    Status,
    refused,
)


def _fail(market: Market, model_id: int) -> None:
    """Let the running round go unsettled and have a stranger fail it."""
    number = market.model(model_id)["rounds"]
    market.chain.at(market.round(model_id, number)["settleBy"] + 1)
    market.send("failRound", model_id, sender=market.stranger)


def test_bond_and_bounty_of_a_failed_round_are_half_burned_and_half_shared(market: Market) -> None:
    model_id = market.create()
    market.fill(model_id)
    failed_at = market.round(model_id)["settleBy"] + 1
    _fail(market, model_id)

    # 6,400 + 3,200 = 9,600: half burned, 2,400 to each of two seats.
    assert market.call("burned") == 4_800
    model = market.model(model_id)
    assert (model["status"], model["failed"]) == (Status.CLOSING, True)
    assert (model["left"], model["held"], model["bond"], model["bounty"]) == (0, 0, 0, BOUNTY)
    assert (model["closingBy"], model["reclaimFrom"]) == (0, failed_at + HOUR + 1)
    assert model["seatsTotal"] == 2
    assert market.state(model_id) == State.FAILED
    assert market.round(model_id)["lossAfter"] == 0
    (failed,) = market.repository.events("RoundFailed")
    assert failed == {"modelId": model_id, "round": 1, "compensation": 2_400, "burned": 4_800}
    (ended,) = market.repository.events("TrainingEnded")
    assert ended == {"modelId": model_id, "loss": 1_000, "closingBy": 0}

    # Stakes come back whole.
    assert market.claim(model_id, 1, 0) == (STAKE, 2_400)
    assert market.claim(model_id, 1, 1) == (STAKE, 2_400)
    for seat in (0, 1):
        assert market.seat(model_id, 1, seat)["heldClaimed"]
        with refused("NothingToClaim", model_id, 1, seat):
            market.claim(model_id, 1, seat)


def test_settled_seats_keep_their_first_half_and_share_the_forfeit_unless_rejected(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [64, 0], rejections=[ACCEPTED, UNOPENABLE])
    burned_stake = 10
    # Claimed before the failure: stake and first half.
    assert market.claim(model_id, 1, 0) == (STAKE, 1_600)
    market.fill(model_id)
    _fail(market, model_id)

    # Left 3,200, held 1,600, bond 3,200: 8,000. Three seats share 4,000: 1,333 each, one wei of dust is burned.
    assert market.call("burned") == burned_stake + 4_001
    assert market.model(model_id)["seatsTotal"] == 3
    assert market.claim(model_id, 1, 0) == (0, 1_333)
    assert market.claim(model_id, 1, 1) == (STAKE - burned_stake, 0)
    assert market.claim(model_id, 2, 0) == (STAKE, 1_333)
    assert market.claim(model_id, 2, 1) == (STAKE, 1_333)
    for number in (1, 2):
        for seat in (0, 1):
            with refused("NothingToClaim", model_id, number, seat):
                market.claim(model_id, number, seat)
    # Its held half is gone for good.
    assert market.round(model_id, 1)["heldPaid"] == 0
    market.chain.wait(HOUR + 1)
    market.send("reclaim", model_id)
    assert market.credit(market.lender) == 0
    with refused("NothingToWithdraw", market.lender):
        market.send("withdraw", sender=market.lender)


def test_a_seat_that_had_not_claimed_gets_both_at_once(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [64, 0])
    market.contribute(model_id, market.owners[0])
    _fail(market, model_id)
    # 8,000 among three seats.
    assert market.claim(model_id, 1, 0) == (STAKE, 1_600 + 1_333)
    seat = market.seat(model_id, 1, 0)
    assert (seat["claimed"], seat["heldClaimed"]) == (True, True)


def test_whoever_the_seats_belong_to_a_silent_lender_loses_half_of_bond_and_bounty(market: Market) -> None:
    model_id = market.create(seats=1)
    before = market.chain.balance(market.lender) + BOUNTY + BOND
    # The lender itself sits in the only seat.
    market.contribute(model_id, market.lender)
    _fail(market, model_id)
    market.claim(model_id, 1, 0)
    market.chain.wait(HOUR + 1)
    market.send("reclaim", model_id)
    assert market.credit(market.lender) == STAKE + (BOUNTY + BOND) // 2
    gas = 10**16
    market.send("withdraw", sender=market.lender)
    assert market.chain.balance(market.lender) <= before - (BOUNTY + BOND) // 2 + gas


def test_a_round_fails_only_after_its_time_for_settlement(market: Market) -> None:
    model_id = market.create()
    with refused("RoundNotOverdue", model_id, 0, State.NONE):
        market.send("failRound", model_id)
    market.contribute(model_id, market.owners[0])
    view = market.round(model_id)
    for moment, state in (
        (view["closesBy"], State.COLLECTING),
        (view["deliverBy"], State.DELIVERING),
        (view["settleBy"], State.AWAITING_SETTLEMENT),
    ):
        market.chain.at(moment)
        with refused("RoundNotOverdue", model_id, 1, state):
            market.send("failRound", model_id)
    market.chain.at(view["settleBy"] + 1)
    market.send("failRound", model_id)
    with refused("ModelNotOpen", model_id, Status.CLOSING):
        market.send("failRound", model_id)
    with refused("UnknownModel", 5):
        market.send("failRound", 5)


def test_a_settled_round_does_not_fail(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [64, 0])
    market.chain.wait(10 * HOUR)
    with refused("RoundNotOverdue", model_id, 1, State.SETTLED):
        market.send("failRound", model_id)


def test_a_failed_model_has_no_closing_score(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [64, 0])
    market.fill(model_id)
    _fail(market, model_id)
    with refused("ClosingOver", model_id, 0):
        market.send("settleClosing", model_id, [1_000, 800, 800], sender=market.lender)


@pytest.mark.parametrize(("bounty", "bond"), [(1, 1), (3, 2), (7, 4), (101, 51)])
def test_amounts_too_small_to_share_are_burned(market: Market, bounty: int, bond: int) -> None:
    model_id = market.create(bounty=bounty, bond=bond, stake=0, auditFee=0)
    market.fill(model_id)
    _fail(market, model_id)
    each = (bounty + bond) // 2 // 2
    assert market.call("burned") == bounty + bond - 2 * each
    assert market.chain.balance(market.repository.address) == bounty + bond
    if each:
        assert market.claim(model_id, 1, 1) == (0, each)
    else:
        with refused("NothingToClaim", model_id, 1, 1):
            market.claim(model_id, 1, 1)
