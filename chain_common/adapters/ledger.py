"""The ``Ledger`` port on a real chain: any that speaks Ethereum's JSON-RPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from eth_utils.address import to_checksum_address
from sqlalchemy.engine import Engine

from chain_common.adapters.deployment import require_contract, require_deployment
from chain_common.adapters.ledger_artifact import model_repository
from chain_common.adapters.ledger_events import EventReader
from chain_common.adapters.ledger_node import Node
from chain_common.adapters.ledger_pricing import ContractCall, Signer, fee_allowance
from chain_common.adapters.ledger_records import model_of, request_of, round_of, seat_of, terms_of
from chain_common.adapters.ledger_sending import Patience, TransactionSender
from chain_common.adapters.outbox import Outbox
from chain_common.chain_errors import NotDeployed
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


class Web3Ledger:
    """The contract on a chain, seen from one account.

    Parameters
    ----------
    node
        Where the chain is reached.
    deployment
        Which deployment of the contract.
    signer
        Signs for the account; a :class:`~chain_common.adapters.ledger_sending.WatchOnly` where nothing is sent.
    engine
        The app's database; transactions are recorded there before they are sent.
    account
        Tells the account also while the signer is locked; by default the signer does.
    patience
        How long a transaction is waited for.
    """

    def __init__(
        self,
        node: Node,
        deployment: ChainIdentity,
        signer: Signer,
        engine: Engine,
        *,
        account: Callable[[], Address] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._node = node
        self._deployment = deployment
        self._account = account or signer.address
        self._contract = node.web3.eth.contract(
            address=to_checksum_address(deployment.contract), abi=model_repository().abi
        )
        self._events = EventReader(node, deployment.contract)
        self._sender = TransactionSender(
            node, signer, Outbox(engine, deployment), deployment.chain_id, patience=patience
        )

    def __repr__(self) -> str:
        return f"Web3Ledger({self._node.location!r}, {self._deployment.contract})"

    def check(self) -> None:
        """Check that the chain answers and the contract on it is the one this version knows.

        Raises
        ------
        Unavailable
            ``ChainAway``, ``WrongChain``, ``ReplacedChain`` or ``NotDeployed``, with what to do.
        """
        require_contract(self._node, self._deployment)

    def identity(self) -> ChainIdentity:
        """Return what tells this deployment from any other, after a look whether the chain still has it.

        Raises
        ------
        ReplacedChain
            If the chain has been started anew.
        """
        require_deployment(self._node, self._deployment)
        return self._deployment

    def head(self) -> Head:
        """Return the newest block's number and time."""
        return self._node.head()

    def block_hash(self, number: int) -> str:
        """Return the hash of a block, or an empty string if the chain has none of that number."""
        return self._node.block_hash(number)

    def account(self) -> Address:
        """Return the account that calls are sent from."""
        return self._account()

    def balance(self, account: Address) -> int:
        """Return an account's ether in wei."""
        return self._node.balance(account)

    def credit(self, account: Address) -> int:
        """Return the wei an account can withdraw from the contract."""
        return int(self._read("credit", to_checksum_address(account)))

    def model_count(self) -> int:
        """Return how many models exist; their ids run from one."""
        return int(self._read("modelCount"))

    def model(self, model_id: int) -> Model:
        """Return a model as it stands. Raises ``UnknownModel``."""
        return model_of(model_id, self._read("model", model_id))

    def terms(self, model_id: int) -> Terms:
        """Return a model's terms. Raises ``UnknownModel``."""
        return terms_of(self._read("terms", model_id))

    def round(self, model_id: int, number: int) -> Round:
        """Return a round as it stands; its state is ``NONE`` if it was never opened. Raises ``UnknownModel``."""
        return round_of(model_id, number, self._read("round", model_id, number))

    def seat(self, model_id: int, number: int, index: int) -> Seat:
        """Return a seat. Raises ``UnknownSeat``."""
        return seat_of(model_id, number, index, self._read("seat", model_id, number, index))

    def due(self, model_id: int, number: int, index: int) -> Due:
        """Return what a claim on the seat would credit now. Raises ``UnknownSeat``."""
        stake, reward = self._read("claimable", model_id, number, index)
        return Due(stake_wei=stake, reward_wei=reward)

    def events(self, from_block: int, to_block: int) -> Iterator[Sequence[ChainEvent]]:
        """Yield the contract's events of an inclusive range of blocks, page by page, in order."""
        return self._events.pages(from_block, to_block)

    def fee_allowance(self, call: type[Call]) -> int:
        """Return an upper estimate of the fee of a kind of call in wei, at today's price of gas."""
        return fee_allowance(self._node, call)

    def reconcile(self) -> None:
        """Give the node every recorded transaction it does not have."""
        require_deployment(self._node, self._deployment)
        self._sender.reconcile(self._account())

    def send(self, call: Call, *, key: str) -> Receipt:
        """Send a call once and wait until it is mined; see :class:`chain_common.ports.Ledger`.

        Raises
        ------
        KeyReused
            If another call was recorded under the key.
        Unavailable
            If the chain cannot be reached, is another one, or has not mined it in time; the key may be tried again.
        """
        # Signed bytes of this deployment must not reach a chain that was started anew with the same id.
        require_deployment(self._node, self._deployment)
        mined = self._sender.send(self._encoded(call), key)
        return Receipt(
            transaction=mined.transaction,
            block=mined.block,
            gas_used=mined.gas_used,
            fee_wei=mined.gas_used * mined.price_wei,
            events=tuple(self._events.decoded(mined.logs)),
        )

    def _encoded(self, call: Call) -> ContractCall:
        request = request_of(call)
        return ContractCall(self._deployment.contract, request.data, request.value_wei)

    def _read(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 - what the function takes and returns
        try:
            with self._node.answering():
                return self._contract.functions[function](*arguments).call()
        except NotDeployed:
            # Nothing is at the address: most likely the chain is a new one, which is another thing to do about.
            require_deployment(self._node, self._deployment)
            raise
