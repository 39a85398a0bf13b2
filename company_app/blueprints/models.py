"""Overview and model pages, and what a lender does with a model."""

from __future__ import annotations

import secrets

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chain_common.errors import BadInput
from chain_common.web import jobs
from chain_common.web.as_json import as_json
from chain_common.web.model_parts import model_parts, seen
from chain_common.web.pages import page, wants_json
from company_app import forms, presenters
from company_app.parts import lender

blueprint = Blueprint("models", __name__)


@blueprint.get("/")
def overview() -> ResponseReturnValue:
    """Show open models, what waits for the lender and what is running."""
    view = lender().models.overview()
    to_do, sparks = presenters.to_do(view), presenters.sparks_of(view.models)
    return page("overview.html", view, to_do=to_do, sparks=sparks, seen=presenters.overview_seen(view))


@blueprint.get("/models")
def all_models() -> ResponseReturnValue:
    """List the lender's models."""
    cards = lender().models.cards()
    return page("models.html", {"models": cards}, sparks=presenters.sparks_of(cards))


@blueprint.get("/models/<int:model_id>")
def show(model_id: int) -> ResponseReturnValue:
    """Show a model."""
    view = lender().models.view(model_id)
    return page("model.html", view, parts=model_parts(view), seen=seen(view))


@blueprint.get("/models/<int:model_id>/end")
def confirm_end(model_id: int) -> ResponseReturnValue:
    """Say what ending means before it is done."""
    view = lender().models.view(model_id)
    return page("end.html", view, parts=model_parts(view))


@blueprint.post("/models/<int:model_id>/end")
def end(model_id: int) -> ResponseReturnValue:
    """End training."""
    return jobs.follow(lender().models.end(model_id), url_for("models.show", model_id=model_id))


@blueprint.post("/models/<int:model_id>/reclaim")
def reclaim(model_id: int) -> ResponseReturnValue:
    """Take back what is left."""
    return jobs.follow(lender().models.reclaim(model_id), url_for("models.show", model_id=model_id))


@blueprint.post("/models/<int:model_id>/fail-round")
def fail_round(model_id: int) -> ResponseReturnValue:
    """Fail an overdue round."""
    return jobs.follow(lender().models.fail_round(model_id), url_for("models.show", model_id=model_id))


def top_up_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render the page that adds to a bounty."""
    model_id = (request.view_args or {})["model_id"]
    view = lender().models.view(model_id)
    once = request.form.get("once") or secrets.token_hex(8)
    given = {"bounty_eth": request.form.get("bounty_eth", "0.5"), "once": once}
    return render_template("top_up.html", view=view, parts=model_parts(view), problems=problems, given=given)


@blueprint.get("/models/<int:model_id>/top-up")
def choose_top_up(model_id: int) -> ResponseReturnValue:
    """Ask how much to add to a bounty."""
    return jsonify(as_json(lender().models.view(model_id))) if wants_json() else top_up_page()


@blueprint.post("/models/<int:model_id>/top-up")
def top_up(model_id: int) -> ResponseReturnValue:
    """Add to a bounty."""
    once = request.form.get("once", "")[:32]
    job = lender().models.top_up(model_id, forms.read_top_up(request.form), once=once)
    return jobs.follow(job, url_for("models.show", model_id=model_id))
