"""The market and the models in it."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from chain_common.web import jobs
from chain_common.web.model_parts import model_parts, seen
from chain_common.web.pages import page
from data_owner_app import presenters
from data_owner_app.parts import data_owner

blueprint = Blueprint("models", __name__)


@blueprint.get("/")
def market() -> ResponseReturnValue:
    """Show the models one can contribute to."""
    cards = data_owner().market.cards()
    open_models, others = presenters.split_market(cards)
    return page("market.html", {"models": cards}, open_models=open_models, others=others, spark=presenters.spark_of)


@blueprint.get("/models/<int:model_id>")
def show(model_id: int) -> ResponseReturnValue:
    """Show a model: what it asks for, what it pays, and what has happened."""
    view = data_owner().market.view(model_id)
    return page("model.html", view, parts=model_parts(view), seen=seen(view))


@blueprint.post("/models/<int:model_id>/fail-round")
def fail_round(model_id: int) -> ResponseReturnValue:
    """Fail an overdue round."""
    return jobs.follow(data_owner().market.fail_round(model_id), url_for("models.show", model_id=model_id))
