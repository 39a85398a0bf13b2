"""Sending a transaction once, whatever happens in between."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from chain_common.adapters.contract_errors import contract_error, text_revert
from chain_common.adapters.ledger_node import Mined, Node
from chain_common.adapters.ledger_pricing import ContractCall, Signer, prepared
from chain_common.adapters.outbox import Entry, Fate, Outbox, Signed
from chain_common.chain_errors import ChainAway, KeyReused, TransactionPending
from chain_common.domain.repository import Address
from chain_common.errors import Locked, RuleBroken

# An intention whose nonce was taken gets a new transaction; three in one call mean somebody else uses the account.
_TRIES: Final = 3

# One at a time gives an account's next nonce away, in this process; other processes meet in the outbox.
_NONCE_LOCKS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class WatchOnly:
    """A signer that cannot sign: an account, or none, whose view of the chain is enough."""

    def __init__(self, account: Address) -> None:
        self._account = account

    def address(self) -> Address:
        """Return the account that is watched."""
        return self._account

    def sign_transaction(self, transaction: Mapping[str, Any]) -> Signed:
        """Raise ``Locked``."""
        raise Locked("No account can sign here.", do="Create one or unlock it first.")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a transaction to be mined, and how long at first between two looks; seconds."""

    wait_s: float = 180.0
    poll_s: float = 0.005
    most_poll_s: float = 2.0

    def until(self, look: Callable[[], Mined | None], transaction: str) -> Mined:
        """Look until there is a receipt. Raises ``TransactionPending`` when the time is over."""
        end = time.monotonic() + self.wait_s
        pause = self.poll_s
        while (mined := look()) is None:
            if time.monotonic() >= end:
                raise TransactionPending(transaction, self.wait_s)
            time.sleep(pause)
            pause = min(2 * pause, self.most_poll_s)
        return mined


class TransactionSender:
    """Sends calls of one account to one deployment, each intention once.

    Parameters
    ----------
    node, signer, outbox
        Where to, by whom, and where it is recorded first.
    chain_id
        Bound into every signature.
    patience
        How long to wait for a transaction.
    """

    def __init__(
        self, node: Node, signer: Signer, outbox: Outbox, chain_id: int, *, patience: Patience | None = None
    ) -> None:
        self._node = node
        self._signer = signer
        self._outbox = outbox
        self._chain_id = chain_id
        self._patience = patience or Patience()

    def send(self, call: ContractCall, key: str) -> Mined:
        """Send a call and return its receipt; the same key again returns the same one.

        Raises
        ------
        KeyReused
            If another call was recorded under the key.
        RuleBroken
            If the contract refuses it, before it is sent or in the block.
        TransactionPending
            If it was not mined in time; the key may be tried again.
        """
        reason = ""
        for _ in range(_TRIES):
            entry = self._standing_entry(key) or self._record(call, key)
            if entry.call_digest != call.digest:
                raise KeyReused(key, entry.transaction)
            try:
                mined = self._patience.until(partial(self._look, entry), entry.transaction)
            except _LostError as error:
                self._outbox.mark(entry, Fate.LOST)
                reason = str(error)
                continue
            if not mined.status:
                raise self._failure(entry, call, mined)
            self._outbox.mark(entry, Fate.MINED)
            return mined
        raise ChainAway(self._node.location, reason)

    def _standing_entry(self, key: str) -> Entry | None:
        """Return the transaction of an intention; a lost one only if the chain has it after all."""
        attempts = self._outbox.attempts(key)
        if attempts and attempts[0].fate is not Fate.LOST:
            return attempts[0]
        return next((lost for lost in attempts if self._node.mined(lost.transaction)), None)

    def _record(self, call: ContractCall, key: str) -> Entry:
        sign = prepared(self._signer, self._node, call, self._chain_id)
        sender = self._signer.address()
        with _NONCE_LOCKS[sender]:
            self._resend_earlier(sender)
            free_nonce = self._node.count(sender, pending=True)
            return self._outbox.record(key, sender, call.digest, free_nonce=free_nonce, sign=sign)

    def reconcile(self, sender: Address) -> None:
        """Give the node what it does not have of an account's recorded transactions."""
        with _NONCE_LOCKS[sender]:
            self._resend_earlier(sender)

    def _resend_earlier(self, sender: str) -> None:
        """Give the node what it does not have of the transactions before, or a later nonce would wait for ever.

        They are missing after a crash between recording and sending, after a reorganisation, and on a development
        chain that was restored from an older state.
        """
        for entry in self._outbox.standing(sender, self._node.count(sender)):
            if self._has(entry) or not self._node.refused(entry.raw) or self._has(entry):
                continue
            self._outbox.mark(entry, Fate.LOST)

    def _has(self, entry: Entry) -> bool:
        return self._node.knows(entry.transaction) or self._node.mined(entry.transaction) is not None

    def _look(self, entry: Entry) -> Mined | None:
        """Return the receipt of a recorded transaction if it has one, and make sure that the node has it if not.

        Raises ``_LostError`` if it can never be mined: another one has its nonce, or no node takes it.
        """
        if (mined := self._node.mined(entry.transaction)) or self._node.knows(entry.transaction):
            return mined
        refusal = ""
        # A nonce that is used up is never sent again: Ganache would run a first transaction a second time.
        if self._node.count(entry.sender) <= entry.nonce:
            refusal = self._node.refused(entry.raw)
            if not refusal:
                self._outbox.mark(entry, Fate.SENT)
                return self._node.mined(entry.transaction)
        if self._has(entry):
            return self._node.mined(entry.transaction)
        raise _LostError(f"it refuses the transaction, {refusal!r}" if refusal else "its nonces go to others")

    def _failure(self, entry: Entry, call: ContractCall, mined: Mined) -> RuleBroken:
        """Return why a mined transaction failed; asked once and recorded, for the chain's state of then may go."""
        data = entry.revert_data
        if data is None:
            data = replayed(self._node, call, entry.sender, mined)
            self._outbox.mark(entry, Fate.FAILED, data)
        return contract_error(data)


class _LostError(Exception):
    """A recorded transaction can never be mined."""


def replayed(node: Node, call: ContractCall, sender: str, mined: Mined) -> bytes:
    """Return the data of the revert that a mined transaction ended with, by repeating the call after its block."""
    data = node.revert_of({"from": sender, **call.fields()}, mined.block)
    if data is not None:
        return data
    return text_revert("it ran out of gas, or what it needed was true again after its block")
