"""Errors as answers: one status, one page and one JSON shape for each kind.

Each app gives the words that are its own; the statuses, the layout and what is never told are the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from flask import Flask, current_app, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from chain_common.chain_errors import ChainAway
from chain_common.errors import BadInput, ChainError, Locked, PayloadRejected, RuleBroken, Unavailable
from chain_common.web import doors, text
from chain_common.web.forms import problems_of
from chain_common.web.pages import wants_json

RETRY_AFTER_S = 5

PUBLIC_REJECTION = "What another party sent is malformed and was left aside."


class FileTooLarge(BadInput):
    """An upload is above the limit; ``limit_bytes`` is the limit."""

    def __init__(self, limit_bytes: int, field: str = "file") -> None:
        self.limit_bytes = limit_bytes
        super().__init__(
            "The file is too large.",
            expected=f"At most {text.size(limit_bytes)} can be read at once.",
            do="Leave out columns the preset does not ask for, or take fewer rows, and upload it again.",
            field=field,
        )


_STATUS: tuple[tuple[type[ChainError], int], ...] = (
    (FileTooLarge, 413),
    (BadInput, 422),
    (RuleBroken, 409),
    (PayloadRejected, 502),
    (Unavailable, 503),
    (Locked, 401),
)


class SamePage(Protocol):
    """Renders the page a form stands on again, with what was wrong and what was typed."""

    def __call__(self, problems: tuple[BadInput, ...]) -> str:
        """Return the page's HTML."""
        ...


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What an app says in its own words.

    ``start_command`` starts the app; ``titles`` names errors by class, the first that fits wins; ``same_page`` says, by
    endpoint, how a form's page is rendered again.
    """

    start_command: str
    titles: tuple[tuple[type[ChainError], str], ...]
    same_page: Mapping[str, SamePage]


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What an error page shows."""

    status: int
    title: str
    got: str
    expected: str = ""
    do: str = ""
    field: str = ""
    again: bool = False


def answer(error: ErrorPage, template: str = "kit/error.html", **context: object) -> ResponseReturnValue:
    """Render an error as a page or as ``{"error": {got, expected, do, field}}``."""
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.status == 503 else {}
    if wants_json():
        told = {"got": error.got, "expected": error.expected, "do": error.do, "field": error.field}
        return jsonify({"error": told}), error.status, headers
    return render_template(template, error=error, **context), error.status, headers


def status_of(error: ChainError) -> int:
    """Return the HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def install(app: Flask, words: ErrorWords) -> None:
    """Register the handlers of every error an app can meet."""
    words = replace(words, same_page={"door.make": doors.setup_page, **words.same_page})
    app.register_error_handler(ChainError, lambda error: _chain_error(error, words))
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(413, lambda _error: _chain_error(FileTooLarge(_limit()), words))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _unexpected)


def _limit() -> int:
    """Return the upload limit in bytes."""
    return int(current_app.config["MAX_CONTENT_LENGTH"])


def _chain_error(error: ChainError, words: ErrorWords) -> ResponseReturnValue:
    """Answer an error raised on purpose."""
    if isinstance(error, Locked):
        return _locked(error)
    again = words.same_page.get(request.endpoint or "")
    if isinstance(error, BadInput) and again and not isinstance(error, FileTooLarge) and not wants_json():
        try:
            return again(problems_of(error)), 422
        except ChainError as second:  # the page itself cannot be shown any more, which is what matters now
            return _own_page(second, words)
    return _own_page(error, words)


def _own_page(error: ChainError, words: ErrorWords) -> ResponseReturnValue:
    """Answer an error with a page of its own."""
    if isinstance(error, PayloadRejected):
        current_app.logger.warning("payload rejected: %s", error)
        page = ErrorPage(502, title_of(error, words), PUBLIC_REJECTION, do="Nothing has to be done.")
        return answer(page, back="/")
    if isinstance(error, Unavailable):
        return _away(error, words)
    field = error.field if isinstance(error, BadInput) else ""
    page = ErrorPage(status_of(error), title_of(error, words), error.got, error.expected, error.do, field)
    return answer(page, back=_form_page())


def title_of(error: ChainError, words: ErrorWords) -> str:
    """Return the heading of an error's page."""
    return next((title for kind, title in words.titles if isinstance(error, kind)), "This did not work")


def _form_page() -> str:
    """Return where the form of a failed POST stands, or the first page."""
    return doors.way_back() if request.method == "POST" else "/"


def _locked(error: Locked) -> ResponseReturnValue:
    """Ask for the password, or say what was wrong with the one given."""
    if request.endpoint == "door.open_up" and not wants_json():
        status = 429 if isinstance(error, doors.TooManyAttempts) else 401
        wrong = BadInput(error.got, expected=error.expected, do=error.do, field="password")
        return doors.unlock_page((wrong,)), status
    if wants_json():
        return answer(ErrorPage(401, "Locked", error.got, error.expected, error.do, "password"))
    return redirect(url_for("door.unlock", next=doors.way_back()), 303)


def _away(error: Unavailable, words: ErrorWords) -> ResponseReturnValue:
    """Say which of chain and store is away, what waits and what does not."""
    vitals = current_app.extensions["chain-kit"].vitals()
    # The vitals may be some seconds old; the error is of now.
    if isinstance(error, ChainAway) or (vitals is not None and not vitals.chain_reached):
        title = "The chain is unreachable"
    elif vitals is not None and not vitals.store_reached:
        title = "The content store is unreachable"
    else:
        title = title_of(error, words)
    page = ErrorPage(503, title, error.got, error.expected, error.do, again=True)
    back = request.full_path.rstrip("?") if request.method == "GET" else _form_page()
    return answer(page, "kit/away.html", command=words.start_command, back=back)


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    """Refuse a form without this session's token."""
    return answer(
        ErrorPage(
            400,
            "This form is out of date",
            "The form did not carry the token of your session, so nothing was done.",
            "Each form works only from a page of this app, opened since you unlocked it.",
            "Open the page again and send the form once more.",
        ),
        back=_form_page(),
    )


_HTTP_WORDS: dict[int, tuple[str, str, str]] = {
    404: (
        "Page not found",
        "There is nothing at this address.",
        "Check the address, or start from the first page.",
    ),
    405: (
        "Not possible here",
        "This address does not take such a request.",
        "Use the buttons and links of the pages.",
    ),
}


def _http(error: HTTPException) -> ResponseReturnValue:
    """Answer what the web server itself refuses."""
    status = error.code or 500
    title, got, do = _HTTP_WORDS.get(status, (error.name, "The request was refused.", "Go back and try again."))
    return answer(ErrorPage(status, title, got, do=do), back="/")


def _unexpected(_error: InternalServerError) -> ResponseReturnValue:
    """Say that something failed here, without any detail; the log has it."""
    got = "Something failed inside this app. What was saved before is still there; no money moves twice."
    do = "Try again. If it happens again, look at the app's log."
    return answer(ErrorPage(500, "Something went wrong", got, do=do), back="/")
