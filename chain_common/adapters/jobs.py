"""Jobs in the app's database: unique keys, named steps, leases.

A job in hand is leased for a while; its worker renews the lease, and writes the outcome of a step only while it still
holds it. So a job whose worker was killed is taken up again, and the outcome of a step is written once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from chain_common.adapters import job_rules
from chain_common.adapters.database import insert_or_ignore, metadata, transaction
from chain_common.adapters.documents import decode_document, encode_document
from chain_common.ports import Clock, Job, JobKind, JsonObject
from chain_common.state_errors import UnknownJob

jobs_table = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("steps", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("not_before", sa.Double, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    # As the job was queued, for steps that send it back to the beginning.
    sa.Column("queued_data", sa.Text, nullable=False),
    # Empty unless the job is running.
    sa.Column("lease_owner", sa.Text, nullable=False),
    sa.Column("lease_until", sa.Double, nullable=False),
    sa.UniqueConstraint("key", name="jobs_key"),
    sa.Index("jobs_due", "state", "not_before"),
)
_COLUMNS = jobs_table.c


class DatabaseJobs:
    """The table of jobs, for those who add and read them and for the workers that run them."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._kinds: dict[str, JobKind] = {}
        self._listeners: list[Callable[[], None]] = []

    def register(self, kind: JobKind) -> None:
        """Make a kind known to the worker."""
        self._kinds[kind.name] = job_rules.require_kind(kind)

    def enqueue(self, kind: str, key: str, data: JsonObject) -> Job:
        """Add a job unless one of that key exists; return the one that is there.

        Raises
        ------
        KeyError
            If the kind has not been registered: a fault of the program.
        """
        row = _row(job_rules.new_job(self._kinds[kind], key, data, self._clock.now()))
        with transaction(self._engine) as connection:
            queued = {"queued_data": row["data"], "lease_owner": "", "lease_until": 0.0}
            insert_or_ignore(connection, jobs_table, [{**row, **queued}])
            job = _of_key(connection, key)
        self._announce()
        return job

    def get(self, key: str) -> Job | None:
        """Return the job of a key."""
        with transaction(self._engine) as connection:
            row = connection.execute(sa.select(jobs_table).where(_COLUMNS.key == key)).one_or_none()
        return None if row is None else _job(row)

    def all(self, *, kind: str | None = None, unfinished: bool = False) -> list[Job]:
        """Return jobs, newest first."""
        query = sa.select(jobs_table).order_by(_COLUMNS.job_id.desc())
        if kind is not None:
            query = query.where(_COLUMNS.kind == kind)
        if unfinished:
            query = query.where(_COLUMNS.state != job_rules.DONE)
        with transaction(self._engine) as connection:
            rows = connection.execute(query).all()
        return [_job(row) for row in rows]

    def retry(self, key: str) -> Job:
        """Set a failed job waiting again at the step it failed in; make a waiting one due.

        Raises
        ------
        UnknownJob
            If no job has the key.
        JobBusy
            If it is running or done.
        """
        with transaction(self._engine) as connection:
            job = job_rules.retried(_of_key(connection, key), self._clock.now())
            _write(connection, job)
        self._announce()
        return job

    def cancel(self, key: str) -> None:
        """Drop a job that is waiting or has failed, if it is there. Raises ``JobBusy`` if it is running or done."""
        with transaction(self._engine) as connection:
            try:
                job = _of_key(connection, key)
            except UnknownJob:
                return
            job_rules.require_droppable(job)
            connection.execute(sa.delete(jobs_table).where(_COLUMNS.job_id == job.job_id))

    # ----------------------------------------------------------------------------------------------- for the workers

    def kinds(self) -> Mapping[str, JobKind]:
        """Return the registered kinds by name."""
        return self._kinds

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call the listener whenever a job of this process may have become due."""
        self._listeners.append(listener)

    def claim(self, owner: str, lease_s: float) -> Job | None:
        """Lease the registered job that has been due longest, or whose lease has run out; ``None`` if there is none."""
        now = self._clock.now()
        abandoned = sa.and_(_COLUMNS.state == job_rules.RUNNING, _COLUMNS.lease_until <= now)
        due = sa.and_(_COLUMNS.state == job_rules.WAITING, _COLUMNS.not_before <= now)
        query = (
            sa.select(jobs_table)
            .where(_COLUMNS.kind.in_(self._kinds), sa.or_(due, abandoned))
            .order_by(_COLUMNS.not_before, _COLUMNS.job_id)
            .limit(1)
        )
        with transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            job = replace(_job(row), state=job_rules.RUNNING, updated_at=now)
            _write(connection, job, lease_owner=owner, lease_until=now + lease_s)
        return job

    def renew(self, job_id: int, owner: str, lease_s: float) -> bool:
        """Prolong a lease; ``False`` if it is no longer held."""
        lease_until = self._clock.now() + lease_s
        with transaction(self._engine) as connection:
            renewed = connection.execute(
                sa.update(jobs_table).where(_held(job_id, owner)).values(lease_until=lease_until)
            )
        return renewed.rowcount == 1

    def report(self, job_id: int, owner: str, progress: float, note: str) -> None:
        """Show how far the running step is."""
        changes = {"progress": progress, "note": note, "updated_at": self._clock.now()}
        with transaction(self._engine) as connection:
            connection.execute(sa.update(jobs_table).where(_held(job_id, owner)).values(changes))

    def queued_data(self, job_id: int) -> JsonObject:
        """Return a job's data as it was queued."""
        query = sa.select(_COLUMNS.queued_data).where(_COLUMNS.job_id == job_id)
        with transaction(self._engine) as connection:
            return decode_document(connection.execute(query).scalar_one())

    def put_back(self, job: Job, owner: str) -> bool:
        """Write a job as its step left it and end the lease; ``False``, with nothing written, if it is not held."""
        with transaction(self._engine) as connection:
            return _write(connection, job, held_by=owner)

    def release_all(self) -> int:
        """End every lease, for a process that knows it is the only one; return how many there were."""
        freed = {"state": job_rules.WAITING, "lease_owner": "", "lease_until": 0.0}
        with transaction(self._engine) as connection:
            released = connection.execute(
                sa.update(jobs_table).where(_COLUMNS.state == job_rules.RUNNING).values(freed)
            )
        return released.rowcount

    def next_due(self) -> float | None:
        """Return the moment at which the next registered job becomes due, if one waits."""
        query = sa.select(sa.func.min(_COLUMNS.not_before)).where(
            _COLUMNS.state == job_rules.WAITING, _COLUMNS.kind.in_(self._kinds)
        )
        with transaction(self._engine) as connection:
            moment: float | None = connection.execute(query).scalar_one()
        return moment

    def _announce(self) -> None:
        for listener in self._listeners:
            listener()


