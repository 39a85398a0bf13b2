"""Runs jobs step by step, in threads of the app's process.

What a step leaves behind and that it is done are written in one transaction, while the lease is held. A step cut off in
the middle is run again from its beginning, which is why steps must be repeatable; a step that is done never is.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Protocol

from chain_common.adapters import job_rules
from chain_common.adapters.home_lock import HomeLock
from chain_common.errors import ChainError, Locked, Unavailable
from chain_common.ports import Clock, Job, JobKind, JsonObject, StartOver, Step, WaitFor

log = logging.getLogger("chain.jobs")

# While the account is locked a job looks for the password as often as this.
_LOCKED_PAUSE_S = 2.0
# Another process, such as a command line, may add jobs without waking us.
_POLL_S = 1.0
# Progress is written when it has moved by this much, so that a step can report as often as it likes.
_PROGRESS_STEP = 0.01


class JobTable(Protocol):
    """Where jobs are kept, as a worker needs it; ``owner`` names one lease."""

    def kinds(self) -> Mapping[str, JobKind]:
        """Return the registered kinds by name."""
        ...

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call the listener whenever a job of this process may have become due."""
        ...

    def claim(self, owner: str, lease_s: float) -> Job | None:
        """Lease a job that is due or abandoned."""
        ...

    def renew(self, job_id: int, owner: str, lease_s: float) -> bool:
        """Prolong a lease; ``False`` if it is no longer held."""
        ...

    def report(self, job_id: int, owner: str, progress: float, note: str) -> None:
        """Show how far the running step is."""
        ...

    def queued_data(self, job_id: int) -> JsonObject:
        """Return a job's data as it was queued."""
        ...

    def put_back(self, job: Job, owner: str) -> bool:
        """Write a job as its step left it and end the lease; ``False`` if it is no longer held."""
        ...

    def release_all(self) -> int:
        """End every lease."""
        ...

    def next_due(self) -> float | None:
        """Return the moment at which the next job becomes due, if one waits."""
        ...


