"""Sending a transaction once, whatever happens in between."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from chain_common.adapters.contract_errors import contract_error, text_revert
from chain_common.adapters.ledger_node import Fees, Mined, Node, Unpayable, says_unpayable
from chain_common.adapters.outbox import Entry, Fate, Outbox, Signed
from chain_common.chain_errors import ChainAway, KeyReused, NotEnoughEther, TransactionPending
from chain_common.domain.repository import Address
from chain_common.errors import Locked, RuleBroken

# Said of an account that cannot even pay for the estimate: creating a model, the dearest call, is below it.
_USUAL_GAS: Final = 500_000
# An intention whose nonce was taken gets a new transaction; three in one call mean somebody else uses the account.
_TRIES: Final = 3

# One at a time gives an account's next nonce away, in this process; other processes meet in the outbox.
_NONCE_LOCKS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class Signer(Protocol):
    """What signs for one account."""

    def address(self) -> Address:
        """Return the account. Raises ``Locked``."""
        ...

    def sign_transaction(self, transaction: Mapping[str, Any]) -> Signed:
        """Sign a transaction given by its fields, as in Ethereum's JSON-RPC. Raises ``Locked``."""
        ...


class WatchOnly:
    """A signer that cannot sign: an account, or none, whose view of the chain is enough."""

    def __init__(self, account: Address) -> None:
        self._account = account

    def address(self) -> Address:
        """Return the account that is watched."""
        return self._account

    def sign_transaction(self, transaction: Mapping[str, Any]) -> Signed:  # noqa: ARG002 - the protocol's
        """Raise ``Locked``."""
        raise Locked("No account can sign here.", do="Create one or unlock it first.")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a transaction to be mined, and how long at first between two looks; seconds."""

    wait_s: float = 180.0
    poll_s: float = 0.05
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


@dataclass(frozen=True, slots=True)
class ContractCall:
    """What a transaction does: receiver (``None`` creates a contract), data, wei sent."""

    to: str | None
    data: bytes
    value_wei: int

    def fields(self, sender: str) -> dict[str, Any]:
        """Return the transaction's fields that do not depend on time."""
        fields = {"from": sender, "data": "0x" + self.data.hex(), "value": self.value_wei}
        return fields if self.to is None else {**fields, "to": self.to}

    @property
    def digest(self) -> str:
        """What tells it from another call."""
        return hashlib.sha256(f"{self.to}:{self.value_wei}:{self.data.hex()}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call would take: gas at most, and the fees offered for it."""

    gas: int
    fees: Fees


def quote(node: Node, call: ContractCall, sender: str) -> Quote:
    """Ask the node what a call would take.

    Raises
    ------
    RuleBroken
        If the contract would refuse it.
    NotEnoughEther
        If the account has less than is sent with the call.
    """
    available = node.balance(sender)
    if available < call.value_wei:
        raise NotEnoughEther(sender, call.value_wei, available)
    fees = node.fees()
    try:
        return Quote(node.gas_limit(call.fields(sender)), fees)
    except Unpayable as error:
        raise NotEnoughEther(sender, call.value_wei + _USUAL_GAS * fees.most_wei, available) from error


def signed_by(signer: Signer, node: Node, call: ContractCall, chain_id: int) -> Callable[[int], Signed]:
    """Prepare a call so that only the nonce is missing.

    Raises
    ------
    RuleBroken
        If the contract would refuse it.
    NotEnoughEther
        If the account cannot pay what is sent and the fee at its highest.
    """
    sender = signer.address()
    offer = quote(node, call, sender)
    needed, available = call.value_wei + offer.gas * offer.fees.most_wei, node.balance(sender)
    if available < needed:
        raise NotEnoughEther(sender, needed, available)
    # A signer takes no "from": the key says it.
    fields = {name: value for name, value in call.fields(sender).items() if name != "from"}
    fields |= {"chainId": chain_id, "gas": offer.gas, **offer.fees.fields}
    return lambda nonce: signer.sign_transaction({**fields, "nonce": nonce})


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
        for _ in range(_TRIES):
            entry = self._standing_entry(key) or self._record(call, key)
            if entry.call_digest != call.digest:
                raise KeyReused(key, entry.transaction)
            mined = self._finish(entry)
            if mined is None:
                continue
            if not mined.status:
                raise self._failure(entry, call, mined)
            self._outbox.mark(entry, Fate.MINED)
            return mined
        raise ChainAway(self._node.location, "every nonce is taken by a transaction from elsewhere")

    def _standing_entry(self, key: str) -> Entry | None:
        """Return the transaction of an intention; a lost one only if the chain has it after all."""
        attempts = self._outbox.attempts(key)
        if attempts and attempts[0].fate is not Fate.LOST:
            return attempts[0]
        return next((lost for lost in attempts if self._node.mined(lost.transaction)), None)

    def _record(self, call: ContractCall, key: str) -> Entry:
        sign = signed_by(self._signer, self._node, call, self._chain_id)
        sender = self._signer.address()
        with _NONCE_LOCKS[sender]:
            self._resend_earlier(sender)
            free_nonce = self._node.count(sender, pending=True)
            return self._outbox.record(key, sender, call.digest, free_nonce=free_nonce, sign=sign)

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

    def _finish(self, entry: Entry) -> Mined | None:
        """See a recorded transaction through; ``None`` if another one has taken its nonce."""

        def look() -> Mined | None:
            mined = self._node.mined(entry.transaction)
            if mined is None and not self._hand_over(entry):
                raise _NonceTaken
            return mined

        try:
            return self._patience.until(look, entry.transaction)
        except _NonceTaken:
            self._outbox.mark(entry, Fate.LOST)
            return None

    def _hand_over(self, entry: Entry) -> bool:
        """Make sure that the node has a transaction; tell whether its nonce is still its own."""
        if self._node.knows(entry.transaction):
            return True
        if self._node.count(entry.sender) > entry.nonce:
            return self._node.mined(entry.transaction) is not None
        words = self._node.refused(entry.raw)
        if not words or self._has(entry):
            if entry.fate is Fate.RECORDED:
                self._outbox.mark(entry, Fate.SENT)
            return True
        if self._node.count(entry.sender) > entry.nonce:
            return False
        # No node has it, so its nonce goes to the next one; another try begins anew, with the fees of then.
        self._outbox.mark(entry, Fate.LOST)
        if says_unpayable(words):
            available = self._node.balance(entry.sender)
            raise NotEnoughEther(entry.sender, available + _USUAL_GAS * self._node.fees().most_wei, available)
        raise ChainAway(self._node.location, f"it refuses the transaction, {words!r}")

    def _failure(self, entry: Entry, call: ContractCall, mined: Mined) -> RuleBroken:
        """Return why a mined transaction failed; asked once and recorded, for the chain's state of then may go."""
        data = entry.revert_data
        if data is None:
            data = replayed(self._node, call, entry.sender, mined)
            self._outbox.mark(entry, Fate.FAILED, data)
        return contract_error(data)


class _NonceTaken(Exception):
    """Another transaction of the account has the nonce."""


def replayed(node: Node, call: ContractCall, sender: str, mined: Mined) -> bytes:
    """Return the data of the revert that a mined transaction ended with, by repeating the call after its block."""
    data = node.revert_of(cast(Mapping[str, Any], call.fields(sender)), mined.block)
    if data is not None:
        return data
    return text_revert("it ran out of gas, or what it needed was true again after its block")
