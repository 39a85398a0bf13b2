"""What a transaction does, what it would cost, and signing it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from eth_utils.exceptions import ValidationError
from web3.exceptions import Web3RPCError

from chain_common.adapters.ledger_node import Node, node_message
from chain_common.adapters.outbox import Signed
from chain_common.chain_errors import NotEnoughEther
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
from chain_common.domain.repository import Address

# Gas of each kind of call, rounded up; the contract's tests measure it.
USUAL_GAS: Final[Mapping[type[Call], int]] = {
    CreateModel: 500_000,
    TopUp: 60_000,
    Contribute: 180_000,
    Settle: 300_000,
    FailRound: 200_000,
    End: 100_000,
    SettleClosing: 300_000,
    Reclaim: 100_000,
    Claim: 100_000,
    Withdraw: 60_000,
}
# Geth, Anvil and Ganache; Anvil when it estimates; eth-tester, twice.
_UNPAYABLE: Final = (
    "insufficient funds",
    "gas required exceeds allowance",
    "cannot afford",
    "enough balance",
)


class Signer(Protocol):
    """What signs for one account."""

    def address(self) -> Address:
        """Return the account. Raises ``Locked``."""
        ...

    def sign_transaction(self, transaction: Mapping[str, Any]) -> Signed:
        """Sign a transaction given by its fields, as in Ethereum's JSON-RPC. Raises ``Locked``."""
        ...


@dataclass(frozen=True, slots=True)
class ContractCall:
    """What a transaction does: receiver (``None`` creates a contract), data, wei sent."""

    to: str | None
    data: bytes
    value_wei: int

    def fields(self) -> dict[str, Any]:
        """Return the transaction's fields that depend on neither sender nor time."""
        fields = {"data": "0x" + self.data.hex(), "value": self.value_wei}
        return fields if self.to is None else {**fields, "to": self.to}

    @property
    def digest(self) -> str:
        """What tells it from another call."""
        return hashlib.sha256(f"{self.to}:{self.value_wei}:{self.data.hex()}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call would take.

    Parameters
    ----------
    gas
        Most gas it may use.
    fee_fields
        The transaction's fields that say what is offered for one gas.
    most_wei, likely_wei
        What one gas costs at most, and probably.
    """

    gas: int
    fee_fields: Mapping[str, int]
    most_wei: int
    likely_wei: int


def quote(node: Node, call: ContractCall, sender: str) -> Quote:
    """Ask the node what a call would take.

    Gas is the node's estimate and a quarter, for what may change until the transaction is mined, such as a round that
    somebody else opens or ends. Offered are twice the base fee, which is enough after five full blocks (it rises by an
    eighth a block at most, EIP-1559), and the usual tip; on chains without a base fee, the gas price.

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
    eth = node.web3.eth
    with node.answering():
        block = eth.get_block("latest")
        base = block.get("baseFeePerGas")
        if base is None:
            likely = most = int(eth.gas_price)
            fields = {"gasPrice": most}
        else:
            tip = int(eth.max_priority_fee)
            likely, most = base + tip, 2 * base + tip
            fields = {"maxFeePerGas": most, "maxPriorityFeePerGas": tip}
        try:
            estimate = eth.estimate_gas(cast(Any, {"from": sender, **call.fields()}))
        except (Web3RPCError, ValidationError) as error:
            if any(words in node_message(error).lower() for words in _UNPAYABLE):
                raise NotEnoughEther(sender, call.value_wei + max(USUAL_GAS.values()) * most, available) from error
            raise
    return Quote(min(estimate + estimate // 4, block["gasLimit"]), fields, most_wei=most, likely_wei=likely)


def fee_allowance(node: Node, call: type[Call]) -> int:
    """Return twice what a kind of call usually costs in wei, at today's price of gas.

    For what a page says before anything is known that an estimate would need.
    """
    with node.answering():
        return 2 * USUAL_GAS[call] * int(node.web3.eth.gas_price)


def prepared(signer: Signer, node: Node, call: ContractCall, chain_id: int) -> Callable[[int], Signed]:
    """Prepare a call so that only its nonce is missing.

    Raises
    ------
    RuleBroken
        If the contract would refuse it.
    NotEnoughEther
        If the account cannot pay what is sent and the fee at its highest.
    Locked
        If the account is locked.
    """
    sender = signer.address()
    offer = quote(node, call, sender)
    needed, available = call.value_wei + offer.gas * offer.most_wei, node.balance(sender)
    if available < needed:
        raise NotEnoughEther(sender, needed, available)
    fields = {**call.fields(), "chainId": chain_id, "gas": offer.gas, **offer.fee_fields}
    return lambda nonce: signer.sign_transaction({**fields, "nonce": nonce})
