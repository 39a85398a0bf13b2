"""The training story by hand, in a real browser, with real apps on a real chain.

The acts of the story are fixtures, each going on where the one before ended; the tests say what has to be true after
each. Two data owners contribute: one with scripts, one without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chromium import PATIENCE_MS, Visitor, fact, visitor
from tests.e2e.theatre import ETHER, FAR, OWNER_CSV, VALIDATION_CSV, Theatre, sample_rows

pytestmark = [pytest.mark.browser, pytest.mark.chain, pytest.mark.xdist_group("e2e-story")]

expect.set_options(timeout=PATIENCE_MS)

BOUNTY, BOND, STAKE = ETHER, ETHER // 2, ETHER // 1000
OWNER_ROWS = 2000  # finished loans in data/sample_owner.csv, see data/README.md
SECOND_ROWS = 900
WINDOWS = {
    "collect_window": "10 min",
    "deliver_window": "5 min",
    "settle_window": "5 min",
    "closing_window": "5 min",
    "audit_demand_window": "2 s",
}


@dataclass
class Story:
    """The people of the story at their browsers, and what was seen on the way."""

    theatre: Theatre
    lender: Visitor
    owner: Visitor
    second: Visitor
    urls: tuple[str, str, str]
    addresses: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)

    @property
    def everybody(self) -> tuple[Visitor, ...]:
        return self.lender, self.owner, self.second


def fill(page: Page, label: str | re.Pattern[str], words: str) -> None:
    page.get_by_role("textbox", name=label, exact=True).fill(words)


def press(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name).click()


def go(page: Page, place: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()


def make_account(story: Story, who: Visitor) -> None:
    """Fill in the first-run page, where an app without an account leads from any page."""
    who.page.goto("/")
    expect(who.page.get_by_role("heading", level=1)).to_have_text("Make your account")
    if who is not story.second:
        who.judge("first run")
    fill(who.page, "Password", story.theatre.password)
    fill(who.page, "The same password again", story.theatre.password)
    press(who.page, "Make the account")


def made_account(who: Visitor) -> str:
    """Wait until the account is made; return its address as the account page shows it."""
    expect(who.page.get_by_role("status").first).to_contain_text("Account made")
    answer = who.context.request.get("/account", headers={"Accept": "application/json"}).json()
    return str(answer["address"])


@pytest.fixture(scope="module")
def story(theatre, browser):
    """Three apps, each with a browser of its own, an account made on its first page, and ether."""
    started = (theatre.lender(), theatre.owner(), theatre.owner("second"))
    for person in started:
        person.client.wait_until_up()
    urls = tuple(person.app.url for person in started)
    people = [visitor(browser, url, javascript=number < 2) for number, url in enumerate(urls)]
    told = Story(theatre, *people, urls=urls)
    for who in people:
        make_account(told, who)
    told.addresses = [made_account(who) for who in people]
    for address in told.addresses:
        theatre.bank.fund(address, 3 * ETHER)
    yield told
    for who in people:
        who.context.close()


@pytest.fixture(scope="module")
def posted(story):
    """The lender goes from a file to a posted bounty."""
    page = story.lender.page
    go(page, "Overview")
    story.lender.judge("overview, empty")
    go(page, "New bounty")
    story.lender.judge("validation file")
    page.get_by_label("CSV of finished loans with their outcome").set_input_files(VALIDATION_CSV)
    press(page, "Read the file")

    expect(page.get_by_role("heading", level=1)).to_contain_text("What was read")
    story.lender.judge("terms")
    story.seen.update({name: fact(page, name).inner_text() for name in ("Rows read", "Rows kept", "Sets")})
    fill(page, "Seats in a round", "2")
    fill(page, "Rounds", "2")
    fill(page, "Deadline", "1 h")
    page.get_by_text("Times and finer rules").click()
    for name, words in WINDOWS.items():
        page.locator(f"input[name={name}]").fill(words)
    # Further than these rows lead, so that one round does not end the training.
    page.get_by_role("textbox", name=re.compile("^Target")).fill(FAR)
    press(page, "Review the bounty")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Review")
    story.lender.judge("review")
    story.seen["review"] = page.get_by_role("main").inner_text()
    story.balances["before posting"] = story.theatre.balance(story.addresses[0])
    press(page, re.compile("Post the bounty"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    story.seen["progress"] = page.get_by_role("main").inner_text()
    # The page looks by itself and goes on to the model's.
    page.wait_for_url("**/models/1")
    story.balances["after posting"] = story.theatre.balance(story.addresses[0])
    story.fees["posting"] = story.theatre.fees(story.addresses[0], 0)
    story.lender.judge("model, new")
    return story


def read_file(who: Visitor, file: object) -> None:
    """Go from the market to what was read of a file."""
    page = who.page
    go(page, "Market")
    page.get_by_role("link", name=re.compile("^Contribute")).first.click()
    page.get_by_label("CSV of finished loans with their outcome").set_input_files(file)
    press(page, "Read the file")
    expect(page.get_by_role("heading", level=1)).to_have_text("What was read")


@pytest.fixture(scope="module")
def contributed(posted):
    """Both data owners find the bounty and contribute; the second one's browser runs no scripts."""
    story, page = posted, posted.owner.page
    go(page, "Market")
    story.owner.judge("market")
    page.get_by_role("link", name=re.compile("^What it asks for")).click()
    story.owner.judge("model, data owner's")
    page.get_by_role("link", name="Contribute", exact=True).click()
    story.owner.judge("data owner's file")
    read_file(story.owner, OWNER_CSV)
    story.owner.judge("what was read")
    story.seen["owner's rows"] = fact(page, "Rows used").inner_text()
    story.seen["owner's report"] = page.get_by_role("main").inner_text()

    acknowledged = page.get_by_label("I know that my update carries no noise")
    press(page, "Compute and send")
    story.seen["unacknowledged"] = str(acknowledged.evaluate("box => box.matches(':focus:invalid')"))
    acknowledged.check()
    press(page, "Compute and send")
    expect(page.get_by_role("progressbar")).to_be_visible()
    story.seen["owner's progress"] = page.get_by_role("main").inner_text()
    expect(page.get_by_role("main")).to_contain_text("Round collecting")
    story.owner.judge("contribution, collecting")

    second = story.second.page
    read_file(story.second, {"name": "loans.csv", "mimeType": "text/csv", "buffer": sample_rows(0, SECOND_ROWS)})
    second.get_by_label("I know that my update carries no noise").check()
    press(second, "Compute and send")
    story.seen["second's page"] = second.url
    # Without scripts the page loads itself again until the contribution is on chain.
    expect(second.get_by_role("main")).not_to_contain_text("Computing")
    return story


