"""contribute, and the states of a round.

::

    contribute
    ├── no such model → UnknownModel; not open → ModelNotOpen; wrong stake → WrongValue
    ├── no round is running
    │   ├── after the deadline                 → DeadlinePassed
    │   └── until the deadline, inclusive      → opens the next round
    ├── a round is running
    │   ├── closed by time or by its seats     → RoundNotCollecting
    │   ├── collecting, all seats taken        → RoundFull
    │   └── else                               → takes a seat
    ├── another round named                    → RoundMismatch
    ├── another base named                     → StaleBase
    ├── the same rows of the same data owner   → RowsAlreadyContributed
    └── a digest missing, no rows              → MissingDigest, NoRows
"""

from __future__ import annotations

import pytest

from tests.contracts.market import (
    DAY,
    HOUR,
    STAKE,
    Market,
    State,
    Status,
    commitment,
    digest,
    refused,
)


def test_the_first_contribution_opens_a_round(market: Market) -> None:
    model_id = market.create()
    assert market.round(model_id, 1)["state"] == State.NONE
    owner = market.owners[0]
    contribution = market.contribution(model_id, owner)
    opened_at = market.chain.now
    assert market.contribute(model_id, owner) == 0

    assert market.round(model_id, 1) == {
        "state": State.COLLECTING,
        "seats": 1,
        "openedAt": opened_at,
        "closesBy": opened_at + HOUR,
        "deliverBy": opened_at + 2 * HOUR,
        "settleBy": opened_at + 3 * HOUR,
        "lossBefore": 1_000,
        "lossAfter": 0,
        "money": 0,
        "held": 0,
        "heldPaid": 0,
        "shares": bytes(16),
        "rejections": bytes(16),
        "baseWeights": digest("first baseWeights"),
        "weightsCommitment": digest("first weightsCommitment"),
    }
    assert market.seat(model_id, 1, 0) == {
        "owner": owner,
        "stake": STAKE,
        "commitment": commitment(contribution),
        "claimed": False,
        "heldClaimed": False,
    }
    assert market.model(model_id)["rounds"] == 1
    (opened,) = market.repository.events("RoundOpened")
    assert opened == {
        "modelId": model_id,
        "round": 1,
        "baseWeights": digest("first baseWeights"),
        "closesBy": opened_at + HOUR,
    }
    (contributed,) = market.repository.events("Contributed")
    assert (contributed["owner"], contributed["seat"], contributed["stake"]) == (owner, 0, STAKE)
    assert dict(contributed["contribution"]) == contribution
    assert market.repository.events("RoundClosed") == []


def test_the_last_seat_closes_the_round_at_once(market: Market) -> None:
    model_id = market.create()
    market.contribute(model_id, market.owners[0])
    market.chain.wait(100)
    closed_at = market.chain.now
    assert market.contribute(model_id, market.owners[1]) == 1

    assert market.repository.events("RoundOpened") == []
    (closed,) = market.repository.events("RoundClosed")
    assert closed == {
        "modelId": model_id,
        "round": 1,
        "deliverBy": closed_at + HOUR,
        "settleBy": closed_at + 2 * HOUR,
    }
    view = market.round(model_id, 1)
    assert view["state"] == State.DELIVERING
    assert (view["closesBy"], view["deliverBy"], view["settleBy"]) == (
        closed_at,
        closed_at + HOUR,
        closed_at + 2 * HOUR,
    )
    with refused("RoundNotCollecting", model_id, 1, State.DELIVERING):
        market.contribute(model_id, market.owners[2])


def test_a_round_moves_through_its_states_by_time_and_every_limit_is_inclusive(market: Market) -> None:
    model_id = market.create()
    opened_at = market.chain.now
    market.contribute(model_id, market.owners[0])
    for limit, before, after in (
        (opened_at + HOUR, State.COLLECTING, State.DELIVERING),
        (opened_at + 2 * HOUR, State.DELIVERING, State.AWAITING_SETTLEMENT),
        (opened_at + 3 * HOUR, State.AWAITING_SETTLEMENT, State.OVERDUE),
    ):
        market.chain.at(limit)
        assert market.state(model_id) == before
        market.chain.at(limit + 1)
        assert market.state(model_id) == after
    with refused("RoundNotCollecting", model_id, 1, State.OVERDUE):
        market.contribute(model_id, market.owners[1])


def test_contributions_are_taken_until_the_round_closes(market: Market) -> None:
    model_id = market.create()
    opened_at = market.chain.now
    market.contribute(model_id, market.owners[0])
    market.chain.at(opened_at + HOUR)
    assert market.contribute(model_id, market.owners[1]) == 1


def test_a_moment_after_the_round_has_closed_is_too_late(market: Market) -> None:
    model_id = market.create()
    opened_at = market.chain.now
    market.contribute(model_id, market.owners[0])
    market.chain.at(opened_at + HOUR + 1)
    with refused("RoundNotCollecting", model_id, 1, State.DELIVERING):
        market.contribute(model_id, market.owners[1])


def test_a_round_that_does_not_close_when_full_refuses_further_seats(market: Market) -> None:
    model_id = market.create(closeWhenFull=False)
    market.fill(model_id)
    assert market.state(model_id) == State.COLLECTING
    assert market.repository.events("RoundClosed") == []
    with refused("RoundFull", model_id, 1, 2):
        market.contribute(model_id, market.owners[2])
    market.chain.wait(HOUR)
    assert market.state(model_id) == State.DELIVERING


