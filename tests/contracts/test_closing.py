"""end, settleClosing, reclaim and the held half.

::

    end
    ├── not open                                      → UnknownModel, ModelNotOpen
    ├── not the lender, until the deadline            → NotLender
    ├── a round is running                            → RoundRunning
    ├── no round ever                                 → ended, all money the lender's
    └── else                                          → closing
    settleClosing
    ├── not closing, not the lender                   → ModelNotClosing, NotLender
    ├── given before                                  → ClosingAlreadySettled
    ├── nothing held, or its time over                → ClosingOver
    ├── not one loss more than rounds                 → WrongLength
    ├── another loss where the base stayed            → ClosingLossMustStay
    └── else                                          → k of the held half to the seats, the rest is left
    reclaim
    ├── not closing                                   → ModelNotClosing
    ├── too early                                     → TooEarly
    └── else                                          → ended, left and bond the lender's
"""

from __future__ import annotations

import pytest

from tests.contracts.market import BOND, BOUNTY, DAY, HOUR, STAKE, Market, State, Status, refused


def _closing(market: Market, **terms: int) -> int:
    """Return a model closing after one round that took half of its bounty, shared 48 to 16."""
    model_id = market.create(**terms)
    market.play(model_id, 600, [48, 16])
    market.send("end", model_id, sender=market.lender)
    return model_id


# ------------------------------------------------------------------------------------------------------------- end


def test_a_model_without_rounds_ends_at_once_with_all_money_back(market: Market) -> None:
    model_id = market.create()
    market.send("end", model_id, sender=market.lender)
    model = market.model(model_id)
    assert (model["status"], model["left"], model["bond"], model["bounty"]) == (Status.ENDED, 0, 0, BOUNTY)
    assert market.credit(market.lender) == BOUNTY + BOND
    (ended,) = market.repository.events("Ended")
    assert ended == {"modelId": model_id, "lender": market.lender, "returned": BOUNTY + BOND}
    assert market.repository.events("TrainingEnded") == []


def test_anyone_ends_a_model_after_its_deadline(market: Market) -> None:
    deadline = market.chain.now + DAY
    model_id = market.create(deadline=deadline)
    market.chain.at(deadline)
    with refused("NotLender", model_id, market.stranger):
        market.send("end", model_id, sender=market.stranger)
    market.chain.at(deadline + 1)
    market.send("end", model_id, sender=market.stranger)
    assert market.credit(market.lender) == BOUNTY + BOND


def test_training_ends_when_the_lender_says_so_but_not_while_a_round_is_running(market: Market) -> None:
    model_id = market.create()
    market.contribute(model_id, market.owners[0])
    for wait in (0, HOUR, HOUR, HOUR):
        market.chain.wait(wait)
        with refused("RoundRunning", model_id, 1):
            market.send("end", model_id, sender=market.lender)
    assert market.state(model_id) == State.OVERDUE


def test_a_deadline_inside_a_round_waits_for_the_round(market: Market) -> None:
    deadline = market.chain.now + HOUR
    model_id = market.create(deadline=deadline)
    market.fill(model_id)
    market.chain.at(deadline + 1)
    with refused("RoundRunning", model_id, 1):
        market.send("end", model_id, sender=market.stranger)
    market.settle(model_id, 600, [64, 0])
    market.send("end", model_id, sender=market.stranger)
    assert market.model(model_id)["status"] == Status.CLOSING


def test_only_open_models_end(market: Market) -> None:
    model_id = _closing(market)
    with refused("ModelNotOpen", model_id, Status.CLOSING):
        market.send("end", model_id, sender=market.lender)
    with refused("UnknownModel", 5):
        market.send("end", 5, sender=market.lender)


# -------------------------------------------------------------------------------------------------- closing score


def test_half_the_gain_on_the_closing_set_pays_half_of_what_was_held(market: Market) -> None:
    model_id = _closing(market)
    # Scoring gain 400, closing gain 200: k = 1/2 of the 1,600 held.
    scored_at = market.chain.now
    market.send("settleClosing", model_id, [1_000, 800], sender=market.lender)

    model = market.model(model_id)
    assert model["closingSettled"]
    assert (model["held"], model["left"]) == (800, 3_200 + 800)
    assert model["reclaimFrom"] == scored_at + HOUR + 1
    view = market.round(model_id)
    assert (view["money"], view["held"], view["heldPaid"]) == (3_200, 1_600, 800)
    (settled,) = market.repository.events("ClosingSettled")
    assert settled == {"modelId": model_id, "losses": [1_000, 800], "heldPaid": 800, "returned": 800}
    # First half 1,200 and 400, held half 600 and 200.
    assert market.claim(model_id, 1, 0) == (STAKE, 1_800)
    assert market.claim(model_id, 1, 1) == (STAKE, 600)
    assert market.model(model_id)["held"] == 0


