"""Small drivers for the pages: a browser that reads forms, and fakes of what the kit needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from flask import Blueprint, Flask, render_template_string, request

from chain_common.errors import BadInput, Locked, PayloadRejected, RuleBroken, Unavailable
from chain_common.web import kit
from chain_common.web.error_pages import ErrorWords
from chain_common.web.forms import FormReader, uploaded
from chain_common.web.pages import go, page

PASSWORD = "correct horse battery"
ADDRESS = "0x2e91c7f04d8ab35e6f1029c8d7b6a5e4f3d2b7d0"
KEY = bytes.fromhex("11" * 32)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SVG_LEAVES = {"rect", "circle", "line", "polyline", "polygon", "path"}


class FakeKeyring:
    """A keyring in memory; ``imported`` is the private key it was made with."""

    def __init__(self) -> None:
        self.password: str | None = None
        self.imported: bytes | None = None
        self.open = False
        self.tried: list[str] = []

    def exists(self):
        return self.password is not None

    def is_unlocked(self):
        return self.open

    def create(self, password, private_key=None):
        self.password, self.imported, self.open = password, private_key, True
        return ADDRESS

    def unlock(self, password):
        self.tried.append(password)
        if password != self.password:
            raise Locked("The password is wrong.", do="Try again.")
        self.open = True

    def lock(self):
        self.open = False

    def address(self):
        return ADDRESS


@dataclass
class FakeClock:
    """A clock that a test sets."""

    time: float = 1_795_000_000.0

    def now(self):
        return self.time


@dataclass
class Element:
    """A start tag with its attributes and the text inside it."""

    tag: str
    attributes: dict
    text: str = ""

    def __getitem__(self, name):
        return self.attributes.get(name)


class Page(HTMLParser):
    """A parsed page; checks on the way that every tag is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {[element.tag for element in self._open]}"

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag} {self._open[-1].attributes}>"
        self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element.text += data

    def all(self, tag, **wanted):
        return [e for e in self.elements if e.tag == tag and all(e[k.rstrip("_")] == v for k, v in wanted.items())]

    def one(self, tag, **wanted):
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} of <{tag} {wanted}>"
        return found[0]

    @property
    def h1(self):
        return " ".join(self.one("h1").text.split())

    @property
    def text(self):
        return " ".join(self.one("main").text.split())


def check_page(html: str) -> Page:
    """Check what every page promises: one h1, tied labels, unique ids, nothing inline, no address elsewhere."""
    seen = Page(html)
    assert len(seen.all("h1")) == 1
    assert len(seen.all("main")) == 1
    assert seen.one("html")["lang"] == "en"
    assert seen.all("a", class_="skip-link")[0]["href"] == "#main"
    assert len([e for e in seen.elements if e["role"] == "status"]) == 1
    ids = [e["id"] for e in seen.elements if e["id"]]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    for e in seen.elements:
        assert e["style"] is None, f"style attribute at <{e.tag}>"
        assert e.tag != "style"
        assert e.tag != "script" or e["src"]
        assert not any(name.startswith("on") for name in e.attributes), e
        for name in ("href", "src", "action"):
            assert not (e[name] or "").startswith(("http:", "https:", "//", "javascript:")), e
        for name in ("aria-labelledby", "aria-describedby"):
            for ident in (e[name] or "").split():
                assert ident in ids, f"{name} names {ident}, which is not on the page"
        if e.tag == "label" and e["for"]:
            assert e["for"] in ids
        if e.tag == "a" and (e["href"] or "").startswith("#"):
            assert e["href"][1:] in ids
    labelled = {e["for"] for e in seen.all("label")}
    for control in [*seen.all("input"), *seen.all("select"), *seen.all("textarea")]:
        if control["type"] in {"hidden", "radio", "checkbox", "submit"}:
            continue
        assert control["id"] in labelled, control
    for form in seen.all("form"):
        assert form["method"] != "post" or 'name="csrf_token"' in html
    return seen


