"""The data owner's pages: what each shows, where each form leads, and how what cannot be used comes back."""

import io
from dataclasses import replace

import pytest

from chain_common.errors import BadInput, RuleBroken, Unavailable
from chain_common.services.data_owner.contributing import NotEnoughForContribution
from chain_common.services.data_owner.files import AlreadyContributed, FileForgotten
from data_owner_app import create_app
from tests.web import examples as ex
from tests.web.conftest import Browser, Page
from tests.web.fakes import OwnerParts

PAGES = [
    "/",
    "/models/3",
    "/models/5",
    "/models/7",
    "/models/3/contribute",
    "/contributions/new/fe98",
    "/contributions",
    "/contributions/c1",
    "/contributions/c2",
    "/contributions/c3",
    "/account",
]


def csv(text=b"a,b\n1,2\n"):
    return io.BytesIO(text), "loans.csv"


@pytest.fixture
def parts(keyring, clock):
    return OwnerParts(keyring, clock)


@pytest.fixture
def owner(parts):
    return Browser(create_app(parts)).set_up()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_the_promises_of_the_kit(owner, path):
    page = owner.page(path)
    assert page.one("html")["data-app"] == "data-owner"
    assert len(page.all("button", class_="button")) + len(page.all("a", class_="button")) <= 2


@pytest.mark.parametrize("path", PAGES)
def test_every_page_tells_its_view_as_json_too(owner, path):
    assert owner.get_json(path).mimetype == "application/json"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_needs_the_password(owner, path):
    assert Browser(owner.app).get(path, 303).location.startswith("/unlock")


def test_the_two_apps_have_cookies_of_their_own(owner):
    assert (
        owner.client.post("/lock", data={"csrf_token": owner.token()})
        .headers["Set-Cookie"]
        .startswith("chain_data_owner=")
    )


class TestMarket:
    def test_open_models_come_first_and_ended_ones_apart(self, owner):
        page = owner.page("/")
        headings = [h.text for h in page.all("h2")]
        assert headings == ["Consumer loans 2007–2011", "Payday pilot", "No contributions now"]

    def test_an_empty_market_says_what_will_be_there(self, owner, parts):
        parts.cards = ()
        assert "No open model now" in owner.page("/").text

    def test_a_market_without_a_chain_can_be_tried_again(self, owner, parts):
        parts.fails["market.cards"] = Unavailable("No answer.", do="Start the chain.")
        parts.vitals = replace(ex.VITALS, chain_reached=False)
        page = owner.page("/", 503)
        assert page.h1 == "The chain is unreachable"
        assert "chain data-owner --chain URL" in page.text

    def test_a_model_says_what_the_lender_could_learn_and_whether_to_contribute(self, owner):
        assert "Updates carry no noise yet" in owner.page("/models/3").text
        assert owner.page("/models/3").one("a", class_="button")["href"] == "/models/3/contribute"
        assert "No contribution can be made now." not in owner.page("/models/5").text


