"""The data owner's app: find a bounty, contribute, be paid."""

from __future__ import annotations

from flask import Flask

from chain_common.web import jobs, kit
from chain_common.web.kit import Kit, NavItem
from data_owner_app import error_pages
from data_owner_app.blueprints import account, contributions, models
from data_owner_app.parts import Parts

NAV = (
    NavItem("market", "Market", "models.market"),
    NavItem("contributions", "My contributions", "contributions.mine"),
    NavItem("account", "Account", "account.show"),
)


def create_app(parts: Parts) -> Flask:
    """Make the data owner's app from what its container has built."""
    app = Flask(__name__, static_folder=None)
    app.extensions["data-owner-parts"] = parts
    kit.install(
        app,
        Kit(
            app_name="data-owner",
            keyring=parts.keyring,
            clock=parts.clock,
            read_vitals=parts.data_owner.account.vitals,
            secret_key=parts.secret_key,
            nav=NAV,
            words=error_pages.WORDS,
            promise="Runs on this machine only. Your rows stay in memory and are never written to disk.",
            hosts=parts.hosts,
            upload_limit_bytes=parts.upload_limit_bytes,
        ),
    )
    jobs.install(app, lambda: parts.data_owner.world.jobs)
    for module in (models, contributions, account):
        app.register_blueprint(module.blueprint)
    return app
