"""The lender's account."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from chain_common.web import jobs
from chain_common.web.event_words import timeline
from chain_common.web.pages import page
from company_app.parts import lender

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
def show() -> ResponseReturnValue:
    """Show balance, credit and withdrawals."""
    view = lender().account.view()
    return page("kit/account.html", view, withdrawals=timeline(view.withdrawals))


@blueprint.post("/account/withdraw")
def withdraw() -> ResponseReturnValue:
    """Pay the credit out."""
    return jobs.follow(lender().account.withdraw(), url_for("account.show"))
