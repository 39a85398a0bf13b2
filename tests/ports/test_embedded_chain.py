"""The chain as a child process: it keeps time, survives being killed, and never outlives its supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

import chain_common
from chain_common.adapters.database import open_database
from chain_common.adapters.deployment import deploy, load_deployment, require_contract
from chain_common.adapters.embedded_chain import STATE_FILE, Beat, EmbeddedChain
from chain_common.adapters.embedded_chain_programs import ChainProgram, chain_program
from chain_common.adapters.ledger import Web3Ledger
from chain_common.adapters.ledger_node import Node
from chain_common.chain_errors import ChainAway, NoChainProgram
from chain_common.errors import Unavailable
from tests.chains import PATIENCE, signer_of
from tests.ports.ledger_fixtures import create

pytestmark = pytest.mark.chain

QUICK = Beat(busy_s=0.02, idle_s=0.02, quiet_s=60.0)
KINDS = ("anvil", "ganache")


def until(happened: object, seconds: float = 10.0) -> None:
    """Wait until a condition holds; what happens in another process has no event to wait for."""
    end = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def block(chain: EmbeddedChain) -> int:
    return int(chain.call("eth_blockNumber"), 16)


def time_of(chain: EmbeddedChain) -> int:
    return int(chain.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("kind", KINDS)
def test_both_programs_are_the_same_to_their_user(kind: str) -> None:
    with EmbeddedChain(chain_program(kind)) as chain:
        assert int(chain.call("eth_chainId"), 16) == chain.program.chain_id
        accounts = chain.funded_accounts()
        assert len({account.address for account in accounts}) == 10
        for account in (accounts[0], accounts[9]):
            assert int(chain.call("eth_getBalance", account.address, "latest"), 16) == 10_000 * 10**18
        assert signer_of(accounts[3].private_key).address() == accounts[3].address
        assert abs(time_of(chain) - time.time()) < 5
        before = block(chain)
        chain.mine()
        assert block(chain) == before + 1
    assert not chain.is_running()
    with pytest.raises(ChainAway):
        chain.mine()
    chain.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_time_passes_without_transactions_and_is_never_ahead_of_the_clock(kind: str) -> None:
    with EmbeddedChain(chain_program(kind), beat=QUICK) as chain:
        before, start = block(chain), time_of(chain)
        until(lambda: block(chain) > before + 3 and time_of(chain) > start)
        assert time_of(chain) <= time.time() + 2


def test_a_quiet_chain_is_mined_more_rarely() -> None:
    beat = Beat(busy_s=1.0, idle_s=15.0, quiet_s=300.0)
    assert [beat.pause_s(unused) for unused in (0.0, 300.0, 300.1)] == [1.0, 1.0, 15.0]


def play(folder: Path, record: Path) -> tuple[EmbeddedChain, Node]:
    """Start the chain of a folder and deploy on it unless that has been done."""
    chain = EmbeddedChain(chain_program("anvil"), folder=folder).start()
    node = Node.at(chain.url)
    identity = deploy(node, signer_of(chain.funded_accounts()[0].private_key), record, patience=PATIENCE)
    require_contract(node, identity)
    return chain, node


def test_what_was_saved_survives_a_killed_chain(tmp_path: Path) -> None:
    folder, record = tmp_path / "chain", tmp_path / "deployment.json"
    chain, node = play(folder, record)
    chain.save()
    recorded = record.read_bytes()
    saved_at = time_of(chain)
    os.kill(chain.pid(), signal.SIGKILL)
    until(lambda: not chain.is_running())
    node.close()
    chain.stop()

    again, node = play(folder, record)
    assert record.read_bytes() == recorded
    assert node.count(again.funded_accounts()[0].address) == 1
    assert saved_at <= time_of(again) <= time.time() + 2
    node.close()
    again.stop()


def test_what_was_mined_after_the_last_save_is_sent_again_and_nothing_twice(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    keys = ("saved", "not saved")

    def bounties(chain: EmbeddedChain, node: Node) -> Web3Ledger:
        signer = signer_of(chain.funded_accounts()[0].private_key)
        identity = load_deployment(tmp_path / "deployment.json")
        return Web3Ledger(node, identity, signer, engine, patience=PATIENCE)

    chain, node = play(tmp_path / "chain", tmp_path / "deployment.json")
    ledger = bounties(chain, node)
    call = create(ledger.head().timestamp)
    ledger.send(call, key=keys[0])
    chain.save()
    unsaved = ledger.send(call, key=keys[1])
    os.kill(chain.pid(), signal.SIGKILL)
    node.close()
    chain.stop()

    chain, node = play(tmp_path / "chain", tmp_path / "deployment.json")
    ledger = bounties(chain, node)
    assert ledger.model_count() == 1
    again = [ledger.send(call, key=key) for key in keys]
    assert ledger.model_count() == 2
    assert again[1].transaction == unsaved.transaction
    node.close()
    chain.stop()
    engine.dispose()


def test_a_transaction_is_saved_without_being_asked_to_and_a_stop_saves_the_last(tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    chain = EmbeddedChain(chain_program("anvil"), folder=folder, beat=QUICK).start()
    assert not (folder / STATE_FILE).exists()
    giver, taker = (account.address for account in chain.funded_accounts()[:2])

    def give() -> None:
        chain.call("eth_sendTransaction", {"from": giver, "to": taker, "value": "0x1"})

    give()
    until((folder / STATE_FILE).exists)
    assert (folder / STATE_FILE).stat().st_mode & 0o077 == 0
    give()
    chain.stop()
    with EmbeddedChain(chain_program("anvil"), folder=folder) as again:
        assert int(again.call("eth_getTransactionCount", giver, "latest"), 16) == 2


def test_a_damaged_state_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text("0x1f8b")
    with pytest.raises(Unavailable, match="cannot be read"):
        EmbeddedChain(chain_program("anvil"), folder=tmp_path).start()
    assert (tmp_path / STATE_FILE).read_text() == "0x1f8b"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its supervisor, however that dies")
@pytest.mark.parametrize("kind", KINDS)
def test_the_chain_ends_with_its_supervisor_however_that_dies(kind: str) -> None:
    code = (
        "import sys, time\n"
        "from chain_common.adapters.embedded_chain import EmbeddedChain\n"
        "from chain_common.adapters.embedded_chain_programs import chain_program\n"
        "print(EmbeddedChain(chain_program(sys.argv[1])).start().pid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(chain_common.__file__).parent.parent
    with subprocess.Popen([sys.executable, "-c", code, kind], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    until(lambda: not alive(child))


def test_a_page_of_another_site_gets_no_permission_to_read_the_chain() -> None:
    with EmbeddedChain(chain_program("anvil")) as chain:
        answer = requests.options(
            chain.url,
            headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"},
            timeout=5,
        )
        assert not [name for name in answer.headers if name.lower().startswith("access-control-allow")]


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    program = tmp_path / "chain"
    program.write_text("#!/bin/sh\necho the port is taken >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(Unavailable, match="the port is taken"):
        EmbeddedChain(ChainProgram("anvil", 31337, (str(program),), keeps_state=True)).start()


def test_a_fixed_port_is_used() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with EmbeddedChain(chain_program("anvil", port=port)) as chain:
        assert chain.url == f"http://127.0.0.1:{port}"


def test_without_a_program_it_is_said_in_one_line_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("chain_common.adapters.embedded_chain_programs._module_folders", lambda: (tmp_path,))
    for kind, name in (("", "Anvil or Ganache"), ("anvil", "Anvil"), ("ganache", "Ganache")):
        with pytest.raises(NoChainProgram) as caught:
            chain_program(kind, environment={"PATH": str(tmp_path)})
        assert caught.value.program == name
        assert "\n" not in str(caught.value)
        assert "make setup" in str(caught.value)
    with pytest.raises(NoChainProgram, match="CHAIN_ANVIL"):
        chain_program(environment={"CHAIN_ANVIL": str(tmp_path / "nowhere")})


def test_anvil_is_looked_for_where_it_is_named_then_among_the_packages_then_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named = tmp_path / "anvil"
    named.write_text("#!/bin/sh\n")
    named.chmod(0o755)
    assert chain_program(environment={"CHAIN_ANVIL": str(named)}).command[0] == str(named)
    packaged = chain_program(environment={"PATH": str(tmp_path)}).command[0]
    assert "@foundry-rs" in packaged
    monkeypatch.setattr("chain_common.adapters.embedded_chain_programs._module_folders", lambda: ())
    assert chain_program(environment={"PATH": str(tmp_path)}).command[0] == str(named)
