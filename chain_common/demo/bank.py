"""The account that has ether on a development chain: it deploys the contract and funds the people of the demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from chain_common.adapters.accounts import SignedTransaction
from chain_common.adapters.deployment import deploy
from chain_common.adapters.ledger_node import Node
from chain_common.adapters.ledger_pricing import Signer
from chain_common.domain.repository import Address, ChainIdentity
from chain_common.errors import BadInput, Unavailable
from chain_common.settings import Settings


class NoFundedAccount(Unavailable):
    """The node holds no account that could pay."""

    def __init__(self, location: str) -> None:
        super().__init__(
            f"The node at {location} has no account of its own.",
            expected="A development chain such as Anvil or Ganache has some with ether.",
            do="Name a file with the private key that pays: chain deploy --key-file FILE.",
        )


class NodeSigner:
    """Signs with the first account a development node holds."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def address(self) -> Address:
        """Return the account. Raises ``NoFundedAccount``."""
        with self._node.answering():
            accounts = self._node.web3.eth.accounts
        if not accounts:
            raise NoFundedAccount(self._node.location)
        return Address(to_checksum_address(accounts[0]))

    def sign_transaction(self, transaction: Mapping[str, Any]) -> SignedTransaction:
        """Let the node sign."""
        fields = {name: hex(value) if isinstance(value, int) else value for name, value in transaction.items()}
        with self._node.answering():
            # Past web3's own method, which expects a record where development nodes answer with the bytes alone.
            signed: Any = self._node.web3.manager.request_blocking(
                cast(Any, "eth_signTransaction"), [{**fields, "from": self.address()}]
            )
        raw = signed["raw"] if isinstance(signed, Mapping) else signed
        signed_bytes = raw if isinstance(raw, bytes) else bytes.fromhex(str(raw).removeprefix("0x"))
        return SignedTransaction(signed_bytes, bytes(self._node.web3.keccak(signed_bytes)))


class KeySigner:
    """Signs with a private key from a file."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account

    def __repr__(self) -> str:
        return f"KeySigner({self._account.address})"

    @classmethod
    def from_file(cls, path: Path) -> KeySigner:
        """Read a private key as 64 hex digits. Raises ``BadInput``."""
        try:
            return cls(Account.from_key(path.read_text().strip()))
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} holds no private key.", expected="64 hex digits on one line.") from error

    def address(self) -> Address:
        """Return the account."""
        return Address(self._account.address)

    def sign_transaction(self, transaction: Mapping[str, Any]) -> SignedTransaction:
        """Sign."""
        signed = self._account.sign_transaction(dict(transaction))
        return SignedTransaction(bytes(signed.raw_transaction), bytes(signed.hash))


@dataclass(frozen=True, slots=True)
class Bank:
    """A node's funded account."""

    node: Node

    @classmethod
    def at(cls, rpc_url: str) -> Bank:
        """Return the bank of the node behind a URL."""
        return cls(Node.at(rpc_url))

    def deploy(self, record: Path) -> ChainIdentity:
        """Deploy the contract, or return the recorded deployment if it is on this chain."""
        return deploy(self.node, NodeSigner(self.node), record)

    def fund(self, address: str, wei: int) -> None:
        """Send ether to an account and wait until it is there."""
        sender = NodeSigner(self.node).address()
        with self.node.answering():
            sent = self.node.web3.eth.send_transaction(
                {"from": cast(Any, sender), "to": cast(Any, address), "value": cast(Any, wei)}
            )
            self.node.web3.eth.wait_for_transaction_receipt(sent, timeout=60)


def deploy_once(settings: Settings, key_file: str | None) -> ChainIdentity:
    """Deploy the contract to the chain of the settings and record it in their contracts file."""
    node = Node.at(settings.rpc_url)
    signer: Signer = KeySigner.from_file(Path(key_file)) if key_file else NodeSigner(node)
    return deploy(node, signer, settings.contracts_file)