@pytest.mark.parametrize(
    ("losses", "paid"),
    [
        ([1_000, 600], 1_600),  # the same gain
        ([1_000, 0], 1_600),  # a larger one pays no more
        ([1_000, 1_000], 0),  # none
        ([1_000, 1_001], 0),  # a loss
        ([500, 300], 800),  # only the gain counts
        ([1_000, 999], 4),  # 1,600 / 400
        ([2**64 - 1, 0], 1_600),
        ([0, 2**64 - 1], 0),
    ],
)
def test_the_factor_is_cut_to_between_zero_and_one(market: Market, losses: list[int], paid: int) -> None:
    model_id = _closing(market)
    market.send("settleClosing", model_id, losses, sender=market.lender)
    assert market.round(model_id)["heldPaid"] == paid
    assert market.model(model_id)["left"] == 3_200 + 1_600 - paid


@pytest.mark.parametrize(("scoring_rows", "closing_rows", "paid"), [(1_000, 500, 1_600), (500, 1_000, 400)])
def test_gains_are_compared_as_means(market: Market, scoring_rows: int, closing_rows: int, paid: int) -> None:
    model_id = _closing(market, scoringRows=scoring_rows, closingRows=closing_rows)
    # Sums fall by 400 and 200; means by 0.4 and 0.4, or by 0.8 and 0.2.
    market.send("settleClosing", model_id, [1_000, 800], sender=market.lender)
    assert market.round(model_id)["heldPaid"] == paid


def test_the_scoring_gain_is_not_cut_at_the_target(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 0, [64, 0])  # 200 below the target
    # Closing gain 500 of 1,000, not of 800: half of the 3,200 held.
    market.send("settleClosing", model_id, [1_000, 500], sender=market.lender)
    assert market.round(model_id)["heldPaid"] == 1_600


def test_each_round_has_its_own_factor(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 600, [64, 0])  # money 3,200, gain 400
    market.play(model_id, 599, [0, 0])  # none
    market.play(model_id, 200, [0, 64])  # money 3,200, gain 400
    market.send("settleClosing", model_id, [1_000, 900, 900, 600], sender=market.lender)
    assert [market.round(model_id, number)["heldPaid"] for number in (1, 2, 3)] == [400, 0, 1_200]
    model = market.model(model_id)
    assert (model["held"], model["left"]) == (1_600, 1_600)


def test_a_round_without_money_has_the_closing_loss_of_the_round_before(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 1_000, [0, 0])
    market.play(model_id, 600, [64, 0])
    market.play(model_id, 1_000, [0, 0])
    market.send("end", model_id, sender=market.lender)
    with refused("ClosingLossMustStay", 1, 999, 1_000):
        market.send("settleClosing", model_id, [1_000, 999, 700, 700], sender=market.lender)
    with refused("ClosingLossMustStay", 3, 701, 700):
        market.send("settleClosing", model_id, [1_000, 1_000, 700, 701], sender=market.lender)
    market.send("settleClosing", model_id, [1_000, 1_000, 700, 700], sender=market.lender)
    assert market.round(model_id, 2)["heldPaid"] == 1_200


def test_the_closing_score_is_the_lenders_once_and_complete(market: Market) -> None:
    model_id = market.create()
    with refused("ModelNotClosing", model_id, Status.OPEN):
        market.send("settleClosing", model_id, [1_000], sender=market.lender)
    with refused("UnknownModel", 5):
        market.send("settleClosing", 5, [1_000], sender=market.lender)
    market.play(model_id, 600, [64, 0])
    market.send("end", model_id, sender=market.lender)
    with refused("NotLender", model_id, market.stranger):
        market.send("settleClosing", model_id, [1_000, 800], sender=market.stranger)
    for losses in ([], [1_000], [1_000, 800, 800]):
        with refused("WrongLength", len(losses), 2):
            market.send("settleClosing", model_id, losses, sender=market.lender)
    market.send("settleClosing", model_id, [1_000, 800], sender=market.lender)
    with refused("ClosingAlreadySettled", model_id):
        market.send("settleClosing", model_id, [1_000, 600], sender=market.lender)


def test_the_closing_score_can_be_given_until_its_time_is_over(market: Market) -> None:
    on_time, late = _closing(market), _closing(market)
    closing_by = market.model(on_time)["closingBy"]
    market.chain.at(closing_by)
    market.send("settleClosing", on_time, [1_000, 1_000], sender=market.lender)
    market.chain.at(market.model(late)["closingBy"] + 1)
    with refused("ClosingOver", late, market.model(late)["closingBy"]):
        market.send("settleClosing", late, [1_000, 1_000], sender=market.lender)


def test_without_a_closing_score_the_held_half_is_paid_in_full_when_its_time_is_over(market: Market) -> None:
    model_id = _closing(market)
    assert market.claim(model_id, 1, 0) == (STAKE, 1_200)
    closing_by = market.model(model_id)["closingBy"]
    market.chain.at(closing_by)
    with refused("NothingToClaim", model_id, 1, 0):
        market.claim(model_id, 1, 0)
    assert market.round(model_id)["heldPaid"] == 0
    market.chain.at(closing_by + 1)
    assert market.round(model_id)["heldPaid"] == 1_600
    assert market.claim(model_id, 1, 0) == (0, 1_200)
    assert market.claim(model_id, 1, 1) == (STAKE, 400 + 400)
    assert market.model(model_id)["held"] == 0


