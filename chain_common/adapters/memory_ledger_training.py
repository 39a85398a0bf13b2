"""From a bounty to a closed round: the calls of the contract's ``Training`` in plain Python, checks in its order."""

from __future__ import annotations

from chain_common.adapters.ledger_records import commitment_of
from chain_common.adapters.memory_ledger_bounds import (
    MAX_AMOUNT,
    check_amounts,
    check_digests,
    check_terms,
    require_digests,
)
from chain_common.adapters.memory_ledger_records import (
    Book,
    Caller,
    ModelRecord,
    RoundRecord,
    SeatRecord,
    require_lender,
    require_value,
)
from chain_common.contract_errors import (
    DeadlinePassed,
    NoRows,
    RoundFull,
    RoundMismatch,
    RoundNotCollecting,
    RowsAlreadyContributed,
    StaleBase,
)
from chain_common.domain.repository import Contribution, Publication, RoundState, Terms


def create_model(book: Book, caller: Caller, bounty: int, bond: int, publication: Publication, terms: Terms) -> None:
    """Create a model, escrowing bounty and bond."""
    check_amounts(bounty, bond)
    require_value(caller, bounty + bond)
    check_terms(terms, bounty, caller.now, book.chain_id)
    check_digests(publication, closes=terms.closing_share_ppm != 0)
    model = ModelRecord(
        number=len(book.models) + 1,
        lender=caller.account,
        terms=terms,
        publication=publication,
        bounty=bounty,
        bond=bond,
        left=bounty,
        best=terms.initial_loss,
        bases={0: (publication.base_weights, publication.weights_commitment)},
    )
    book.models.append(model)
    book.emit("ModelCreated", model.number, caller.account, publication.spec, bounty, bond, publication, terms)


def top_up(book: Book, caller: Caller, model_id: int, bounty: int, bond: int) -> None:
    """Add to bounty and bond of an open model."""
    model = book.open(model_id)
    require_lender(model, caller)
    if bounty > MAX_AMOUNT or bond > MAX_AMOUNT:
        check_amounts(bounty, bond)
    require_value(caller, bounty + bond)
    check_amounts(model.bounty + bounty, model.bond + bond)
    model.bounty += bounty
    model.bond += bond
    model.left += bounty
    book.emit("ToppedUp", model_id, caller.account, bounty, bond)


def contribute(book: Book, caller: Caller, model_id: int, contribution: Contribution) -> None:
    """Take a seat; the first one opens the round."""
    model = book.open(model_id)
    require_value(caller, model.terms.stake_wei)
    number = _round_to_contribute_to(model, caller.now)
    if contribution.round != number:
        raise RoundMismatch(model_id, contribution.round, number)
    base = model.bases[model.paid_round][0]
    if contribution.base_weights != base:
        raise StaleBase(contribution.base_weights, base)
    require_digests(
        {
            "payload": contribution.payload,
            "tagRoot": contribution.tag_root,
            "updateDigest": contribution.update_digest,
            "nonce": contribution.nonce,
        }
    )
    if contribution.rows == 0:
        raise NoRows
    rows = (model_id, caller.account, contribution.tag_root)
    if rows in book.tag_roots:
        raise RowsAlreadyContributed(*rows)
    book.tag_roots.add(rows)
    if number > len(model.rounds):
        closes_by = caller.now + model.terms.collect_window_s
        model.rounds.append(RoundRecord(caller.now, closes_by, model.paid_round))
        book.emit("RoundOpened", model_id, number, base, closes_by)
    round_ = model.rounds[-1]
    index = len(round_.seats)
    round_.seats.append(SeatRecord(caller.account, caller.value, commitment_of(contribution)))
    book.emit("Contributed", model_id, number, caller.account, index, caller.value, contribution)
    if model.terms.close_when_full and len(round_.seats) == model.seats_of(number):
        round_.closes_by = caller.now
        deliver_by = model.deliver_by(round_)
        book.emit("RoundClosed", model_id, number, deliver_by, deliver_by + model.terms.settle_window_s)


def _round_to_contribute_to(model: ModelRecord, now: int) -> int:
    number = len(model.rounds)
    running = model.running()
    if running is None:
        if now > model.terms.deadline:
            raise DeadlinePassed(model.number, model.terms.deadline)
        return number + 1
    state = model.state_of(number, now)
    if state is not RoundState.COLLECTING:
        raise RoundNotCollecting(model.number, number, state)
    seats = model.seats_of(number)
    if len(running.seats) == seats:
        raise RoundFull(model.number, number, seats)
    return number
