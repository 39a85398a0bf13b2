"""Apps that are killed in the middle of their work, at once and without warning, and started again.

One story is told with a kill at every turn. Kills come at known moments: while the chain does not answer no step gets
past it, and while no block is mined a transaction that was sent has no receipt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from chain_common.demo.people import AppProcess, LenderPerson, OwnerPerson
from tests.e2e.theatre import ETHER, FAR, VALIDATION_CSV, Theatre, sample_rows

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("e2e-killed")]

COLLECT_S = 600
TERMS = {
    "target_score": FAR,
    "seats": "2",
    "max_rounds": "2",
    "collect_window": f"{COLLECT_S} s",
    "deliver_window": "10 min",
    "settle_window": "10 min",
    "audit_demand_window": "1 s",
}


def until(ready: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Look every few milliseconds until something is so."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what} in vain"
        time.sleep(0.003)


@dataclass
class Killer:
    """Kills the apps of a story, and remembers in which step each job was."""

    theatre: Theatre
    kills: list[tuple[str, str, int]] = field(default_factory=list)

    def step(self, app: AppProcess, kind: str) -> int:
        """Return how many steps of the newest job of a kind are done, -1 if there is none."""
        found = self.theatre.rows(app, f"SELECT step FROM jobs WHERE kind = '{kind}' ORDER BY job_id DESC LIMIT 1")
        return found[0]["step"] if found else -1

    def fates(self, app: AppProcess) -> list[str]:
        """Return what the app knows of each transaction it recorded, oldest first."""
        return [row["fate"] for row in self.theatre.rows(app, "SELECT fate FROM outbox ORDER BY row_id")]

    def kill(self, app: AppProcess, kind: str) -> None:
        self.theatre.kill(app)
        self.kills.append((app.command, kind, self.step(app, kind)))

    def kill_in_flight(self, app: AppProcess, kind: str) -> None:
        """Wait until a transaction has been sent and is not mined; then kill its sender."""
        until(lambda: self.fates(app)[-1:] == ["sent"], f"a transaction of {kind} to be sent")
        self.kill(app, kind)

    def wait_done(self, app: AppProcess, kind: str) -> None:
        query = f"SELECT state, failure FROM jobs WHERE kind = '{kind}' ORDER BY job_id DESC LIMIT 1"
        until(lambda: self.theatre.rows(app, query)[0]["state"] in ("done", "failed"), f"the job {kind}")
        [job] = self.theatre.rows(app, query)
        assert (job["state"], job["failure"]) == ("done", "")


@dataclass
class Story:
    theatre: Theatre
    killer: Killer
    lender: LenderPerson
    anna: OwnerPerson


@pytest.fixture(scope="module")
def story(theatre):
    lender, anna = theatre.lender(), theatre.owner("anna")
    theatre.arrive(lender, anna)
    return Story(theatre, Killer(theatre), lender, anna)


@pytest.fixture(scope="module")
def posted(story):
    """The lender's app is killed once it has made keys, and in flight."""
    theatre, killer, app = story.theatre, story.killer, story.lender.app
    client = story.lender.client
    terms_page = client.fill("/bounties/new", {}, file=("file", "validation.csv", VALIDATION_CSV.read_bytes()))
    review_page = client.fill(terms_page, TERMS)
    client.fill(review_page, {}, action=review_page.replace("/review", "/publish"))
    with theatre.chain_frozen():
        until(lambda: killer.step(app, "publish") >= 1, "the keys")
        killer.kill(app, "publish")
    with theatre.blocks_held():
        theatre.restart(app)
        killer.kill_in_flight(app, "publish")
    theatre.restart(app)
    killer.wait_done(app, "publish")
    return story


@pytest.fixture(scope="module")
def contributed(posted):
    """A data owner's app is killed once its statistics are kept, in flight, and while its payload waits."""
    theatre, killer, app = posted.theatre, posted.killer, posted.anna.app
    client = posted.anna.client
    draft_page = client.fill("/models/1/contribute", {}, file=("file", "anna.csv", sample_rows(0, 800)))
    page = client.fill(draft_page, {"acknowledge_no_noise": "yes"})
    posted.anna.contribution = page.rsplit("/", 1)[-1]
    killer.kill(app, "contribute")
    with theatre.blocks_held():
        theatre.restart(app)
        killer.kill_in_flight(app, "contribute")
    theatre.restart(app)
    killer.wait_done(app, "contribute")
    killer.kill(app, "deliver")
    return posted


