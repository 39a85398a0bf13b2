"""The data owner's account."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from chain_common.web import jobs
from chain_common.web.event_words import timeline
from chain_common.web.pages import page
from data_owner_app.parts import data_owner

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
def show() -> ResponseReturnValue:
    """Show balance, credit and withdrawals."""
    view = data_owner().account.view()
    return page("kit/account.html", view, withdrawals=timeline(view.withdrawals))


@blueprint.post("/account/withdraw")
def withdraw() -> ResponseReturnValue:
    """Pay the credit out."""
    return jobs.follow(data_owner().account.withdraw(), url_for("account.show"))
