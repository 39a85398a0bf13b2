"""Who may work on a job: leases, threads, and what a killed process leaves."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain_common.adapters.database import DatabaseUnavailable, open_database
from chain_common.adapters.home_lock import HomeLock
from chain_common.adapters.job_worker import JobWorker
from chain_common.adapters.jobs import DatabaseJobs
from chain_common.adapters.memory import ManualClock
from chain_common.adapters.memory_jobs import MemoryJobs
from chain_common.adapters.system_clock import SystemClock
from chain_common.ports import Job, JobKind, WaitFor
from tests.ports.job_steps import Answers, one_step

LEASE_S = 60.0


@pytest.fixture
def worker(jobs: Any, clock: ManualClock) -> JobWorker:
    return JobWorker(jobs, clock, lease_s=LEASE_S)


class TestLeases:
    def test_a_job_in_hand_is_not_taken_twice(self, jobs: Any, clock: ManualClock) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "k", {})
        assert jobs.claim("first", LEASE_S).state == "running"
        clock.advance(LEASE_S - 1)
        assert jobs.claim("second", LEASE_S) is None

    def test_a_job_whose_worker_died_is_taken_up_when_its_lease_ends(self, jobs: Any, clock: ManualClock) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "k", {})
        dead = jobs.claim("dead", LEASE_S)
        clock.advance(LEASE_S)
        assert jobs.claim("second", LEASE_S).key == "k"
        assert not jobs.renew(dead.job_id, "dead", LEASE_S)
        assert not jobs.put_back(dead, "dead")
        jobs.report(dead.job_id, "dead", 0.9, "from the grave")
        assert (jobs.get("k").state, jobs.get("k").progress) == ("running", 0.0)

    def test_a_renewed_lease_lasts_from_now(self, jobs: Any, clock: ManualClock) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "k", {})
        job = jobs.claim("first", LEASE_S)
        clock.advance(LEASE_S - 1)
        assert jobs.renew(job.job_id, "first", LEASE_S)
        clock.advance(LEASE_S - 1)
        assert jobs.claim("second", LEASE_S) is None

    def test_a_long_step_keeps_its_lease_by_itself(self, jobs: Any) -> None:
        clock, renewed = SystemClock(), threading.Event()
        moments: list[float] = []

        class Watched:
            def __getattr__(self, name: str) -> Any:
                return getattr(jobs, name)

            def renew(self, job_id: int, owner: str, lease_s: float) -> bool:
                held = jobs.renew(job_id, owner, lease_s)
                moments.append(clock.now())
                if len(moments) == 3:
                    renewed.set()
                return bool(held)

        jobs._clock = clock
        jobs.register(one_step(lambda _data, _context: {"renewed": renewed.wait(20)}))
        jobs.enqueue("settle", "k", {})
        JobWorker(Watched(), clock, lease_s=0.06).run_until_idle()  # type: ignore[arg-type]
        assert jobs.get("k").data == {"renewed": True}

    def test_what_a_worker_without_its_lease_did_is_dropped(
        self, jobs: Any, worker: JobWorker, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        def lose(_data: Any, _context: Any) -> dict[str, Any]:
            clock.advance(LEASE_S)
            assert jobs.claim("another", LEASE_S) is not None
            return {"from": "the first"}

        jobs.register(one_step(lose))
        jobs.enqueue("settle", "k", {})
        worker.run_once()
        job = jobs.get("k")
        assert (job.state, job.step, job.data) == ("running", 0, {})
        assert "lost its lease" in caplog.text

    def test_only_registered_kinds_are_taken(self, jobs: Any) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "k", {})
        jobs._kinds.clear()
        assert jobs.claim("first", LEASE_S) is None
        assert jobs.next_due() is None


class TestThreads:
    @pytest.fixture
    def running(self, jobs: Any) -> Iterator[JobWorker]:
        jobs._clock = SystemClock()
        worker = JobWorker(jobs, SystemClock(), threads=2)
        worker.start()
        worker.start()
        yield worker
        assert worker.stop()

    def test_an_added_job_is_run_at_once(self, jobs: Any, running: JobWorker) -> None:
        done = threading.Event()
        jobs.register(one_step(lambda _data, _context: done.set() or {}))
        jobs.enqueue("settle", "k", {})
        assert done.wait(20)

    def test_a_pause_is_kept_to_the_moment(self, jobs: Any, running: JobWorker) -> None:
        moments: list[float] = []
        done = threading.Event()

        def twice(_data: Any, _context: Any) -> Any:
            moments.append(SystemClock().now())
            if len(moments) == 1:
                return WaitFor(0.05)
            done.set()
            return {}

        jobs.register(one_step(twice))
        jobs.enqueue("settle", "k", {})
        assert done.wait(20)
        assert moments[1] - moments[0] >= 0.05

    def test_a_long_step_does_not_hold_up_the_others(self, jobs: Any, running: JobWorker) -> None:
        other_done = threading.Event()
        waited: list[bool] = []
        jobs.register(JobKind("long", (("wait", lambda _d, _c: waited.append(other_done.wait(20)) or {}),)))
        jobs.register(JobKind("short", (("go", lambda _d, _c: other_done.set() or {}),)))
        jobs.enqueue("long", "a", {})
        jobs.enqueue("short", "b", {})
        assert other_done.wait(20)
        running.stop()
        assert waited == [True]

    def test_a_table_that_is_away_or_broken_for_a_while_does_not_end_the_worker(
        self, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        troubles: list[Exception] = [DatabaseUnavailable("The database is away."), RuntimeError("0xsecret")]
        done = threading.Event()

        class Troubled(MemoryJobs):
            def claim(self, owner: str, lease_s: float) -> Job | None:
                if troubles:
                    raise troubles.pop(0)
                return super().claim(owner, lease_s)

        table = Troubled(clock)
        table.register(one_step(lambda _data, _context: done.set() or {}))
        worker = JobWorker(table, clock, threads=1)
        worker.start()
        for key in ("a", "b", "c"):
            table.enqueue("settle", key, {})
        assert done.wait(20)
        worker.stop()
        assert "The database is away." in caplog.text
        assert "secret" not in caplog.text


# Runs a job of three steps; the second reports and then hangs in the first process, so that it can be killed there.
STORY = """
import sys
from pathlib import Path
from chain_common.adapters.database import open_database
from chain_common.adapters.home_lock import HomeLock
from chain_common.adapters.job_worker import JobWorker
from chain_common.adapters.jobs import DatabaseJobs
from chain_common.adapters.system_clock import SystemClock
from chain_common.ports import JobKind

