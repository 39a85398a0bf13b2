"""How a handler answers: a page for a person, the same view as JSON for a program, or a way on."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from flask import Request, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from chain_common.web.as_json import as_json


class MemoryRequest(Request):
    """A request whose uploads stay in memory: werkzeug would spool them to disk, where no row may be."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> BinaryIO:
        return BytesIO()


def wants_json() -> bool:
    """Tell whether the client asks for JSON before a page."""
    accepts = request.accept_mimetypes
    return accepts["application/json"] > accepts["text/html"]


def page(template: str, view: object, *, seen: str = "", **context: object) -> ResponseReturnValue:
    """Answer with a page, or with its view when JSON is asked for.

    ``seen`` names the state of what the page shows. A page that looks again by itself sends the name it has; when the
    name has changed, the browser is told to load the whole page anew, and otherwise only its live region is replaced.
    """
    if wants_json():
        return jsonify(as_json(view))
    html = render_template(template, view=view, seen=seen, **context)
    polled = request.headers.get("HX-Request") == "true"
    if polled and seen and request.args.get("seen", seen) != seen:
        return html, 200, {"HX-Refresh": "true"}
    return html


def go(url: str, said: str = "") -> Response:
    """Send the browser on with GET; ``said`` is shown once on the next page."""
    if said:
        flash(said)
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, 303)
