"""From the last round to the last wei: the calls of the contract's ``Closing`` in plain Python, checks in its order."""

from __future__ import annotations

from chain_common.adapters.memory_ledger_records import (
    Book,
    Caller,
    SeatDue,
    require_lender,
)
from chain_common.adapters.memory_ledger_settling import STAKE_PARTS
from chain_common.contract_errors import (
    ClosingAlreadySettled,
    ClosingLossMustStay,
    ClosingOver,
    NothingToClaim,
    NothingToWithdraw,
    RoundRunning,
    TooEarly,
    WrongLength,
)
from chain_common.domain.repository import ETHER, RoundState
from chain_common.domain.rewards import held_paid, seat_amounts, split_reward


def end(book: Book, caller: Caller, model_id: int) -> None:
    """End training."""
    model = book.open(model_id)
    if caller.now <= model.terms.deadline:
        require_lender(model, caller)
    if model.running() is not None:
        raise RoundRunning(model_id, len(model.rounds))
    if model.rounds:
        book.end_training(model, caller.now)
    else:
        book.end_model(model)


def settle_closing(book: Book, caller: Caller, model_id: int, losses: tuple[int, ...]) -> None:
    """Give the closing-set losses."""
    model = book.closing(model_id)
    require_lender(model, caller)
    if model.closing_settled:
        raise ClosingAlreadySettled(model_id)
    if caller.now > model.closing_by:
        raise ClosingOver(model_id, model.closing_by)
    if len(losses) != len(model.rounds) + 1:
        raise WrongLength(len(losses), len(model.rounds) + 1)
    due, loss_before = {}, model.terms.initial_loss
    for number, round_ in enumerate(model.rounds, start=1):
        if not round_.money:
            if losses[number] != losses[number - 1]:
                raise ClosingLossMustStay(number, losses[number], losses[number - 1])
            continue
        due[number] = held_paid(
            round_.held_due,
            scoring_gain=loss_before - round_.loss_after,
            scoring_rows=model.terms.scoring_rows,
            closing_gain=losses[number - 1] - losses[number],
            closing_rows=model.terms.closing_rows,
        )
        loss_before = round_.loss_after
    for number, paid in due.items():
        model.rounds[number - 1].held_due = paid
    returned = model.held - sum(due.values())
    model.closing_settled = True
    model.reclaim_from = caller.now + model.terms.audit_demand_window_s + 1
    model.left += returned
    model.held -= returned
    book.emit("ClosingSettled", model_id, losses, model.held, returned)


def reclaim(book: Book, caller: Caller, model_id: int) -> None:
    """End a closing model after its audit window."""
    model = book.closing(model_id)
    if caller.now < model.reclaim_from:
        raise TooEarly(caller.now, model.reclaim_from)
    book.end_model(model)


def due_of(book: Book, model_id: int, number: int, index: int, now: int) -> SeatDue:
    """Return what a seat can be credited with now. Raises ``UnknownSeat``."""
    model = book.existing(model_id)
    seat = model.seat(number, index)
    round_ = model.rounds[number - 1]
    if round_.outcome is RoundState.NONE:
        return SeatDue()
    rejected = bool(round_.rejections and round_.rejections[index])
    stake = first_half = held_half = compensation = 0
    shares = round_.shares or (0,) * len(round_.seats)
    if not seat.claimed:
        stake = seat.stake - (seat.stake // STAKE_PARTS if rejected else 0)
        at_once = split_reward(round_.money, model.terms.closing_share_ppm)[0]
        first_half = seat_amounts(at_once, shares)[index]
    if not seat.held_claimed:
        if model.failed:
            compensation = 0 if rejected else model.compensation
        elif model.is_held_due(now):
            held_half = seat_amounts(round_.held_due, shares)[index]
    return SeatDue(stake, first_half, held_half, compensation)


def claim(book: Book, caller: Caller, model_id: int, number: int, index: int) -> None:
    """Credit a seat's owner with what is due."""
    due = due_of(book, model_id, number, index, caller.now)
    if due.stake + due.reward == 0:
        raise NothingToClaim(model_id, number, index)
    model = book.existing(model_id)
    seat = model.seat(number, index)
    seat.claimed = True
    if due.held_half + due.compensation:
        seat.held_claimed = True
    model.held -= due.held_half
    book.credit(seat.owner, due.stake + due.reward)
    book.emit("Claimed", model_id, number, seat.owner, index, due.stake, due.reward)


def withdraw(book: Book, caller: Caller) -> int:
    """Take out the caller's credit and return it."""
    amount = book.credits.pop(caller.account, 0)
    if amount == 0:
        raise NothingToWithdraw(caller.account)
    book.emit("Withdrawn", caller.account, ETHER, amount)
    return amount