class TestContribute:
    def test_a_file_leads_to_what_was_read(self, owner, parts):
        assert owner.post("/models/3/contribute", file=csv()).location == "/contributions/new/fe98"
        args, kwargs = parts.last("files.read")
        assert (args[0], args[1].getvalue(), kwargs) == (3, b"a,b\n1,2\n", {"filename": "loans.csv"})

    @pytest.mark.parametrize(
        "error",
        [
            BadInput("loans.csv is not a CSV.", expected="Text with commas.", do="Export it.", field="file"),
            BadInput("The column dti is missing.", expected="The model asks for it.", do="Add it."),
            BadInput("All 900 usable rows are good.", expected="Rows with a bad outcome too."),
            BadInput("None of the 61 rows can be used."),
        ],
        ids=["not a CSV", "wrong columns", "one class", "no rows left"],
    )
    def test_a_file_that_cannot_be_used_comes_back_with_the_reason(self, owner, parts, error):
        parts.fails["files.read"] = error
        page = Page(owner.post("/models/3/contribute", status=422, file=csv()).text)
        assert error.sentence in page.one("div", role="alert").text
        assert page.h1 == "Choose your file"

    @pytest.mark.parametrize(
        ("error", "title"),
        [
            (AlreadyContributed("c1"), "These rows were contributed before"),
            (RuleBroken("40 rows are too few."), "The rules do not allow this now"),
        ],
    )
    def test_what_a_rule_forbids_has_its_page(self, owner, parts, error, title):
        parts.fails["files.read"] = error
        page = Page(owner.post("/models/3/contribute", status=409, file=csv()).text)
        assert page.h1 == title
        assert error.got in page.text

    def test_an_upload_above_the_limit_has_its_page(self, owner):
        page = Page(owner.post("/models/3/contribute", status=413, file=csv(b"x" * 400_000)).text)
        assert "The file is too large." in page.text

    def test_missing_noise_is_said_and_has_to_be_acknowledged(self, owner, parts):
        page = owner.page("/contributions/new/fe98")
        box = page.one("input", name="acknowledge_no_noise")
        assert "checked" not in box.attributes
        assert ex.CONTRIBUTION_DRAFT.no_noise_sentence in page.text
        page = Page(owner.post("/contributions/new/fe98", status=422).text)
        assert "The box about missing noise was not ticked." in page.one("p", id="acknowledge_no_noise-error").text
        assert not any(name == "contributing.confirm" for name, _, _ in parts.asked)

    def test_costs_and_what_cannot_be_undone_stand_before_the_button(self, owner):
        html = owner.get("/contributions/new/fe98").text
        assert html.index("Cannot be undone") < html.index("Compute and send</button>")
        assert "0.002234567890123456 ETH" in html  # stake and fee, exactly, in the title

    def test_confirming_leads_to_the_contribution(self, owner, parts):
        answer = owner.post("/contributions/new/fe98", acknowledge_no_noise="yes")
        assert answer.location == "/contributions/c2"
        assert parts.last("contributing.confirm") == (("fe98",), {"acknowledge_no_noise": True})

    def test_not_enough_ether_says_what_is_missing(self, owner, parts):
        parts.draft = replace(ex.CONTRIBUTION_DRAFT, short_by_wei=10**15)
        page = owner.page("/contributions/new/fe98")
        assert "Not enough ether" in page.text
        assert not page.all("form", class_="terms")
        parts.fails["contributing.confirm"] = NotEnoughForContribution(10**15)
        page = Page(owner.post("/contributions/new/fe98", status=409, acknowledge_no_noise="yes").text)
        assert page.h1 == "Not enough ether"

    def test_a_file_that_is_no_longer_held_has_to_be_read_again(self, owner, parts):
        parts.fails["files.draft"] = FileForgotten()
        page = owner.page("/contributions/new/fe98", 422)
        assert page.h1 == "The file is no longer held"
        assert "Upload the file again" in page.text
        assert Page(owner.post("/contributions/new/fe98", status=422).text).h1 == "The file is no longer held"

    def test_a_file_can_be_forgotten_at_once(self, owner, parts):
        assert owner.post("/contributions/new/fe98/discard").location == "/"
        assert parts.last("files.discard") == (("fe98",), {})


class TestMyContributions:
    def test_computing_shows_progress_and_looks_again(self, owner):
        page = owner.page("/contributions/c2")
        assert page.one("progress")["max"] == "100"
        assert page.one("div", id="live")["hx-trigger"] == "every 2s"
        assert "http-equiv" in page.html

    def test_a_receipt_names_everything_that_proves_it(self, owner):
        html = owner.get("/contributions/c1").text
        for proof in (ex.TX, ex.CID, "0x" + "cd" * 32, "0x" + "ef" * 32, "round 2, seat A"):
            assert proof in html

    def test_a_rejected_contribution_says_why_and_what_to_do(self, owner):
        page = owner.page("/contributions/c3")
        assert "The payload could not be used." in page.text
        assert "Claim your stake back, less the burned tenth." in page.text

    def test_what_is_due_is_claimed_through_a_job(self, owner):
        page = owner.page("/contributions/c1")
        assert "Claim 0.141625" in page.text
        assert owner.post("/contributions/c1/claim").location == "/jobs/claim.c1?back=/contributions/c1"

    def test_the_list_sums_up(self, owner):
        page = owner.page("/contributions")
        assert "In all, 3" in page.text
        assert "0.1406" in page.text

    def test_an_empty_list_names_the_first_act(self, owner, parts):
        parts.contributions = replace(parts.contributions, contributions=())
        assert owner.page("/contributions").one("a", class_="button")["href"] == "/"

    def test_amounts_are_text_in_json(self, owner):
        told = owner.json("/contributions/c1")
        assert told["due_wei"] == "141625000000000000"
        assert told["can_claim"] is True
        assert told["job"]["steps"][0]["name"] == "Fetch the payloads"
