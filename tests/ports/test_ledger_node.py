"""A node that is away, slow, strange or another one: said with where it is, what to do, and without its key."""

from __future__ import annotations

import json
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chain_common.adapters.ledger_node import Node
from chain_common.chain_errors import ChainAway, NotDeployed, WrongChain
from chain_common.errors import BadInput, Unavailable
from tests.chains import RealDriver
from tests.ports.ledger_fixtures import eth_tester  # noqa: F401 - the fixture "on_tester"

SECRET = "s3cr3t-key"


class Server:
    """An HTTP server that answers as it is told."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.delay = threading.Event()
        self.hang = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.hang:
                    outer.delay.wait(10)
                body = outer.body.replace(b'"ID"', str(request["id"]).encode())
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://user:{SECRET}@127.0.0.1:{self.server.server_port}/v3/{SECRET}?key={SECRET}"

    def answer(self, **fields: Any) -> None:
        self.body = json.dumps({"jsonrpc": "2.0", "id": "ID", **fields}).encode()

    def stop(self) -> None:
        self.delay.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def node_at() -> Iterator[Callable[..., Node]]:
    nodes = []

    def make(url: str, **options: float) -> Node:
        nodes.append(Node.at(url, **options))
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


def trouble(node: Node) -> ChainAway:
    with pytest.raises(ChainAway) as caught:
        node.head()
    text = "".join(traceback.format_exception(caught.value))
    assert SECRET not in text
    assert SECRET not in repr(node)
    assert isinstance(caught.value, Unavailable)
    assert "CHAIN_RPC_URL" in str(caught.value)
    return caught.value


def test_a_chain_that_is_not_running_is_named_with_what_to_do(node_at: Callable[..., Node]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = trouble(node_at(f"http://user:{SECRET}@127.0.0.1:{port}/v3/{SECRET}"))
    assert error.location == f"http://127.0.0.1:{port}/…"
    assert (error.reason, error.answered) == ("no connection can be made", False)


def test_a_node_that_hangs_is_given_up(server: Server, node_at: Callable[..., Node]) -> None:
    server.hang = True
    error = trouble(node_at(server.url, timeout_s=0.1))
    assert (error.reason, error.answered) == ("it does not answer in time", False)


@pytest.mark.parametrize("status", [401, 429, 503])
def test_an_answer_that_is_an_http_error_is_told_by_its_status(
    server: Server, node_at: Callable[..., Node], status: int
) -> None:
    server.status = status
    assert trouble(node_at(server.url)).reason == f"it answers with HTTP status {status}"


def test_something_else_at_the_address_is_not_taken_for_a_node(server: Server, node_at: Callable[..., Node]) -> None:
    server.body = b"<html>Welcome</html>"
    assert trouble(node_at(server.url)).reason == "its answer is not that of an Ethereum node"


def test_a_nodes_own_refusal_is_quoted(server: Server, node_at: Callable[..., Node]) -> None:
    server.answer(error={"code": -32005, "message": "daily request count exceeded"})
    error = trouble(node_at(server.url))
    assert (error.reason, error.answered) == ("it answers 'daily request count exceeded'", True)


def test_another_chain_than_the_contracts_is_told_by_both_ids(server: Server, node_at: Callable[..., Node]) -> None:
    server.answer(result="0x1")
    with pytest.raises(WrongChain) as caught:
        node_at(server.url).require_chain(31337)
    assert (caught.value.found, caught.value.wanted) == (1, 31337)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", [f"ws://127.0.0.1:8546/{SECRET}", "127.0.0.1:8545", "file:///chain.ipc", "http://"])
def test_a_url_of_another_kind_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        Node.at(url)
    assert SECRET not in str(caught.value)


def test_a_chain_on_this_machine_is_not_looked_for_behind_a_proxy(
    server: Server, node_at: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.answer(result="0x7a69")
    assert node_at(server.url).chain_id() == 31337


def test_an_address_without_a_contract_is_said_to_have_none(on_tester: RealDriver) -> None:
    node = on_tester.node
    contract = node.web3.eth.contract(
        address=node.web3.to_checksum_address("0x" + "17" * 20),
        abi=[{"type": "function", "name": "f", "inputs": [], "outputs": [{"name": "", "type": "uint256"}]}],
    )
    with pytest.raises(NotDeployed, match="there is no contract at its address"), node.answering():
        contract.functions.f().call()
