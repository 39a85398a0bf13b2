"""What goes wrong has its page: what was got, what was expected, what to do; and nothing is lost.

Real apps on a real chain, driven as a browser without scripts would.
"""

from __future__ import annotations

import gzip
import re
import time
from contextlib import contextmanager

import pytest
import requests
from bs4 import BeautifulSoup

from chain_common.demo.app_client import PageRefused
from chain_common.demo.people import Person
from tests.e2e.theatre import ETHER, FAR, OWNER_CSV, VALIDATION_CSV, sample_rows

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("e2e-bad-input")]

MEGABYTE = 1_000_000
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de") + bytes(range(256))


def words_of(answer: requests.Response) -> str:
    """Return what the main part of a page says, in one line."""
    main = BeautifulSoup(answer.text, "html.parser").find("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


def looked(person: Person, path: str) -> requests.Response:
    return person.client._session.get(person.client.base + path, timeout=60)


def pushed(person: Person, page: str, action: str, **fields: str) -> requests.Response:
    """Send a form that the page does not offer now, with the page's token: a page that was open before."""
    found = BeautifulSoup(looked(person, page).text, "html.parser").find("input", attrs={"name": "csrf_token"})
    assert found is not None
    return person.client._session.post(
        person.client.base + action, data={"csrf_token": found["value"], **fields}, timeout=60
    )


def uploaded(person: Person, path: str, name: str, content: bytes) -> requests.Response:
    """Upload a file on a page and return the answer, whatever it is."""
    page = BeautifulSoup(looked(person, path).text, "html.parser")
    token = page.find("input", attrs={"name": "csrf_token"})
    assert token is not None
    fields = {"csrf_token": token["value"], "preset": "lending-club-compact"}
    files = {"file": (name, content)}
    return person.client._session.post(person.client.base + path, data=fields, files=files, timeout=60)


def only(status: str, n_rows: int = 60) -> bytes:
    """A readable file whose loans all have one state."""
    header, *rows = sample_rows(0, n_rows).splitlines(keepends=True)
    return header + b"".join(re.sub(rb"(Fully Paid|Charged Off|Default|Current)", status.encode(), row) for row in rows)


BAD_FILES = {
    "not a table": (PNG, 422, ["cannot be read as a table", "A CSV file is expected", "Save the table as CSV"]),
    "a workbook": (b"PK\x03\x04" + bytes(400), 422, ["an Excel workbook or a ZIP archive", "Save the table as CSV"]),
    "empty": (b"", 422, ["is empty", "A CSV with a header and rows"]),
    "other columns": (b"a,b\n1,2\n3,4\n", 422, ["loan_status", "annual_inc"]),
    "one class only": (only("Fully Paid"), 422, ["All 60 usable rows are good", "Charged Off", "holds both"]),
    "no rows left": (
        only("Current"),
        422,
        ["None of the 60 rows can be used", "loan not finished: 60", "Choose a file"],
    ),
    "too few rows": (sample_rows(0, 70), 422, ["rows"]),
    "too large": (b"x" * (MEGABYTE + MEGABYTE // 2), 413, ["too large", "At most 1.0 MB", "upload it again"]),
    "too large unpacked or broken": (gzip.compress(bytes(3 * MEGABYTE))[:-9], 422, ["file"]),
}


@pytest.fixture(scope="module")
def people(theatre):
    """A lender and a data owner, with accounts that have no ether yet."""
    both = theatre.lender(CHAIN_MAX_UPLOAD_MB="1"), theatre.owner(CHAIN_MAX_UPLOAD_MB="1")
    theatre.arrive(*both, wei=0)
    return both


@pytest.fixture(scope="module")
def lender(people):
    return people[0]


@pytest.fixture(scope="module")
def owner(people):
    return people[1]


@pytest.fixture(scope="module")
def draft(lender):
    """A bounty whose terms are chosen; the path of its pages."""
    client = lender.client
    terms_page = client.fill("/bounties/new", {}, file=("file", "v.csv", VALIDATION_CSV.read_bytes()))
    client.fill(terms_page, {"title": "Kept through everything", "target_score": FAR})
    return terms_page.removesuffix("/terms")


@pytest.fixture(scope="module")
def model(theatre, lender, draft):
    """The draft, posted once there is ether."""
    theatre.bank.fund(lender.address, 10 * ETHER)
    page = lender.client.fill(f"{draft}/review", {}, action=f"{draft}/publish")
    return int(lender.finish_job(page)["model_id"])


@contextmanager
def chain_away(theatre):
    theatre.stop_chain()
    try:
        yield
    finally:
        theatre.start_chain()


@contextmanager
def store_away(theatre):
    elsewhere = theatre.store.with_name("store elsewhere")
    theatre.store.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(theatre.store)


def wait_for(person: Person, **reached: bool) -> None:
    """Wait until an app has noticed what it reaches; what was away is not asked again for some seconds."""
    person.client.wait("/healthz", lambda seen: reached.items() <= seen.items(), f"{reached}")


def is_kept(lender, draft) -> bool:
    """Tell whether the draft is still there as its terms were chosen."""
    view = lender.client.json(f"{draft}/terms")
    return view["choices"]["title"] == "Kept through everything" and view["complete"]


# --------------------------------------------------------------------------------------------------- the lender's app


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_validation_file_that_cannot_be_used_is_refused_with_the_reason(lender, draft, name):
    content, status, said = BAD_FILES[name]
    answer = uploaded(lender, "/bounties/new", "loans.csv", content)
    assert answer.status_code == status
    for words in said:
        assert words in words_of(answer)
    assert is_kept(lender, draft)


def test_a_form_without_a_file_comes_back_with_what_is_missing(lender):
    answer = pushed(lender, "/bounties/new", "/bounties/new", preset="lending-club-compact")
    assert answer.status_code == 422
    assert "No file was chosen." in words_of(answer)
    assert "Validation file" in words_of(answer)  # it is the form itself, ready for another try


def test_a_program_is_told_the_same_as_json(lender):
    page = BeautifulSoup(looked(lender, "/bounties/new").text, "html.parser")
    token = page.find("input", attrs={"name": "csrf_token"})["value"]
    answer = lender.client._session.post(
        f"{lender.client.base}/bounties/new",
        data={"csrf_token": token, "preset": "lending-club-compact"},
        files={"file": ("x.csv", b"a,b\n1,2\n")},
        headers={"Accept": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == "file"
    assert all(error[part] for part in ("got", "expected", "do"))


def test_terms_that_cannot_be_kept_come_back_as_they_were_typed(lender, draft):
    fields = {"title": "Typed again", "bond_eth": "0.1", "bounty_eth": "one", "seats": "17"}
    answer = pushed(lender, f"{draft}/terms", f"{draft}/terms", **fields)
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    for name, typed in fields.items():
        assert page.find("input", attrs={"name": name})["value"] == typed
    words = words_of(answer)
    assert "one" in words
    assert "1 to 16" in words
    assert page.find("input", attrs={"name": "seats"}).get("aria-invalid") == "true"
    assert is_kept(lender, draft)


def test_a_bond_below_half_of_the_bounty_is_refused(lender, draft):
    answer = pushed(lender, f"{draft}/terms", f"{draft}/terms", bounty_eth="1", bond_eth="0.49")
    assert answer.status_code == 422
    assert "The bond is less than half of the bounty." in words_of(answer)


def test_a_lender_without_ether_is_told_how_much_is_missing_and_keeps_the_draft(theatre, lender, draft):
    review = looked(lender, f"{draft}/review")
    assert review.status_code == 200
    assert "Not enough ether" in words_of(review)
    assert "Post the bounty, send" not in words_of(review)
    answer = pushed(lender, f"{draft}/review", f"{draft}/publish")
    assert answer.status_code == 409
    words = words_of(answer)
    assert "Not enough ether" in words
    assert "The account has 0 ether." in words
    assert "Bounty, bond and fee come to 1.50" in words
    assert "Your draft is kept." in words
    assert is_kept(lender, draft)
    assert theatre.nonce(lender.address) == 0


def test_a_wrong_password_opens_nothing_and_loses_nothing(lender, draft):
    lender.client.fill("/bounties/new", {}, action="/lock")
    locked = lender.client._session.get(f"{lender.client.base}{draft}/review", allow_redirects=False, timeout=60)
    assert locked.status_code == 303
    assert locked.headers["Location"].startswith("/unlock?next=")
    with pytest.raises(PageRefused) as caught:
        lender.client.fill("/unlock", {"password": "not the password"})
    assert caught.value.status == 401
    assert "The password does not open this account. Check it and try again." in str(caught.value)
    assert lender.client.fill(f"/unlock?next={draft}/review", {"password": lender.password}, action="/unlock") == (
        f"{draft}/review"
    )
    assert is_kept(lender, draft)


def test_guessing_passwords_is_slowed_down(lender, draft):
    lender.client.fill("/bounties/new", {}, action="/lock")
    # Two tries are free; each further one costs a wait that doubles, so on any machine one comes too early.
    answers = [pushed(lender, "/unlock", "/unlock", password="a wrong one")]
    while answers[-1].status_code != 429 and len(answers) < 8:
        answers.append(pushed(lender, "/unlock", "/unlock", password="a wrong one"))
    assert [answer.status_code for answer in answers] == [401] * (len(answers) - 1) + [429]
    assert len(answers) > 2
    wait = re.search(r"Too many wrong passwords. Try again in (\d+) s.", words_of(answers[-1]))
    assert wait
    end = time.monotonic() + int(wait[1]) + 10
    while (answer := pushed(lender, "/unlock", "/unlock", password=lender.password)).status_code == 429:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert answer.status_code == 200
    assert is_kept(lender, draft)


def test_without_the_chain_pages_say_so_and_the_draft_is_kept(theatre, lender, draft):
    with chain_away(theatre):
        for path in ("/", f"{draft}/review", "/account"):
            answer = looked(lender, path)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "5"
            words = words_of(answer)
            assert "The chain is unreachable" in words
            assert theatre.rpc_url in words
            assert "Start it, or name one that runs" in words
            assert "Nothing is lost" in words
        posted = pushed(lender, f"{draft}/terms", f"{draft}/publish")
        assert posted.status_code == 503
        assert lender.client.json("/healthz") == {"ok": True, "app": "lender", "chain": False, "store": True}
        # What is kept here can be looked at without the chain.
        assert is_kept(lender, draft)
    wait_for(lender, chain=True, store=True)
    assert looked(lender, "/").status_code == 200
    assert is_kept(lender, draft)


def test_a_bounty_posted_while_the_store_is_away_waits_for_it(theatre, lender, model):
    client = lender.client
    terms_page = client.fill("/bounties/new", {}, file=("file", "v.csv", VALIDATION_CSV.read_bytes()))
    review_page = client.fill(terms_page, {"title": "Another one", "target_score": FAR})
    with store_away(theatre):
        page = client.fill(review_page, {}, action=review_page.replace("/review", "/publish"))
        waiting = client.wait(page, lambda view: "not there" in view["job"]["note"], "the store to be missed")
        assert waiting["job"]["state"] == "waiting"
        assert str(theatre.store) in waiting["job"]["note"]
        assert "Store unreachable" in looked(lender, "/").text
        assert client.json("/healthz")["store"] is False
        assert theatre.contract.functions.modelCount().call() == 1
    assert int(lender.finish_job(page)["model_id"]) == 2
    assert theatre.contract.functions.modelCount().call() == 2


# ----------------------------------------------------------------------------------------------- the data owner's app


def test_without_the_store_the_market_says_so_and_comes_back(theatre, owner, model):
    with store_away(theatre):
        for path in ("/", f"/models/{model}"):
            answer = looked(owner, path)
            assert answer.status_code == 503
            words = words_of(answer)
            assert "The content store is unreachable" in words
            assert f"The content store's folder {theatre.store} is not there." in words
            assert "CHAIN_STORAGE_URL" in words
    assert looked(owner, f"/models/{model}").status_code == 200


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_data_owners_file_that_cannot_be_used_is_refused_with_the_reason(theatre, owner, model, name):
    content, status, said = BAD_FILES[name]
    answer = uploaded(owner, f"/models/{model}/contribute", "loans.csv", content)
    assert answer.status_code == status
    for words in said:
        assert words in words_of(answer)
    assert theatre.nonce(owner.address) == 0


@pytest.fixture(scope="module")
def read(owner, model):
    """The page of a file that was read."""
    return owner.client.fill(f"/models/{model}/contribute", {}, file=("file", "mine.csv", OWNER_CSV.read_bytes()))


def test_missing_noise_has_to_be_acknowledged_on_the_server_too(theatre, owner, read):
    theatre.bank.fund(owner.address, 1)  # one wei: still not enough for anything
    answer = pushed(owner, read, read)
    assert answer.status_code == 422
    assert "The box about missing noise was not ticked." in words_of(answer)
    assert owner.client.json(read)["n_rows"] == 2000


def test_a_data_owner_without_ether_is_told_how_much_is_missing_and_keeps_the_file(theatre, owner, read):
    page = looked(owner, read)
    assert page.status_code == 200
    assert "Not enough ether" in words_of(page)
    answer = pushed(owner, read, read, acknowledge_no_noise="yes")
    assert answer.status_code == 409
    words = words_of(answer)
    assert "Not enough ether" in words
    assert re.search(r"The account is 0\.00\d+ ether short of stake and fee\.", words)
    assert "Fund the account and try again." in words
    assert owner.client.json(read)["n_rows"] == 2000
    assert theatre.nonce(owner.address) == 0


def test_a_contribution_lives_through_the_absence_of_chain_and_store(theatre, owner, model, read):
    theatre.bank.fund(owner.address, ETHER)
    with chain_away(theatre):
        for path in ("/", read):
            assert looked(owner, path).status_code == 503
            assert "The chain is unreachable" in words_of(looked(owner, path))
    assert owner.client.json(read)["n_rows"] == 2000
    wait_for(owner, chain=True)
    with store_away(theatre):
        page = owner.client.fill(read, {"acknowledge_no_noise": "yes"})
        owner.contribution = page.rsplit("/", 1)[-1]
        owner.client.wait(
            page, lambda view: "not there" in view["job"]["note"], "the store to be missed by the contribution"
        )
        assert owner.view()["state"] == "computing"
    with chain_away(theatre):
        assert looked(owner, page).status_code == 503
    seen = owner.client.wait(page, lambda view: view["seat"] is not None, "the contribution to be committed")
    assert (seen["round"], seen["seat"], seen["state"]) == (1, 0, "round collecting")
    assert theatre.nonce(owner.address) == 1
    again = uploaded(owner, f"/models/{model}/contribute", "mine.csv", OWNER_CSV.read_bytes())
    assert again.status_code == 409
    assert "These rows have been contributed to this model already." in words_of(again)


def test_unknown_pages_and_contributions_have_a_page(owner, lender):
    assert looked(owner, "/nowhere").status_code == 404
    assert looked(owner, "/contributions/0123456789abcdef").status_code == 422
    missing = looked(lender, "/models/99")
    assert missing.status_code in (404, 409)
    assert "Model 99" in words_of(missing)