@pytest.fixture(scope="module")
def settled(contributed):
    """Nobody does anything: payloads are delivered and the round is settled by the apps themselves."""
    story = contributed
    expect(story.owner.page.get_by_role("main")).to_contain_text("Half credited", timeout=60_000)
    story.owner.judge("contribution, half credited")
    expect(story.lender.page.get_by_role("main")).to_contain_text("Round 1: who is paid what")
    # A page that was read while the round was being settled is read again some seconds later.
    expect(fact(story.lender.page, "Progress to target")).not_to_contain_text(re.compile(r"^0\s%"))
    story.lender.judge("model, one round")
    for name in ("Score, Brier", "Progress to target"):
        story.seen[name] = fact(story.lender.page, name).inner_text()
    story.seen["lender's model"] = story.lender.page.get_by_role("main").inner_text()
    return story


def claim_and_withdraw(story: Story, who: Visitor, address: str, name: str, *, scripts: bool = True) -> None:
    """Claim what is due on the contribution's page, follow to the account and withdraw it."""
    page = who.page
    story.balances[f"{name}, before"] = story.theatre.balance(address)
    block = story.theatre.block() + 1
    press(page, re.compile("^Claim"))
    if not scripts:
        follow_job(page)
    page.get_by_role("link", name="Go and withdraw").click()
    press(page, re.compile("^Withdraw"))
    if not scripts:
        follow_job(page)
    expect(page.get_by_role("main")).to_contain_text("owes this account nothing now")
    story.balances[f"{name}, after"] = story.theatre.balance(address)
    story.fees[name] = story.theatre.fees(address, block)


def follow_job(page: Page) -> None:
    """Wait on a job's page, which loads itself again, until it has led on."""
    expect(page.get_by_role("main")).not_to_contain_text("When it is done, the page you came from opens")