def test_where_nothing_is_held_nothing_is_scored(market: Market) -> None:
    model_id = market.create(closingSharePpm=0)
    market.play(model_id, 600, [48, 16])
    assert (market.round(model_id)["held"], market.model(model_id)["held"]) == (0, 0)
    assert market.claim(model_id, 1, 0) == (STAKE, 2_400)
    ended_at = market.chain.now
    market.send("end", model_id, sender=market.lender)
    model = market.model(model_id)
    assert (model["closingBy"], model["reclaimFrom"]) == (0, ended_at + HOUR + 1)
    with refused("ClosingOver", model_id, 0):
        market.send("settleClosing", model_id, [1_000, 800], sender=market.lender)


def test_rounds_without_money_leave_nothing_to_score(market: Market) -> None:
    model_id = market.create()
    market.play(model_id, 1_000, [0, 0])
    ended_at = market.chain.now
    market.send("end", model_id, sender=market.lender)
    model = market.model(model_id)
    assert (model["closingBy"], model["reclaimFrom"]) == (0, ended_at + HOUR + 1)


def test_everything_can_be_held(market: Market) -> None:
    model_id = market.create(closingSharePpm=1_000_000)
    market.play(model_id, 600, [64, 0])
    assert market.claim(model_id, 1, 0) == (STAKE, 0)
    market.send("end", model_id, sender=market.lender)
    market.send("settleClosing", model_id, [1_000, 600], sender=market.lender)
    assert market.claim(model_id, 1, 0) == (0, 3_200)


# --------------------------------------------------------------------------------------------------------- reclaim


def test_the_lender_gets_back_what_is_left_after_the_audit_window(market: Market) -> None:
    model_id = _closing(market)
    market.send("settleClosing", model_id, [1_000, 800], sender=market.lender)
    reclaim_from = market.model(model_id)["reclaimFrom"]
    market.chain.at(reclaim_from - 1)
    with refused("TooEarly", reclaim_from - 1, reclaim_from):
        market.send("reclaim", model_id, sender=market.lender)
    market.chain.at(reclaim_from)
    market.send("reclaim", model_id, sender=market.stranger)

    # Left 3,200, returned 800, bond 3,200.
    assert market.credit(market.lender) == 7_200
    model = market.model(model_id)
    assert (model["status"], model["left"], model["bond"], model["held"]) == (Status.ENDED, 0, 0, 800)
    (ended,) = market.repository.events("Ended")
    assert ended == {"modelId": model_id, "lender": market.lender, "returned": 7_200}
    with refused("ModelNotClosing", model_id, Status.ENDED):
        market.send("reclaim", model_id)
    with refused("UnknownModel", 5):
        market.send("reclaim", 5)


def test_an_open_model_is_not_reclaimed(market: Market) -> None:
    model_id = market.create()
    with refused("ModelNotClosing", model_id, Status.OPEN):
        market.send("reclaim", model_id, sender=market.lender)


def test_a_silent_lender_still_gets_its_bond_when_all_rounds_were_settled(market: Market) -> None:
    model_id = _closing(market)
    reclaim_from = market.model(model_id)["reclaimFrom"]
    market.chain.at(reclaim_from)
    market.send("reclaim", model_id, sender=market.stranger)
    # Left 3,200 and bond 3,200; the held half is the seats'.
    assert market.credit(market.lender) == 6_400
    assert market.claim(model_id, 1, 0) == (STAKE, 2_400)


def test_claims_never_expire(market: Market) -> None:
    model_id = _closing(market)
    market.chain.at(market.model(model_id)["reclaimFrom"])
    market.send("reclaim", model_id)
    market.chain.wait(50 * 365 * DAY)
    assert market.claim(model_id, 1, 1) == (STAKE, 800)


def test_everything_has_an_exit_by_time_alone(market: Market) -> None:
    """Nobody but a stranger moves after the contributions: an open, a running and a paid model all empty."""
    untouched = market.create()
    running = market.create()
    market.contribute(running, market.owners[0])
    paid = market.create()
    market.play(paid, 600, [64, 0])
    market.chain.wait(31 * DAY)
    market.send("end", untouched, sender=market.stranger)
    market.send("failRound", running, sender=market.stranger)
    market.send("end", paid, sender=market.stranger)
    market.chain.wait(3 * HOUR)
    market.send("reclaim", running, sender=market.stranger)
    market.send("reclaim", paid, sender=market.stranger)
    for model_id, seat in ((running, 0), (paid, 0), (paid, 1)):
        market.claim(model_id, 1, seat)
    for account in (market.lender, *market.owners[:2]):
        market.send("withdraw", sender=account)
    assert market.chain.balance(market.repository.address) == market.call("burned") == (BOUNTY + BOND) // 2
