"""What every ledger promises: the same story on the chain in memory, on eth-tester, on Anvil and on Ganache.

Amounts are worked out by hand from the protocol: 8 ether of bounty over a way of 256,000 from the initial to the target
loss, half of each round's money held for the closing score.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chain_common.chain_errors import KeyReused, NotEnoughEther
from chain_common.contract_errors import (
    ClosingLossMustStay,
    ClosingOver,
    DeadlinePassed,
    LossOffGrid,
    ModelNotClosing,
    ModelNotOpen,
    NothingToClaim,
    NothingToWithdraw,
    NotLender,
    RoundMismatch,
    RoundNotCollecting,
    RoundNotOverdue,
    RoundNotSettleable,
    RoundRunning,
    RowsAlreadyContributed,
    SharesSum,
    StaleBase,
    StillDeliverable,
    TermOutOfBounds,
    TooEarly,
    UnknownModel,
    UnknownSeat,
    WrongLength,
    WrongValue,
)
from chain_common.domain.calls import Claim, End, FailRound, Reclaim, SettleClosing, TopUp, Withdraw
from chain_common.domain.repository import Due, ModelStatus, Rejection, RoundState
from chain_common.errors import BadInput
from tests.chains import ChainDriver
from tests.ports.ledger_fixtures import (
    BOND,
    BOUNTY,
    CLOSING,
    COLLECT,
    DELIVER,
    DEMAND,
    ETHER,
    INITIAL,
    PUBLICATION,
    SETTLE,
    STAKE,
    contribute,
    contribution,
    create,
    digest,
    every_chain,  # noqa: F401 - the fixture "chain"
    everywhere,
    paid,
    terms,
    unpaid,
)

LENDER, ANNA, BERT = 0, 1, 2


class Story:
    """A model on a chain; sends each call as the account that makes it and hands out the keys."""

    def __init__(self, chain: ChainDriver) -> None:
        self.chain = chain
        self.n_sent = 0

    def send(self, call: Any, by: int = LENDER) -> Any:
        self.n_sent += 1
        return self.chain.ledger(by).send(call, key=f"story {self.n_sent} by {by}")

    @property
    def view(self) -> Any:
        return self.chain.ledger(LENDER)

    def created(self, **changes: Any) -> Story:
        self.send(create(self.chain.now(), **changes))
        return self

    def contributed(self, round_: int = 1, base: str = "base 0") -> Story:
        """Anna and Bert take both seats, which closes the round."""
        self.send(contribute(1, f"Anna {round_}", round_, base), by=ANNA)
        self.send(contribute(1, f"Bert {round_}", round_, base), by=BERT)
        return self

    def settled(self, loss: int = 872_000, shares: tuple[int, ...] = (48, 16)) -> Story:
        """Half of the way in the first round: 4 ether, of which 3 are Anna's and 1 is Bert's."""
        self.contributed()
        self.send(paid(1, 1, loss, shares))
        return self


@pytest.fixture
def story(chain: ChainDriver) -> Story:
    return Story(chain)


# ------------------------------------------------------------------------------------------------------ the beginning


def test_a_new_deployment_has_no_models_and_owes_nobody(chain: ChainDriver) -> None:
    ledger = chain.ledger(ANNA)
    assert ledger.model_count() == 0
    assert ledger.credit(ledger.account()) == 0
    assert ledger.balance(ledger.account()) > 100 * ETHER
    with pytest.raises(UnknownModel) as caught:
        ledger.model(1)
    assert caught.value.model_id == 1


def test_all_accounts_see_the_same_deployment(chain: ChainDriver) -> None:
    assert chain.ledger(LENDER).identity() == chain.ledger(ANNA).identity()
    assert chain.ledger(LENDER).account() != chain.ledger(ANNA).account()


def test_a_created_model_reads_back_as_it_was_given(story: Story) -> None:
    call = create(story.chain.now(), pilot_seats=3, close_when_full=False)
    receipt = story.send(call)
    model = story.view.model(1)
    assert story.view.terms(1) == call.terms
    assert (model.model_id, model.lender, model.status) == (1, story.view.account(), ModelStatus.OPEN)
    assert (model.bounty_wei, model.bond_wei, model.left_wei, model.held_wei) == (BOUNTY, BOND, BOUNTY, 0)
    assert (model.best_loss, model.rounds, model.paid_rounds, model.seats_total) == (INITIAL, 0, 0, 0)
    assert (model.spec, model.base_weights) == (PUBLICATION.spec, PUBLICATION.base_weights)
    assert model.weights_commitment == PUBLICATION.weights_commitment
    assert model.scoring_commitment == PUBLICATION.scoring_commitment
    assert model.closing_commitment == PUBLICATION.closing_commitment
    assert (model.failed, model.condemned, model.closing_settled) == (False, False, False)
    assert story.view.round(1, 1).state is RoundState.NONE
    assert [event.name for event in receipt.events] == ["ModelCreated"]
    assert story.view.model_count() == 1


@everywhere
def test_a_call_costs_its_value_and_the_fee_of_its_receipt(story: Story) -> None:
    lender = story.view.account()
    before = story.view.balance(lender)
    receipt = story.send(create(story.chain.now()))
    assert receipt.fee_wei > 0
    assert story.view.balance(lender) == before - BOUNTY - BOND - receipt.fee_wei


def test_a_lender_can_add_to_bounty_and_bond(story: Story) -> None:
    story.created()
    story.send(TopUp(1, 2 * ETHER, ETHER))
    model = story.view.model(1)
    assert (model.bounty_wei, model.left_wei, model.bond_wei) == (10 * ETHER, 10 * ETHER, 5 * ETHER)
    with pytest.raises(TermOutOfBounds) as caught:
        story.send(TopUp(1, 10 * ETHER, 0))
    assert (caught.value.term, caught.value.got_value, caught.value.least) == ("bond", 5 * ETHER, 10 * ETHER)


# -------------------------------------------------------------------------------------------------------- the rounds


def test_the_first_contribution_opens_a_round(story: Story) -> None:
    story.created()
    receipt = story.send(contribute(1, "Anna 1"), by=ANNA)
    assert [event.name for event in receipt.events] == ["RoundOpened", "Contributed"]
    opened = receipt.events[0].timestamp
    now = story.view.round(1, 1)
    assert (now.state, now.seats, now.opened_at) == (RoundState.COLLECTING, 1, opened)
    assert (now.closes_by, now.deliver_by) == (opened + COLLECT, opened + COLLECT + DELIVER)
    assert now.settle_by == opened + COLLECT + DELIVER + SETTLE
    assert (now.loss_before, now.loss_after, now.shares, now.rejections) == (INITIAL, 0, (), ())
    assert now.base_weights == digest("base 0")
    seat = story.view.seat(1, 1, 0)
    anna = story.chain.ledger(ANNA).account()
    assert (seat.owner, seat.stake_wei, seat.claimed, seat.held_claimed) == (anna, STAKE, False, False)
    assert story.view.due(1, 1, 0) == Due(0, 0)


def test_a_round_closes_with_its_last_seat(story: Story) -> None:
    story.created()
    story.send(contribute(1, "Anna 1"), by=ANNA)
    receipt = story.send(contribute(1, "Bert 1"), by=BERT)
    assert [event.name for event in receipt.events] == ["Contributed", "RoundClosed"]
    closed = receipt.events[0].timestamp
    now = story.view.round(1, 1)
    assert (now.state, now.closes_by) == (RoundState.DELIVERING, closed)
    assert now.settle_by == closed + DELIVER + SETTLE


@everywhere
def test_a_round_moves_on_by_time_alone(story: Story) -> None:
    story.created()
    story.send(contribute(1, "Anna 1"), by=ANNA)
    seen = []
    for seconds in (COLLECT + 50, DELIVER, SETTLE):
        story.chain.pass_time(seconds)
        seen.append(story.view.round(1, 1).state)
    assert seen == [RoundState.DELIVERING, RoundState.AWAITING_SETTLEMENT, RoundState.OVERDUE]


def test_a_paid_round_credits_half_at_once_and_holds_the_other(story: Story) -> None:
    receipt = story.created().contributed().send(paid(1, 1, 872_000, (48, 16)))
    (event,) = receipt.events
    assert (event.name, event.model_id, event.arguments["shares"]) == ("RoundSettled", 1, [48, 16])
    assert (event.arguments["money"], event.arguments["held"]) == (4 * ETHER, 2 * ETHER)
    model, now = story.view.model(1), story.view.round(1, 1)
    assert (model.best_loss, model.left_wei, model.held_wei) == (872_000, 4 * ETHER, 2 * ETHER)
    assert (model.paid_rounds, model.seats_total) == (1, 2)
    assert (model.base_weights, model.weights_commitment) == (digest("base 1"), digest("weights 1"))
    assert (now.state, now.money_wei, now.held_wei, now.held_paid_wei) == (5, 4 * ETHER, 2 * ETHER, 0)
    assert (now.shares, now.rejections) == ((48, 16), (Rejection.ACCEPTED, Rejection.ACCEPTED))
    assert (now.loss_before, now.loss_after, now.base_weights) == (INITIAL, 872_000, digest("base 0"))
    assert story.view.due(1, 1, 0) == Due(STAKE, 3 * ETHER // 2)
    assert story.view.due(1, 1, 1) == Due(STAKE, ETHER // 2)


@everywhere
def test_a_claim_is_credited_once_and_withdrawn(story: Story) -> None:
    story.created().settled()
    anna = story.chain.ledger(ANNA)
    receipt = story.send(Claim(1, 1, 0), by=BERT)
    assert receipt.events[0].arguments["owner"] == anna.account()
    assert anna.credit(anna.account()) == STAKE + 3 * ETHER // 2
    assert story.view.seat(1, 1, 0).claimed
    assert story.view.due(1, 1, 0) == Due(0, 0)
    with pytest.raises(NothingToClaim):
        story.send(Claim(1, 1, 0), by=ANNA)
    before = anna.balance(anna.account())
    receipt = story.send(Withdraw(), by=ANNA)
    assert receipt.events[0].model_id is None
    assert anna.balance(anna.account()) == before + STAKE + 3 * ETHER // 2 - receipt.fee_wei
    assert anna.credit(anna.account()) == 0


def test_a_round_without_gain_pays_nothing_and_keeps_the_base(story: Story) -> None:
    story.created().contributed()
    story.send(unpaid(1, 1, 2, loss=INITIAL + 7_000))
    model, now = story.view.model(1), story.view.round(1, 1)
    assert (model.best_loss, model.left_wei, model.rounds, model.paid_rounds) == (INITIAL, BOUNTY, 1, 0)
    assert (model.base_weights, now.loss_after, now.money_wei) == (digest("base 0"), INITIAL, 0)
    assert story.view.due(1, 1, 0) == Due(STAKE, 0)
    story.contributed(round_=2)
    assert story.view.round(1, 2).base_weights == digest("base 0")


def test_a_rejected_seat_loses_a_tenth_of_its_stake_and_has_no_share(story: Story) -> None:
    story.created().contributed()
    codes = (Rejection.SAME_ROWS, Rejection.ACCEPTED)
    story.send(paid(1, 1, 872_000, (0, 64), rejections=codes))
    assert story.view.round(1, 1).rejections == codes
    assert story.view.due(1, 1, 0) == Due(STAKE * 9 // 10, 0)
    assert story.view.due(1, 1, 1) == Due(STAKE, 2 * ETHER)


def test_nobody_is_rejected_as_not_delivered_before_the_time_for_it_is_over(story: Story) -> None:
    story.created().contributed()
    codes = (Rejection.ACCEPTED, Rejection.NOT_DELIVERED)
    call = paid(1, 1, 872_000, (64, 0), rejections=codes)
    with pytest.raises(StillDeliverable) as caught:
        story.send(call)
    assert (caught.value.seat, caught.value.deliver_by) == (1, story.view.round(1, 1).deliver_by)
    story.chain.pass_time(DELIVER + 1)
    story.send(call)
    assert story.view.round(1, 1).state is RoundState.SETTLED


def test_a_round_not_settled_in_time_gives_stakes_back_and_half_of_bounty_and_bond_to_its_seats(
    story: Story,
) -> None:
    story.created().contributed()
    story.chain.pass_time(DELIVER + SETTLE + 1)
    receipt = story.send(FailRound(1), by=BERT)
    assert [event.name for event in receipt.events] == ["RoundFailed", "TrainingEnded"]
    model = story.view.model(1)
    assert (model.status, model.failed, model.bond_wei, model.left_wei) == (ModelStatus.CLOSING, True, 0, 0)
    # Twelve ether forfeited, half burned, half in equal parts.
    assert story.view.due(1, 1, 0) == story.view.due(1, 1, 1) == Due(STAKE, 3 * ETHER)
    assert receipt.events[0].arguments["burned"] == 6 * ETHER


# ----------------------------------------------------------------------------------------------------------- the end


def test_the_target_ends_training_and_pays_all_of_the_bounty(story: Story) -> None:
    story.created().contributed()
    receipt = story.send(paid(1, 1, 700_000 - 700_000 % 1_000, (64, 0)))
    assert [event.name for event in receipt.events] == ["RoundSettled", "TrainingEnded"]
    model = story.view.model(1)
    assert (model.status, model.left_wei, model.held_wei) == (ModelStatus.CLOSING, 0, BOUNTY // 2)
    assert model.closing_by == receipt.events[1].timestamp + CLOSING
    assert model.reclaim_from == model.closing_by + DEMAND + 1


@everywhere
def test_the_closing_score_decides_about_the_held_half(story: Story) -> None:
    story.created().settled()
    story.send(End(1))
    # A gain of 128,000 on 2,000 rows; 32,000 on 1,000 rows confirm half of it.
    receipt = story.send(SettleClosing(1, (500_000, 468_000)))
    (event,) = receipt.events
    assert (event.arguments["heldPaid"], event.arguments["returned"]) == (ETHER, ETHER)
    model = story.view.model(1)
    assert (model.closing_settled, model.held_wei, model.left_wei) == (True, ETHER, 5 * ETHER)
    assert story.view.round(1, 1).held_paid_wei == ETHER
    assert story.view.due(1, 1, 0) == Due(STAKE, 3 * ETHER // 2 + 3 * ETHER // 4)
    story.send(Claim(1, 1, 0))
    assert story.view.seat(1, 1, 0).held_claimed
    assert story.view.model(1).held_wei == ETHER // 4


def test_without_a_closing_score_the_held_half_is_paid_in_full_after_its_time(story: Story) -> None:
    story.created().settled()
    story.send(End(1))
    assert story.view.due(1, 1, 1) == Due(STAKE, ETHER // 2)
    story.chain.pass_time(CLOSING + 1)
    assert story.view.due(1, 1, 1) == Due(STAKE, ETHER)
    assert story.view.round(1, 1).held_paid_wei == 2 * ETHER
    with pytest.raises(ClosingOver):
        story.send(SettleClosing(1, (500_000, 468_000)))


def test_what_is_left_returns_to_the_lender_after_the_audit_window(story: Story) -> None:
    story.created().settled()
    story.send(End(1))
    story.send(SettleClosing(1, (500_000, 468_000)))
    with pytest.raises(TooEarly) as caught:
        story.send(Reclaim(1), by=ANNA)
    assert caught.value.allowed_from == story.view.model(1).reclaim_from
    story.chain.pass_time(DEMAND + 1)
    receipt = story.send(Reclaim(1), by=ANNA)
    assert receipt.events[0].arguments["returned"] == 5 * ETHER + BOND
    lender = story.view.account()
    assert story.view.credit(lender) == 5 * ETHER + BOND
    assert story.view.model(1).status is ModelStatus.ENDED
    # Claims never expire.
    assert story.view.due(1, 1, 1) == Due(STAKE, ETHER // 2 + ETHER // 4)


def test_a_model_without_a_round_ends_at_once(story: Story) -> None:
    story.created()
    receipt = story.send(End(1))
    assert [event.name for event in receipt.events] == ["Ended"]
    assert story.view.credit(story.view.account()) == BOUNTY + BOND
    assert story.view.model(1).status is ModelStatus.ENDED


# ------------------------------------------------------------------------------------------------------- what breaks


@everywhere
def test_terms_out_of_bounds_are_named_with_their_bounds(story: Story) -> None:
    with pytest.raises(TermOutOfBounds) as caught:
        story.send(create(story.chain.now(), seats=17))
    error = caught.value
    assert (error.term, error.got_value, error.least, error.most) == ("seats", 17, 1, 16)
    assert str(error) == "The term seats is 17. It lies between 1 and 16."
    assert story.view.model_count() == 0


def test_numbers_the_contract_cannot_hold_are_bad_input(story: Story) -> None:
    with pytest.raises(BadInput, match="createModel"):
        story.send(create(story.chain.now(), stake_wei=2**96))


def refusals(now: int) -> list[tuple[Any, int, type[Exception], dict[str, Any]]]:
    """Calls that an open model with a closed round refuses: call, by whom, error, facts."""
    return [
        (FailRound(9), LENDER, UnknownModel, {"model_id": 9}),
        (Claim(1, 1, 2), ANNA, UnknownSeat, {"round": 1, "seat": 2}),
        (TopUp(1, 1, 1), ANNA, NotLender, {"model_id": 1}),
        (End(1), ANNA, NotLender, {}),
        (End(1), LENDER, RoundRunning, {"round": 1}),
        (unpaid(1, 1, 2), ANNA, NotLender, {}),
        (unpaid(1, 2, 2), LENDER, RoundMismatch, {"got_round": 2, "expected_round": 1}),
        (unpaid(1, 1, 1), LENDER, WrongLength, {"got_length": 1, "expected_length": 2}),
        (unpaid(1, 1, 2, loss=INITIAL - 1), LENDER, LossOffGrid, {"loss": INITIAL - 1, "step": 1_000}),
        (paid(1, 1, 872_000, (40, 16)), LENDER, SharesSum, {"got_sum": 56, "expected_sum": 64}),
        (contribute(1, "C"), ANNA, RoundNotCollecting, {"state": RoundState.DELIVERING}),
        (FailRound(1), ANNA, RoundNotOverdue, {"state": RoundState.DELIVERING}),
        (SettleClosing(1, ()), LENDER, ModelNotClosing, {"status": ModelStatus.OPEN}),
        (Claim(1, 1, 0), ANNA, NothingToClaim, {"seat": 0}),
        (Withdraw(), ANNA, NothingToWithdraw, {}),
    ]


@everywhere
def test_what_the_contract_refuses_is_the_same_error_with_the_same_facts_everywhere(story: Story) -> None:
    story.created().contributed()
    for call, by, error, facts in refusals(story.chain.now()):
        with pytest.raises(error) as caught:
            story.send(call, by=by)
        assert facts.items() <= vars(caught.value).items()


def test_a_contribution_is_refused_for_its_stake_its_round_its_base_and_its_rows(story: Story) -> None:
    story.created(seats=5)
    story.send(contribute(1, "Anna 1"), by=ANNA)
    wrong_stake = replace(contribute(1, "B"), stake_wei=STAKE - 1)
    with pytest.raises(WrongValue) as caught:
        story.send(wrong_stake, by=BERT)
    assert (caught.value.got_wei, caught.value.expected_wei) == (STAKE - 1, STAKE)
    with pytest.raises(RoundMismatch):
        story.send(contribute(1, "B", round_=2), by=BERT)
    with pytest.raises(StaleBase) as stale:
        story.send(contribute(1, "B", base="base 7"), by=BERT)
    assert stale.value.expected_digest == digest("base 0")
    with pytest.raises(RowsAlreadyContributed) as again:
        story.send(contribute(1, "Anna 1", nonce=digest("other nonce")), by=ANNA)
    assert again.value.tag_root == contribution("Anna 1").tag_root
    # Another data owner's copy of the root blocks nobody.
    story.send(contribute(1, "Anna 1"), by=BERT)
    assert story.view.round(1, 1).seats == 2


def test_after_the_deadline_no_round_opens_and_anyone_may_end(story: Story) -> None:
    story.created(deadline=story.chain.now() + 1_000)
    story.chain.pass_time(1_100)
    with pytest.raises(DeadlinePassed):
        story.send(contribute(1, "Anna 1"), by=ANNA)
    story.send(End(1), by=ANNA)
    with pytest.raises(ModelNotOpen) as caught:
        story.send(End(1), by=ANNA)
    assert caught.value.status is ModelStatus.ENDED


def test_a_closing_loss_cannot_change_where_the_weights_did_not(story: Story) -> None:
    story.created().contributed()
    story.send(unpaid(1, 1, 2))
    story.contributed(round_=2)
    story.send(paid(1, 2, 872_000, (32, 32)))
    story.send(End(1))
    with pytest.raises(ClosingLossMustStay) as caught:
        story.send(SettleClosing(1, (500_000, 499_000, 468_000)))
    assert (caught.value.round, caught.value.got_loss, caught.value.expected_loss) == (1, 499_000, 500_000)
    with pytest.raises(RoundNotSettleable):
        story.created().send(unpaid(2, 0, 0))


@everywhere
def test_an_account_without_the_money_is_told_what_it_needs(story: Story) -> None:
    ledger = story.view
    available = ledger.balance(ledger.account())
    call = replace(create(story.chain.now()), bounty_wei=available, bond_wei=available)
    with pytest.raises(NotEnoughEther) as caught:
        ledger.send(call, key="too dear")
    assert caught.value.available_wei == available
    assert caught.value.needed_wei >= 2 * available
    assert ledger.model_count() == 0


# ------------------------------------------------------------------------------------------------- keys, fees, events


@everywhere
def test_the_same_key_is_the_same_transaction(chain: ChainDriver) -> None:
    ledger = chain.ledger(LENDER)
    call = create(chain.now())
    first = ledger.send(call, key="bounty.1")
    assert chain.ledger(LENDER).send(call, key="bounty.1") == first
    assert ledger.model_count() == 1
    with pytest.raises(KeyReused) as caught:
        ledger.send(replace(call, bond_wei=BOND + 1), key="bounty.1")
    assert caught.value.transaction == first.transaction
    ledger.send(call, key="bounty.2")
    assert ledger.model_count() == 2


def test_what_the_contract_refused_before_it_was_sent_can_be_tried_again_under_its_key(story: Story) -> None:
    story.created().contributed()
    call = Claim(1, 1, 0)
    anna = story.chain.ledger(ANNA)
    with pytest.raises(NothingToClaim):
        anna.send(call, key="claim.1")
    story.send(unpaid(1, 1, 2))
    anna.send(call, key="claim.1")
    assert anna.credit(anna.account()) == STAKE


def test_no_call_costs_more_than_its_allowance(story: Story) -> None:
    sent: list[tuple[Any, int]] = [(create(story.chain.now()), LENDER), (TopUp(1, ETHER, ETHER), LENDER)]
    sent += [(contribute(1, "A"), ANNA), (contribute(1, "B"), BERT), (paid(1, 1, 872_000, (48, 16)), LENDER)]
    sent += [(Claim(1, 1, 0), ANNA), (Withdraw(), ANNA), (End(1), LENDER), (SettleClosing(1, (9, 8)), LENDER)]
    for call, by in sent:
        allowance = story.view.fee_allowance(type(call))
        assert story.send(call, by=by).fee_wei <= allowance


@everywhere
def test_events_come_in_order_and_as_the_receipts_had_them(story: Story) -> None:
    ledger = story.view
    start = ledger.head().number
    sent = [story.send(create(story.chain.now()))]
    sent += [story.send(contribute(1, "Anna 1"), by=ANNA), story.send(contribute(1, "Bert 1"), by=BERT)]
    sent += [
        story.send(paid(1, 1, 872_000, (48, 16))),
        story.send(Claim(1, 1, 0)),
        story.send(Withdraw(), by=ANNA),
    ]
    pages = [event for page in ledger.events(start + 1, ledger.head().number + 10) for event in page]
    assert pages == [event for receipt in sent for event in receipt.events]
    assert [event.name for event in pages] == [
        "ModelCreated",
        "RoundOpened",
        "Contributed",
        "Contributed",
        "RoundClosed",
        "RoundSettled",
        "Claimed",
        "Withdrawn",
    ]
    last = sent[-1].block
    assert [event for page in ledger.events(last, last) for event in page] == list(sent[-1].events)
    assert list(ledger.events(last + 5, last + 4)) == []


def test_an_event_says_everything_in_plain_values(story: Story) -> None:
    call = create(story.chain.now())
    (event,) = story.send(call).events
    said = event.arguments
    assert list(said) == ["modelId", "lender", "spec", "bounty", "bond", "publication", "terms"]
    assert (said["modelId"], said["bounty"], said["lender"]) == (1, BOUNTY, story.view.account())
    assert said["publication"] == {
        "spec": "0x" + PUBLICATION.spec.hex(),
        "baseWeights": "0x" + PUBLICATION.base_weights.hex(),
        "weightsCommitment": "0x" + PUBLICATION.weights_commitment.hex(),
        "scoringCommitment": "0x" + PUBLICATION.scoring_commitment.hex(),
        "closingCommitment": "0x" + PUBLICATION.closing_commitment.hex(),
    }
    told: Any = said["terms"]
    usual = terms(call.terms.deadline - 100_000)
    assert (told["stake"], told["metric"], told["closeWhenFull"]) == (STAKE, int(usual.metric), True)
    assert (told["deadline"], told["settleWindow"]) == (usual.deadline, SETTLE)
    assert event.timestamp == story.chain.now()
    story.send(contribute(1, "Anna 1"), by=ANNA)
    made: Any = list(story.view.events(0, 10**9))[-1][-1].arguments["contribution"]
    assert made["tagRoot"] == "0x" + contribution("Anna 1").tag_root.hex()
    assert (made["round"], made["rows"]) == (1, 500)
