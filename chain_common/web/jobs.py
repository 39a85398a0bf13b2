"""Pages of work that outlives a request: how far it is, and trying a failed step again."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, current_app, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from chain_common.ports import Job, Jobs
from chain_common.services.job_views import job_view
from chain_common.web.doors import safe_path
from chain_common.web.pages import go, page, wants_json

LOOK_AGAIN_S = 3

blueprint = Blueprint("jobs", __name__)


def install(app: Flask, jobs: Callable[[], Jobs]) -> None:
    """Give an app the pages of its jobs."""
    app.extensions["chain-jobs"] = jobs
    app.register_blueprint(blueprint)


def find(key: str) -> Job:
    """Return a job; an unknown key is an unknown page."""
    jobs: Jobs = current_app.extensions["chain-jobs"]()
    job = jobs.get(key)
    if job is None:
        raise NotFound
    return job


def follow(job: Job, back: str) -> ResponseReturnValue:
    """Send the browser to a job's page; when the job is done, it goes on to ``back``."""
    return go(url_for("jobs.show", key=job.key, back=back))


def looks_again() -> bool:
    """Tell whether the page asks by itself, so that it may be led on."""
    return "again" in request.args and not wants_json()


def back_of() -> str:
    """Return the page to go on to, of this site."""
    return safe_path(request.args.get("back", "/"))


@blueprint.get("/jobs/<key>")
def show(key: str) -> ResponseReturnValue:
    """Show how far a job is; a page that looks again by itself goes on when the job is done."""
    view = job_view(find(key))
    if view.state == "done" and looks_again():
        return go(back_of(), f"Done: {view.title}.")
    again = url_for("jobs.show", key=key, back=back_of(), again=1)
    return page("kit/job.html", view, back=back_of(), again=again, refresh_s=LOOK_AGAIN_S)


@blueprint.post("/jobs/<key>/retry")
def retry(key: str) -> ResponseReturnValue:
    """Try the step a job failed in once more."""
    jobs: Jobs = current_app.extensions["chain-jobs"]()
    return follow(jobs.retry(find(key).key), back_of())