@pytest.fixture(scope="module")
def half_paid(settled):
    """Both data owners claim the first half and withdraw it."""
    story = settled
    story.balances["due to owner"] = story.theatre.claimable(1, 1, 0)
    story.balances["due to second"] = story.theatre.claimable(1, 1, 1)
    claim_and_withdraw(story, story.owner, story.addresses[1], "owner")
    story.owner.judge("account")
    story.second.page.goto(story.seen["second's page"])
    claim_and_withdraw(story, story.second, story.addresses[2], "second", scripts=False)
    return story


@pytest.fixture(scope="module")
def ended(half_paid):
    """The lender ends training; the closing score comes by itself and frees the held half; the rest goes back."""
    story, page = half_paid, half_paid.lender.page
    page.reload()  # a page that is up to date does not load itself anew under the next click
    page.get_by_role("link", name=re.compile("^Top up")).click()
    story.lender.judge("top up")
    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name=re.compile("^End training")).click()
    story.lender.judge("end training")
    press(page, "End training")
    page.wait_for_url("**/models/1")
    expect(page.get_by_role("main")).to_contain_text("Closing score")
    expect(page.get_by_role("button", name="Reclaim what is left")).to_be_visible()
    story.lender.judge("model, closed")

    go(story.owner.page, "My contributions")
    story.owner.judge("my contributions")
    story.owner.page.get_by_role("link", name="Lending Club, 9 inputs").first.click()
    expect(story.owner.page.get_by_role("main")).to_contain_text("Closed and paid")
    story.balances["held for owner"] = story.theatre.claimable(1, 1, 0)
    claim_and_withdraw(story, story.owner, story.addresses[1], "owner's second half")

    story.balances["lender, before"] = story.theatre.balance(story.addresses[0])
    block = story.theatre.block() + 1
    page.reload()
    press(page, "Reclaim what is left")
    expect(page.get_by_role("main")).to_contain_text("Ended")
    go(page, "Account")
    story.lender.judge("lender's account")
    press(page, re.compile("^Withdraw"))
    expect(page.get_by_role("main")).to_contain_text("owes this account nothing now")
    story.balances["lender, after"] = story.theatre.balance(story.addresses[0])
    story.fees["lender"] = story.theatre.fees(story.addresses[0], block)
    for place, name in (("Models", "models"), ("Keys", "keys"), ("Overview", "overview, one model")):
        go(page, place)
        story.lender.judge(name)
    return story


def test_the_lender_sees_what_was_read_and_what_it_costs(posted):
    assert "4,025" in posted.seen["Rows read"].replace("\u202f", ",").replace("\u00a0", ",")
    assert "4,000" in posted.seen["Rows kept"].replace("\u202f", ",").replace("\u00a0", ",")
    assert "25 left out" in posted.seen["Rows kept"].replace("\u00a0", " ")
    assert "1.5" in posted.seen["review"]
    assert "Cannot be undone" in posted.seen["review"]


def test_posting_shows_its_steps_and_takes_bounty_bond_and_a_fee(posted):
    for step in ("Make the model’s keys", "Encrypt the first weights", "Escrow bounty and bond"):
        assert step.replace("’", "'") in posted.seen["progress"].replace("’", "'")
    spent = posted.balances["before posting"] - posted.balances["after posting"]
    assert spent == BOUNTY + BOND + posted.fees["posting"]
    assert 0 < posted.fees["posting"] < ETHER // 100
    [event] = posted.theatre.events("ModelCreated")
    assert (event.lender, event.bounty, event.bond) == (posted.addresses[0], BOUNTY, BOND)
    terms = posted.theatre.terms(1)
    assert (terms.seats, terms.maxRounds, terms.collectWindow, terms.auditDemandWindow) == (2, 2, 600, 2)


def test_a_data_owner_sees_what_was_read_and_what_was_left_out(contributed):
    assert re.search(r"2.000", contributed.seen["owner's rows"])
    assert "70 left out" in contributed.seen["owner's rows"].replace("\u00a0", " ")
    assert "recoveries" not in contributed.seen["owner's rows"]
    assert "no noise" in contributed.seen["owner's report"]


def test_nothing_is_sent_before_missing_noise_is_acknowledged(contributed):
    assert contributed.seen["unacknowledged"] == "True"  # the browser points at the box instead of sending


