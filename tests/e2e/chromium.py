"""A real browser that says everything it does: requests, console, errors; and axe, which judges its pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")

# Chromium calls its maker at start; a test shall not, and root needs the first one.
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)

PATIENCE_MS = 30_000


def missing(what: str) -> None:
    """A tool is not there: a reason to skip here, a failure in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing on this machine")


@contextmanager
def launched() -> Iterator[Browser]:
    """Launch Debian's Chromium, or else the one Playwright brought."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        if program is None and not Path(playwright.chromium.executable_path).exists():
            missing("Chromium")
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody at a browser of its own, and what the browser noted down.

    Parameters
    ----------
    hosts
        Everywhere a request went.
    complaints
        Errors and warnings of the console, uncaught errors, refusals of the content security policy.
    unfit
        Serious and critical findings of axe, by page.
    """

    context: BrowserContext
    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    unfit: dict[str, list[str]] = field(default_factory=dict)

    def judge(self, name: str) -> None:
        """Let axe look at the page, in light and in dark; one that loads itself anew meanwhile is looked at again."""
        if not AXE.exists():
            missing("axe-core")
        for tries_left in (2, 1, 0):
            try:
                self.unfit[name] = self._found()
            except BrowserError as error:
                if not tries_left or "context was destroyed" not in str(error):
                    raise
                self.page.wait_for_load_state()
            else:
                return

    def _found(self) -> list[str]:
        found = []
        self.page.evaluate(AXE.read_text())
        for scheme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
            self.page.emulate_media(color_scheme=scheme)
            wanted = {"resultTypes": ["violations"], **options}
            result = self.page.evaluate("options => axe.run(document, options)", wanted)
            found += [
                f"{scheme}: {each['id']} ({each['impact']}): {each['nodes'][0]['html'][:200]}"
                for each in result["violations"]
                if each["impact"] in ("serious", "critical")
            ]
        self.page.emulate_media(color_scheme="light")
        return found


def visitor(browser: Browser, base_url: str, *, javascript: bool = True) -> Visitor:
    """Open a browser context of its own at an app."""
    context = browser.new_context(base_url=base_url, java_script_enabled=javascript, color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    somebody = Visitor(context, page)
    context.on("request", lambda request: somebody.hosts.add(str(urlsplit(request.url).hostname)))
    context.on("weberror", lambda error: somebody.complaints.append(f"uncaught: {error.error}"))
    context.on("console", lambda message: _note(somebody, message))
    return somebody


def _note(somebody: Visitor, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        somebody.complaints.append(f"{message.type}: {message.text}")


def fact(page: Page, label: str) -> Any:
    """Find the value beside a label in a list of facts."""
    return page.locator("dl > div").filter(has=page.locator(f'dt:text-is("{label}")')).first.locator("dd")
