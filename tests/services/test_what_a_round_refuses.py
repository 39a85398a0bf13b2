"""Contributions that are not paid, or not yet: copied, repeated, undelivered, overtaken by another."""

from dataclasses import replace

import pytest

from chain_common.contract_errors import StillDeliverable
from chain_common.domain.calls import Contribute, Settle
from chain_common.domain.privacy import NoiseNotWaived
from chain_common.domain.repository import Rejection, RoundState, SettlementReport
from chain_common.domain.row_floor import TooFewRows
from chain_common.services.data_owner.contributing import contribute_key
from chain_common.services.data_owner.files import AlreadyContributed, SentAlready
from chain_common.services.model_reader import committed
from tests.services.town import ETHER, Town, drawn_rows

STAKE = ETHER // 1000
FEE = 150_000 * 10**9  # one call in the chain in memory
VALIDATION = drawn_rows(1200, 1)
ROWS = drawn_rows(400, 2)


def market(**choices):
    """A town with a posted bounty, too far to be reached, and two data owners."""
    town = Town()
    lender = town.lender()
    _, model_id = lender.post(VALIDATION, target_score=0.05, seats=2, **choices)
    return town, lender, model_id, town.owner("anna"), town.owner("berta")


def copied_events(lender, model_id):
    """Return what anybody can read of the contributions of round 1."""
    lender.watch()
    return lender.app.models.reader.contributions(model_id, 1)


def rejections(lender, model_id, number):
    return lender.world.ledger.round(model_id, number).rejections


def test_an_update_copied_into_another_seat_does_not_open():
    town, lender, model_id, anna, thief = market()
    anna.contribute(model_id, ROWS)
    [event] = copied_events(lender, model_id)
    # The thief cannot know what is in the payload, and claims to have sent the very same.
    thief.world.ledger.send(Contribute(model_id, STAKE, committed(event)), key="stolen")
    town.pass_time(6)
    assert rejections(lender, model_id, 1) == (Rejection.ACCEPTED, Rejection.UNOPENABLE)
    assert lender.world.ledger.round(model_id, 1).shares == (64, 0)
    assert thief.world.ledger.due(model_id, 1, 1).reward_wei == 0
    assert thief.world.ledger.due(model_id, 1, 1).stake_wei == STAKE - STAKE // 10


def test_a_payload_copied_with_a_nonce_of_ones_own_does_not_open_either():
    town, lender, model_id, anna, thief = market()
    anna.contribute(model_id, ROWS)
    [event] = copied_events(lender, model_id)
    mine = replace(committed(event), nonce=bytes(range(32)), tag_root=bytes(range(32, 64)))
    thief.world.ledger.send(Contribute(model_id, STAKE, mine), key="stolen")
    town.pass_time(6)
    assert rejections(lender, model_id, 1) == (Rejection.ACCEPTED, Rejection.UNOPENABLE)


def test_an_update_with_other_row_tags_than_committed_does_not_open():
    town, lender, model_id, anna, berta = market()
    anna.contribute(model_id, ROWS)
    contribution_id = berta.confirm(model_id, drawn_rows(400, 3))
    for _ in range(3):
        assert berta.worker.run_once()
    # Between sealing and commitment the tags in the vault become those of other rows.
    name = f"contributions/{contribution_id}/row-tags"
    other = berta.confirm(model_id, drawn_rows(400, 4))
    berta.world.secrets.put(name, berta.world.secrets.get(f"contributions/{other}/row-tags"))
    berta.world.jobs.cancel(contribute_key(other))
    town.pass_time(6)
    assert rejections(lender, model_id, 1) == (Rejection.ACCEPTED, Rejection.UNOPENABLE)


@pytest.mark.parametrize("rounds", [(1, 1), (1, 2)], ids=["in one round", "in the next round"])
def test_the_same_rows_from_a_second_address_are_not_paid(rounds):
    town, lender, model_id, anna, second = market(pilot_seats=0 if rounds == (1, 1) else 1)
    anna.contribute(model_id, ROWS)
    if rounds == (1, 2):
        town.pass_time(6)
        assert lender.world.ledger.round(model_id, 1).state is RoundState.SETTLED
        town.owner("clara").contribute(model_id, drawn_rows(800, 5))
    second.contribute(model_id, ROWS)
    town.pass_time(6)
    number = rounds[1]
    assert rejections(lender, model_id, number) == (Rejection.ACCEPTED, Rejection.SAME_ROWS)
    assert lender.world.ledger.due(model_id, number, 1).reward_wei == 0


def test_rows_are_the_same_in_another_order_too():
    town, lender, model_id, anna, second = market()
    anna.contribute(model_id, ROWS)
    second.contribute(model_id, (ROWS[0][::-1], ROWS[1][::-1]))
    town.pass_time(6)
    assert rejections(lender, model_id, 1) == (Rejection.ACCEPTED, Rejection.SAME_ROWS)


def test_other_rows_of_the_same_size_are_paid():
    town, lender, model_id, anna, second = market()
    anna.contribute(model_id, ROWS)
    second.contribute(model_id, drawn_rows(400, 3))
    town.pass_time(6)
    assert rejections(lender, model_id, 1) == (Rejection.ACCEPTED, Rejection.ACCEPTED)


