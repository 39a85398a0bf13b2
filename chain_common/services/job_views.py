"""Jobs as pages show them."""

from __future__ import annotations

from collections.abc import Iterable

from chain_common.ports import Job
from chain_common.services.views import JobView, StepView


def job_view(job: Job) -> JobView:
    """Describe a job step by step."""
    steps = []
    for position, name in enumerate(job.steps):
        if position < job.step or job.state == "done":
            steps.append(StepView(name, "done", 1.0))
        elif position == job.step and job.state == "failed":
            steps.append(StepView(name, "failed", job.progress, job.failure))
        elif position == job.step:
            steps.append(StepView(name, "running", job.progress, job.note))
        else:
            steps.append(StepView(name, "waiting", 0.0))
    return JobView(
        key=job.key,
        title=str(job.data.get("title", job.kind)),
        state=job.state,
        steps=tuple(steps),
        note=job.note,
        failure=job.failure,
        can_retry=job.state == "failed",
    )


def job_views(jobs: Iterable[Job]) -> tuple[JobView, ...]:
    """Describe jobs in the order given."""
    return tuple(job_view(job) for job in jobs)
