"""Where the demo plays: a chain, a content store, and an app process for each person."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

import click

from chain_common.adapters.embedded_chain import Beat, EmbeddedChain
from chain_common.adapters.embedded_chain_programs import chain_program
from chain_common.demo.bank import Bank
from chain_common.demo.people import AppProcess, LenderPerson, OwnerPerson

_ETHER: Final = 10**18
LENDER_WEI: Final = 10 * _ETHER
OWNER_WEI: Final = _ETHER


@dataclass(slots=True)
class Stage:
    """An open stage.

    Parameters
    ----------
    folder
        Holds the homes, the store and the chain's record.
    chain
        ``anvil``, ``ganache`` or a URL, as it was asked for.
    rpc_url, storage_url
        Where all apps find chain and store.
    password
        Of every account made here.
    """

    folder: Path
    chain: str
    rpc_url: str
    storage_url: str
    bank: Bank
    password: str
    apps: list[AppProcess] = field(default_factory=list)

    def close(self) -> None:
        """End all apps."""
        for app in self.apps:
            app.stop()

    def _options(self) -> dict[str, str]:
        return {
            "chain": self.rpc_url,
            "storage": self.storage_url,
            "contracts-file": str(self.folder / "contracts.json"),
        }

    def lender(self) -> LenderPerson:
        """Start the lender's app."""
        return LenderPerson("the lender", self._start("company", "lender"), self.password)

    def owner(self, number: int) -> OwnerPerson:
        """Start a data owner's app."""
        return OwnerPerson(f"data-owner-{number}", self._start("data-owner", f"owner-{number}"), self.password)

    def _start(self, command: str, home: str) -> AppProcess:
        app = AppProcess(command, self.folder / home, self._options())
        app.start()
        self.apps.append(app)
        return app


@dataclass(frozen=True, slots=True)
class _Cleaner:
    """Removes the stage's folder, keys and all, unless the story broke: then its logs are worth reading."""

    folder: Path

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, Exception) and any(self.folder.rglob("app.log")):
            click.echo(f"The apps' logs (app.log) and homes are kept in {self.folder}.", err=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def open_stage(chain: str, storage: str) -> Iterator[Stage]:
    """Start chain and store, deploy the contract, and clean up afterwards.

    Parameters
    ----------
    chain
        ``anvil``, ``ganache``, empty for whichever is installed, or the URL of a development chain whose node holds a
        funded account.
    storage
        ``local``, or the URL of a store.

    Raises
    ------
    Unavailable
        If a program is missing or a URL does not answer.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="chain-demo-"))
        stack.enter_context(_Cleaner(folder))
        rpc_url = chain
        if chain in ("", "anvil", "ganache"):
            program = chain_program(chain)
            chain = program.kind
            rpc_url = stack.enter_context(EmbeddedChain(program, beat=Beat())).url
        storage_url = (folder / "store").as_uri() if storage == "local" else storage
        bank = Bank.at(rpc_url)
        bank.deploy(folder / "contracts.json")
        stage = Stage(folder, chain, rpc_url, storage_url, bank, secrets.token_hex(6))
        stack.callback(stage.close)
        yield stage
