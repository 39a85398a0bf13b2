"""What every table of jobs promises together with the worker, and what a killed process leaves."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
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
from chain_common.errors import BadInput, Locked, RuleBroken, Unavailable
from chain_common.ports import Job, JobKind, StartOver, WaitFor
from chain_common.state_errors import JobBusy, UnknownJob

LEASE_S = 60.0


@pytest.fixture
def worker(jobs: Any, clock: ManualClock) -> JobWorker:
    return JobWorker(jobs, clock, lease_s=LEASE_S)


def one_step(answer: Callable[..., Any]) -> JobKind:
    return JobKind("settle", (("score", answer),))


class Answers:
    """A step that gives its answers one after the other and counts its runs."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.seen: list[dict[str, Any]] = []

    def __call__(self, data: Any, _context: Any) -> Any:
        self.seen.append(dict(data))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class TestTheTable:
    def test_a_new_job_waits_at_its_first_step(self, jobs: Any, clock: ManualClock) -> None:
        jobs.register(JobKind("settle", (("open", Answers({})), ("score", Answers({})))))
        job = jobs.enqueue("settle", "settle/1/1", {"model": 1})
        assert (job.state, job.step, job.steps, job.data) == ("waiting", 0, ("open", "score"), {"model": 1})
        assert (job.attempts, job.progress, job.note, job.failure) == (0, 0.0, "", "")
        assert job.not_before == job.created_at == clock.now()
        assert jobs.get("settle/1/1") == job
        assert jobs.get("settle/1/2") is None

    def test_a_key_is_queued_once(self, jobs: Any, worker: JobWorker) -> None:
        step = Answers({"done": True})
        jobs.register(one_step(step))
        first = jobs.enqueue("settle", "k", {"n": 1})
        assert jobs.enqueue("settle", "k", {"n": 2}) == first
        worker.run_until_idle()
        assert jobs.enqueue("settle", "k", {"n": 3}).state == "done"
        assert worker.run_until_idle() == 0
        assert step.seen == [{"n": 1}]

    def test_jobs_are_listed_newest_first_and_filtered(self, jobs: Any, worker: JobWorker) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "a", {})
        worker.run_until_idle()
        jobs.register(JobKind("deliver", (("send", Answers({})),)))
        for key in ("b", "c"):
            jobs.enqueue("deliver", key, {})
        assert [job.key for job in jobs.all()] == ["c", "b", "a"]
        assert [job.key for job in jobs.all(kind="settle")] == ["a"]
        assert [job.key for job in jobs.all(unfinished=True)] == ["c", "b"]
        assert jobs.all(kind="settle", unfinished=True) == []

    def test_an_unknown_kind_or_one_without_distinct_steps_is_the_programs_fault(self, jobs: Any) -> None:
        with pytest.raises(KeyError):
            jobs.enqueue("settle", "k", {})
        for steps in ((), (("a", Answers({})), ("a", Answers({})))):
            with pytest.raises(ValueError, match="different names"):
                jobs.register(JobKind("settle", steps))

    def test_a_waiting_or_failed_job_can_be_cancelled_and_queued_anew(
        self, jobs: Any, worker: JobWorker
    ) -> None:
        jobs.register(one_step(Answers(BadInput("no"))))
        jobs.enqueue("settle", "k", {"n": 1})
        jobs.cancel("k")
        assert jobs.get("k") is None
        assert jobs.enqueue("settle", "k", {"n": 2}).data == {"n": 2}
        worker.run_until_idle()
        jobs.cancel("k")
        jobs.cancel("k")
        assert jobs.all() == []

    def test_a_running_or_finished_job_cannot_be_cancelled_or_retried(
        self, jobs: Any, worker: JobWorker
    ) -> None:
        refused = []

        def try_both(_data: Any, _context: Any) -> dict[str, Any]:
            for act in (jobs.cancel, jobs.retry):
                with pytest.raises(JobBusy) as busy:
                    act("k")
                refused.append(busy.value.state)
            return {}

        jobs.register(one_step(try_both))
        jobs.enqueue("settle", "k", {})
        worker.run_until_idle()
        try_both({}, None)
        assert refused == ["running", "running", "done", "done"]

    def test_retrying_an_unknown_job_says_so(self, jobs: Any) -> None:
        with pytest.raises(UnknownJob):
            jobs.retry("k")


