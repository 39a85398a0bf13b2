"""The lender's app: post a bounty, watch its rounds settle, take back what is left."""

from __future__ import annotations

from flask import Flask

from chain_common.web import jobs, kit
from chain_common.web.kit import Kit, NavItem
from company_app import error_pages
from company_app.blueprints import account, bounties, keys, models
from company_app.parts import Parts

NAV = (
    NavItem("overview", "Overview", "models.overview"),
    NavItem("new", "New bounty", "bounties.choose_file"),
    NavItem("models", "Models", "models.all_models"),
    NavItem("keys", "Keys", "keys.all_keys"),
    NavItem("account", "Account", "account.show"),
)


def create_app(parts: Parts) -> Flask:
    """Make the lender's app from what its container has built."""
    app = Flask(__name__, static_folder=None)
    app.extensions["lender-parts"] = parts
    kit.install(
        app,
        Kit(
            app_name="lender",
            keyring=parts.keyring,
            clock=parts.clock,
            read_vitals=parts.lender.account.vitals,
            secret_key=parts.secret_key,
            nav=NAV,
            words=error_pages.WORDS,
            promise="Runs on this machine only. Your validation rows and your keys stay here, encrypted.",
            hosts=parts.hosts,
            upload_limit_bytes=parts.upload_limit_bytes,
        ),
    )
    jobs.install(app, lambda: parts.lender.world.jobs)
    for module in (models, bounties, account, keys):
        app.register_blueprint(module.blueprint)
    return app