@dataclass
class Browser:
    """Drives an app through its pages, taking the form token from each."""

    app: Flask
    client: object = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path, status=200, **options):
        answer = self.client.get(path, **options)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        if (answer.mimetype == "text/html" and status < 300) or status >= 400:
            check_page(answer.text)
        return answer

    def page(self, path, status=200) -> Page:
        return Page(self.get(path, status).text)

    def json(self, path, status=200):
        return self.get_json(path, status).json

    def get_json(self, path, status=200):
        answer = self.client.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == status, answer.text
        return answer

    def token(self):
        from flask_wtf.csrf import generate_csrf

        with self.client.session_transaction() as session:
            kept = dict(session)
        with self.app.test_request_context():
            from flask import session as fresh

            fresh.update(kept)
            made = generate_csrf()
            kept = dict(fresh)
        with self.client.session_transaction() as session:
            session.update(kept)
        return made

    def post(self, path, status=303, **data):
        form = {"csrf_token": self.token(), **data}
        answer = self.client.post(path, data=form, content_type="multipart/form-data")
        assert answer.status_code == status, (path, answer.status_code, answer.text[:3000])
        if status >= 400:
            check_page(answer.text)
        return answer

    def set_up(self):
        self.post("/setup", password=PASSWORD, password_again=PASSWORD)
        return self


def vitals(**changed):
    """What a masthead shows when all is well, changed as asked."""
    known = {
        "chain_reached": True,
        "chain_id": 31337,
        "block": 18204,
        "store_reached": True,
        "store_location": "local folder",
        "account": ADDRESS,
        "balance_wei": 12_408_000_000_000_000_000,
        "credit_wei": 0,
        "problem": "",
    }
    return SimpleNamespace(**{**known, **changed})


@pytest.fixture
def keyring():
    return FakeKeyring()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def world():
    """What the kit's own test app sees of chain and store; a test changes ``world.vitals``."""
    return SimpleNamespace(vitals=vitals())


@pytest.fixture
def kit_app(keyring, clock, world):
    """An app with nothing but the kit and a few pages that fail in every way."""
    app = Flask("kit_under_test", static_folder=None)
    pages = Blueprint("pages", __name__)
    failures = {
        "bad": lambda: BadInput("Got a picture.", expected="A CSV.", do="Export it.", field="file"),
        "rule": lambda: RuleBroken("The round is full.", expected="A free seat.", do="Wait for the next round."),
        "payload": lambda: PayloadRejected("Slot 7 has guard bits 101: secret cause."),
        "away": lambda: Unavailable("No answer from http://127.0.0.1:8545.", do="Start the chain again."),
        "bug": lambda: ZeroDivisionError("secret detail"),
        "locked": lambda: Locked("The vault is locked."),
    }

    def form_page(problems=()):
        return render_template_string(
            '{% extends "kit/layout.html" %}{% block title %}Form{% endblock %}'
            "{% block head %}<h1>Form</h1>{% endblock %}"
            "{% block body %}{{ ui.error_summary(problems, anchors=('title', 'amount')) }}"
            '<form method="post">{{ ui.token() }}{{ ui.field("title", "Title", problems=problems, value=given.title) }}'
            '{{ ui.field("amount", "Amount", "In ether", problems=problems, value=given.amount) }}'
            '{{ ui.field("file", "File", type="file") }}<button class="button">Go</button></form>{% endblock %}',
            problems=problems,
            given={"title": request.form.get("title", ""), "amount": request.form.get("amount", "")},
        )

    @pages.get("/")
    def home():
        return form_page()

    @pages.post("/form")
    def form():
        reader = FormReader(request.form)
        reader.text("title", "Title")
        reader.ether("amount", "Amount", least_wei=1)
        reader.done()
        return go("/", "Kept.")

    @pages.post("/upload")
    def upload():
        source, name = uploaded(request.files)
        return {"name": name, "bytes": len(source.read()), "kind": type(source).__name__}

    @pages.route("/fail/<how>", methods=["GET", "POST"])
    def fail(how):
        failure = failures[how]()
        raise failure

    @pages.get("/view")
    def view():
        return page("kit/error.html", {"money_wei": 10**18}, error=SimpleNamespace(), back="/")

    words = ErrorWords("chain company", ((RuleBroken, "A rule forbids this"),), {"pages.form": form_page})
    kit.install(
        app,
        kit.Kit(
            app_name="lender",
            keyring=keyring,
            clock=clock,
            read_vitals=lambda: world.vitals,
            secret_key=b"k" * 32,
            nav=(kit.NavItem("home", "Overview", "pages.home"),),
            words=words,
            promise="Runs on this machine only.",
            upload_limit_bytes=200_000,
        ),
    )
    app.register_blueprint(pages)
    return app


@pytest.fixture
def browser(kit_app):
    return Browser(kit_app)
