"""The lender's model keys."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chain_common.errors import BadInput
from chain_common.web.as_json import as_json
from chain_common.web.forms import uploaded
from chain_common.web.pages import go, wants_json
from company_app import forms, presenters
from company_app.parts import lender

blueprint = Blueprint("keys", __name__)


def keys_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render the keys and the forms that back them up."""
    keys = lender().keys.views()
    failed = (request.view_args or {}).get("draft_id", "")
    table = presenters.keys_table(keys)
    return render_template("keys.html", view=keys, keys=table, problems=problems, failed=failed)


@blueprint.get("/keys")
def all_keys() -> ResponseReturnValue:
    """Show the model keys' fingerprints."""
    return {"keys": as_json(lender().keys.views())} if wants_json() else keys_page()


@blueprint.post("/keys/<draft_id>/backup")
def back_up(draft_id: str) -> ResponseReturnValue:
    """Give a model key as a file encrypted with a password of its own."""
    backup = lender().backups.make(draft_id, forms.read_backup_password(request.form))
    named = {"Content-Disposition": f'attachment; filename="chain-model-key-{draft_id}.backup"'}
    return Response(backup, mimetype="application/octet-stream", headers=named)


@blueprint.post("/keys/restore")
def restore() -> ResponseReturnValue:
    """Put a model's backup into this vault."""
    source, _ = uploaded(request.files, wanted="A backup file is needed.")
    title = lender().backups.restore(source.read(), request.form.get("password", ""))
    return go(url_for("keys.all_keys"), f"“{title}” is restored.")
