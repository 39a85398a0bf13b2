"""One JSON-RPC node: what it answers, with foreign exceptions turned into ours."""

from __future__ import annotations

import ipaddress
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from eth_utils.exceptions import ValidationError
from web3 import HTTPProvider, Web3
from web3.exceptions import (
    BadFunctionCallOutput,
    BlockNotFound,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers import BaseProvider

from chain_common.adapters.contract_errors import contract_error, revert_data
from chain_common.chain_errors import ChainAway, NotDeployed, WrongChain
from chain_common.domain.repository import Head
from chain_common.errors import BadInput
from chain_common.settings import redacted_url

TIMEOUT_S: Final = 20.0

# Its debug lines hold the whole URL, and a provider's key is a part of that.
logging.getLogger("web3.providers.HTTPProvider").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Mined:
    """A mined transaction as the node tells it; ``status`` is true if it did not revert."""

    transaction: str
    block: int
    block_hash: str
    status: bool
    gas_used: int
    price_wei: int
    contract: str | None
    logs: tuple[Mapping[str, Any], ...]


class Node:
    """A node, reached through web3.

    Parameters
    ----------
    provider
        How it is reached; :meth:`at` makes one for a URL.
    location
        Where it is, for a person, without credentials.
    """

    def __init__(self, provider: BaseProvider, location: str) -> None:
        self.location = location
        # Chains with signed headers (most of the cheap ones) have longer ones than web3 admits by itself.
        self.web3 = Web3(provider, middleware=[ExtraDataToPOAMiddleware])
        self._session: requests.Session | None = None

    def __repr__(self) -> str:
        return f"Node({self.location!r})"

    @classmethod
    def at(cls, url: str, *, timeout_s: float = TIMEOUT_S) -> Node:
        """Return the node at an HTTP URL; nothing is sent yet.

        Raises
        ------
        BadInput
            If the URL is of another kind.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(
                f"The chain's URL {redacted_url(url)} cannot be used.",
                expected="Expected http:// or https:// and the address of a JSON-RPC endpoint.",
            )
        session = requests.Session()
        # A proxy set for the world outside has no way to a chain on this machine.
        session.trust_env = not _is_loopback(parts.hostname)
        provider = HTTPProvider(
            url, request_kwargs={"timeout": timeout_s}, session=session, exception_retry_configuration=None
        )
        node = cls(provider, redacted_url(url))
        node._session = session
        return node

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()

    # ------------------------------------------------------------------------------------------------------- errors

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn what web3 and the network raise inside the block into our errors.

        Raises
        ------
        RuleBroken
            If a call reverted, as the contract's error.
        ChainAway
            If no usable answer came.
        NotDeployed
            If no contract is at the address that was called.
        """
        try:
            yield
        except (TransactionNotFound, BlockNotFound):
            raise
        except BadFunctionCallOutput as error:
            raise NotDeployed(f"The chain at {self.location}", "there is no contract at its address") from error
        except (requests.RequestException, OSError, json.JSONDecodeError) as error:
            # Not "from error": the driver's text has the whole URL, and a provider's key is a part of that.
            answered = isinstance(error, requests.HTTPError)
            raise ChainAway(self.location, _network_reason(error), answered=answered) from None
        except node_errors() as error:
            data = revert_data(error)
            if data is not None:
                raise contract_error(data) from error
            raise ChainAway(self.location, f"it answers {node_message(error)!r}", answered=True) from error

    # ------------------------------------------------------------------------------------------------------ reading

    def chain_id(self) -> int:
        """Return the chain's id."""
        with self.answering():
            return self.web3.eth.chain_id

    def require_chain(self, chain_id: int) -> None:
        """Raise ``WrongChain`` unless the node serves the chain of this id."""
        found = self.chain_id()
        if found != chain_id:
            raise WrongChain(self.location, found, chain_id)

    def head(self) -> Head:
        """Return the newest block."""
        with self.answering():
            block = self.web3.eth.get_block("latest")
        return Head(number=block["number"], timestamp=block["timestamp"])

    def balance(self, account: str) -> int:
        """Return an account's wei."""
        with self.answering():
            return self.web3.eth.get_balance(self.web3.to_checksum_address(account))

    def code(self, address: str, block: int | None = None) -> bytes:
        """Return the code at an address, now or after a block."""
        with self.answering():
            where = self.web3.to_checksum_address(address)
            return bytes(self.web3.eth.get_code(where, "latest" if block is None else block))

    def count(self, account: str, *, pending: bool = False) -> int:
        """Return how many transactions of an account are mined, or with those the node holds for mining."""
        with self.answering():
            return self.web3.eth.get_transaction_count(
                self.web3.to_checksum_address(account), "pending" if pending else "latest"
            )

    def block_hash(self, number: int) -> str:
        """Return the hash of a block, or an empty string if the chain has none of that number."""
        try:
            with self.answering():
                return Web3.to_hex(cast(bytes, self.web3.eth.get_block(number)["hash"]))
        except BlockNotFound:
            return ""

    def transactions(self, block: int) -> list[str]:
        """Return the hashes of a block's transactions."""
        with self.answering():
            return [Web3.to_hex(cast(bytes, each)) for each in self.web3.eth.get_block(block)["transactions"]]

    def knows(self, transaction: str) -> bool:
        """Tell whether the node has a transaction, mined or not."""
        try:
            with self.answering():
                self.web3.eth.get_transaction(cast(Any, transaction))
        except TransactionNotFound:
            return False
        return True

    def mined(self, transaction: str) -> Mined | None:
        """Return a transaction's receipt, or ``None`` while it has none."""
        try:
            with self.answering():
                receipt: Mapping[str, Any] = self.web3.eth.get_transaction_receipt(cast(Any, transaction))
        except TransactionNotFound:
            return None
        return Mined(
            transaction=transaction,
            block=receipt["blockNumber"],
            block_hash=Web3.to_hex(receipt["blockHash"]),
            status=receipt["status"] == 1,
            gas_used=receipt["gasUsed"],
            price_wei=receipt.get("effectiveGasPrice") or 0,
            contract=receipt["contractAddress"],
            logs=tuple(receipt["logs"]),
        )

    def revert_of(self, call: Mapping[str, Any], block: int) -> bytes | None:
        """Return the data a call reverts with on the state after a block, or ``None`` if it does not."""
        with self.answering():
            try:
                self.web3.eth.call(cast(Any, call), block)
            except node_errors() as error:
                data = revert_data(error)
                if data is None:
                    raise
                return data
        return None

    def refused(self, raw: bytes) -> str:
        """Hand the node a signed transaction; return the words it refused it with, or nothing if it took it."""
        with self.answering():
            try:
                self.web3.eth.send_raw_transaction(raw)
            except (Web3RPCError, ValidationError) as error:
                return node_message(error) or "no reason"
        return ""


def node_message(error: Exception) -> str:
    """Return what a node said, without the rest of its answer."""
    said = (getattr(error, "rpc_response", None) or {}).get("error") or {}
    return str(said.get("message") or error)[:200]


def node_errors() -> tuple[type[Exception], ...]:
    """Return the classes of what web3 raises for a node's answer."""
    # eth-tester is a test's: its errors can only come where it has been imported.
    tester = sys.modules.get("eth_tester.exceptions")
    own = (tester.TransactionFailed, tester.BlockNotFound, tester.ValidationError) if tester else ()
    return (Web3Exception, ValidationError, *own)


def _network_reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout | TimeoutError):
        return "it does not answer in time"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"it answers with HTTP status {error.response.status_code}"
    if isinstance(error, json.JSONDecodeError | requests.JSONDecodeError):
        return "its answer is not that of an Ethereum node"
    return "no connection can be made"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