class JobWorker:
    """Takes up what is due, runs one step of it and writes what came of it.

    - A result advances the job, a :class:`~chain_common.ports.WaitFor` sets it aside, a
      :class:`~chain_common.ports.StartOver` sends it back to its first step.
    - :class:`Unavailable`: tried again without end, after 1, 2, 4 … at most 60 seconds; the note says why.
    - :class:`Locked`: set aside until the password has been given.
    - any other :class:`ChainError`: the job fails with that error's sentence.
    - anything else: the job fails with a general sentence, and the log names type and place. The message stays out
      of both, because it may quote a secret.

    Parameters
    ----------
    lease_s
        How long after a worker's death another may take up its job; renewed three times as often.
    threads
        How many steps run at once.
    home_lock
        If held at :meth:`start`, no other process works on these jobs, so those left in hand are taken up at once.
    """

    def __init__(
        self,
        table: JobTable,
        clock: Clock,
        *,
        lease_s: float = 60.0,
        threads: int = 2,
        home_lock: HomeLock | None = None,
    ) -> None:
        self._table = table
        self._clock = clock
        self._lease_s = lease_s
        self._n_threads = threads
        self._home_lock = home_lock
        self._threads: list[threading.Thread] = []
        self._bell = threading.Condition()
        self._n_wakes = 0
        self._stopping = False
        table.subscribe(self.wake)

    def start(self) -> None:
        """Start the threads; they end with the process or at :meth:`stop`."""
        if self._threads:
            return
        if self._home_lock is not None and self._home_lock.is_held():
            n_released = self._table.release_all()
            if n_released:
                log.info("taking up %d jobs that an earlier process left", n_released)
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"jobs-{index}", daemon=True) for index in range(self._n_threads)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Take up nothing more; ``True`` if all threads ended in time.

        A step that does not end in time dies with the process and is run again after the next start.
        """
        with self._bell:
            self._stopping = True
            self._bell.notify_all()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        ended = not any(thread.is_alive() for thread in self._threads)
        self._threads = []
        return ended

    def wake(self) -> None:
        """Look for due jobs now, such as after the account was unlocked."""
        with self._bell:
            self._n_wakes += 1
            self._bell.notify_all()

    def run_once(self) -> bool:
        """Run one step of one due job here; ``False`` if none is due.

        Raises
        ------
        Unavailable
            If the table itself cannot be reached.
        """
        owner = secrets.token_hex(16)
        job = self._table.claim(owner, self._lease_s)
        if job is None:
            return False
        with _Renewal(self._table, job, owner, self._lease_s):
            after = self._run_step(job, owner)
        if not self._table.put_back(after, owner):
            log.warning("job %s lost its lease in step %d; what came of it is dropped", job.key, job.step)
        elif after.state == job_rules.FAILED:
            log.error("job %s failed in step %d", job.key, job.step)
        return True

    def run_until_idle(self, max_steps: int = 1000) -> int:
        """Run what is due until nothing is; return how many steps were run."""
        for n_steps in range(max_steps):
            if not self.run_once():
                return n_steps
        raise RuntimeError(f"jobs were still due after {max_steps} steps")

    def _run_step(self, job: Job, owner: str) -> Job:
        step = self._step(job)
        if step is None:
            sentence = "This job was begun by another version of the app. Cancel it and begin again."
            return job_rules.failed(job, sentence, self._clock.now())
        try:
            answer = step(MappingProxyType(dict(job.data)), _Context(self._table, job, owner))
            if isinstance(answer, WaitFor):
                return job_rules.waiting(job, answer.seconds, answer.note, self._clock.now())
            if isinstance(answer, StartOver):
                queued = self._table.queued_data(job.job_id)
                return job_rules.started_over(job, queued, answer.seconds, answer.note, self._clock.now())
            return job_rules.advanced(job, job_rules.require_json(answer), self._clock.now())
        except Unavailable as error:
            return job_rules.unavailable(job, str(error), self._clock.now())
        except Locked as error:
            return job_rules.waiting(job, _LOCKED_PAUSE_S, str(error), self._clock.now())
        except ChainError as error:
            return job_rules.failed(job, str(error), self._clock.now())
        except Exception as error:  # noqa: BLE001 -- whatever a step does, the worker lives on and the job says so
            name = job.steps[job.step]
            log.error("job %s, step %s: %s", job.key, name, described_without_message(error))  # noqa: TRY400
            sentence = (
                f"Something unexpected went wrong in the step {name!r} ({type(error).__name__}). "
                "The app's log says where. Try again; if it comes back, report it."
            )
            return job_rules.failed(job, sentence, self._clock.now())

    def _step(self, job: Job) -> Step | None:
        kind = self._table.kinds().get(job.kind)
        return dict(kind.steps).get(job.steps[job.step]) if kind and job.step < len(job.steps) else None

    def _work(self) -> None:
        while not self._stopping:
            seen = self._n_wakes
            pause = _POLL_S
            try:
                if self.run_once():
                    continue
                next_due = self._table.next_due()
                if next_due is not None:
                    pause = min(pause, max(next_due - self._clock.now(), 0.01))
            except Unavailable as error:
                log.warning("jobs rest: %s", error)
            except Exception as error:  # noqa: BLE001 -- a thread that died would leave every job waiting
                log.error("jobs rest: %s", described_without_message(error))  # noqa: TRY400
            with self._bell:
                if self._n_wakes == seen and not self._stopping:
                    self._bell.wait(pause)


class _Context:
    """Reports a running step's progress."""

    def __init__(self, table: JobTable, job: Job, owner: str) -> None:
        self._table = table
        self._job_id = job.job_id
        self._owner = owner
        self._written = (0.0, job.note)

    def progress(self, fraction: float, note: str = "") -> None:
        """Report how far the step is, from 0 to 1; an empty note keeps the last one."""
        fraction = min(max(fraction, 0.0), 1.0)
        written_fraction, written_note = self._written
        note = note or written_note
        if note == written_note and abs(fraction - written_fraction) < _PROGRESS_STEP and fraction < 1.0:
            return
        try:
            self._table.report(self._job_id, self._owner, fraction, note)
        except Unavailable as error:
            log.warning("progress not shown: %s", error)
            return
        self._written = (fraction, note)


class _Renewal:
    """Renews a lease from a thread of its own while a step runs, however long it takes."""

    def __init__(self, table: JobTable, job: Job, owner: str, lease_s: float) -> None:
        self._table = table
        self._job = job
        self._owner = owner
        self._lease_s = lease_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="jobs-lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._ended.wait(self._lease_s / 3):
            try:
                if not self._table.renew(self._job.job_id, self._owner, self._lease_s):
                    return
            except Unavailable as error:
                log.warning("the lease of job %s is not renewed: %s", self._job.key, error)


def described_without_message(error: BaseException) -> str:
    """Return types and places of an error and of those that led to it, without their messages."""
    parts: list[str] = []
    link: BaseException | None = error
    while link is not None and len(parts) < 5:
        frames = "".join(traceback.format_tb(link.__traceback__))
        parts.append(f"{type(link).__module__}.{type(link).__qualname__}\n{frames}")
        link = link.__cause__ or link.__context__
    return "caused by ".join(parts)
