"""A person at one of the apps, as a program: reads pages, fills in their forms, follows where they lead."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import requests
from bs4 import BeautifulSoup
from bs4.element import Tag

from chain_common.errors import ChainError, Unavailable

TIMEOUT_S: Final = 120.0


class PageRefused(ChainError):
    """An app answered a form or a page with an error; ``status`` is HTTP's."""

    def __init__(self, url: str, status: int, words: str) -> None:
        self.status = status
        super().__init__(f"{url} answered {status}: {words}")


class GaveUp(ChainError):
    """What was waited for did not come."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"Waited {seconds:.0f} s for {what} in vain.")


@dataclass(slots=True)
class AppClient:
    """Drives one app over HTTP as a browser without JavaScript would.

    Parameters
    ----------
    base
        The app's address, without a slash at the end.
    """

    base: str
    _session: requests.Session = field(default_factory=requests.Session)

    def _checked(self, response: requests.Response) -> requests.Response:
        if response.status_code >= 400:
            raise PageRefused(response.url, response.status_code, _words(response))
        return response

    def json(self, path: str) -> dict[str, Any]:
        """Return what a page shows, as JSON."""
        response = self._session.get(self.base + path, headers={"Accept": "application/json"}, timeout=TIMEOUT_S)
        return cast(dict[str, Any], self._checked(response).json())

    def fill(
        self,
        path: str,
        answers: Mapping[str, str],
        *,
        action: str | None = None,
        file: tuple[str, str, bytes] | None = None,
    ) -> str:
        """Fill in a form of a page, send it, and return the path of the page it led to.

        What is not answered keeps the value the page proposes; the page's form token goes with it.

        Parameters
        ----------
        action
            Where the form goes, if the page has several; by default the path itself or the page's only form.
        file
            Field, file name and content of an upload.
        """
        response = self._checked(self._session.get(self.base + path, timeout=TIMEOUT_S))
        form = _form(BeautifulSoup(response.text, "html.parser"), action or path, path)
        fields = {**_proposed(form), **answers}
        target = self.base + str(form.get("action") or path)
        files = {file[0]: (file[1], file[2])} if file else None
        sent = self._session.post(target, data=fields, files=files, timeout=TIMEOUT_S)
        return self._checked(sent).url.removeprefix(self.base)

    def wait(
        self, path: str, ready: Callable[[dict[str, Any]], bool], what: str, *, seconds: float = 120
    ) -> dict[str, Any]:
        """Look at a page until it is ready, and return it. Raises ``GaveUp``."""
        end = time.monotonic() + seconds
        while True:
            seen = self.json(path)
            if ready(seen):
                return seen
            if time.monotonic() > end:
                raise GaveUp(what, seconds)
            time.sleep(0.2)

    def wait_until_up(self, seconds: float = 60) -> None:
        """Wait until the app answers. Raises ``GaveUp``."""
        end = time.monotonic() + seconds
        while True:
            try:
                if self._session.get(f"{self.base}/healthz", timeout=5).ok:
                    return
            except requests.ConnectionError:
                pass
            except requests.Timeout as error:
                raise Unavailable(f"{self.base} does not answer.") from error
            if time.monotonic() > end:
                raise GaveUp(f"{self.base} to start", seconds)
            time.sleep(0.1)


def _form(page: BeautifulSoup, action: str, own: str) -> Tag:
    """Return the form that goes to ``action``; one that names no goal goes to its ``own`` page."""
    forms = [form for form in page.find_all("form") if str(form.get("method", "")).lower() == "post"]
    for form in forms:
        if (form.get("action") or own) == action:
            return form
    raise PageRefused(
        action, 200, f"the page has no form for it; its forms go to {[form.get('action') for form in forms]}"
    )


def _proposed(form: Tag) -> dict[str, str]:
    """Return the values a form holds as the page came, as a browser would send them."""
    values: dict[str, str] = {}
    for control in form.find_all(["input", "select", "textarea"]):
        name, kind = str(control.get("name") or ""), str(control.get("type", "text"))
        if not name or kind in ("file", "submit", "button"):
            continue
        if control.name == "select":
            options = control.find_all("option")
            chosen = next((option for option in options if option.has_attr("selected")), options[0])
            values[name] = str(chosen.get("value", chosen.get_text()))
        elif control.name == "textarea":
            values[name] = control.get_text()
        elif kind not in ("checkbox", "radio") or control.has_attr("checked"):
            values[name] = str(control.get("value", "on" if kind == "checkbox" else ""))
    return values


def _words(response: requests.Response) -> str:
    """Return what an error page says, in one line."""
    page = BeautifulSoup(response.text, "html.parser")
    summary = page.find(class_="error-summary") or page.find("main") or page
    return " ".join(summary.get_text(" ").split())[:400]
