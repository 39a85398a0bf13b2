"""Chains for tests behind one small driver: time that can be moved, accounts that have ether, a fresh deployment."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

from eth_account import Account
from sqlalchemy.engine import Engine
from web3 import EthereumTesterProvider

from chain_common.adapters.accounts import Signer
from chain_common.adapters.deployment import deploy
from chain_common.adapters.embedded_chain import EmbeddedChain
from chain_common.adapters.embedded_chain_programs import chain_program
from chain_common.adapters.ledger import Web3Ledger
from chain_common.adapters.ledger_node import Node
from chain_common.adapters.ledger_sending import Patience
from chain_common.adapters.memory import ManualClock
from chain_common.adapters.memory_chain import MemoryChain
from chain_common.adapters.memory_ledger import MemoryLedger
from chain_common.domain.repository import Address
from chain_common.ports import Ledger

# Quick chains answer at once; a test that waits longer than this hangs.
PATIENCE = Patience(wait_s=20.0, poll_s=0.002, most_poll_s=0.05)


def signer_of(private_key: bytes) -> Signer:
    """Return an unlocked signer."""
    signer = Signer()
    signer.hold(Account.from_key(private_key))
    return signer


class ChainDriver(Protocol):
    """A chain with the contract on it, as a test sees it. Accounts are numbered from zero."""

    def ledger(self, number: int = 0) -> Ledger:
        """Return the ledger of an account that has ether."""
        ...

    def now(self) -> int:
        """Return the newest block's time."""
        ...

    def pass_time(self, seconds: int) -> None:
        """Let so many seconds go by; the newest block is that much later, or a second more."""
        ...


class MemoryDriver:
    """The chain in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.chain = MemoryChain(self.clock)

    def ledger(self, number: int = 0) -> MemoryLedger:
        account = Address(Account.from_key((number + 1).to_bytes(32, "big")).address)
        if account not in self.chain.balances:
            self.chain.fund(account)
        return MemoryLedger(self.chain, account)

    def now(self) -> int:
        return self.chain.head().timestamp

    def pass_time(self, seconds: int) -> None:
        self.clock.advance(seconds)


class RealChain:
    """A running chain, and how its time is moved: tests may, the demo never does."""

    def __init__(self, node: Node, keys: list[bytes], jump: Callable[[int], None]) -> None:
        self.node = node
        self.keys = keys
        self.jump = jump

    def deployed(self, record: Path, engine: Engine) -> RealDriver:
        """Deploy the contract anew."""
        return RealDriver(self, record, engine)


class RealDriver:
    """A fresh deployment on a running chain."""

    def __init__(self, chain: RealChain, record: Path, engine: Engine) -> None:
        self.chain = chain
        self.node = chain.node
        self.engine = engine
        self.identity = deploy(self.node, self.signer(0), record, patience=PATIENCE)

    def signer(self, number: int) -> Signer:
        return signer_of(self.chain.keys[number])

    def ledger(self, number: int = 0) -> Web3Ledger:
        return Web3Ledger(self.node, self.identity, self.signer(number), self.engine, patience=PATIENCE)

    def now(self) -> int:
        return self.node.head().timestamp

    def pass_time(self, seconds: int) -> None:
        self.chain.jump(seconds)


@cache
def running_chain(kind: str) -> RealChain:
    """Return this process's chain of a kind; it runs until the process ends, and each test deploys anew on it."""
    return tester_chain() if kind == "eth-tester" else process_chain(kind)[0]


def tester_chain() -> RealChain:
    """Return a chain inside this process, eth-tester's."""
    provider = EthereumTesterProvider()
    tester = provider.ethereum_tester
    node = Node(provider, "eth-tester")

    def jump(seconds: int) -> None:
        tester.time_travel(node.head().timestamp + seconds)
        tester.mine_block()

    keys = [key.to_bytes() for key in tester.backend.account_keys]
    return RealChain(node, keys, jump)


def process_chain(kind: str) -> tuple[RealChain, EmbeddedChain]:
    """Start Anvil or Ganache, which mines only for transactions and when time is moved; the caller stops it."""
    child = EmbeddedChain(chain_program(kind)).start()
    node = Node.at(child.url)

    def jump(seconds: int) -> None:
        child.call("evm_increaseTime", seconds)
        child.mine()

    return RealChain(node, [account.private_key for account in child.funded_accounts()], jump), child
