"""The page kit: what both apps share, put into a Flask app by :func:`install`.

Layout, macros, style sheets and charts; the way in; security headers, host names and form tokens; error pages. The kit
knows ports, never services: an app hands it a function that tells the vitals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from flask import Blueprint, Flask, current_app, g, jsonify
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined

from chain_common.errors import ChainError
from chain_common.ports import Clock, Keyring
from chain_common.web import doors, error_pages, forms, inline, model_parts, security, text
from chain_common.web.error_pages import ErrorWords
from chain_common.web.pages import MemoryRequest

AppName = Literal["lender", "data-owner"]
ROLES: dict[str, str] = {"lender": "Lender", "data-owner": "Data owner"}

UPLOAD_LIMIT_BYTES = 64 * 1024 * 1024  # about 60,000 rows of Lending Club's 111 columns

AWAY_S = 5.0  # for so long a chain or store that was away is not asked again for the masthead


class VitalsView(Protocol):
    """What the masthead shows of the world; :class:`chain_common.services.views.Vitals` is one."""

    @property
    def chain_reached(self) -> bool:
        """Whether the chain answered."""

    @property
    def block(self) -> int:
        """The newest block's number."""

    @property
    def store_reached(self) -> bool:
        """Whether the content store answered."""

    @property
    def account(self) -> str:
        """The account's address."""

    @property
    def balance_wei(self) -> int:
        """The account's ether."""


@dataclass(slots=True)
class Away:
    """Remembers for a while that chain or store was away."""

    seen: VitalsView | None = None
    until: float = 0.0

    def keep(self, seen: VitalsView, now: float) -> None:
        """Remember vitals that were read just now."""
        self.seen, self.until = seen, now + AWAY_S

    def known(self, now: float) -> VitalsView | None:
        """Return what is remembered, if it is recent."""
        return self.seen if now < self.until else None


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place of the main navigation; ``key`` is what a template names to be there."""

    key: str
    label: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Kit:
    """What an app brings to its pages.

    ``hosts`` are names besides the loopback ones that the app answers under; ``promise`` is the footer's sentence on
    what stays on this machine; ``secret_key`` signs the session cookie and is kept by the container.
    """

    app_name: AppName
    keyring: Keyring
    clock: Clock
    read_vitals: Callable[[], VitalsView]
    secret_key: bytes
    nav: tuple[NavItem, ...]
    words: ErrorWords
    promise: str
    hosts: tuple[str, ...] = ()
    upload_limit_bytes: int = UPLOAD_LIMIT_BYTES
    away: Away = field(default_factory=Away)

    def vitals(self) -> VitalsView | None:
        """Return the vitals, read once per request; ``None`` if they cannot be read at all.

        What was away is not asked again for some seconds, or every page would wait for it twice.
        """
        if "vitals" not in g:
            g.vitals = self.away.known(self.clock.now()) or self._read()
        found: VitalsView | None = g.vitals
        return found

    def _read(self) -> VitalsView | None:
        try:
            seen = self.read_vitals()
        except ChainError:
            return None
        if not (seen.chain_reached and seen.store_reached):
            self.away.keep(seen, self.clock.now())
        return seen


blueprint = Blueprint("kit", __name__, template_folder="templates", static_folder="static", static_url_path="/static")


def install(app: Flask, kit: Kit) -> None:
    """Give an app the shared pages and rules. Called once, before the app's own blueprints are registered."""
    app.request_class = MemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = kit.upload_limit_bytes
    app.extensions["chain-kit"] = kit
    security.set_cookies(app, kit.app_name, kit.secret_key)
    security.guard_hosts(app, kit.hosts)
    app.register_blueprint(blueprint)
    doors.install(app, kit.keyring, kit.clock, kit.secret_key)
    CSRFProtect(app)
    security.add_headers(app)
    error_pages.install(app, kit.words)
    _teach_templates(app, kit)


def _teach_templates(app: Flask, kit: Kit) -> None:
    """Register the filters, globals and the context that every template sees."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    filters: dict[str, Callable[..., object]] = {
        "money": inline.money,
        "money_whole": inline.money_whole,
        "hash": inline.whole_hash,
        "when": inline.when,
        "code": inline.code,
        "codes": inline.codes,
        "ether": text.ether,
        "ether_exact": text.ether_exact,
        "day": inline.on_day,
        "clock_time": text.clock_time,
        "duration": text.duration,
        "span": forms.write_duration,
        "countdown": text.countdown,
        "percent": text.percent,
        "share": text.share,
        "digits": text.digits,
        "count": text.count,
        "short": text.short,
        "size": text.size,
        "words": text.words,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(
        badge=inline.badge, link=inline.link, plural=text.plural, model_badge=model_parts.badge
    )

    @app.context_processor
    def layout_context() -> dict[str, object]:
        is_in = doors.door().is_in()
        return {
            "app_name": kit.app_name,
            "role": ROLES[kit.app_name],
            "nav": kit.nav if is_in else (),
            "promise": kit.promise,
            "is_in": is_in,
            "vitals": kit.vitals() if is_in else None,
            "now": kit.clock.now(),
        }


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the app runs and what it reaches; nothing about its user."""
    kit = current_app.extensions["chain-kit"]
    vitals = kit.vitals()
    reached = {"chain": bool(vitals and vitals.chain_reached), "store": bool(vitals and vitals.store_reached)}
    return jsonify({"ok": True, "app": kit.app_name, **reached})


def serve(app: Flask, host: str, port: int) -> None:
    """Serve an app with waitress until the process ends. Uploads stay in memory, whatever their size."""
    from waitress import serve as waitress_serve

    limit = int(app.config["MAX_CONTENT_LENGTH"])
    # The app answers 413 with its own page, so the server takes a little more than the app will.
    waitress_serve(app, host=host, port=port, threads=8, inbuf_overflow=2 * limit, max_request_body_size=2 * limit)