home, hang = Path(sys.argv[1]), sys.argv[2] == "hang"

def ran(name):
    with (home / "ran").open("a") as log:
        log.write(name + "\\n")

def first(data, context):
    ran("first")
    return {"first": data["start"] + 1}

def second(data, context):
    ran("second")
    context.progress(0.5, "half way")
    if hang:
        print("in the middle", flush=True)
        sys.stdin.read()
    return {"second": data["first"] + 1}

def third(data, context):
    ran("third")
    return {"third": data["second"] + 1}

lock = HomeLock(home)
lock.acquire()
jobs = DatabaseJobs(open_database(f"sqlite:///{home / 'state.sqlite3'}"), SystemClock())
jobs.register(JobKind("story", (("first", first), ("second", second), ("third", third))))
jobs.enqueue("story", "k", {"start": 1})
worker = JobWorker(jobs, SystemClock(), lease_s=3600, threads=0, home_lock=lock)
worker.start()
worker.run_until_idle()
"""


class TestAKilledProcess:
    def test_its_job_goes_on_at_the_step_it_was_in_as_soon_as_the_app_is_started_again(self, tmp_path: Path) -> None:
        killed = subprocess.Popen(
            [sys.executable, "-c", STORY, str(tmp_path), "hang"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with killed:
            assert killed.stdout is not None
            assert killed.stdout.readline() == b"in the middle\n"
            killed.kill()
        engine = open_database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
        jobs = DatabaseJobs(engine, SystemClock())
        left = jobs.get("k")
        assert left is not None
        assert (left.state, left.step, left.progress) == ("running", 1, 0.5)
        assert left.data == {"start": 1, "first": 2}

        subprocess.run([sys.executable, "-c", STORY, str(tmp_path), "finish"], check=True, timeout=60)
        after = jobs.get("k")
        assert after is not None
        assert (after.state, after.step) == ("done", 3)
        assert after.data == {"start": 1, "first": 2, "second": 3, "third": 4}
        assert (tmp_path / "ran").read_text().split() == ["first", "second", "second", "third"]
        engine.dispose()

    def test_leases_are_not_ended_by_a_process_that_may_not_be_the_only_one(
        self, jobs: Any, clock: ManualClock, tmp_path: Path
    ) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "k", {})
        jobs.claim("another process", LEASE_S)
        lock = HomeLock(tmp_path / "home")
        for home_lock in (None, lock):
            worker = JobWorker(jobs, clock, threads=0, home_lock=home_lock)
            worker.start()
            assert jobs.get("k").state == "running"
        with lock:
            JobWorker(jobs, clock, threads=0, home_lock=lock).start()
        assert jobs.get("k").state == "waiting"
