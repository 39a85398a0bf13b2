"""What keeps strangers out of an app on the user's own machine: host names, headers, cookies.

A page open in the same browser can make requests to ``127.0.0.1``; the host allow-list stops it from reading answers
under a name of its own (DNS rebinding), the cookie's ``SameSite`` and the form token stop it from acting.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

_PORT = re.compile(r":\d{1,5}\Z")


def host_name(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    return _PORT.sub("", host).lower()


def guard_hosts(app: Flask, allowed: Collection[str]) -> None:
    """Answer only under the loopback names and those the user configured."""
    names = LOOPBACK_HOSTS | {name.lower() for name in allowed}

    @app.before_request
    def refuse_foreign_host() -> ResponseReturnValue | None:
        if host_name(request.headers.get("Host", "")) in names:
            return None
        words = "This app answers only under the address it was started with, such as http://127.0.0.1.\n"
        return Response(words, status=421, mimetype="text/plain")


def add_headers(app: Flask) -> None:
    """Set the security headers on every answer; pages are not kept by caches."""

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint == "kit.static":
            response.headers["Cache-Control"] = "public, max-age=3600"
        else:
            response.headers["Cache-Control"] = "no-store"
        return response


def set_cookies(app: Flask, name: str, secret_key: bytes) -> None:
    """Sign the session cookie and give it a name of the app's own: cookies are shared by all ports of a host."""
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME=f"chain_{name.replace('-', '_')}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,
    )
