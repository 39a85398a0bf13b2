"""An app's ports on real things, opened from its settings: what both containers build on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Engine

from chain_common.adapters.accounts import FileKeyring, password_from_file
from chain_common.adapters.database import open_database
from chain_common.adapters.documents import DatabaseDocuments
from chain_common.adapters.durable_files import write_durably
from chain_common.adapters.event_index import DatabaseEventIndex
from chain_common.adapters.heartbeat import Heartbeat
from chain_common.adapters.home_lock import HomeLock
from chain_common.adapters.job_worker import JobWorker
from chain_common.adapters.jobs import DatabaseJobs
from chain_common.adapters.late_ledger import LateLedger
from chain_common.adapters.os_random import OsRng
from chain_common.adapters.stores import open_store
from chain_common.adapters.system_clock import SystemClock
from chain_common.ports import Clock, Keyring
from chain_common.settings import Settings
from chain_common.world import World

_SESSION_KEY_BYTES: Final = 32
_ANY_HOST: Final = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::")  # noqa: S104 -- names, nothing is bound here


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """One app's open home.

    Parameters
    ----------
    world
        The ports, for the services.
    keyring
        Account and vault; locked until the user gives the password.
    worker
        Runs the jobs; started by :meth:`start`.
    session_key
        Signs the browser's session cookie; kept in the home so that a restart logs nobody out.
    """

    settings: Settings
    world: World
    keyring: FileKeyring
    worker: JobWorker
    session_key: bytes
    lock: HomeLock
    engine: Engine

    def start(self) -> None:
        """Take up unfinished work; unlock first if the settings name a password file and there is an account."""
        if self.settings.password_file is not None and self.keyring.exists():
            self.keyring.unlock(password_from_file(self.settings.password_file))
        self.worker.start()

    def stop(self) -> None:
        """Stop working and give the home back."""
        self.worker.stop()
        self.engine.dispose()
        self.lock.release()


def open_runtime(settings: Settings, app: str) -> Runtime:
    """Open an app's home.

    Parameters
    ----------
    app
        Names the app's folder in the home: ``company`` or ``data-owner``.

    Raises
    ------
    HomeInUse
        If another process of the app works in the home.
    Unavailable
        If the home cannot be written. A chain or store that is away is no obstacle: pages say so.
    """
    home = settings.app_home(app)
    lock = HomeLock(home)
    lock.acquire()
    engine = open_database(settings.database_url_of(app))
    clock, rng = SystemClock(), OsRng()
    keyring = FileKeyring(home, rng=rng)
    jobs = DatabaseJobs(engine, clock)
    world = World(
        ledger=LateLedger(
            settings.rpc_url, settings.contract, settings.contracts_file, keyring.signer, keyring, engine
        ),
        store=open_store(settings.storage_url),
        secrets=keyring.secrets,
        documents=DatabaseDocuments(engine),
        index=DatabaseEventIndex(engine),
        jobs=jobs,
        clock=clock,
        rng=rng,
    )
    worker = JobWorker(jobs, clock, home_lock=lock)
    return Runtime(settings, world, keyring, worker, _session_key(home), lock, engine)


def _session_key(home: Path) -> bytes:
    path = home / "session.key"
    if not path.exists():
        write_durably(path, os.urandom(_SESSION_KEY_BYTES))
    return path.read_bytes()


@dataclass(frozen=True, slots=True, eq=False)
class AppParts:
    """What every app's container has besides its use cases: for ``create_app``, and for its life."""

    runtime: Runtime
    heartbeat: Heartbeat

    @property
    def keyring(self) -> Keyring:
        """The user's password-protected home."""
        return self.runtime.keyring

    @property
    def clock(self) -> Clock:
        """The time of this machine."""
        return self.runtime.world.clock

    @property
    def secret_key(self) -> bytes:
        """Signs the session cookie."""
        return self.runtime.session_key

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names besides the loopback ones that the app answers under."""
        host = self.runtime.settings.host
        return () if host in _ANY_HOST else (host,)

    @property
    def upload_limit_bytes(self) -> int:
        """Largest upload taken."""
        return self.runtime.settings.max_upload_bytes

    def start(self) -> None:
        """Begin to work by itself."""
        self.runtime.start()
        self.heartbeat.start()

    def stop(self) -> None:
        """Stop, and give the home back."""
        self.heartbeat.stop()
        self.runtime.stop()