def test_a_contribution_shows_its_progress_and_takes_one_seat(contributed):
    assert "Compute and encrypt the update" in contributed.seen["owner's progress"]
    events = contributed.theatre.events("Contributed")
    assert [(event.owner, event.seat, event.contribution.rows) for event in events] == [
        (contributed.addresses[1], 0, OWNER_ROWS),
        (contributed.addresses[2], 1, events[1].contribution.rows),
    ]
    assert 800 < events[1].contribution.rows <= SECOND_ROWS
    assert [event.stake for event in events] == [STAKE, STAKE]


def test_the_round_is_settled_by_itself_and_lowers_the_score(settled):
    [event] = settled.theatre.events("RoundSettled")
    assert list(event.rejections) == [0, 0]
    assert event.loss < event.lossBefore
    assert event.money > 0
    terms = settled.theatre.terms(1)
    unit = terms.scoringRows * 2**32  # a loss of the contract has 32 fractional bits
    now, start = event.loss / unit, event.lossBefore / unit
    # Brier scores of half of the file; on all of it the base rate alone has 0.1217 (data/README.md).
    assert 0.09 < now < start < 0.15
    shown = settled.seen["Score, Brier"]
    assert f"{now:.5f}" in shown
    assert f"{start:.5f}" in shown


def test_the_lender_sees_what_the_round_paid(settled):
    [event] = settled.theatre.events("RoundSettled")
    terms = settled.theatre.terms(1)
    way = event.lossBefore - terms.targetLoss
    gone = event.lossBefore - max(event.loss, terms.targetLoss)
    assert event.money == BOUNTY * gone // way
    assert sum(event.shares) == 64
    shown = str(Decimal(event.money) / ETHER)[:6]
    assert shown in settled.seen["lender's model"]
    for share in event.shares:
        assert f"{100 * share / 64:.1f} %" in settled.seen["lender's model"].replace("\u00a0", " ")


@pytest.mark.parametrize(("name", "seat"), [("owner", 0), ("second", 1)])
def test_the_first_half_and_the_stake_reach_the_account(half_paid, name, seat):
    [event] = half_paid.theatre.events("RoundSettled")
    now, shares = event.money - event.held, event.shares
    before = sum(shares[:seat])
    part = now * (before + shares[seat]) // 64 - now * before // 64
    assert half_paid.balances[f"due to {name}"] == part + STAKE
    grown = half_paid.balances[f"{name}, after"] - half_paid.balances[f"{name}, before"]
    assert grown == part + STAKE - half_paid.fees[name]


def test_the_held_half_follows_the_closing_score(ended):
    [event], [closing] = ended.theatre.events("RoundSettled"), ended.theatre.events("ClosingSettled")
    terms, losses = ended.theatre.terms(1), closing.losses
    whole = (event.lossBefore - event.loss) * terms.closingRows
    confirmed = min(max((losses[0] - losses[1]) * terms.scoringRows, 0), whole)
    held_paid = event.held * confirmed // whole
    assert closing.heldPaid == held_paid > 0
    assert ended.balances["held for owner"] == held_paid * event.shares[0] // 64
    grown = ended.balances["owner's second half, after"] - ended.balances["owner's second half, before"]
    assert grown == ended.balances["held for owner"] - ended.fees["owner's second half"]


def test_what_is_not_paid_goes_back_to_the_lender(ended):
    [event], [closing] = ended.theatre.events("RoundSettled"), ended.theatre.events("ClosingSettled")
    paid = event.money - event.held + closing.heldPaid
    grown = ended.balances["lender, after"] - ended.balances["lender, before"]
    assert grown == BOUNTY - paid + BOND - ended.fees["lender"]
    second = ended.theatre.claimable(1, 1, 1)
    contract = ended.theatre.balance(ended.theatre.contract.address)
    assert contract == second > 0  # the second data owner has not fetched its held half; nothing else is left


def test_no_request_left_the_site(ended):
    assert [who.hosts for who in ended.everybody] == [{"127.0.0.1"}] * 3


def test_the_consoles_stayed_silent_and_the_policy_was_kept(ended):
    assert [who.complaints for who in ended.everybody] == [[], [], []]


def test_axe_finds_nothing_serious_on_any_page(ended):
    pages = {**ended.lender.unfit, **{f"{name} (owner)": found for name, found in ended.owner.unfit.items()}}
    assert len(pages) >= 20
    assert {name: found for name, found in pages.items() if found} == {}
