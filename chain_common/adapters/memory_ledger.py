"""The ``Ledger`` port in memory: the contract's rules in plain Python, for tests and for a story without a node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chain_common.adapters.memory_chain import FEE_WEI, MemoryChain
from chain_common.adapters.memory_ledger_closing import due_of
from chain_common.domain.calls import Call
from chain_common.domain.repository import (
    Address,
    ChainEvent,
    ChainIdentity,
    Due,
    Head,
    Model,
    Receipt,
    Round,
    RoundState,
    Seat,
    Terms,
)
from chain_common.domain.rewards import split_reward

NOBODY = Address("0x0000000000000000000000000000000000000000")


class MemoryLedger:
    """The contract on a chain in memory, seen from one account.

    Parameters
    ----------
    chain
        Shared by the ledgers of all its accounts.
    account
        Who sends; :meth:`MemoryChain.fund` gives it ether.
    """

    def __init__(self, chain: MemoryChain, account: Address) -> None:
        self._chain = chain
        self._account = account

    def identity(self) -> ChainIdentity:
        """Return what tells this deployment from any other."""
        return self._chain.identity

    def head(self) -> Head:
        """Return the newest block's number and time."""
        return self._chain.head()

    def block_hash(self, number: int) -> str:
        """Return the hash of a block, or an empty string if the chain has none of that number."""
        return self._chain.block_hash(number)

    def account(self) -> Address:
        """Return the account that calls are sent from."""
        return self._account

    def balance(self, account: Address) -> int:
        """Return an account's ether in wei."""
        return self._chain.balances.get(account, 0)

    def credit(self, account: Address) -> int:
        """Return the wei an account can withdraw from the contract."""
        return self._chain.book.credits.get(account, 0)

    def model_count(self) -> int:
        """Return how many models exist; their ids run from one."""
        return len(self._chain.book.models)

    def model(self, model_id: int) -> Model:
        """Return a model as it stands. Raises ``UnknownModel``."""
        stored = self._chain.book.existing(model_id)
        base_weights, weights_commitment = stored.bases[stored.paid_round]
        return Model(
            model_id=model_id,
            lender=stored.lender,
            status=stored.status,
            bounty_wei=stored.bounty,
            bond_wei=stored.bond,
            left_wei=stored.left,
            held_wei=stored.held,
            best_loss=stored.best,
            rounds=len(stored.rounds),
            paid_rounds=stored.paid_rounds,
            seats_total=stored.seats_total,
            closing_by=stored.closing_by,
            reclaim_from=stored.reclaim_from,
            closing_settled=stored.closing_settled,
            failed=stored.failed,
            condemned=False,
            auditor=NOBODY,
            answer_by=0,
            spec=stored.publication.spec,
            base_weights=base_weights,
            weights_commitment=weights_commitment,
            scoring_commitment=stored.publication.scoring_commitment,
            closing_commitment=stored.publication.closing_commitment,
        )

    def terms(self, model_id: int) -> Terms:
        """Return a model's terms. Raises ``UnknownModel``."""
        return self._chain.book.existing(model_id).terms

    def round(self, model_id: int, number: int) -> Round:
        """Return a round as it stands; its state is ``NONE`` if it was never opened. Raises ``UnknownModel``."""
        stored, now = self._chain.book.existing(model_id), self._chain.head().timestamp
        state = stored.state_of(number, now)
        if state is RoundState.NONE:
            return Round(model_id, number, state, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (), (), bytes(32), bytes(32))
        round_ = stored.rounds[number - 1]
        base_weights, weights_commitment = stored.bases[round_.paid_round]
        before = stored.rounds[round_.paid_round - 1].loss_after if round_.paid_round else stored.terms.initial_loss
        deliver_by = stored.deliver_by(round_)
        return Round(
            model_id=model_id,
            number=number,
            state=state,
            seats=len(round_.seats),
            opened_at=round_.opened_at,
            closes_by=round_.closes_by,
            deliver_by=deliver_by,
            settle_by=deliver_by + stored.terms.settle_window_s,
            loss_before=before,
            loss_after=round_.loss_after,
            money_wei=round_.money,
            held_wei=split_reward(round_.money, stored.terms.closing_share_ppm)[1],
            held_paid_wei=round_.held_due if stored.is_held_due(now) and not stored.failed else 0,
            shares=round_.shares,
            rejections=round_.rejections,
            base_weights=base_weights,
            weights_commitment=weights_commitment,
        )

    def seat(self, model_id: int, number: int, index: int) -> Seat:
        """Return a seat. Raises ``UnknownSeat``."""
        seat = self._chain.book.existing(model_id).seat(number, index)
        return Seat(model_id, number, index, seat.owner, seat.stake, seat.commitment, seat.claimed, seat.held_claimed)

    def due(self, model_id: int, number: int, index: int) -> Due:
        """Return what a claim on the seat would credit now. Raises ``UnknownSeat``."""
        due = due_of(self._chain.book, model_id, number, index, self._chain.head().timestamp)
        return Due(due.stake, due.reward)

    def events(self, from_block: int, to_block: int) -> Iterator[Sequence[ChainEvent]]:
        """Yield the contract's events of an inclusive range of blocks, in one page."""
        page = [event for event in self._chain.events if from_block <= event.block <= to_block]
        if page:
            yield page

    def fee_allowance(self, call: type[Call]) -> int:
        """Return an upper estimate of the fee of a kind of call in wei; here every call costs the same."""
        return FEE_WEI

    def reconcile(self) -> None:
        """Do nothing: what was sent to this chain is on it."""

    def send(self, call: Call, *, key: str) -> Receipt:
        """Send a call once; see :meth:`chain_common.ports.Ledger.send`."""
        return self._chain.transact(self._account, call, key)
