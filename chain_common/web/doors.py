"""The way in: make an account on first run, unlock it, lock it again.

The account and the secrets are open or locked for the whole app; the session cookie says which browser gave the
password. Every page but these needs both. The cookie carries the name of this opening, so locking ends all sessions.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from threading import Lock

from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from chain_common.errors import BadInput, Locked
from chain_common.ports import Clock, Keyring
from chain_common.web.forms import FormReader
from chain_common.web.pages import go

LEAST_PASSWORD = 8
FREE_ATTEMPTS = 2
LONGEST_DELAY_S = 60

_OPEN = frozenset({"door.setup", "door.make", "door.unlock", "door.open_up", "kit.static", "kit.healthz"})

blueprint = Blueprint("door", __name__)


class TooManyAttempts(Locked):
    """Passwords are tried too fast; ``seconds`` is how long to wait."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, round(seconds))
        super().__init__("Too many wrong passwords.", do=f"Try again in {self.seconds} s.")


class Door:
    """Which opening is current, and how fast passwords may be tried."""

    def __init__(self, keyring: Keyring, clock: Clock, secret_key: bytes) -> None:
        self.keyring = keyring
        self._clock = clock
        self._lock = Lock()
        # The same after a restart, which shall log nobody out; the keys themselves have to be unlocked again.
        self._opening = sha256(b"chain/opening" + secret_key).hexdigest()
        self._tries = 0
        self._not_before = 0.0

    def count_attempt(self) -> None:
        """Count a password before it is tried, so that attempts at the same time count too.

        Raises
        ------
        TooManyAttempts
            After two free attempts each one costs a delay that doubles, up to a minute.
        """
        with self._lock:
            now = self._clock.now()
            if now < self._not_before:
                raise TooManyAttempts(self._not_before - now)
            self._tries += 1
            if self._tries > FREE_ATTEMPTS:
                self._not_before = now + min(LONGEST_DELAY_S, 2 ** (self._tries - FREE_ATTEMPTS - 1))

    def let_in(self) -> None:
        """Mark this browser's session as the one that gave the password."""
        with self._lock:
            self._tries, self._not_before = 0, 0.0
        session.clear()
        session["opening"] = self._opening

    def is_in(self) -> bool:
        """Tell whether this request's session gave the password and the keys are open."""
        return session.get("opening") == self._opening and self.keyring.is_unlocked()

    def shut(self) -> None:
        """Lock the keys and end every session."""
        self.keyring.lock()
        self._opening = secrets.token_hex(16)
        session.clear()


def door() -> Door:
    """Return the current app's door."""
    found = current_app.extensions["chain-door"]
    assert isinstance(found, Door)
    return found


def install(app: Flask, keyring: Keyring, clock: Clock, secret_key: bytes) -> None:
    """Put the door in front of every page of an app."""
    app.extensions["chain-door"] = Door(keyring, clock, secret_key)
    app.register_blueprint(blueprint)

    @app.before_request
    def require_password() -> None:
        if request.endpoint not in _OPEN and not door().is_in():
            raise Locked("This page needs your password.", do="Unlock the app and try again.")


def way_back() -> str:
    """Return the page to show after unlocking: the one asked for, if it can be shown with GET."""
    adapter = current_app.create_url_adapter(request)
    try:
        assert adapter is not None
        adapter.match(request.path, "GET")
    except HTTPException:
        return "/"
    return request.full_path.rstrip("?")


def safe_path(path: str) -> str:
    """Return a path of this site, or the first page for anything that could lead elsewhere."""
    if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable():
        return path
    return "/"


def unlock_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render the page that asks for the password."""
    back = safe_path(request.values.get("next", "/"))
    return render_template("kit/unlock.html", problems=problems, back=back, address=door().keyring.address())


def setup_page(problems: tuple[BadInput, ...] = ()) -> str:
    """Render the page that makes the account."""
    return render_template("kit/setup.html", problems=problems, least=LEAST_PASSWORD, given=request.form)


def read_setup() -> tuple[str, bytes | None]:
    """Read the first-run form: a password given twice and, to import one, a private key of 64 hex digits."""
    form = FormReader(request.form)
    password, key = request.form.get("password", ""), request.form.get("private_key", "").strip()
    if len(password) < LEAST_PASSWORD:
        said = f"Password: {len(password)} characters were given." if password else "Password: nothing was given."
        form.refuse("password", said, f"At least {LEAST_PASSWORD} characters.")
    elif password != request.form.get("password_again", ""):
        form.refuse("password_again", "The two passwords differ.", "Write the same password twice.")
    raw = key.removeprefix("0x")
    if raw and (len(raw) != 64 or not all(digit in "0123456789abcdefABCDEF" for digit in raw)):
        form.refuse("private_key", f"Private key: {len(raw)} characters were given.", "64 hex digits.")
    form.done()
    return password, bytes.fromhex(raw) if raw else None


@blueprint.get("/setup")
def setup() -> ResponseReturnValue:
    """Show the first-run page."""
    if door().keyring.exists():
        return redirect(url_for("door.unlock"), 303)
    return setup_page()


@blueprint.post("/setup")
def make() -> ResponseReturnValue:
    """Make the account."""
    if door().keyring.exists():
        return redirect(url_for("door.unlock"), 303)
    password, private_key = read_setup()
    door().keyring.create(password, private_key)
    door().let_in()
    return go("/", "Account made.")


@blueprint.get("/unlock")
def unlock() -> ResponseReturnValue:
    """Ask for the password."""
    if not door().keyring.exists():
        return redirect(url_for("door.setup"), 303)
    if door().is_in():
        return redirect(safe_path(request.args.get("next", "/")), 303)
    return unlock_page()


@blueprint.post("/unlock")
def open_up() -> ResponseReturnValue:
    """Check the password and open the app for this browser."""
    door().count_attempt()
    door().keyring.unlock(request.form.get("password", ""))
    door().let_in()
    return go(safe_path(request.form.get("next", "/")))


@blueprint.post("/lock")
def lock() -> ResponseReturnValue:
    """Forget the keys; running work waits until the app is unlocked."""
    door().shut()
    return go(url_for("door.unlock"))
