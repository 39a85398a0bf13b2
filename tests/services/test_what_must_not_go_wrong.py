"""Hiccups of the world that must not cost an honest party money."""

from dataclasses import replace

import pytest

from chain_common.chain_errors import NotEnoughEther
from chain_common.contract_errors import StillDeliverable
from chain_common.domain.calls import Settle
from chain_common.domain.repository import ChainIdentity, Rejection, RoundState
from chain_common.errors import Locked, Unavailable
from chain_common.services.lender.bounties import AlreadyPosted
from chain_common.services.transactions import UnderWay
from tests.services.town import ETHER, Town, drawn_rows

ROWS = [drawn_rows(400, seed) for seed in (2, 3)]


def opened(**choices):
    """A town with a model of two seats and two data owners who have contributed to it."""
    town = Town()
    lender = town.lender()
    terms = {"seats": 2, "deliver_window_s": 30, "settle_window_s": 4000, **choices}
    draft_id, model_id = lender.post(drawn_rows(1200, seed=1), **terms)
    owners = [town.owner(name) for name in ("anna", "ben")]
    contributions = [owner.commit_only(model_id, rows) for owner, rows in zip(owners, ROWS, strict=True)]
    return town, lender, draft_id, model_id, owners, contributions


def state(lender, model_id):
    return lender.world.ledger.round(model_id, 1)


def delivered(owners):
    for owner in owners:
        owner.watch()
        owner.work()


def test_a_store_that_is_away_for_a_while_rejects_nobody():
    town, lender, _, model_id, owners, _ = opened()
    delivered(owners)
    town.clock.advance(60)  # past the time for delivery: a missing payload would count as not delivered
    town.store.reachable = False
    town.pass_time(5)
    assert state(lender, model_id).state is RoundState.AWAITING_SETTLEMENT
    town.store.reachable = True
    town.pass_time(120)
    assert state(lender, model_id).rejections == (Rejection.ACCEPTED, Rejection.ACCEPTED)


def test_a_payload_that_vanishes_after_it_was_fetched_changes_nothing():
    town, lender, _, model_id, owners, _ = opened()
    published = set(town.store.blobs)
    delivered(owners)
    lender.watch()
    lender.worker.run_once()  # fetched
    for digest in set(town.store.blobs) - published:
        del town.store.blobs[digest]
    lender.work()
    assert state(lender, model_id).rejections == (Rejection.ACCEPTED, Rejection.ACCEPTED)


class Refusing:
    """A ledger that refuses the first settlements."""

    def __init__(self, ledger, *errors):
        self._ledger, self.errors = ledger, list(errors)

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    def send(self, call, *, key):
        if isinstance(call, Settle) and self.errors:
            raise self.errors.pop(0)
        return self._ledger.send(call, key=key)


@pytest.mark.parametrize(
    "error",
    [NotEnoughEther("0x" + "11" * 20, 10**16, 10**15), StillDeliverable(0, 1), Unavailable("The chain is away.")],
    ids=lambda error: type(error).__name__,
)
def test_a_settlement_that_was_refused_is_tried_again_by_itself(error):
    town, lender, _draft_id, model_id, owners, _ = opened()
    refusing = Refusing(lender.world.ledger, error, error)
    settling = lender.app.models.settling
    for part in (lender.app.models, settling, lender.app.models.closing, settling.payloads, settling.reader):
        object.__setattr__(part, "world", replace(lender.world, ledger=refusing))
    delivered(owners)
    town.pass_time(90)
    assert not refusing.errors
    assert state(lender, model_id).state is RoundState.SETTLED


def test_a_payload_stays_here_when_its_round_was_settled_without_it():
    town, lender, _, model_id, (_anna, ben), contributions = opened(settle_window_s=40)
    town.pass_time(60, but=(ben,))
    assert state(lender, model_id).rejections == (Rejection.ACCEPTED, Rejection.NOT_DELIVERED)
    before = set(town.store.blobs)
    delivered([ben])
    assert set(town.store.blobs) == before
    assert "never left this machine" in ben.view(contributions[1]).job.failure


