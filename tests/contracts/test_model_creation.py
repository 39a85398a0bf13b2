"""createModel and topUp.

::

    createModel
    ├── bounty or bond out of bounds                  → TermOutOfBounds
    ├── value is not bounty + bond                    → WrongValue
    ├── a currency                                    → CurrencyNotSupported
    ├── a term out of bounds                          → TermOutOfBounds
    ├── the grid does not divide the way to the target → LossOffGrid
    ├── a digest missing                              → MissingDigest
    ├── a closing digest without a closing set        → UnexpectedDigest
    └── else                                          → open, all its money left
    topUp
    ├── no such model → UnknownModel; not open → ModelNotOpen; not the lender → NotLender
    ├── value, sums or bond wrong                     → WrongValue, TermOutOfBounds
    └── else                                          → more is left
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.market import (
    BOND,
    BOUNTY,
    DAY,
    STAKE,
    Market,
    Status,
    digest,
    refused,
)

MOST = 2**120 - 1


def test_a_new_model_is_open_with_all_its_money_left(market: Market) -> None:
    terms = market.terms()
    model_id = market.create()

    assert model_id == market.call("modelCount") == 1
    assert market.model(model_id) == {
        "lender": market.lender,
        "status": Status.OPEN,
        "bounty": BOUNTY,
        "bond": BOND,
        "left": BOUNTY,
        "held": 0,
        "best": 1_000,
        "rounds": 0,
        "paidRounds": 0,
        "seatsTotal": 0,
        "closingBy": 0,
        "reclaimFrom": 0,
        "closingSettled": False,
        "failed": False,
        "condemned": False,
        "auditor": "0x" + "00" * 20,
        "answerBy": 0,
        **market.publication(),
    }
    assert market.call("terms", model_id) == tuple(terms.values())
    assert market.chain.balance(market.repository.address) == BOUNTY + BOND
    (created,) = market.repository.events("ModelCreated")
    assert created["lender"] == market.lender
    assert created["spec"] == digest("first spec")
    assert (created["bounty"], created["bond"]) == (BOUNTY, BOND)
    assert dict(created["terms"]) == terms
    assert dict(created["publication"]) == market.publication()


def test_models_are_numbered_from_one(market: Market) -> None:
    assert [market.create(), market.create(), market.create()] == [1, 2, 3]
    for unknown in (0, 4, 2**256 - 1):
        with refused("UnknownModel", unknown):
            market.call("model", unknown)


@pytest.mark.parametrize(
    ("term", "got", "least", "most"),
    [
        ("initialLoss", 0, 1, 2**64 - 1),
        ("targetLoss", 1_000, 0, 999),
        ("minGain", 801, 0, 800),
        ("closingSharePpm", 1_000_001, 0, 1_000_000),
        ("maxRounds", 0, 1, 16),
        ("maxRounds", 17, 1, 16),
        ("seats", 0, 1, 16),
        ("seats", 17, 1, 16),
        ("pilotSeats", 17, 0, 16),
        ("lossShift", 137, 0, 136),
        ("scoringRows", 0, 1, 4_096),
        ("scoringRows", 4_097, 1, 4_096),
        ("closingRows", 0, 1, 4_096),
        ("closingRows", 4_097, 1, 4_096),
        ("stake", BOUNTY + 1, 0, BOUNTY),
        ("auditFee", BOUNTY + 1, 0, BOUNTY),
        *[
            (window, got, 1, 365 * DAY)
            for window in (
                "collectWindow",
                "deliverWindow",
                "settleWindow",
                "closingWindow",
                "auditDemandWindow",
                "auditAnswerWindow",
            )
            for got in (0, 365 * DAY + 1)
        ],
    ],
)
def test_a_term_has_bounds(market: Market, term: str, got: int, least: int, most: int) -> None:
    with refused("TermOutOfBounds", term, got, least, most):
        market.create(**{term: got})


@pytest.mark.parametrize(
    "terms",
    [
        {"initialLoss": 2**64 - 1, "targetLoss": 0, "minGain": 2**64 - 1, "lossSteps": 65_535},
        {"targetLoss": 999, "minGain": 1},
        {"minGain": 800},
        {"minGain": 0},
        {"closingSharePpm": 1_000_000},
        {"closingSharePpm": 1},
        {"maxRounds": 1, "seats": 1, "pilotSeats": 0},
        {"maxRounds": 16, "seats": 16, "pilotSeats": 16},
        {"lossShift": 0},
        {"lossShift": 136, "scoringRows": 4_096, "closingRows": 4_096},
        {"scoringRows": 1, "closingRows": 1},
        {"stake": 0, "auditFee": 0},
        {"stake": BOUNTY, "auditFee": BOUNTY},
        {"collectWindow": 1, "deliverWindow": 1, "settleWindow": 1, "closingWindow": 1},
        {"collectWindow": 365 * DAY, "deliverWindow": 365 * DAY, "settleWindow": 365 * DAY},
        {"auditDemandWindow": 1, "auditAnswerWindow": 1},
        {"metric": 2},
    ],
)
def test_the_bounds_themselves_are_allowed(market: Market, terms: dict[str, Any]) -> None:
    assert market.create(**terms) == 1


def test_a_deadline_lies_between_now_and_two_years_ahead(market: Market) -> None:
    now = market.chain.now
    for deadline in (now - 1, now + 730 * DAY + 1):
        with refused("TermOutOfBounds", "deadline", deadline, now, now + 730 * DAY):
            market.create(deadline=deadline)
    market.create(deadline=now)
    market.create(deadline=market.chain.now + 730 * DAY)


@pytest.mark.parametrize(
    ("bounty", "bond", "facts"),
    [
        (0, 0, ("bounty", 0, 1, MOST)),
        (MOST + 1, MOST, ("bounty", MOST + 1, 1, MOST)),
        (2**255, 2**255, ("bounty", 2**255, 1, MOST)),
        (1, 2**256 - 1, ("bond", 2**256 - 1, 1, MOST)),
        (BOUNTY, BOND - 1, ("bond", BOND - 1, BOND, MOST)),
        (6_401, 3_200, ("bond", 3_200, 3_201, MOST)),
    ],
)
def test_bounty_and_bond_have_bounds(market: Market, bounty: int, bond: int, facts: tuple[Any, ...]) -> None:
    with refused("TermOutOfBounds", *facts):
        market.create(bounty=bounty, bond=bond, value=0)


def test_a_lender_sends_exactly_bounty_and_bond(market: Market) -> None:
    for value in (0, BOUNTY, BOUNTY + BOND - 1, BOUNTY + BOND + 1):
        with refused("WrongValue", value, BOUNTY + BOND):
            market.create(value=value)


def test_only_ether_is_taken(market: Market) -> None:
    with refused("CurrencyNotSupported", market.stranger):
        market.create(currency=market.stranger)


def test_the_grid_divides_the_way_to_the_target(market: Market) -> None:
    with refused("LossOffGrid", 800, 256):
        market.create(lossSteps=256)
    with refused("LossOffGrid", 800, 801):
        market.create(lossSteps=801)
    market.create(lossSteps=800)
    market.create(lossSteps=1)


@pytest.mark.parametrize("name", ["spec", "baseWeights", "weightsCommitment", "scoringCommitment", "closingCommitment"])
def test_every_digest_must_be_there(market: Market, name: str) -> None:
    with refused("MissingDigest", name):
        market.create(publication=market.publication(**{name: bytes(32)}))


def test_without_a_closing_set_there_is_no_closing_digest_and_there_are_no_closing_rows(
    market: Market,
) -> None:
    with refused("UnexpectedDigest", "closingCommitment"):
        market.create(closingSharePpm=0, publication=market.publication())
    with refused("TermOutOfBounds", "closingRows", 1_000, 0, 0):
        market.create(closingSharePpm=0, closingRows=1_000)
    market.create(closingSharePpm=0)


def test_a_top_up_adds_to_what_is_left_and_to_the_bond(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [64, 0])
    # Half of 6,400 is paid, half is left; 1,000 more make 4,200.
    market.send("topUp", model_id, 1_000, 500, sender=market.lender, value=1_500)

    model = market.model(model_id)
    assert (model["bounty"], model["bond"], model["left"]) == (BOUNTY + 1_000, BOND + 500, 4_200)
    (topped,) = market.repository.events("ToppedUp")
    assert topped == {"modelId": model_id, "lender": market.lender, "bounty": 1_000, "bond": 500}
    # The next gain of 200 on the way of 400 left takes half of it.
    market.play(model_id, 400, [64, 0])
    assert market.round(model_id, 2)["money"] == 2_100


def test_a_top_up_counts_for_the_running_round(market: Market) -> None:
    model_id = market.create()
    market.fill(model_id)
    market.send("topUp", model_id, 1_000, 500, sender=market.lender, value=1_500)
    market.settle(model_id, 600, [64, 0])
    assert market.round(model_id, 1)["money"] == 3_700


def test_after_a_top_up_the_bond_is_still_half(market: Market) -> None:
    model_id = market.create()
    with refused("TermOutOfBounds", "bond", BOND + 499, BOND + 500, MOST):
        market.send("topUp", model_id, 1_000, 499, sender=market.lender, value=1_499)
    # Bond alone can be added.
    market.send("topUp", model_id, 0, 7, sender=market.lender, value=7)
    assert market.model(model_id)["bond"] == BOND + 7


@pytest.mark.parametrize(
    ("bounty", "bond", "facts"),
    [
        (MOST, MOST, ("bounty", BOUNTY + MOST, 1, MOST)),
        (MOST - BOUNTY, MOST, ("bond", BOND + MOST, (MOST + 1) // 2, MOST)),
        (MOST + 1, 2**256 - 1, ("bounty", MOST + 1, 0, MOST)),
        (2**256 - 1, 2, ("bounty", 2**256 - 1, 0, MOST)),
        (1, 2**256 - 1, ("bond", 2**256 - 1, 0, MOST)),
    ],
)
def test_a_top_up_cannot_overflow(market: Market, bounty: int, bond: int, facts: tuple[Any, ...]) -> None:
    model_id = market.create()
    with refused("TermOutOfBounds", *facts):
        market.send("topUp", model_id, bounty, bond, sender=market.lender)


def test_only_the_lender_tops_up_an_open_model_with_exact_value(market: Market) -> None:
    model_id = market.create()
    with refused("UnknownModel", 2):
        market.send("topUp", 2, 2, 1, sender=market.lender, value=3)
    with refused("NotLender", model_id, market.stranger):
        market.send("topUp", model_id, 2, 1, sender=market.stranger, value=3)
    with refused("WrongValue", 2, 3):
        market.send("topUp", model_id, 2, 1, sender=market.lender, value=2)
    market.send("end", model_id, sender=market.lender)
    with refused("ModelNotOpen", model_id, Status.ENDED):
        market.send("topUp", model_id, 2, 1, sender=market.lender, value=3)


def test_a_stake_of_nothing_is_possible(market: Market) -> None:
    model_id = market.create(stake=0)
    owner = market.owners[0]
    with refused("WrongValue", STAKE, 0):
        market.contribute(model_id, owner, value=STAKE)
    market.contribute(model_id, owner)
    assert market.seat(model_id, 1, 0)["stake"] == 0


def test_plain_payments_are_refused(market: Market) -> None:
    sent = market.chain.w3.eth.send_transaction(
        {"from": market.stranger, "to": market.repository.address, "value": 1, "gas": 100_000}
    )
    assert market.chain.w3.eth.get_transaction_receipt(sent)["status"] == 0
