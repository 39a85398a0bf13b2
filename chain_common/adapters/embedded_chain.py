"""A chain of one's own, as a child process that is watched, kept in time and saved.

Time passes on a chain only when blocks are mined. A transaction is mined at once; between transactions the supervisor
mines an empty block every second, so that rounds close, and more rarely when nothing has happened for a while. It
never sets the clock ahead.

Anvil writes its own state file in place, and a process killed under load leaves half of it. So the state is taken over
RPC, written aside and renamed. What was mined after the last save is gone with the process; the ledger's outbox sends
it again.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import requests

from chain_common.adapters.durable_files import make_private_folder, write_durably
from chain_common.adapters.embedded_chain_programs import ChainProgram, FundedAccount, funded_accounts
from chain_common.chain_errors import ChainAway
from chain_common.errors import Unavailable

STATE_FILE: Final = "anvil-state.hex"
_START_S: Final = 30.0
_STOP_S: Final = 5.0
_RPC_S: Final = 30.0
_LISTENING: Final = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")

# Linux ends the child when its supervisor dies, however it dies. A Python of its own asks for that between fork and
# exec: code of this process would run there beside threads that hold locks.
_UNDERTAKER: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Beat:
    """How often an empty block is mined: every ``busy_s`` seconds, and every ``idle_s`` after ``quiet_s`` without use.

    Each block costs Anvil some microseconds for every block before it and 400 bytes of state, so a chain that is left
    running for days must not mine one a second.
    """

    busy_s: float = 1.0
    idle_s: float = 15.0
    quiet_s: float = 300.0

    def pause_s(self, unused_s: float) -> float:
        """Return the time to the next empty block, given that since the last use of the chain."""
        return self.idle_s if unused_s > self.quiet_s else self.busy_s


class EmbeddedChain:
    """A chain in a child process.

    Parameters
    ----------
    program
        Which, see :func:`~chain_common.adapters.embedded_chain_programs.chain_program`.
    folder
        Where its state is kept from one start to the next, if the program can; ``None`` to forget it.
    beat
        How time passes; ``None`` if the user of the chain mines by itself.
    """

    def __init__(self, program: ChainProgram, *, folder: Path | None = None, beat: Beat | None = None) -> None:
        self.program = program
        self._state = folder / STATE_FILE if folder and program.keeps_state else None
        self._beat = beat
        self._said: deque[str] = deque(maxlen=20)
        self._listening = threading.Event()
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self._saving = threading.Lock()
        self._saved_block = -1

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where its JSON-RPC is."""
        return f"http://127.0.0.1:{self._port}"

    def is_running(self) -> bool:
        """Tell whether the child lives."""
        return self._process is not None and self._process.poll() is None

    def pid(self) -> int:
        """Return the child's process id. Raises ``ChainAway`` before it is started."""
        if self._process is None:
            raise ChainAway(self.url, "it has not been started")
        return self._process.pid

    def start(self) -> Self:
        """Start the child, give it back its state, and return when it answers.

        Raises
        ------
        Unavailable
            If it does not start, or does not take its state.
        """
        # Linux ties a child to the thread that started it, so one thread does both: start it and stay.
        self._thread = threading.Thread(target=self._supervise, name="embedded-chain", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self.stop()
            raise self._failure
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Save the state and end the child; nothing happens if it has ended."""
        atexit.unregister(self.stop)
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._session.close()

    def funded_accounts(self) -> list[FundedAccount]:
        """Return the accounts that have ether from the first block on."""
        return funded_accounts()

    def mine(self) -> None:
        """Mine an empty block. Raises ``ChainAway``."""
        self.call("evm_mine")

    def save(self) -> None:
        """Write the state to disk, if it is kept and has changed; do so before telling somebody that money moved.

        Raises
        ------
        Unavailable
            If the chain does not answer or the disk refuses.
        """
        if self._state is None:
            return
        with self._saving:
            block = self._block()
            if block == self._saved_block:
                return
            state = self.call("anvil_dumpState")
            try:
                write_durably(self._state, state.encode())
            except OSError as error:
                raise Unavailable(
                    f"The chain's state cannot be written to {self._state} ({error.strerror}).",
                    do="Check the disk's space and the folder's permissions.",
                ) from error
            self._saved_block = block

    def call(self, method: str, *params: object) -> Any:  # noqa: ANN401 - whatever the method returns
        """Ask the child something over JSON-RPC. Raises ``ChainAway``."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer = self._session.post(self.url, json=body, timeout=_RPC_S).json()
        except (requests.RequestException, ValueError) as error:
            raise ChainAway(self.url, "the local chain does not answer") from error
        if "error" in answer:
            raise ChainAway(self.url, f"{method} answers {answer['error'].get('message')!r}")
        return answer["result"]

    # ---------------------------------------------------------------------------------------------- the supervisor

    def _supervise(self) -> None:
        try:
            self._spawn()
            self._restore()
        except (Unavailable, OSError) as error:
            self._failure = error if isinstance(error, Unavailable) else self._not_started(str(error))
        self._ready.set()
        try:
            if self._failure is None:
                self._keep()
        finally:
            self._end()

    def _spawn(self) -> None:
        command = list(self.program.command)
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", _UNDERTAKER, str(os.getpid()), *command]
        self._process = subprocess.Popen(  # noqa: S603 - a program that was looked for, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C is for the supervisor, which saves first.
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        threading.Thread(target=self._listen, name="embedded-chain-log", daemon=True).start()
        if not self._listening.wait(_START_S) or not self._port:
            raise self._not_started(" ".join(self._said) or "it says nothing")

    def _listen(self) -> None:
        """Read what the child prints, for its port and for a last word, so that it never waits for a reader."""
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.strip():
                    self._said.append(line.strip()[:200])
                if not self._port and (match := _LISTENING.search(line)):
                    self._port = int(match[1])
                    self._listening.set()
        self._listening.set()

    def _restore(self) -> None:
        if self._state is not None:
            make_private_folder(self._state.parent)
            if self._state.exists():
                try:
                    self.call("anvil_loadState", self._state.read_text(encoding="ascii"))
                except (ChainAway, ValueError) as error:
                    raise Unavailable(
                        f"The saved chain {self._state} cannot be read.",
                        do="Move it away to begin with an empty chain; what was on it is gone.",
                    ) from error
                self._saved_block = self._block()
        if self.program.kind == "anvil":
            # It began at a fixed moment; from here on it goes with this machine's clock, and never back.
            head = self.call("eth_getBlockByNumber", "latest", False)
            self.call("anvil_setTime", max(int(time.time()), int(head["timestamp"], 16) + 1))
            self.mine()

    def _keep(self) -> None:
        """Mine and save until the supervisor is stopped or the child ends."""
        pause = self._beat.busy_s if self._beat else 1.0
        last_use, expected = time.monotonic(), self._block()
        while self.is_running() and not self._stopping.wait(pause):
            # One slow answer is no reason to stop keeping time; a dead child ends the loop.
            with contextlib.suppress(Unavailable):
                block = self._block()
                if block > expected:
                    last_use = time.monotonic()
                    self.save()
                expected = block
                if self._beat is not None:
                    pause = self._beat.pause_s(time.monotonic() - last_use)
                    self.mine()
                    expected += 1
        if self._stopping.is_set() and self.is_running():
            with contextlib.suppress(Unavailable):
                self.save()

    def _end(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def _block(self) -> int:
        return int(self.call("eth_blockNumber"), 16)

    def _not_started(self, reason: str) -> Unavailable:
        return Unavailable(
            f"The local chain {self.program.kind} does not start: {reason}.",
            do="Name a chain that runs with --chain URL.",
        )
