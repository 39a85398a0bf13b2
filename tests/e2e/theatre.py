"""A real chain, a content store and app processes for end-to-end tests, and what the contract says about them."""

from __future__ import annotations

import gzip
import os
import secrets
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from web3 import Web3

from chain_common.adapters.deployment import load_deployment
from chain_common.adapters.embedded_chain import Beat, EmbeddedChain
from chain_common.adapters.embedded_chain_programs import chain_program
from chain_common.adapters.ledger_artifact import model_repository
from chain_common.demo.app_client import AppClient
from chain_common.demo.bank import Bank
from chain_common.demo.people import AppProcess, LenderPerson, OwnerPerson, Person
from chain_common.demo.ports import free_port
from chain_common.demo.rows import sample_file
from chain_common.errors import Unavailable

ETHER = 10**18
DATA = Path(__file__).resolve().parents[2] / "data"
VALIDATION_CSV = DATA / "sample_validation.csv"
OWNER_CSV = DATA / "sample_owner.csv"
FAR = "0.05"  # a target no round reaches, whichever halves of the file are drawn: the sample's models stop at 0.11
KEY_BITS = "2048"  # the least the apps take: what is tested here does not depend on the size


def sample_rows(first: int, n_rows: int) -> bytes:
    """Cut a data owner's file out of the sample the demo uses, under its own header."""
    lines = gzip.decompress(sample_file().read_bytes()).splitlines(keepends=True)
    header = next(number for number, line in enumerate(lines) if line.startswith(b"loan_amnt"))
    return lines[header] + b"".join(lines[header + 1 + first : header + 1 + first + n_rows])


class Theatre:
    """One chain, one content store, one deployment, and everybody's app.

    The chain keeps its state in the folder and its port, so that it can go away and come back.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = secrets.token_hex(6)
        self.store = folder / "store"
        self._password_file = folder / "password"
        self._password_file.write_text(self.password)
        self._chain_port = free_port()
        self.chain = self._new_chain()
        self.bank = Bank.at(self.rpc_url)
        self.apps: list[AppProcess] = []

    @property
    def rpc_url(self) -> str:
        return f"http://127.0.0.1:{self._chain_port}"

    def _new_chain(self) -> EmbeddedChain:
        program = chain_program("anvil", port=self._chain_port)
        return EmbeddedChain(program, folder=self.folder / "chain", beat=Beat()).start()

    def stop_chain(self) -> None:
        """The chain goes away; its state is kept."""
        self.chain.stop()

    def start_chain(self) -> None:
        """It comes back where it was, with its blocks and its port."""
        self.chain = self._new_chain()

    def pass_time(self, seconds: int) -> None:
        """Move the chain's clock; tests may, the demo never does."""
        self.chain.call("evm_increaseTime", seconds)
        self.chain.mine()

    @contextmanager
    def blocks_held(self) -> Iterator[None]:
        """Nothing is mined while the block lasts: transactions wait at the node."""
        self.chain._beat = None
        self.chain.call("evm_setAutomine", False)
        try:
            yield
        finally:
            self.chain.call("evm_setAutomine", True)
            self.chain.mine()
            self.chain._beat = Beat()

    @contextmanager
    def chain_frozen(self) -> Iterator[None]:
        """The node takes requests and does not answer while the block lasts."""
        assert self.chain._process is not None
        node = self.chain._process.pid
        os.kill(node, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(node, signal.SIGCONT)

    def close(self) -> None:
        for app in self.apps:
            app.stop()
        with suppress(Unavailable):
            self.chain.stop()

    # ------------------------------------------------------------------------------------------------------- people

    def app(self, command: str, home: str, environment: dict[str, str] | None = None) -> AppProcess:
        """Start an app in a home; a home that has an account is unlocked."""
        options = {
            "chain": self.rpc_url,
            "storage": self.store.as_uri(),
            "contracts-file": str(self.folder / "contracts.json"),
            "key-bits": KEY_BITS,
            "password-file": str(self._password_file),
        }
        app = AppProcess(command, self.folder / home, options, environment or {})
        app.start()
        self.apps.append(app)
        return app

    def lender(self, home: str = "lender", **environment: str) -> LenderPerson:
        return LenderPerson(home, self.app("company", home, environment), self.password)

    def owner(self, home: str = "owner", **environment: str) -> OwnerPerson:
        return OwnerPerson(home, self.app("data-owner", home, environment), self.password)

    def arrive(self, *people: Person, wei: int = 10 * ETHER) -> None:
        """Make the accounts on the first-run pages and fund them."""
        for person in people:
            person.arrive()
            if wei:
                self.bank.fund(person.address, wei)

    @staticmethod
    def kill(app: AppProcess) -> None:
        """End an app as a power cut does: it is not asked and cannot clean up."""
        assert app._process is not None
        app._process.kill()
        app._process.wait()
        assert app._log is not None
        app._log.close()

    @staticmethod
    def restart(app: AppProcess) -> None:
        """Start an app again in its home, on its port, unlocked from the password file."""
        app.start()
        AppClient(app.url).wait_until_up()

    @staticmethod
    def rows(app: AppProcess, query: str) -> list[Any]:
        """Read an app's database, also while its process lives, and after its death."""
        [file] = app.home.glob("*/state.sqlite3")
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query).fetchall()

    # ----------------------------------------------------------------------------------------- what the chain says

    @property
    def contract(self) -> Any:
        """The contract as web3 reads it, past all our own code."""
        web3 = self.bank.node.web3
        deployment = load_deployment(self.folder / "contracts.json")
        address = Web3.to_checksum_address(deployment.contract)
        return web3.eth.contract(address=address, abi=model_repository().abi, decode_tuples=True)

    def balance(self, address: str) -> int:
        return int(self.bank.node.web3.eth.get_balance(Web3.to_checksum_address(address)))

    def nonce(self, address: str) -> int:
        """Count the transactions an account ever sent."""
        return int(self.bank.node.web3.eth.get_transaction_count(Web3.to_checksum_address(address)))

    def fees(self, address: str, from_block: int) -> int:
        """Sum the fees an account paid from a block on, in wei."""
        eth, total = self.bank.node.web3.eth, 0
        for number in range(from_block, eth.block_number + 1):
            for sent in eth.get_block(number, full_transactions=True)["transactions"]:
                if sent["from"] == address:
                    receipt = eth.get_transaction_receipt(sent["hash"])
                    total += receipt["gasUsed"] * receipt["effectiveGasPrice"]
        return total

    def block(self) -> int:
        return int(self.bank.node.web3.eth.block_number)

    def events(self, name: str) -> list[Any]:
        """Return the arguments of all events of a name, oldest first."""
        logs = self.contract.events[name]().get_logs(from_block=0)
        return [_record(log["args"]) for log in logs]

    def terms(self, model_id: int) -> Any:
        return self.contract.functions.terms(model_id).call()

    def claimable(self, model_id: int, number: int, seat: int) -> int:
        """Return what a claim would credit now, stake and reward, in wei."""
        return int(sum(self.contract.functions.claimable(model_id, number, seat).call()))


def _record(value: Any) -> Any:
    """Make what web3 gives as a mapping readable by name."""
    if isinstance(value, Mapping):
        return SimpleNamespace(**{name: _record(part) for name, part in value.items()})
    return value


@contextmanager
def opened(folder: Path) -> Iterator[Theatre]:
    """Open a theatre and clean up after the play."""
    with ExitStack() as stack:
        theatre = Theatre(folder)
        stack.callback(theatre.close)
        theatre.bank.deploy(folder / "contracts.json")
        yield theatre
