"""Contributing a file, and what became of it."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chain_common.errors import BadInput
from chain_common.web import jobs, report_parts
from chain_common.web.forms import uploaded
from chain_common.web.pages import go, page, wants_json
from data_owner_app import forms, presenters
from data_owner_app.parts import data_owner

blueprint = Blueprint("contributions", __name__)


def file_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render the page that asks for a file for one model."""
    view = data_owner().market.view((request.view_args or {})["model_id"])
    return render_template("contribute.html", view=view, problems=problems)


@blueprint.get("/models/<int:model_id>/contribute")
def choose_file(model_id: int) -> ResponseReturnValue:
    """Ask for the file."""
    return page("contribute.html", data_owner().market.view(model_id), problems=())


@blueprint.post("/models/<int:model_id>/contribute")
def read_file(model_id: int) -> ResponseReturnValue:
    """Read the file; nothing of it leaves this machine or reaches its disk."""
    source, filename = uploaded(request.files)
    draft_id = data_owner().files.read(model_id, source, filename=filename)
    return go(url_for("contributions.draft", draft_id=draft_id))


def draft_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render what was read, what the lender could learn, and what it costs."""
    view = data_owner().files.draft((request.view_args or {})["draft_id"])
    return render_template(
        "contribution_draft.html",
        view=view,
        problems=problems,
        tables=report_parts.tables(view.report, view.columns, view.known_later),
        written=report_parts.written(view.report),
        costs=presenters.costs(view),
    )


@blueprint.get("/contributions/new/<draft_id>")
def draft(draft_id: str) -> ResponseReturnValue:
    """Show what was read and ask for the decision."""
    return page("contribution_draft.html", data_owner().files.draft(draft_id)) if wants_json() else draft_page()


@blueprint.post("/contributions/new/<draft_id>")
def confirm(draft_id: str) -> ResponseReturnValue:
    """Compute and send the contribution."""
    acknowledged = forms.read_confirmation(request.form)
    contribution_id = data_owner().contributing.confirm(draft_id, acknowledge_no_noise=acknowledged)
    return go(url_for("contributions.one", contribution_id=contribution_id))


@blueprint.post("/contributions/new/<draft_id>/discard")
def discard(draft_id: str) -> ResponseReturnValue:
    """Forget a file that was read."""
    data_owner().files.discard(draft_id)
    return go(url_for("models.market"), "The file is forgotten. Nothing was sent.")


@blueprint.get("/contributions")
def mine() -> ResponseReturnValue:
    """List my contributions."""
    view = data_owner().contributions.view()
    return page("contributions.html", view, table=presenters.contributions_table(view.contributions))


@blueprint.get("/contributions/<contribution_id>")
def one(contribution_id: str) -> ResponseReturnValue:
    """Show a contribution: its progress, its receipt, what it earned."""
    view = data_owner().contributions.one(contribution_id)
    parts = {"badge": presenters.state_badge(view), "receipt": presenters.receipt(view)}
    return page("contribution.html", view, seen=presenters.seen(view), amounts=presenters.amounts(view), **parts)


@blueprint.post("/contributions/<contribution_id>/claim")
def claim(contribution_id: str) -> ResponseReturnValue:
    """Move what is due into the account's credit."""
    job = data_owner().contributions.claim(contribution_id)
    return jobs.follow(job, url_for("contributions.one", contribution_id=contribution_id))
