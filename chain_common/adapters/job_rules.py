"""How a job moves from state to state, for every table that keeps jobs."""

from __future__ import annotations

from dataclasses import replace

from chain_common.adapters.documents import decode_document, encode_document
from chain_common.ports import Job, JobKind, JsonObject
from chain_common.state_errors import JobBusy

WAITING = "waiting"
RUNNING = "running"
DONE = "done"
FAILED = "failed"

# The longest pause between two attempts while the chain or the store is away.
MAX_PAUSE_S = 60.0


def require_kind(kind: JobKind) -> JobKind:
    """Return a kind with steps of different names. Raises ``ValueError``: a fault of the program."""
    names = [name for name, _ in kind.steps]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"a kind of job has steps of different names, {kind.name} has {names}")
    return kind


def require_json(answer: JsonObject) -> JsonObject:
    """Return what a step leaves as it will be read back. Raises ``TypeError`` or ``ValueError`` if it is not JSON."""
    if not isinstance(answer, dict):
        raise TypeError(f"a step returns an object or WaitFor, got {type(answer).__name__}")
    return decode_document(encode_document(answer))


def new_job(kind: JobKind, key: str, data: JsonObject, now: float) -> Job:
    """Return a job that is due at once; its number is the table's to give."""
    return Job(
        job_id=0,
        kind=kind.name,
        key=key,
        state=WAITING,
        steps=tuple(name for name, _ in kind.steps),
        step=0,
        progress=0.0,
        note="",
        failure="",
        attempts=0,
        not_before=now,
        created_at=now,
        updated_at=now,
        data=require_json(data),
    )


def advanced(job: Job, added: JsonObject, now: float) -> Job:
    """Return the job after its step is done, with what the step leaves to the next ones."""
    step = job.step + 1
    return replace(
        job,
        state=DONE if step >= len(job.steps) else WAITING,
        step=step,
        progress=0.0,
        note="",
        attempts=0,
        not_before=now,
        updated_at=now,
        data={**job.data, **added},
    )


def waiting(job: Job, seconds: float, note: str, now: float) -> Job:
    """Return the job after its step found the world not ready; no failure is counted."""
    return replace(
        job,
        state=WAITING,
        progress=0.0,
        note=note,
        attempts=0,
        not_before=now + max(seconds, 0.0),
        updated_at=now,
    )


def started_over(job: Job, queued_data: JsonObject, seconds: float, note: str, now: float) -> Job:
    """Return the job as it was queued, due after so many seconds; what its steps left is forgotten."""
    return replace(waiting(job, seconds, note, now), step=0, data=queued_data)


def unavailable(job: Job, note: str, now: float) -> Job:
    """Return the job after its step could not reach something: tried again after 1, 2, 4 … at most 60 seconds."""
    attempts = job.attempts + 1
    pause = MAX_PAUSE_S if attempts > 6 else 2.0 ** (attempts - 1)
    return replace(
        job,
        state=WAITING,
        progress=0.0,
        note=note,
        attempts=attempts,
        not_before=now + pause,
        updated_at=now,
    )


def failed(job: Job, sentence: str, now: float) -> Job:
    """Return the job after its step failed for good, with a sentence for a person."""
    return replace(
        job,
        state=FAILED,
        progress=0.0,
        note="",
        failure=sentence,
        attempts=job.attempts + 1,
        updated_at=now,
    )


def retried(job: Job, now: float) -> Job:
    """Return a failed job as due again at the step it failed in; one that waits becomes due.

    Raises
    ------
    JobBusy
        If it is running or done.
    """
    if job.state not in (WAITING, FAILED):
        raise JobBusy(job.key, job.state, "tried again")
    return replace(job, state=WAITING, note="", failure="", attempts=0, not_before=now, updated_at=now)


def require_droppable(job: Job) -> None:
    """Raise ``JobBusy`` unless the job is waiting or has failed."""
    if job.state not in (WAITING, FAILED):
        raise JobBusy(job.key, job.state, "cancelled")
