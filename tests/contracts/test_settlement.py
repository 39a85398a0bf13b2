"""settle, and what a round pays.

::

    settle
    ├── no such model, not open, not the lender     → UnknownModel, ModelNotOpen, NotLender
    ├── another round named                         → RoundMismatch
    ├── collecting, overdue, settled                → RoundNotSettleable
    ├── a loss off the grid                         → LossOffGrid
    ├── the round has money
    │   ├── base or commitment stays, or is missing → BaseMustChange, MissingDigest
    │   └── shares do not sum to 64                 → SharesSum
    ├── the round has no money
    │   ├── base or commitment changes              → BaseMustStay
    │   └── a share is not zero                     → UnexpectedShares
    ├── lists of another length                     → WrongLength
    ├── a rejected seat with a share                → UnexpectedShares
    ├── not delivered, while it still can be        → StillDeliverable
    └── else                                        → settled; at the target or after the last round: closing
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.market import (
    ACCEPTED,
    BOUNTY,
    HOUR,
    NOT_DELIVERED,
    ROW_FLOOR,
    SAME_ROWS,
    STAKE,
    UNOPENABLE,
    Market,
    State,
    Status,
    digest,
    refused,
)


def test_half_the_way_takes_half_the_bounty_and_half_of_that_is_held(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [48, 16])

    model = market.model(model_id)
    assert model["left"] == 3_200
    assert model["held"] == 1_600
    assert model["best"] == 600
    assert (model["rounds"], model["paidRounds"], model["seatsTotal"]) == (1, 1, 2)
    assert model["status"] == Status.OPEN
    assert model["baseWeights"] == digest("weights after 1")
    assert model["weightsCommitment"] == digest("commitment 1")
    view = market.round(model_id, 1)
    assert view["state"] == State.SETTLED
    assert (view["lossBefore"], view["lossAfter"]) == (1_000, 600)
    assert (view["money"], view["held"], view["heldPaid"]) == (3_200, 1_600, 0)
    assert view["shares"] == bytes([48, 16]) + bytes(14)
    assert view["rejections"] == bytes(16)
    # The round's own base is the one before.
    assert view["baseWeights"] == digest("first baseWeights")
    assert view["weightsCommitment"] == digest("first weightsCommitment")
    (settled,) = market.repository.events("RoundSettled")
    assert settled == {
        "modelId": model_id,
        "round": 1,
        "lossBefore": 1_000,
        "loss": 600,
        "money": 3_200,
        "held": 1_600,
        "shares": [48, 16],
        "rejections": [0, 0],
        "nextWeights": digest("weights after 1"),
        "weightsCommitment": digest("commitment 1"),
    }
    # 1,600 at once: three quarters and one quarter.
    assert market.claim(model_id, 1, 0) == (STAKE, 1_200)
    assert market.claim(model_id, 1, 1) == (STAKE, 400)


def test_a_second_round_takes_of_what_the_first_one_left(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 700, [64, 0])  # 300 of 800: 2,400
    assert market.model(model_id)["left"] == 4_000
    market.play(model_id, 500, [64, 0])  # 200 of the 500 left: 1,600
    view = market.round(model_id, 2)
    assert (view["lossBefore"], view["lossAfter"], view["money"]) == (700, 500, 1_600)
    assert view["baseWeights"] == digest("weights after 1")
    assert view["weightsCommitment"] == digest("commitment 1")
    assert market.model(model_id)["left"] == 2_400


def test_odd_amounts_are_shared_to_the_last_wei(market: Market) -> None:
    model_id = market.create(bounty=6_407, bond=3_204, seats=3)
    market.play(model_id, 600, [21, 21, 22])
    # 6,407 / 2 = 3,203 down; held 1,601 down, so 1,602 at once: cumulated 525.6, 1,051.3, 1,602.
    assert market.round(model_id)["money"] == 3_203
    assert market.round(model_id)["held"] == 1_601
    assert [market.claim(model_id, 1, seat)[1] for seat in range(3)] == [525, 526, 551]


def test_the_target_takes_all_and_ends_training(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [64, 0])
    market.fill(model_id)
    settled_at = market.chain.now
    market.settle(model_id, 150, [0, 64])

    model = market.model(model_id)
    assert (model["left"], model["held"], model["best"]) == (0, 3_200, 150)
    assert model["status"] == Status.CLOSING
    assert model["closingBy"] == settled_at + HOUR
    # Should no closing score come, the audit window starts when its time is over.
    assert model["reclaimFrom"] == settled_at + 2 * HOUR + 1
    assert market.round(model_id, 2)["money"] == 3_200
    (ended,) = market.repository.events("TrainingEnded")
    assert ended == {"modelId": model_id, "loss": 150, "closingBy": settled_at + HOUR}


def test_the_target_is_reached_by_equality(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 200, [64, 0])
    assert market.model(model_id)["left"] == 0
    assert market.model(model_id)["status"] == Status.CLOSING


def test_the_last_round_ends_training(market: Market) -> None:
    model_id = market.create(maxRounds=2)
    market.play(model_id, 600, [64, 0])
    assert market.model(model_id)["status"] == Status.OPEN
    market.play(model_id, 600, [0, 0])
    assert market.model(model_id)["status"] == Status.CLOSING


@pytest.mark.parametrize("loss", [985, 1_000, 1_001, 2**64 - 1])
def test_without_enough_gain_a_round_has_no_money_and_the_base_stays(market: Market, loss: int) -> None:
    model_id = market.create()  # the smallest gain paid is 16
    before = market.model(model_id)
    market.play(model_id, loss, [0, 0])

    assert market.model(model_id) == before | {"rounds": 1, "seatsTotal": 2}
    view = market.round(model_id)
    assert view["state"] == State.SETTLED
    assert (view["lossBefore"], view["lossAfter"], view["money"], view["held"]) == (1_000, 1_000, 0, 0)
    (settled,) = market.repository.events("RoundSettled")
    assert (settled["lossBefore"], settled["loss"], settled["money"]) == (1_000, loss, 0)
    # Accepted seats get their stakes.
    assert market.claim(model_id, 1, 0) == (STAKE, 0)


def test_the_smallest_gain_is_paid(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 984, [64, 0])
    assert market.round(model_id)["money"] == BOUNTY * 16 // 800


def test_a_gain_below_the_smallest_is_paid_if_it_reaches_the_target(market: Market) -> None:
    model_id = market.create(minGain=400)
    market.play(model_id, 500, [64, 0])  # 500 of 800: 4,000
    market.play(model_id, 201, [0, 0])  # a gain of 299
    market.play(model_id, 200, [64, 0])  # a gain of 300, but to the target
    assert market.round(model_id, 2)["money"] == 0
    assert market.round(model_id, 3)["money"] == BOUNTY - 4_000


def test_money_too_small_to_be_counted_is_none(market: Market) -> None:
    model_id = market.create(bounty=7, bond=4, stake=0, auditFee=0, minGain=0)
    # 7 x 100 / 800 is less than a wei.
    market.play(model_id, 900, [0, 0])
    view = market.round(model_id)
    assert (view["money"], view["lossAfter"]) == (0, 1_000)


def test_losses_lie_on_the_grid_on_both_sides_of_the_initial_one(market: Market) -> None:
    model_id = market.create(lossSteps=8)  # steps of 100
    market.fill(model_id)
    for loss in (999, 901, 150, 1_001, 0 + 1):
        with refused("LossOffGrid", loss, 100):
            market.settle(model_id, loss, [64, 0])
    market.settle(model_id, 1_100, [0, 0])
    market.play(model_id, 900, [64, 0])
    market.play(model_id, 0, [64, 0])
    assert market.model(model_id)["best"] == 0


def test_the_grid_hangs_on_the_initial_loss(market: Market) -> None:
    model_id = market.create(initialLoss=1_005, targetLoss=205, lossSteps=8, minGain=0)
    market.fill(model_id)
    with refused("LossOffGrid", 900, 100):
        market.settle(model_id, 900, [64, 0])
    market.settle(model_id, 905, [64, 0])


@pytest.mark.parametrize("code", [UNOPENABLE, SAME_ROWS, ROW_FLOOR])
def test_a_rejected_seat_loses_a_tenth_of_its_stake_to_nobody(market: Market, code: int) -> None:
    model_id = market.create(stake=109)
    market.play(model_id, 600, [64, 0], rejections=[ACCEPTED, code])

    assert market.call("burned") == 10
    assert market.model(model_id)["seatsTotal"] == 1
    assert market.round(model_id)["rejections"] == bytes([0, code]) + bytes(14)
    assert market.claim(model_id, 1, 0) == (109, 1_600)
    assert market.claim(model_id, 1, 1) == (99, 0)


def test_a_round_of_rejected_seats_only_is_an_ordinary_one(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 1_000, [0, 0], rejections=[UNOPENABLE, SAME_ROWS])
    assert market.call("burned") == 20
    assert market.model(model_id)["seatsTotal"] == 0
    assert market.model(model_id)["status"] == Status.OPEN
    assert [market.claim(model_id, 1, seat) for seat in (0, 1)] == [(90, 0), (90, 0)]
    market.play(model_id, 600, [64, 0])
    assert market.round(model_id, 2)["money"] == 3_200


def test_nobody_is_rejected_as_not_delivered_while_delivery_is_possible(market: Market) -> None:
    model_id = market.create()
    market.fill(model_id)
    deliver_by = market.round(model_id)["deliverBy"]
    market.chain.at(deliver_by)
    with refused("StillDeliverable", 1, deliver_by):
        market.settle(model_id, 600, [64, 0], rejections=[ACCEPTED, NOT_DELIVERED])
    market.chain.at(deliver_by + 1)
    market.settle(model_id, 600, [64, 0], rejections=[ACCEPTED, NOT_DELIVERED])


@pytest.mark.parametrize(
    ("shares", "changes", "error", "facts"),
    [
        ([64], {}, "WrongLength", (1, 2)),
        ([32, 32, 0], {}, "WrongLength", (3, 2)),
        ([], {"nextWeights": digest("w"), "weightsCommitment": digest("c")}, "WrongLength", (0, 2)),
        ([64, 0], {"rejections": [0]}, "WrongLength", (1, 2)),
        ([64, 0], {"rejections": [0, 0, 0]}, "WrongLength", (3, 2)),
        ([32, 31], {}, "SharesSum", (63, 64)),
        ([64, 1], {}, "SharesSum", (65, 64)),
        ([255, 255], {}, "SharesSum", (510, 64)),
        ([32, 32], {"rejections": [0, UNOPENABLE]}, "UnexpectedShares", (1, 32)),
        ([64, 0], {"rejections": [SAME_ROWS, 0]}, "UnexpectedShares", (0, 64)),
        (
            [64, 0],
            {"nextWeights": digest("first baseWeights")},
            "BaseMustChange",
            (digest("first baseWeights"),),
        ),
        (
            [64, 0],
            {"weightsCommitment": digest("first weightsCommitment")},
            "BaseMustChange",
            (digest("first weightsCommitment"),),
        ),
        ([64, 0], {"nextWeights": bytes(32)}, "MissingDigest", ("nextWeights",)),
        ([64, 0], {"weightsCommitment": bytes(32)}, "MissingDigest", ("weightsCommitment",)),
    ],
)
def test_a_settlement_with_money_is_whole(
    market: Market, shares: list[int], changes: dict[str, Any], error: str, facts: tuple[Any, ...]
) -> None:
    model_id = market.create()
    market.fill(model_id)
    with refused(error, *facts):
        market.settle(model_id, 600, shares, **changes)


@pytest.mark.parametrize(
    ("shares", "changes", "error", "facts"),
    [
        (
            [0, 0],
            {"nextWeights": digest("new")},
            "BaseMustStay",
            (digest("new"), digest("first baseWeights")),
        ),
        (
            [0, 0],
            {"weightsCommitment": digest("new")},
            "BaseMustStay",
            (digest("new"), digest("first weightsCommitment")),
        ),
        (
            [64, 0],
            {
                "nextWeights": digest("first baseWeights"),
                "weightsCommitment": digest("first weightsCommitment"),
            },
            "UnexpectedShares",
            (0, 64),
        ),
    ],
)
def test_a_settlement_without_money_changes_nothing(
    market: Market, shares: list[int], changes: dict[str, Any], error: str, facts: tuple[Any, ...]
) -> None:
    model_id = market.create()
    market.fill(model_id)
    with refused(error, *facts):
        market.settle(model_id, 1_000, shares, **changes)


def test_a_round_is_settled_by_the_lender_once_and_for_that_round(market: Market) -> None:
    model_id = market.create()
    with refused("RoundNotSettleable", model_id, 0, State.NONE):
        market.settle(model_id, 600, [])
    market.contribute(model_id, market.owners[0])
    with refused("RoundNotSettleable", model_id, 1, State.COLLECTING):
        market.settle(model_id, 600, [64])
    market.contribute(model_id, market.owners[1])
    with refused("NotLender", model_id, market.stranger):
        market.settle(model_id, 600, [32, 32], sender=market.stranger)
    with refused("RoundMismatch", model_id, 2, 1):
        market.settle(model_id, 600, [32, 32], round=2)
    first = market.settlement(model_id, 600, [64, 0])
    market.send("settle", model_id, tuple(first.values()), sender=market.lender)
    with refused("RoundNotSettleable", model_id, 1, State.SETTLED):
        market.send("settle", model_id, tuple(first.values()), sender=market.lender)
    # Sent twice, it does not settle the next round either.
    market.fill(model_id)
    with refused("RoundMismatch", model_id, 1, 2):
        market.send("settle", model_id, tuple(first.values()), sender=market.lender)


def test_a_round_can_be_settled_until_its_time_is_over(market: Market) -> None:
    model_id = market.create()
    market.fill(model_id)
    settle_by = market.round(model_id)["settleBy"]
    market.chain.at(settle_by + 1)
    with refused("RoundNotSettleable", model_id, 1, State.OVERDUE):
        market.settle(model_id, 600, [64, 0])

    other = market.create()
    market.fill(other)
    market.chain.at(market.round(other)["settleBy"])
    market.settle(other, 600, [64, 0])


def test_only_open_models_are_settled(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 200, [64, 0])
    settlement = market.settlement(model_id, 200, [64, 0])
    with refused("ModelNotOpen", model_id, Status.CLOSING):
        market.send("settle", model_id, tuple(settlement.values()), sender=market.lender)
    with refused("UnknownModel", 9):
        market.send("settle", 9, tuple(settlement.values()), sender=market.lender)


def test_the_largest_amounts_do_not_overflow(market: Market) -> None:
    most = 2**96 - 1  # what the richest account of the test chain could not pay is tested by forge
    bounty = min(most, market.chain.balance(market.lender) // 2)
    model_id = market.create(
        bounty=bounty,
        bond=bounty - bounty // 4,
        initialLoss=2**64 - 1,
        targetLoss=0,
        minGain=0,
        scoringRows=4_096,
        closingRows=4_096,
    )
    market.play(model_id, 2**63, [63, 1])
    money = bounty * (2**63 - 1) // (2**64 - 1)
    assert market.round(model_id)["money"] == money
    at_once = money - money // 2
    first = at_once * 63 // 64
    assert [market.claim(model_id, 1, seat)[1] for seat in (0, 1)] == [first, at_once - first]
