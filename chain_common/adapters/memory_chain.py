"""A chain in memory with the contract on it, for any number of accounts.

Each transaction is a block of its own at the clock's time; a call that breaks a rule leaves everything as it was.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, cast

from chain_common.adapters import memory_ledger_closing as closing
from chain_common.adapters import memory_ledger_settling as settling
from chain_common.adapters import memory_ledger_training as training
from chain_common.adapters.ledger_artifact import model_repository
from chain_common.adapters.ledger_records import described, request_of
from chain_common.adapters.memory_ledger_records import Book, Caller
from chain_common.chain_errors import KeyReused, NotEnoughEther
from chain_common.domain.calls import (
    Call,
    Claim,
    Contribute,
    CreateModel,
    End,
    FailRound,
    Reclaim,
    Settle,
    SettleClosing,
    TopUp,
    Withdraw,
)
from chain_common.domain.repository import Address, ChainEvent, ChainIdentity, Head, Receipt
from chain_common.ports import Clock
from chain_common.units import WEI_PER_ETHER

CONTRACT: Final = Address("0x5FbDB2315678afecb367f032d93F642f64180aa3")
# Every call costs the same here; the order of magnitude is the contract's (reference figures).
GAS: Final = 150_000
GAS_PRICE_WEI: Final = 10**9
FEE_WEI: Final = GAS * GAS_PRICE_WEI


class MemoryChain:
    """A chain with one deployment of the contract.

    Parameters
    ----------
    clock
        The chain's time; blocks never go back behind one another.
    chain_id
        Of a development chain by default, where windows may be a second.
    """

    def __init__(self, clock: Clock, *, chain_id: int = 31337) -> None:
        self.clock = clock
        self.balances: dict[Address, int] = {}
        self.events: list[ChainEvent] = []
        self.book = Book(emit=self._emit, chain_id=chain_id)
        self.identity = ChainIdentity(chain_id, CONTRACT, _hash(f"deployment {chain_id}"), _hash(f"block {chain_id}"))
        self._block = 0
        self._time = int(clock.now())
        self._log_index = 0
        self._lock = threading.RLock()
        self._sent: dict[tuple[Address, str], tuple[Call, Receipt]] = {}

    def fund(self, account: Address, amount_wei: int = 1000 * WEI_PER_ETHER) -> None:
        """Give an account ether."""
        self.balances[account] = self.balances.get(account, 0) + amount_wei

    def head(self) -> Head:
        """Return the newest block; time passes as if a block were mined at every look."""
        self._time = max(self._time, int(self.clock.now()))
        return Head(self._block, self._time)

    def block_hash(self, number: int) -> str:
        """Return a block's hash, which here is its number; empty for a block that is not there."""
        return f"0x{number:064x}" if 0 <= number <= self._block else ""

    def transact(self, account: Address, call: Call, key: str) -> Receipt:
        """Carry out a call as a block of its own; see :meth:`chain_common.ports.Ledger.send`."""
        with self._lock:
            if (account, key) in self._sent:
                sent, receipt = self._sent[account, key]
                if sent != call:
                    raise KeyReused(key, receipt.transaction)
                return receipt
            value = self._payable(account, call)
            n_events = len(self.events)
            with self._next_block():
                paid = self._carry_out(Caller(account, value, self.head().timestamp), call)
            self.balances[account] += paid - value - FEE_WEI
            events = tuple(self.events[n_events:])
            receipt = Receipt(self._transaction(), self._block, GAS, FEE_WEI, events)
            self._sent[account, key] = (call, receipt)
            return receipt

    @contextmanager
    def _next_block(self) -> Iterator[None]:
        """Let the events of a call carry the block it will be in; a call that breaks a rule makes no block."""
        self._block += 1
        self._log_index = 0
        try:
            yield
        except BaseException:
            self._block -= 1
            raise

    def _payable(self, account: Address, call: Call) -> int:
        """Return the wei sent with a call. Raises ``NotEnoughEther`` if the account lacks that and the fee."""
        value = request_of(call).value_wei
        available = self.balances.get(account, 0)
        if available < value + FEE_WEI:
            raise NotEnoughEther(account, value + FEE_WEI, available)
        return value

    def _carry_out(self, caller: Caller, call: Call) -> int:  # noqa: C901 - one branch for each call
        """Apply a call and return the wei it pays out."""
        book = self.book
        match call:
            case CreateModel():
                training.create_model(book, caller, call.bounty_wei, call.bond_wei, call.publication, call.terms)
            case TopUp():
                training.top_up(book, caller, call.model_id, call.bounty_wei, call.bond_wei)
            case Contribute():
                training.contribute(book, caller, call.model_id, call.contribution)
            case Settle():
                settling.settle(book, caller, call.model_id, call.report)
            case FailRound():
                settling.fail_round(book, caller, call.model_id)
            case End():
                closing.end(book, caller, call.model_id)
            case SettleClosing():
                closing.settle_closing(book, caller, call.model_id, call.losses)
            case Reclaim():
                closing.reclaim(book, caller, call.model_id)
            case Claim():
                closing.claim(book, caller, call.model_id, call.round, call.seat)
            case Withdraw():
                return closing.withdraw(book, caller)
        return 0

    def _emit(self, name: str, *values: object) -> None:
        inputs: Sequence[Mapping[str, object]] = model_repository().of_type("event")[name]["inputs"]
        arguments = {
            cast(str, entry["name"]): described(entry, value) for entry, value in zip(inputs, values, strict=True)
        }
        model_id = arguments.get("modelId")
        self.events.append(
            ChainEvent(
                name=name,
                block=self._block,
                log_index=self._log_index,
                transaction=self._transaction(),
                timestamp=self._time,
                model_id=model_id if isinstance(model_id, int) else None,
                arguments=arguments,
            )
        )
        self._log_index += 1

    def _transaction(self) -> str:
        return _hash(f"transaction {self.identity.chain_id} {self._block}")


def _hash(of: str) -> str:
    return "0x" + hashlib.sha256(of.encode()).hexdigest()
