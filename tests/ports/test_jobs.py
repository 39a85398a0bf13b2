"""What every table of jobs promises together with the worker."""

import logging
from typing import Any

import pytest

from chain_common.adapters.job_worker import JobWorker
from chain_common.adapters.memory import ManualClock
from chain_common.errors import BadInput, Locked, RuleBroken, Unavailable
from chain_common.ports import JobKind, StartOver, WaitFor
from chain_common.state_errors import JobBusy, UnknownJob
from tests.ports.job_steps import Answers, one_step

LEASE_S = 60.0


@pytest.fixture
def worker(jobs: Any, clock: ManualClock) -> JobWorker:
    return JobWorker(jobs, clock, lease_s=LEASE_S)


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

    def test_a_waiting_or_failed_job_can_be_cancelled_and_queued_anew(self, jobs: Any, worker: JobWorker) -> None:
        jobs.register(one_step(Answers(BadInput("no"))))
        jobs.enqueue("settle", "k", {"n": 1})
        jobs.cancel("k")
        assert jobs.get("k") is None
        assert jobs.enqueue("settle", "k", {"n": 2}).data == {"n": 2}
        worker.run_until_idle()
        jobs.cancel("k")
        jobs.cancel("k")
        assert jobs.all() == []

    def test_a_running_or_finished_job_cannot_be_cancelled_or_retried(self, jobs: Any, worker: JobWorker) -> None:
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

    def test_waiting_for_the_world_is_no_failure(self, jobs: Any, worker: JobWorker, clock: ManualClock) -> None:
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

    def test_starting_over_forgets_what_the_steps_left(self, jobs: Any, worker: JobWorker, clock: ManualClock) -> None:
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

    def test_failures_are_counted_for_each_step_anew(self, jobs: Any, worker: JobWorker, clock: ManualClock) -> None:
        jobs.register(JobKind("settle", (("a", Answers(Unavailable("away"), {})), ("b", Answers(Unavailable("away"))))))
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
    def test_an_answer_that_is_not_json_fails_the_job(self, jobs: Any, worker: JobWorker, answer: Any) -> None:
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
