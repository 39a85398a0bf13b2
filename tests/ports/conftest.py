"""Every adapter of a port behind one fixture: a test that takes the fixture runs on each of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.engine import Engine

from chain_common.adapters.accounts import FileKeyring
from chain_common.adapters.database import open_database
from chain_common.adapters.documents import DatabaseDocuments
from chain_common.adapters.event_index import DatabaseEventIndex
from chain_common.adapters.jobs import DatabaseJobs
from chain_common.adapters.memory import (
    ManualClock,
    MemoryContentStore,
    MemoryDocuments,
    MemoryEventIndex,
    MemoryKeyring,
)
from chain_common.adapters.memory_jobs import MemoryJobs
from chain_common.adapters.store_ipfs import KuboStore
from chain_common.adapters.store_local import LocalStore
from chain_common.domain.content_id import cid_of, digest_of

# scrypt's cost in tests; the real one takes a third of a second.
TEST_SCRYPT_N = 2


class KuboDouble:
    """What of Kubo's RPC our client uses, as Kubo 0.34 answers it: POST only, errors as JSON with status 500.

    ``blocks`` is by CID. ``pinned`` collects what was stored with a pin; ``answer`` replaces the next answers.
    """

    def __init__(self) -> None:
        self.blocks: dict[str, bytes] = {}
        self.pinned: set[str] = set()
        self.requests: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                double.requests.append(self.path)
                if double.answer is not None:
                    double.answer(self)
                    return
                options = {name: values[0] for name, values in parse_qs(parts.query).items()}
                status, answer = double.reply(parts.path, options, body)
                send(self, status, answer)

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler

    def reply(self, path: str, options: dict[str, str], body: bytes) -> tuple[int, bytes]:
        match path:
            case "/api/v0/version":
                return 200, b'{"Version":"0.34.1"}'
            case "/api/v0/block/put":
                asked = {name: options.get(name) for name in ("cid-codec", "mhtype", "pin")}
                assert asked == {"cid-codec": "raw", "mhtype": "sha2-256", "pin": "true"}
                blob = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
                cid = cid_of(digest_of(blob))
                self.blocks[cid] = blob
                self.pinned.add(cid)
                return 200, json.dumps({"Key": cid, "Size": len(blob)}).encode()
            case "/api/v0/block/get" | "/api/v0/block/stat" if options["arg"] in self.blocks:
                block = self.blocks[options["arg"]]
                return 200, block if path.endswith("get") else b'{"Size":1}'
            case "/api/v0/block/get":
                return 500, b'{"Message":"context deadline exceeded","Code":0,"Type":"error"}'
            case "/api/v0/block/stat" if options.get("offline") == "true":
                message = "block was not found locally (offline): ipld: could not find node"
                return 500, json.dumps({"Message": message, "Code": 0, "Type": "error"}).encode()
        return 404, b"404 page not found"


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def kubo() -> Iterator[KuboDouble]:
    double = KuboDouble()
    yield double
    double.stop()


@dataclass
class StoreCase:
    """A content store and ways to do to it what the world does."""

    store: LocalStore | KuboStore | MemoryContentStore
    damage: Callable[[bytes, bytes], None]
    take_away: Callable[[], None]


@pytest.fixture(params=["local", "kubo", "memory"])
def store_case(request: pytest.FixtureRequest, tmp_path: Path) -> StoreCase:
    if request.param == "memory":
        memory = MemoryContentStore()
        return StoreCase(memory, memory.blobs.__setitem__, lambda: setattr(memory, "reachable", False))
    if request.param == "kubo":
        double: KuboDouble = request.getfixturevalue("kubo")

        def go_away() -> None:
            double.answer = lambda handler: handler.close_connection or handler.connection.close()

        return StoreCase(
            KuboStore(double.url, find_timeout_s=5),
            lambda digest, blob: double.blocks.__setitem__(cid_of(digest), blob),
            go_away,
        )
    folder = tmp_path / "store"

    def damage(digest: bytes, blob: bytes) -> None:
        (folder / digest[:1].hex() / cid_of(digest)).write_bytes(blob)

    return StoreCase(LocalStore(folder), damage, lambda: folder.rename(tmp_path / "elsewhere") and None)


@pytest.fixture
def open_home(tmp_path: Path) -> Callable[[], FileKeyring]:
    """Opens one and the same home, as a process does that is started again."""
    return lambda: FileKeyring(tmp_path / "home", scrypt_n=TEST_SCRYPT_N)


@pytest.fixture(params=["files", "memory"])
def keyring(request: pytest.FixtureRequest, open_home: Callable[[], FileKeyring]) -> FileKeyring | MemoryKeyring:
    return open_home() if request.param == "files" else MemoryKeyring()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state.sqlite3'}"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["database", "memory"])
def documents(request: pytest.FixtureRequest) -> DatabaseDocuments | MemoryDocuments:
    if request.param == "memory":
        return MemoryDocuments()
    return DatabaseDocuments(request.getfixturevalue("engine"))


@pytest.fixture(params=["database", "memory"])
def event_index(request: pytest.FixtureRequest) -> DatabaseEventIndex | MemoryEventIndex:
    if request.param == "memory":
        return MemoryEventIndex()
    return DatabaseEventIndex(request.getfixturevalue("engine"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["database", "memory"])
def jobs(request: pytest.FixtureRequest, clock: ManualClock) -> DatabaseJobs | MemoryJobs:
    if request.param == "memory":
        return MemoryJobs(clock)
    return DatabaseJobs(request.getfixturevalue("engine"), clock)
