"""A new bounty: file, terms, review, posted."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chain_common.errors import BadInput
from chain_common.services.job_views import job_view
from chain_common.web import jobs, report_parts
from chain_common.web.forms import uploaded
from chain_common.web.pages import go, page, wants_json
from company_app import forms, presenters
from company_app.parts import lender

blueprint = Blueprint("bounties", __name__)


def file_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render the page that asks for the validation file."""
    presets = lender().bounties.preset_names()
    return render_template(
        "bounty_file.html", presets=presets, problems=problems, chosen=request.form.get("preset", "")
    )


@blueprint.get("/bounties/new")
def choose_file() -> ResponseReturnValue:
    """Ask for the validation file and the preset."""
    return {"presets": lender().bounties.preset_names()} if wants_json() else file_page()


@blueprint.post("/bounties/new")
def read_file() -> ResponseReturnValue:
    """Read the validation file."""
    source, filename = uploaded(request.files)
    draft_id = lender().bounties.read_file(source, filename=filename, preset=request.form.get("preset", ""))
    return go(url_for("bounties.terms", draft_id=draft_id))


def terms_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render what was read and the form of terms."""
    view = lender().bounties.draft((request.view_args or {})["draft_id"])
    return render_template(
        "bounty_terms.html",
        view=view,
        problems=problems,
        given=forms.terms_given(view, request.form),
        tables=report_parts.tables(view.report, view.columns, view.known_later),
        written=report_parts.written(view.report),
        scores_line=presenters.scores_line,
    )


@blueprint.get("/bounties/<draft_id>/terms")
def terms(draft_id: str) -> ResponseReturnValue:
    """Show what was read and ask for the terms."""
    return page("bounty_terms.html", lender().bounties.draft(draft_id)) if wants_json() else terms_page()


@blueprint.post("/bounties/<draft_id>/terms")
def choose_terms(draft_id: str) -> ResponseReturnValue:
    """Keep the terms."""
    draft = lender().bounties.draft(draft_id)
    lender().bounties.choose(draft_id, forms.read_terms(draft, request.form))
    return go(url_for("bounties.review", draft_id=draft_id))


@blueprint.get("/bounties/<draft_id>/review")
def review(draft_id: str) -> ResponseReturnValue:
    """Show everything once more before money moves."""
    view = lender().bounties.review(draft_id)
    amounts, rules = presenters.amounts(view), presenters.review_rules(view)
    return page("bounty_review.html", view, amounts=amounts, rules=rules)


@blueprint.post("/bounties/<draft_id>/publish")
def publish(draft_id: str) -> ResponseReturnValue:
    """Post the bounty."""
    lender().bounties.publish(draft_id)
    return go(url_for("bounties.publishing", draft_id=draft_id))


@blueprint.get("/bounties/<draft_id>/publishing")
def publishing(draft_id: str) -> ResponseReturnValue:
    """Show how far posting is; a page that looks again by itself goes on to the model when it is done."""
    job = jobs.find(lender().bounties.publish_key(draft_id))
    model_id = job.data.get("model_id")
    if job.state == "done" and jobs.looks_again():
        return go(url_for("models.show", model_id=model_id), "The bounty is posted.")
    view, again = (
        {"job": job_view(job), "model_id": model_id},
        url_for(".publishing", draft_id=draft_id, again=1),
    )
    return page("publishing.html", view, draft_id=draft_id, again=again, refresh_s=jobs.LOOK_AGAIN_S)


@blueprint.post("/bounties/<draft_id>/discard")
def discard(draft_id: str) -> ResponseReturnValue:
    """Forget a draft and its rows."""
    lender().bounties.discard(draft_id)
    return go(url_for("models.overview"), "The draft and its rows are deleted.")
