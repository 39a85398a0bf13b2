"""The table of jobs in memory; a :class:`~chain_common.adapters.job_worker.JobWorker` runs it like the real one."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from chain_common.adapters import job_rules
from chain_common.ports import Clock, Job, JobKind, JsonObject
from chain_common.state_errors import UnknownJob


class MemoryJobs:
    """Jobs in a dictionary; lost with the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kinds: dict[str, JobKind] = {}
        self._listeners: list[Callable[[], None]] = []
        self._jobs: dict[int, Job] = {}
        self._queued_data: dict[int, JsonObject] = {}
        self._leases: dict[int, tuple[str, float]] = {}
        self._numbers = itertools.count(1)
        self._guard = threading.RLock()

    def register(self, kind: JobKind) -> None:
        """Make a kind known to the worker."""
        self._kinds[kind.name] = job_rules.require_kind(kind)

    def enqueue(self, kind: str, key: str, data: JsonObject) -> Job:
        """Add a job unless one of that key exists; return the one that is there. Raises ``KeyError``."""
        job = job_rules.new_job(self._kinds[kind], key, data, self._clock.now())
        with self._guard:
            there = self.get(key)
            if there is None:
                there = self._keep(replace(job, job_id=next(self._numbers)))
                self._queued_data[there.job_id] = dict(there.data)
        self._announce()
        return there

    def get(self, key: str) -> Job | None:
        """Return the job of a key."""
        with self._guard:
            return next((job for job in self._jobs.values() if job.key == key), None)

    def all(self, *, kind: str | None = None, unfinished: bool = False) -> list[Job]:
        """Return jobs, newest first."""
        with self._guard:
            jobs = sorted(self._jobs.values(), key=lambda job: -job.job_id)
        return [job for job in jobs if kind in (None, job.kind) and not (unfinished and job.state == job_rules.DONE)]

    def retry(self, key: str) -> Job:
        """Set a failed job waiting again; make a waiting one due. Raises ``UnknownJob``, ``JobBusy``."""
        with self._guard:
            job = self._keep(job_rules.retried(self._known(key), self._clock.now()))
        self._announce()
        return job

    def cancel(self, key: str) -> None:
        """Drop a job that is waiting or has failed, if it is there. Raises ``JobBusy`` if it is running or done."""
        with self._guard:
            job = self.get(key)
            if job is not None:
                job_rules.require_droppable(job)
                del self._jobs[job.job_id], self._queued_data[job.job_id]

    # ----------------------------------------------------------------------------------------------- for the workers

    def kinds(self) -> Mapping[str, JobKind]:
        """Return the registered kinds by name."""
        return self._kinds

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call the listener whenever a job may have become due."""
        self._listeners.append(listener)

    def claim(self, owner: str, lease_s: float) -> Job | None:
        """Lease the registered job that has been due longest, or whose lease has run out; ``None`` if there is none."""
        now = self._clock.now()
        with self._guard:
            due = [job for job in self._jobs.values() if job.kind in self._kinds and self._is_due(job, now)]
            if not due:
                return None
            longest = min(due, key=lambda job: (job.not_before, job.job_id))
            self._leases[longest.job_id] = (owner, now + lease_s)
            return self._keep(replace(longest, state=job_rules.RUNNING, updated_at=now))

    def renew(self, job_id: int, owner: str, lease_s: float) -> bool:
        """Prolong a lease; ``False`` if it is no longer held."""
        with self._guard:
            if not self._holds(job_id, owner):
                return False
            self._leases[job_id] = (owner, self._clock.now() + lease_s)
            return True

    def report(self, job_id: int, owner: str, progress: float, note: str) -> None:
        """Show how far the running step is."""
        with self._guard:
            if self._holds(job_id, owner):
                job = self._jobs[job_id]
                self._keep(replace(job, progress=progress, note=note, updated_at=self._clock.now()))

    def queued_data(self, job_id: int) -> JsonObject:
        """Return a job's data as it was queued."""
        with self._guard:
            return job_rules.require_json(self._queued_data[job_id])

    def put_back(self, job: Job, owner: str) -> bool:
        """Write a job as its step left it and end the lease; ``False``, with nothing written, if it is not held."""
        with self._guard:
            if not self._holds(job.job_id, owner):
                return False
            del self._leases[job.job_id]
            self._keep(job)
            return True

    def release_all(self) -> int:
        """End every lease; return how many there were."""
        with self._guard:
            released = [job for job in self._jobs.values() if job.state == job_rules.RUNNING]
            self._leases.clear()
            for job in released:
                self._keep(replace(job, state=job_rules.WAITING))
        return len(released)

    def next_due(self) -> float | None:
        """Return the moment at which the next registered job becomes due, if one waits."""
        with self._guard:
            waiting = [job for job in self._jobs.values() if job.state == job_rules.WAITING]
            return min((job.not_before for job in waiting if job.kind in self._kinds), default=None)

    def _is_due(self, job: Job, now: float) -> bool:
        if job.state == job_rules.RUNNING:
            return self._leases[job.job_id][1] <= now
        return job.state == job_rules.WAITING and job.not_before <= now

    def _holds(self, job_id: int, owner: str) -> bool:
        return self._leases.get(job_id, ("", 0.0))[0] == owner

    def _known(self, key: str) -> Job:
        job = self.get(key)
        if job is None:
            raise UnknownJob(key)
        return job

    def _keep(self, job: Job) -> Job:
        self._jobs[job.job_id] = job
        return job

    def _announce(self) -> None:
        for listener in self._listeners:
            listener()