class TestRunning:
    def test_steps_run_in_order_and_hand_on_what_they_leave(
        self, jobs: Any, worker: JobWorker, clock: ManualClock
    ) -> None:
        steps = [Answers({"a": 1}), Answers({"b": [2, {"c": 10**30}]}), Answers({"a": 4})]
        jobs.register(JobKind("settle", tuple((f"step {number}", step) for number, step in enumerate(steps))))
        jobs.enqueue("settle", "k", {"model": 7})
        clock.advance(5)
        assert worker.run_until_idle() == 3
        last = {"model": 7, "a": 1, "b": [2, {"c": 10**30}]}
        assert [step.seen for step in steps] == [[{"model": 7}], [{"model": 7, "a": 1}], [last]]
        job = jobs.get("k")
        assert (job.state, job.step, job.data) == ("done", 3, {**last, "a": 4})
        assert job.updated_at == clock.now() == job.created_at + 5

    def test_one_step_is_run_at_a_time_and_jobs_take_turns(
        self, jobs: Any, worker: JobWorker, clock: ManualClock
    ) -> None:
        order: list[str] = []

        def note(data: Any, _context: Any) -> dict[str, Any]:
            order.append(data["name"])
            clock.advance(1)
            return {}

        jobs.register(JobKind("settle", (("one", note), ("two", note))))
        for name in ("a", "b"):
            jobs.enqueue("settle", name, {"name": name})
        assert worker.run_once()
        assert order == ["a"]
        worker.run_until_idle()
        assert order == ["a", "b", "a", "b"]
        assert not worker.run_once()

    def test_a_step_cannot_change_what_earlier_steps_left(self, jobs: Any, worker: JobWorker) -> None:
        def change(data: Any, _context: Any) -> dict[str, Any]:
            data["a"] = 2
            return {}

        jobs.register(one_step(change))
        jobs.enqueue("settle", "k", {"a": 1})
        worker.run_until_idle()
        assert jobs.get("k").state == "failed"
        assert jobs.get("k").data == {"a": 1}

    def test_waiting_for_the_world_is_no_failure(
        self, jobs: Any, worker: JobWorker, clock: ManualClock
    ) -> None:
        step = Answers(WaitFor(30, "round 1 is still collecting"), {"ok": True})
        jobs.register(one_step(step))
        jobs.enqueue("settle", "k", {})
        assert worker.run_until_idle() == 1
        job = jobs.get("k")
        assert (job.state, job.attempts, job.note) == ("waiting", 0, "round 1 is still collecting")
        assert job.not_before == clock.now() + 30
        clock.advance(29.9)
        assert worker.run_until_idle() == 0
        clock.advance(0.2)
        assert worker.run_until_idle() == 1
        assert jobs.get("k").state == "done"

    def test_starting_over_forgets_what_the_steps_left(
        self, jobs: Any, worker: JobWorker, clock: ManualClock
    ) -> None:
        read = Answers({"round": 1}, {"round": 2})
        commit = Answers(StartOver(2, "the round was full"), {"seat": 0})
        jobs.register(JobKind("contribute", (("read", read), ("commit", commit))))
        jobs.enqueue("contribute", "k", {"model": 7})
        worker.run_until_idle()
        job = jobs.get("k")
        assert (job.state, job.step, job.data, job.attempts) == ("waiting", 0, {"model": 7}, 0)
        assert (job.note, job.not_before) == ("the round was full", clock.now() + 2)
        clock.advance(2)
        worker.run_until_idle()
        assert read.seen == [{"model": 7}, {"model": 7}]
        assert jobs.get("k").data == {"model": 7, "round": 2, "seat": 0}

    def test_what_is_away_is_tried_again_without_end_after_pauses_up_to_a_minute(
        self, jobs: Any, worker: JobWorker, clock: ManualClock
    ) -> None:
        jobs.register(one_step(Answers(Unavailable("The chain cannot be reached."))))
        jobs.enqueue("settle", "k", {})
        pauses = []
        for _ in range(10):
            assert worker.run_until_idle() == 1
            job = jobs.get("k")
            assert (job.state, job.note) == ("waiting", "The chain cannot be reached.")
            pauses.append(job.not_before - clock.now())
            clock.advance(pauses[-1])
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
        assert jobs.get("k").attempts == 10

    def test_failures_are_counted_for_each_step_anew(
        self, jobs: Any, worker: JobWorker, clock: ManualClock
    ) -> None:
        jobs.register(
            JobKind("settle", (("a", Answers(Unavailable("away"), {})), ("b", Answers(Unavailable("away")))))
        )
        jobs.enqueue("settle", "k", {})
        worker.run_until_idle()
        clock.advance(1)
        worker.run_until_idle()
        job = jobs.get("k")
        assert (job.step, job.attempts, job.not_before) == (1, 1, clock.now() + 1)

    def test_a_locked_account_is_waited_for(self, jobs: Any, worker: JobWorker, clock: ManualClock) -> None:
        jobs.register(one_step(Answers(Locked("The account is locked."), {})))
        jobs.enqueue("settle", "k", {})
        worker.run_until_idle()
        job = jobs.get("k")
        assert (job.state, job.note, job.attempts) == ("waiting", "The account is locked.", 0)
        clock.advance(2)
        worker.run_until_idle()
        assert jobs.get("k").state == "done"

    def test_a_broken_rule_fails_the_job_with_its_sentence_until_it_is_retried(
        self, jobs: Any, worker: JobWorker, clock: ManualClock
    ) -> None:
        before, step = Answers({"a": 1}), Answers(RuleBroken("The round is settled."), {"b": 2})
        jobs.register(JobKind("settle", (("read", before), ("send", step))))
        jobs.enqueue("settle", "k", {})
        worker.run_until_idle()
        job = jobs.get("k")
        assert (job.state, job.step, job.failure) == ("failed", 1, "The round is settled.")
        clock.advance(10_000)
        assert worker.run_until_idle() == 0
        retried = jobs.retry("k")
        assert (retried.state, retried.failure, retried.not_before) == ("waiting", "", clock.now())
        worker.run_until_idle()
        assert jobs.get("k").data == {"a": 1, "b": 2}
        assert len(before.seen) == 1

    def test_a_pause_can_be_cut_short(self, jobs: Any, worker: JobWorker) -> None:
        jobs.register(one_step(Answers(WaitFor(3600), {})))
        jobs.enqueue("settle", "k", {})
        worker.run_until_idle()
        jobs.retry("k")
        worker.run_until_idle()
        assert jobs.get("k").state == "done"

    def test_a_fault_fails_the_job_and_neither_page_nor_log_quotes_it(
        self, jobs: Any, worker: JobWorker, caplog: pytest.LogCaptureFixture
    ) -> None:
        def leak(data: Any, _context: Any) -> dict[str, Any]:
            try:
                raise KeyError(data["key"])
            except KeyError as error:
                raise ValueError(f"bad key {data['key']}") from error

        jobs.register(one_step(leak))
        jobs.enqueue("settle", "k", {"key": "0xsecret"})
        with caplog.at_level(logging.DEBUG):
            worker.run_until_idle()
        job = jobs.get("k")
        assert job.state == "failed"
        assert "'score' (ValueError)" in job.failure
        assert "secret" not in job.failure + job.note
        assert "builtins.ValueError" in caplog.text
        assert "builtins.KeyError" in caplog.text
        assert "in leak" in caplog.text
        assert "0xsecret" not in caplog.text

    @pytest.mark.parametrize("answer", [None, ["a"], {"a": b"bytes"}, {"a": float("nan")}])
    def test_an_answer_that_is_not_json_fails_the_job(
        self, jobs: Any, worker: JobWorker, answer: Any
    ) -> None:
        jobs.register(one_step(Answers(answer)))
        jobs.enqueue("settle", "k", {"n": 1})
        worker.run_until_idle()
        job = jobs.get("k")
        assert (job.state, job.step, job.data) == ("failed", 0, {"n": 1})

    def test_progress_is_shown_while_a_step_runs(self, jobs: Any, worker: JobWorker) -> None:
        shown: list[tuple[str, float, str]] = []

        def report(_data: Any, context: Any) -> dict[str, Any]:
            for fraction, note in [(0.25, "encrypting"), (0.251, ""), (0.5, ""), (7.0, "done"), (-1.0, "")]:
                context.progress(fraction, note)
                job = jobs.get("k")
                shown.append((job.state, job.progress, job.note))
            return {}

        jobs.register(one_step(report))
        jobs.enqueue("settle", "k", {})
        worker.run_until_idle()
        assert shown == [
            ("running", 0.25, "encrypting"),
            ("running", 0.25, "encrypting"),
            ("running", 0.5, "encrypting"),
            ("running", 1.0, "done"),
            ("running", 0.0, "done"),
        ]
        assert (jobs.get("k").progress, jobs.get("k").note) == (0.0, "")

    def test_a_job_of_an_older_version_is_not_guessed_at(self, jobs: Any, worker: JobWorker) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "k", {})
        jobs.register(JobKind("settle", (("another", Answers({})),)))
        worker.run_until_idle()
        assert "another version" in jobs.get("k").failure


class TestLeases:
    def test_a_job_in_hand_is_not_taken_twice(self, jobs: Any, clock: ManualClock) -> None:
        jobs.register(one_step(Answers({})))
        jobs.enqueue("settle", "k", {})
        assert jobs.claim("first", LEASE_S).state == "running"
        clock.advance(LEASE_S - 1)
        assert jobs.claim("second", LEASE_S) is None

    def test_a_job_whose_worker_died_is_taken_up_when_its_lease_ends(
        self, jobs: Any, clock: ManualClock
    ) -> None:
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
    def test_its_job_goes_on_at_the_step_it_was_in_as_soon_as_the_app_is_started_again(
        self, tmp_path: Path
    ) -> None:
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