def test_a_payload_is_forgotten_once_its_round_is_settled():
    town, lender, _, model_id, owners, _contributions = opened()
    town.pass_time(4)
    assert state(lender, model_id).state is RoundState.SETTLED
    for owner in owners:
        owner.watch()
        assert not [name for name in owner.world.secrets.names() if "/payload/" in name]
    assert not [name for name in lender.world.secrets.names() if "/sealed/" in name or "/opened/" in name]


def test_an_index_from_before_a_reorganisation_is_built_anew():
    town, lender, _, model_id, _owners, _ = opened()
    lender.watch()
    n_events = len(lender.world.index.events(model_id=model_id))
    noted = lender.world.documents.get("index", "checkpoint")
    lender.world.documents.put("index", "checkpoint", {**noted, "hash": "0x" + "ab" * 32})
    town.pass_time(3)
    lender.watch()
    assert state(lender, model_id).state is RoundState.SETTLED
    assert len(lender.world.index.events(model_id=model_id)) > n_events


def test_a_restarted_development_chain_has_another_tag():
    town = Town()
    world = town.lender().world
    first = world.ledger.identity()

    class Restarted:
        def identity(self):
            return ChainIdentity(first.chain_id, first.contract, first.deployment_transaction, "0x" + "cd" * 32)

    assert replace(world, ledger=Restarted()).chain_tag() != world.chain_tag()