def test_a_payload_that_is_not_delivered_is_rejected_only_when_its_time_is_over():
    # The app looks for a missing payload a quarter of the time for settling longer: ten seconds here.
    town, lender, model_id, anna, sleeper = market(deliver_window_s=30, settle_window_s=40)
    anna.contribute(model_id, ROWS)
    sleeper.commit_only(model_id, drawn_rows(400, 3))
    deliver_by = lender.world.ledger.round(model_id, 1).deliver_by
    town.pass_time(29, but=(sleeper,))
    before = lender.world.ledger.round(model_id, 1)
    assert before.state is RoundState.DELIVERING
    assert town.clock.now() < deliver_by
    town.pass_time(10, but=(sleeper,))
    assert rejections(lender, model_id, 1) == ()
    town.pass_time(6, but=(sleeper,))
    assert rejections(lender, model_id, 1) == (Rejection.ACCEPTED, Rejection.NOT_DELIVERED)
    assert [event.timestamp > deliver_by for event in town.chain.events if event.name == "RoundSettled"] == [True]


def test_a_lender_that_would_not_wait_for_a_payload_is_refused():
    _town, lender, model_id, anna, sleeper = market(deliver_window_s=30)
    anna.contribute(model_id, ROWS)
    sleeper.commit_only(model_id, drawn_rows(400, 3))
    model = lender.world.ledger.model(model_id)
    hasty = SettlementReport(
        round=1,
        loss=model.best_loss,
        shares=(0, 0),
        rejections=(Rejection.ACCEPTED, Rejection.NOT_DELIVERED),
        next_weights=model.base_weights,
        weights_commitment=model.weights_commitment,
    )
    with pytest.raises(StillDeliverable):
        lender.world.ledger.send(Settle(model_id, hasty), key="hasty")


def test_a_payload_delivered_in_the_last_second_is_counted():
    town, lender, model_id, anna, late = market(deliver_window_s=30)
    anna.contribute(model_id, ROWS)
    late.commit_only(model_id, drawn_rows(400, 3))
    town.pass_time(28, but=(late,))
    town.pass_time(2)
    assert rejections(lender, model_id, 1) == (Rejection.ACCEPTED, Rejection.ACCEPTED)


def test_a_contribution_whose_round_filled_up_starts_over_on_the_next_one():
    town, lender, model_id, anna, berta = market(pilot_seats=1)
    slow = anna.confirm(model_id, ROWS)
    for _ in range(3):  # model read, update encrypted, payload sealed: all for round 1
        assert anna.worker.run_once()
    first_base = anna.world.jobs.get(contribute_key(slow)).data["base"]
    berta.contribute(model_id, drawn_rows(400, 3))
    anna.work()
    assert anna.view(slow).seat is None
    assert anna.view(slow).state == "computing"
    town.pass_time(8)

    view = anna.view(slow)
    assert (view.round, view.seat, view.state) == (2, 0, "round collecting")
    model = lender.world.ledger.model(model_id)
    job = anna.world.jobs.get(contribute_key(slow))
    assert job.data["base"] == model.base_weights.hex() != first_base
    contributed = [event for event in town.chain.events if event.name == "Contributed"]
    assert [(event.arguments["owner"], event.arguments["round"]) for event in contributed] == [
        (berta.address, 1),
        (anna.address, 2),
    ]
    assert anna.balance() == 100 * ETHER - STAKE - FEE

    town.owner("clara").contribute(model_id, drawn_rows(500, 4))
    town.pass_time(6)
    assert rejections(lender, model_id, 2) == (Rejection.ACCEPTED, Rejection.ACCEPTED)


def test_the_same_file_is_refused_a_second_time():
    _, _, model_id, anna, _ = market()
    kept = anna.contribute(model_id, ROWS)
    with pytest.raises(AlreadyContributed) as caught:
        anna.read(model_id, ROWS)
    assert caught.value.contribution_id == kept


def test_a_file_read_twice_before_it_is_sent_takes_one_seat():
    town, _lender, model_id, anna, _ = market()
    first, second = anna.read(model_id, ROWS), anna.read(model_id, ROWS)
    anna.app.contributing.confirm(first, acknowledge_no_noise=True)
    with pytest.raises(AlreadyContributed):
        anna.app.contributing.confirm(second, acknowledge_no_noise=True)
    anna.work()
    assert [event.name for event in town.chain.events].count("Contributed") == 1


def test_nothing_is_computed_before_missing_noise_is_acknowledged():
    _, _, model_id, anna, _ = market()
    draft_id = anna.read(model_id, ROWS)
    with pytest.raises(NoiseNotWaived):
        anna.app.contributing.confirm(draft_id, acknowledge_no_noise=False)
    assert anna.world.secrets.names("contributions/") == []
    assert anna.app.files.draft(draft_id).n_rows == 400  # the file is still held
    anna.app.contributing.confirm(draft_id, acknowledge_no_noise=True)
    with pytest.raises(SentAlready):
        anna.app.files.draft(draft_id)


def test_too_few_rows_are_refused_before_anything_is_sent():
    town, _, model_id, anna, _ = market()
    with pytest.raises(TooFewRows) as caught:
        anna.read(model_id, drawn_rows(59, 6))
    assert (caught.value.n_rows, caught.value.floor) == (59, 60)  # ten for each of the six weights
    assert "Contributed" not in [event.name for event in town.chain.events]
