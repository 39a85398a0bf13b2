"""A ledger that looks for its chain when it is asked, so that an app starts, and says what is wrong, without one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy.engine import Engine

from chain_common.adapters.deployment import find_deployment, load_deployment
from chain_common.adapters.ledger import Web3Ledger
from chain_common.adapters.ledger_node import Node
from chain_common.adapters.ledger_pricing import Signer, fee_allowance
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
    Seat,
    Terms,
)
from chain_common.ports import Keyring


class LateLedger:
    """The :class:`Web3Ledger` of the deployment that is recorded now.

    Parameters
    ----------
    rpc_url
        Where the chain is reached.
    contract
        The contract's address; if ``None``, the record says which deployment is meant.
    record
        Written by ``chain deploy``; a new record is noticed, so an app outlives a redeployed development chain.
    signer, keyring
        Sign for the account, and know its address while it is locked.
    """

    def __init__(
        self,
        rpc_url: str,
        contract: str | None,
        record: Path,
        signer: Signer,
        keyring: Keyring,
        engine: Engine,
    ) -> None:
        self._node = Node.at(rpc_url)
        self._contract = contract
        self._record = record
        self._signer = signer
        self._keyring = keyring
        self._engine = engine
        self._opened: tuple[ChainIdentity, Web3Ledger] | None = None
        self._lock = threading.Lock()

    def _ledger(self) -> Web3Ledger:
        with self._lock:
            if self._contract is not None and self._opened is not None:
                return self._opened[1]
            meant = (
                load_deployment(self._record) if self._contract is None else find_deployment(self._node, self._contract)
            )
            if self._opened is None or self._opened[0] != meant:
                ledger = Web3Ledger(self._node, meant, self._signer, self._engine, account=self._keyring.address)
                self._opened = (meant, ledger)
            return self._opened[1]

    def identity(self) -> ChainIdentity:
        """Return what tells this deployment from any other."""
        return self._ledger().identity()

    def head(self) -> Head:
        """Return the newest block's number and time."""
        return self._node.head()

    def block_hash(self, number: int) -> str:
        """Return the hash of a block, or an empty string if the chain has none of that number."""
        return self._node.block_hash(number)

    def account(self) -> Address:
        """Return the account that calls are sent from."""
        return self._keyring.address()

    def balance(self, account: Address) -> int:
        """Return an account's ether in wei."""
        return self._node.balance(account)

    def credit(self, account: Address) -> int:
        """Return the wei an account can withdraw from the contract."""
        return self._ledger().credit(account)

    def model_count(self) -> int:
        """Return how many models exist."""
        return self._ledger().model_count()

    def model(self, model_id: int) -> Model:
        """Return a model as it stands."""
        return self._ledger().model(model_id)

    def terms(self, model_id: int) -> Terms:
        """Return a model's terms."""
        return self._ledger().terms(model_id)

    def round(self, model_id: int, number: int) -> Round:
        """Return a round as it stands."""
        return self._ledger().round(model_id, number)

    def seat(self, model_id: int, number: int, index: int) -> Seat:
        """Return a seat."""
        return self._ledger().seat(model_id, number, index)

    def due(self, model_id: int, number: int, index: int) -> Due:
        """Return what a claim on the seat would credit now."""
        return self._ledger().due(model_id, number, index)

    def events(self, from_block: int, to_block: int) -> Iterator[Sequence[ChainEvent]]:
        """Yield the contract's events of an inclusive range of blocks, page by page, in order."""
        return self._ledger().events(from_block, to_block)

    def fee_allowance(self, call: type[Call]) -> int:
        """Return an upper estimate of the fee of a kind of call."""
        return fee_allowance(self._node, call)

    def reconcile(self) -> None:
        """Give the node every recorded transaction it does not have."""
        self._ledger().reconcile()

    def send(self, call: Call, *, key: str) -> Receipt:
        """Send a call once and wait until it is mined."""
        return self._ledger().send(call, key=key)