class TestTopUp:
    def test_an_amount_that_failed_is_not_sent_later_in_place_of_another(self):
        _, lender, _, model_id, _, _ = opened()
        lender.app.models.top_up(model_id, 500 * ETHER, once="a")
        lender.work()
        assert lender.world.ledger.model(model_id).bounty_wei == ETHER
        town_balance = lender.balance()
        lender.app.models.top_up(model_id, ETHER, once="a")
        lender.work()
        model = lender.world.ledger.model(model_id)
        assert (model.bounty_wei, model.bond_wei) == (2 * ETHER, ETHER)
        assert 0 <= town_balance - lender.balance() - (ETHER + ETHER // 2) < ETHER // 100  # its fee

    def test_a_form_sent_twice_tops_up_once(self):
        _, lender, _, model_id, _, _ = opened()
        lender.app.models.top_up(model_id, ETHER, once="a")
        lender.app.models.top_up(model_id, ETHER, once="a")
        lender.work()
        lender.app.models.top_up(model_id, ETHER, once="a")
        lender.work()
        assert lender.world.ledger.model(model_id).bounty_wei == 2 * ETHER

    def test_another_amount_on_the_same_form_is_refused_while_the_first_is_under_way(self):
        _, lender, _, model_id, _, _ = opened()
        lender.app.models.top_up(model_id, ETHER, once="a")
        with pytest.raises(UnderWay):
            lender.app.models.top_up(model_id, 2 * ETHER, once="a")


class TestPosting:
    def test_a_posting_that_the_contract_refused_can_be_changed_and_posted_again(self):
        town = Town()
        lender = town.lender()
        draft_id = lender.prepare(drawn_rows(1200, seed=1), closing_window_s=0)
        lender.app.bounties.publish(draft_id)
        lender.work()
        assert lender.world.jobs.get(lender.app.bounties.publish_key(draft_id)).state == "failed"
        choices = replace(lender.choices(draft_id), closing_window_s=60)
        lender.app.bounties.choose(draft_id, choices)
        lender.app.bounties.publish(draft_id)
        lender.work()
        assert lender.world.ledger.model_count() == 1

    def test_a_posted_bounty_is_neither_changed_nor_posted_twice_nor_discarded(self):
        _, lender, draft_id, _, _, _ = opened()
        for act in (
            lambda: lender.app.bounties.choose(draft_id, lender.choices(draft_id)),
            lambda: lender.app.bounties.publish(draft_id),
            lambda: lender.app.bounties.discard(draft_id),
        ):
            with pytest.raises(AlreadyPosted):
                act()
        lender.work()
        assert lender.world.ledger.model_count() == 1


class TestContributing:
    def market(self):
        town = Town()
        lender = town.lender()
        _, model_id = lender.post(drawn_rows(1200, seed=1), seats=2, deliver_window_s=30, settle_window_s=4000)
        return town, lender, model_id, town.owner("anna")

    def test_a_form_sent_twice_makes_one_contribution(self):
        _, _, model_id, anna = self.market()
        draft_id = anna.read(model_id, ROWS[0])
        first = anna.app.contributing.confirm(draft_id, acknowledge_no_noise=True)
        assert anna.app.contributing.confirm(draft_id, acknowledge_no_noise=True) == first
        anna.work()
        assert anna.world.ledger.round(model_id, 1).seats == 1

    def test_a_crash_before_the_job_was_queued_loses_no_contribution(self, monkeypatch):
        _, _, model_id, anna = self.market()
        draft_id = anna.read(model_id, ROWS[0])
        with monkeypatch.context() as crash:
            crash.setattr(type(anna.app.contributing), "ensure", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                anna.app.contributing.confirm(draft_id, acknowledge_no_noise=True)
        assert anna.world.jobs.all() == []
        anna.watch()
        anna.work()
        assert anna.world.ledger.round(model_id, 1).seats == 1

    def test_work_queued_on_one_chain_is_not_done_on_another(self):
        _, _, model_id, anna = self.market()
        contribution_id = anna.confirm(model_id, ROWS[0])
        job = anna.world.jobs.get(f"contribute.{contribution_id}")
        other = anna.world.jobs.enqueue("contribute", "of-another-chain", {**job.data, "chain": "0" * 12})
        anna.work()
        assert anna.world.jobs.get(other.key).step == 0
        assert "another chain" in anna.world.jobs.get(other.key).note
        assert anna.world.ledger.round(model_id, 1).seats == 1


def test_rows_are_known_again_even_if_the_scores_of_their_round_were_never_noted(monkeypatch):
    town = Town()
    lender = town.lender()
    _, model_id = lender.post(drawn_rows(1200, seed=1), seats=1, target_score=0.01)
    town.owner("anna").contribute(model_id, ROWS[0])
    settling = type(lender.app.models.settling)
    with monkeypatch.context() as broken:
        broken.setattr(settling, "_settled", lambda *_: None)  # the event is never seen: noting waits for ever
        town.pass_time(20)
        assert state(lender, model_id).state is RoundState.SETTLED
        second = town.owner("second-address")
        second.contribute(model_id, ROWS[0])
        town.pass_time(20)
    assert lender.world.ledger.round(model_id, 2).rejections == (Rejection.SAME_ROWS,)


class TestWhatADataOwnerIsTold:
    def test_the_held_half_counts_as_due_once_the_time_for_the_closing_score_is_over(self):
        town, lender, _, model_id, owners, (first, _) = opened(closing_window_s=30, max_rounds=1)
        anna = owners[0]
        delivered(owners)
        lender.watch()
        lender.work()  # settles; the lender's app is away from here on
        assert state(lender, model_id).state is RoundState.SETTLED
        anna.claim(first)
        assert anna.view(first).state == "half credited"
        town.clock.advance(31)
        late = anna.view(first)
        assert (late.state, late.can_claim) == ("closed and paid", True)
        anna.claim(first)
        done = anna.view(first)
        assert done.claimed_wei == done.reward_wei + done.stake_wei
        assert "withdraw" in done.next_step

    def test_a_failed_round_pays_stake_and_a_part_of_the_forfeit(self):
        town, lender, _, model_id, (anna, _), (first, _) = opened(settle_window_s=40)
        town.clock.advance(100)  # the lender's app was away all the time
        assert lender.app.models.view(model_id).card.state == "overdue"
        assert not lender.app.models.view(model_id).actions.can_top_up
        anna.app.market.fail_round(model_id)
        anna.work()
        told = anna.view(first)
        # Bounty 1 and bond ½ ether: half is burned, the rest shared by the two seats.
        assert (told.state, told.reward_wei) == ("round failed", 375 * 10**15)
        anna.claim(first)
        assert anna.view(first).claimed_wei == 375 * 10**15 + told.stake_wei
        assert not lender.app.models.view(model_id).actions.can_reclaim


def test_chain_and_store_are_reached_also_before_there_is_an_account():
    town = Town()
    lender = town.lender()

    class NoAccount(Refusing):
        def account(self):
            raise Locked("There is no account here yet.")

    world = replace(lender.world, ledger=NoAccount(lender.world.ledger))
    vitals = replace(lender.app.account, world=world).vitals()
    assert (vitals.chain_reached, vitals.store_reached, vitals.account, vitals.problem) == (True, True, "", "")
