"""Photograph the apps' pages at three widths in both themes, from a demo that is really played.

Pictures go to ``screenshots/``; ``docs/images/apps.png``, the README's picture, is put together from two of them.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from chain_common.adapters.presets import DEFAULT_PRESET, PackagedPresets
from chain_common.demo.people import Person
from chain_common.demo.play import REACH_PART, bounty_terms, gather
from chain_common.demo.rows import sample_file, split
from chain_common.demo.stage import OWNER_WEI, open_stage

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "screenshots"
README_PICTURE = ROOT / "docs" / "images" / "apps.png"
WIDTHS = (1280, 768, 360)
THEMES = ("light", "dark")
LENDER_PAGES = (
    "/",
    "/bounties/new",
    "/models",
    "/models/1",
    "/models/1/top-up",
    "/models/1/end",
    "/keys",
    "/account",
)
OWNER_PAGES = ("/", "/models/1", "/models/1/contribute", "/contributions", "/account")
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def main() -> int:
    """Play round 1, leave round 2 collecting, and photograph both apps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser's binary")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
    files = split(sample_file(), PackagedPresets().get(DEFAULT_PRESET), 3)
    with open_stage("anvil", "local") as stage, sync_playwright() as playwright:
        lender, crowd = gather(stage, 3)
        visitor = crowd[2]
        stage.bank.fund(visitor.address, OWNER_WEI)
        terms = bounty_terms(2, collect="30 min", windows="15 min", demand="2 min")
        model_id = lender.post_bounty(files.lender, DEFAULT_PRESET, terms, REACH_PART)
        visitor.contribute(model_id, files.owners[0])
        lender.wait_for_rounds(model_id, 1)
        crowd[0].contribute(model_id, files.owners[1])
        browser = playwright.chromium.launch(executable_path=options.chromium, args=list(CHROMIUM_OPTIONS))
        own_contribution = f"/contributions/{visitor.contribution}"
        for width in WIDTHS:
            for theme in THEMES:
                photograph(browser, lender, "lender", LENDER_PAGES, width, theme)
                photograph(browser, visitor, "data-owner", (*OWNER_PAGES, own_contribution), width, theme)
        compose(browser)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures are in {FOLDER.name}/")
    return 0


@contextmanager
def unlocked(browser: Browser, person: Person, width: int, theme: str) -> Iterator[tuple[BrowserContext, Page]]:
    """Open a browser window in which the person has given its password."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(person.app.url + "/unlock")
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("main").get_by_role("button").first.click()
    yield context, page
    context.close()


def photograph(browser: Browser, person: Person, name: str, paths: tuple[str, ...], width: int, theme: str) -> None:
    """Photograph whole pages of one app."""
    with unlocked(browser, person, width, theme) as (_, page):
        for path in paths:
            page.goto(person.app.url + path)
            slug = "overview" if path == "/" else path.strip("/").replace("/", "-")
            if path.startswith("/contributions/"):
                slug = "contribution"
            page.screenshot(path=FOLDER / f"{name}-{slug}-{width}-{theme}.png", full_page=True)


def compose(browser: Browser) -> None:
    """Lay the lender's model page and the data owner's beside each other for the README."""
    pictures = [FOLDER / "lender-models-1-1280-light.png", FOLDER / "data-owner-contribution-1280-light.png"]
    images = "".join(
        f'<div><img src="data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"></div>'
        for picture in pictures
    )
    style = (
        "body{margin:0;display:flex;gap:24px;padding:24px;background:#d9dce6}"
        "div{width:640px;height:760px;overflow:hidden;border-radius:6px}img{width:100%}"
    )
    page = browser.new_page(viewport={"width": 1352, "height": 808})
    page.set_content(f"<style>{style}</style>{images}")
    page.screenshot(path=README_PICTURE)
    page.close()


if __name__ == "__main__":
    sys.exit(main())