@pytest.fixture(scope="module")
def settled(contributed):
    """The lender's app is killed while it opens, checks and combines, and in flight."""
    theatre, killer, app = contributed.theatre, contributed.killer, contributed.lender.app
    theatre.pass_time(COLLECT_S + 1)  # the round closes with a seat empty
    until(lambda: killer.step(app, "settle") == 0, "the settlement to wait for the payload")
    with theatre.blocks_held():
        theatre.restart(contributed.anna.app)
        until(lambda: killer.step(app, "settle") >= 1, "the payload")
        killer.kill(app, "settle")
        killer.wait_done(contributed.anna.app, "deliver")
        theatre.restart(app)
        killer.kill_in_flight(app, "settle")
    theatre.restart(app)
    killer.wait_done(app, "settle")
    return contributed


def test_a_bounty_is_posted_once(posted):
    theatre, lender = posted.theatre, posted.lender
    [created] = theatre.events("ModelCreated")
    assert (created.modelId, created.bounty, created.bond) == (1, ETHER, ETHER // 2)
    assert theatre.contract.functions.modelCount().call() == 1
    assert theatre.nonce(lender.address) == 1
    [job] = theatre.rows(lender.app, "SELECT state, data FROM jobs WHERE kind = 'publish'")
    assert job["state"] == "done"
    card = lender.model(1)["card"]
    assert (card["state"], int(card["left_wei"])) == ("open", ETHER)


def test_the_key_made_before_the_first_kill_is_the_models(posted):
    keys = posted.lender.client.json("/keys")["keys"]
    assert [(key["model_id"], key["bits"]) for key in keys] == [(1, 2048)]


def test_a_contribution_takes_one_seat(contributed):
    theatre, anna = contributed.theatre, contributed.anna
    mine = [event for event in theatre.events("Contributed") if event.owner == anna.address]
    assert [(event.round, event.seat) for event in mine] == [(1, 0)]
    assert theatre.rows(anna.app, "SELECT count(*) AS n FROM outbox")[0]["n"] == 1


def test_what_was_kept_of_the_rows_is_enough_and_the_rows_are_not_there(contributed):
    [event] = [each for each in contributed.theatre.events("Contributed") if each.seat == 0]
    assert 700 < event.contribution.rows <= 800
    text = sample_rows(0, 800).splitlines()[5].split(b",")[3]  # an instalment, to the cent
    home = contributed.anna.app.home
    assert not [file for file in home.rglob("*") if file.is_file() and text in file.read_bytes()]


def test_a_round_is_settled_once_and_pays(settled):
    [event] = settled.theatre.events("RoundSettled")
    assert (list(event.rejections), list(event.shares)) == ([0], [64])
    assert event.loss < event.lossBefore
    assert event.money > 0
    assert settled.theatre.nonce(settled.lender.address) == 2
    assert settled.theatre.claimable(1, 1, 0) == event.money - event.held + ETHER // 1000  # with the stake
    [job] = settled.theatre.rows(settled.lender.app, "SELECT state FROM jobs WHERE kind = 'settle'")
    assert job["state"] == "done"


def test_the_next_base_can_be_read_by_data_owners(settled):
    assert settled.anna.client.json("/models/1")["card"]["progress"] > 0
    cid = settled.lender.model(1)["weights_cid"]
    assert [file for file in settled.theatre.store.rglob("*") if cid in file.name]


def test_every_kill_came_in_the_middle(settled):
    last = {"publish": 5, "contribute": 5, "deliver": 2, "settle": 6}
    assert [(command, kind) for command, kind, _ in settled.killer.kills] == [
        ("company", "publish"),
        ("company", "publish"),
        ("data-owner", "contribute"),
        ("data-owner", "contribute"),
        ("data-owner", "deliver"),
        ("company", "settle"),
        ("company", "settle"),
    ]
    assert all(0 <= step < last[kind] for _, kind, step in settled.killer.kills)