def _held(job_id: int, owner: str) -> sa.ColumnElement[bool]:
    return sa.and_(_COLUMNS.job_id == job_id, _COLUMNS.lease_owner == owner)


def _of_key(connection: Connection, key: str) -> Job:
    row = connection.execute(sa.select(jobs_table).where(_COLUMNS.key == key)).one_or_none()
    if row is None:
        raise UnknownJob(key)
    return _job(row)


def _write(
    connection: Connection,
    job: Job,
    *,
    lease_owner: str = "",
    lease_until: float = 0.0,
    held_by: str | None = None,
) -> bool:
    values = {**_row(job), "lease_owner": lease_owner, "lease_until": lease_until}
    condition = _COLUMNS.job_id == job.job_id if held_by is None else _held(job.job_id, held_by)
    return connection.execute(sa.update(jobs_table).where(condition).values(values)).rowcount == 1


def _row(job: Job) -> dict[str, object]:
    return {
        "kind": job.kind,
        "key": job.key,
        "state": job.state,
        "steps": json.dumps(job.steps),
        "step": job.step,
        "progress": job.progress,
        "note": job.note,
        "failure": job.failure,
        "attempts": job.attempts,
        "not_before": job.not_before,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "data": encode_document(dict(job.data)),
    }


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(
        job_id=row.job_id,
        kind=row.kind,
        key=row.key,
        state=row.state,
        steps=tuple(json.loads(row.steps)),
        step=row.step,
        progress=row.progress,
        note=row.note,
        failure=row.failure,
        attempts=row.attempts,
        not_before=row.not_before,
        created_at=row.created_at,
        updated_at=row.updated_at,
        data=decode_document(row.data),
    )