def test_the_first_round_can_have_its_own_number_of_seats(market: Market) -> None:
    model_id = market.create(pilotSeats=1, seats=3)
    market.contribute(model_id, market.owners[0])
    assert market.state(model_id, 1) == State.DELIVERING
    market.settle(model_id, 600, [64])
    market.fill(model_id)
    assert market.round(model_id, 2)["seats"] == 3
    assert market.state(model_id, 2) == State.DELIVERING


def test_more_pilot_seats_than_seats_are_as_good(market: Market) -> None:
    model_id = market.create(pilotSeats=3, seats=1)
    market.fill(model_id)
    assert market.round(model_id, 1)["seats"] == 3


def test_a_round_can_have_sixteen_seats(market: Market) -> None:
    model_id = market.create(seats=16)
    for index in range(16):
        assert market.contribute(model_id, market.owners[0], tagRoot=digest(f"rows {index}")) == index
    market.settle(model_id, 600, [4] * 16)
    view = market.round(model_id, 1)
    assert view["shares"] == bytes([4] * 16)
    # Half of 3,200 at once: 1,600 / 16.
    assert market.claim(model_id, 1, 15) == (STAKE, 100)


def test_a_round_can_be_opened_until_the_deadline(market: Market) -> None:
    deadline = market.chain.now + DAY
    model_id = market.create(deadline=deadline)
    market.chain.at(deadline)
    assert market.contribute(model_id, market.owners[0]) == 0
    # The round runs on; others can still join it.
    market.chain.wait(10)
    assert market.contribute(model_id, market.owners[1]) == 1
    market.settle(model_id, 600, [32, 32])
    # But no further one can be opened.
    with refused("DeadlinePassed", model_id, deadline):
        market.contribute(model_id, market.owners[2])
    assert market.model(model_id)["status"] == Status.OPEN


def test_after_the_deadline_no_round_can_be_opened(market: Market) -> None:
    deadline = market.chain.now + DAY
    model_id = market.create(deadline=deadline)
    market.chain.at(deadline + 1)
    with refused("DeadlinePassed", model_id, deadline):
        market.contribute(model_id, market.owners[0])


def test_a_seat_costs_exactly_its_stake(market: Market) -> None:
    model_id = market.create()
    for value in (0, STAKE - 1, STAKE + 1):
        with refused("WrongValue", value, STAKE):
            market.contribute(model_id, market.owners[0], value=value)


def test_a_contribution_names_the_round_it_expects(market: Market) -> None:
    model_id = market.create()
    owner = market.owners[0]
    for wrong in (0, 2, 255):
        with refused("RoundMismatch", model_id, wrong, 1):
            market.contribute(model_id, owner, round=wrong)
    market.contribute(model_id, owner)
    with refused("RoundMismatch", model_id, 2, 1):
        market.contribute(model_id, market.owners[1], round=2)


def test_an_update_on_an_old_base_is_refused(market: Market) -> None:
    model_id = market.create()
    first = market.model(model_id)["baseWeights"]
    market.play(model_id, 600, [32, 32])
    second = market.model(model_id)["baseWeights"]
    assert second != first
    with refused("StaleBase", first, second):
        market.contribute(model_id, market.owners[2], baseWeights=first)


def test_the_same_rows_of_the_same_data_owner_are_taken_once(market: Market) -> None:
    model_id = market.create(seats=4)
    owner, rival = market.owners[:2]
    rows = digest("rows")
    market.contribute(model_id, owner, tagRoot=rows)
    with refused("RowsAlreadyContributed", model_id, owner, rows):
        market.contribute(model_id, owner, tagRoot=rows)
    # Other rows of the same data owner are welcome, and copying a root blocks nobody.
    market.contribute(model_id, owner, tagRoot=digest("new rows"))
    market.contribute(model_id, rival, tagRoot=rows)
    market.contribute(model_id, rival, tagRoot=digest("rival's own rows"))
    market.settle(model_id, 600, [64, 0, 0, 0])
    # Nor in a later round.
    with refused("RowsAlreadyContributed", model_id, owner, rows):
        market.contribute(model_id, owner, tagRoot=rows)
    # Another model is another market.
    market.contribute(market.create(), owner, tagRoot=rows)


@pytest.mark.parametrize("name", ["payload", "tagRoot", "updateDigest", "nonce"])
def test_a_contribution_commits_to_something(market: Market, name: str) -> None:
    model_id = market.create()
    with refused("MissingDigest", name):
        market.contribute(model_id, market.owners[0], **{name: bytes(32)})


def test_a_contribution_has_rows(market: Market) -> None:
    model_id = market.create()
    with refused("NoRows"):
        market.contribute(model_id, market.owners[0], rows=0)


def test_only_open_models_take_contributions(market: Market) -> None:
    model_id = market.create()
    contribution = tuple(market.contribution(model_id, market.owners[0]).values())
    with refused("UnknownModel", 7):
        market.send("contribute", 7, contribution, value=STAKE)
    market.send("end", model_id, sender=market.lender)
    with refused("ModelNotOpen", model_id, Status.ENDED):
        market.send("contribute", model_id, contribution, value=STAKE)


def test_only_seats_that_were_taken_are_there(market: Market) -> None:
    model_id = market.create()
    market.contribute(model_id, market.owners[0])
    for number, index in ((1, 1), (1, 2**255), (0, 0), (2, 0)):
        for view in ("seat", "claimable"):
            with refused("UnknownSeat", model_id, number, index):
                market.call(view, model_id, number, index)
    for view in ("seat", "claimable"):
        with refused("UnknownModel", 7):
            market.call(view, 7, 1, 0)
    with refused("UnknownModel", 7):
        market.call("round", 7, 1)
    with refused("UnknownModel", 7):
        market.call("terms", 7)
