"""The end of a round: the contract's ``settle`` and ``failRound`` in plain Python, checks in its order."""

from __future__ import annotations

from typing import Final

from chain_common.adapters.memory_ledger_bounds import require_digests
from chain_common.adapters.memory_ledger_records import Book, Caller, ModelRecord, RoundRecord, require_lender
from chain_common.contract_errors import (
    BaseMustChange,
    BaseMustStay,
    LossOffGrid,
    RoundMismatch,
    RoundNotOverdue,
    RoundNotSettleable,
    SharesSum,
    StillDeliverable,
    UnexpectedShares,
    WrongLength,
)
from chain_common.domain.repository import SHARE_UNITS, Rejection, RoundState, SettlementReport
from chain_common.domain.rewards import reward, split_reward

# A rejected seat loses one part in this many of its stake.
STAKE_PARTS: Final = 10


def settle(book: Book, caller: Caller, model_id: int, report: SettlementReport) -> None:
    """Settle the running round."""
    model = book.open(model_id)
    require_lender(model, caller)
    number = len(model.rounds)
    state = model.state_of(number, caller.now)
    if report.round != number:
        raise RoundMismatch(model_id, report.round, number)
    if state not in (RoundState.DELIVERING, RoundState.AWAITING_SETTLEMENT):
        raise RoundNotSettleable(model_id, number, state)
    money = _money_for(model, report.loss)
    require_base(model, report, paid=money != 0)
    round_ = model.rounds[-1]
    require_split(round_, report, paid=money != 0, deliver_by=model.deliver_by(round_), now=caller.now)

    loss_before = model.best
    held = split_reward(money, model.terms.closing_share_ppm)[1]
    round_.outcome = RoundState.SETTLED
    round_.shares, round_.rejections = report.shares, report.rejections
    round_.loss_after = report.loss if money else loss_before
    round_.money, round_.held_due = money, held
    model.left -= money
    model.held += held
    model.seats_total += report.rejections.count(Rejection.ACCEPTED)
    if money:
        model.best = report.loss
        model.bases[number] = (report.next_weights, report.weights_commitment)
        model.paid_round, model.paid_rounds = number, model.paid_rounds + 1
    rejected = (seat for seat, code in zip(round_.seats, report.rejections, strict=True) if code)
    book.burned += sum(seat.stake // STAKE_PARTS for seat in rejected)
    book.emit(
        "RoundSettled",
        model_id,
        number,
        loss_before,
        report.loss,
        money,
        held,
        report.shares,
        report.rejections,
        report.next_weights,
        report.weights_commitment,
    )
    if model.best <= model.terms.target_loss or number == model.terms.max_rounds:
        book.end_training(model, caller.now)


def _money_for(model: ModelRecord, loss: int) -> int:
    terms = model.terms
    if terms.loss_steps:
        step = (terms.initial_loss - terms.target_loss) // terms.loss_steps
        if (terms.initial_loss - loss) % step:
            raise LossOffGrid(loss, step)
    return reward(model.left, model.best, loss, terms.target_loss, terms.min_gain)


def fail_round(book: Book, caller: Caller, model_id: int) -> None:
    """Fail an overdue round."""
    model = book.open(model_id)
    number = len(model.rounds)
    state = model.state_of(number, caller.now)
    if state is not RoundState.OVERDUE:
        raise RoundNotOverdue(model_id, number, state)
    seats = model.seats_total + len(model.rounds[-1].seats)
    forfeit = model.bond + model.left + model.held
    each = forfeit // 2 // seats
    model.rounds[-1].outcome = RoundState.FAILED
    model.seats_total, model.compensation, model.failed = seats, each, True
    model.bond = model.left = model.held = 0
    book.burned += forfeit - each * seats
    book.emit("RoundFailed", model_id, number, each, forfeit - each * seats)
    book.end_training(model, caller.now)


def require_base(model: ModelRecord, report: SettlementReport, *, paid: bool) -> None:
    """Check that base weights and commitment change exactly when the round has money."""
    named = (report.next_weights, report.weights_commitment)
    base = model.bases[model.paid_round]
    if not paid:
        for got, expected in zip(named, base, strict=True):
            if got != expected:
                raise BaseMustStay(got, expected)
        return
    for got, expected in zip(named, base, strict=True):
        if got == expected:
            raise BaseMustChange(expected)
    require_digests({"nextWeights": report.next_weights, "weightsCommitment": report.weights_commitment})


def require_split(round_: RoundRecord, report: SettlementReport, *, paid: bool, deliver_by: int, now: int) -> None:
    """Check shares and rejections against each other, the money and the time."""
    for given in (report.shares, report.rejections):
        if len(given) != len(round_.seats):
            raise WrongLength(len(given), len(round_.seats))
    for index, (share, code) in enumerate(zip(report.shares, report.rejections, strict=True)):
        if code is Rejection.NOT_DELIVERED and now <= deliver_by:
            raise StillDeliverable(index, deliver_by)
        if share and (not paid or code is not Rejection.ACCEPTED):
            raise UnexpectedShares(index, share)
    if paid and sum(report.shares) != SHARE_UNITS:
        raise SharesSum(sum(report.shares), SHARE_UNITS)
