"""The lender's pages: what each shows, where each form leads, and how what cannot be used comes back."""

import io
from dataclasses import replace

import pytest

from chain_common.chain_errors import NotEnoughEther
from chain_common.domain.backup import BackupRefused
from chain_common.errors import BadInput, RuleBroken, Unavailable
from chain_common.services.lender.bounties import NotEnoughForBounty
from company_app import create_app
from tests.web import examples as ex
from tests.web.conftest import Browser, Page
from tests.web.fakes import LenderParts

NB = "\N{NO-BREAK SPACE}"
PAGES = [
    "/",
    "/bounties/new",
    "/bounties/ab12/terms",
    "/bounties/ab12/review",
    "/models",
    "/models/3",
    "/models/5",
    "/models/7",
    "/models/3/end",
    "/models/5/end",
    "/models/3/top-up",
    "/models/7/top-up",
    "/keys",
    "/account",
]


def csv(text=b"a,b\n1,2\n"):
    return io.BytesIO(text), "validation.csv"


@pytest.fixture
def parts(keyring, clock):
    return LenderParts(keyring, clock)


@pytest.fixture
def lender(parts):
    return Browser(create_app(parts)).set_up()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_the_promises_of_the_kit(lender, path):
    page = lender.page(path)
    assert len(page.all("button", class_="button")) + len(page.all("a", class_="button")) <= 2


@pytest.mark.parametrize("path", PAGES)
def test_every_page_tells_its_view_as_json_too(lender, path):
    assert lender.get_json(path).mimetype == "application/json"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_needs_the_password(parts, keyring, path, lender):
    stranger = Browser(lender.app)
    assert stranger.get(path, 303).location.startswith("/unlock")


class TestOverview:
    def test_an_empty_overview_names_the_first_act(self, lender, parts):
        parts.overview = replace(ex.OVERVIEW, models=(), drafts=(), jobs=())
        page = lender.page("/")
        assert "No models yet" in page.text
        assert page.one("a", class_="button")["href"] == "/bounties/new"

    def test_what_stopped_comes_before_drafts(self, lender):
        items = [li.text for li in lender.page("/").all("li") if "Settle round 3" in li.text or "Finish" in li.text]
        assert "The chain is away." in items[0]
        assert "Finish “Small business”" in items[1]

    def test_running_work_is_looked_at_again_by_itself(self, lender):
        live = lender.page("/").one("div", id="live")
        assert live["hx-trigger"] == "every 3s"
        seen = live["hx-get"].partition("seen=")[2]
        same = lender.client.get(f"/?seen={seen}", headers={"HX-Request": "true"})
        assert "HX-Refresh" not in same.headers

    def test_when_something_has_happened_the_page_is_loaded_anew(self, lender):
        assert lender.client.get("/?seen=other", headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


class TestNewBounty:
    def test_a_file_leads_to_what_was_read(self, lender, parts):
        answer = lender.post("/bounties/new", preset="lending-club", file=csv())
        assert answer.location == "/bounties/ab12/terms"
        args, kwargs = parts.last("bounties.read_file")
        assert kwargs == {"filename": "validation.csv", "preset": "lending-club"}
        assert args[0].getvalue() == b"a,b\n1,2\n"

    @pytest.mark.parametrize(
        "error",
        [
            BadInput("photo.png is not a CSV.", expected="A text file with commas.", do="Export it.", field="file"),
            BadInput("The columns dti, term are missing.", expected="The preset asks for 9.", do="Add them."),
            BadInput("All 900 usable rows are good.", expected="Rows with a bad outcome too.", field="loan_status"),
            BadInput("None of the 61 rows can be used (loan not finished: 61).", do="Choose another file."),
        ],
        ids=["not a CSV", "wrong columns", "one class", "no rows left"],
    )
    def test_a_file_that_cannot_be_used_comes_back_with_the_reason(self, lender, parts, error):
        parts.fails["bounties.read_file"] = error
        page = Page(lender.post("/bounties/new", status=422, preset="lending-club", file=csv()).text)
        assert error.sentence in page.one("div", role="alert").text
        assert page.one("input", id="preset-lending-club").attributes.get("checked", "no") is None
        assert page.one("title").text.startswith("Error: ")

    def test_what_was_read_is_told_by_row_and_column(self, lender):
        page = lender.page("/bounties/ab12/terms")
        for words in (
            "4,061",
            "61 left out",
            "Loan not finished",
            "Current",
            "(40)",
            "lines 412 and 1,980",
            "14.35",
        ):
            assert words in page.text, words
        assert "Is the column in another unit?" in page.text
        assert "total_pymnt" in page.text
        assert "Look at this first" in page.text

    def test_terms_are_proposed_and_kept(self, lender, parts):
        page = lender.page("/bounties/ab12/terms")
        assert page.one("input", name="bounty_eth")["value"] == "1"
        assert page.one("input", name="settle_window")["value"] == "3 d"
        sent = {
            "title": "New",
            "bounty_eth": "2.5",
            "bond_eth": "1.25",
            "settle_window": "90 s",
            "seats": "4",
        }
        assert lender.post("/bounties/ab12/terms", **sent).location == "/bounties/ab12/review"
        (_, choices), _ = parts.last("bounties.choose")
        assert choices == replace(
            ex.CHOICES,
            title="New",
            bounty_wei=5 * 10**18 // 2,
            bond_wei=125 * 10**16,
            settle_window_s=90,
            seats=4,
        )

    def test_every_wrong_answer_is_named_at_once_and_nothing_typed_is_lost(self, lender, parts):
        sent = {
            "target_score": "0.5",
            "bounty_eth": "a lot",
            "seats": "17",
            "settle_window": "soon",
            "title": "Mine",
        }
        page = Page(lender.post("/bounties/ab12/terms", status=422, **sent).text)
        assert page.one("h2", id="error-title").text == "4 answers need another look"
        for name in ("target_score", "bounty_eth", "seats", "settle_window"):
            field = page.one("input", name=name)
            assert field["value"] == sent[name]
            assert field["aria-invalid"] == "true"
            told = page.one("p", id=f"{name}-error").text.removeprefix("Error: ")
            assert told in page.one("div", role="alert").text
        assert page.one("input", name="title")["value"] == "Mine"
        assert not any(full == "bounties.choose" for full, _, _ in parts.asked)

    def test_a_rule_of_the_service_stands_at_its_field(self, lender, parts):
        parts.fails["bounties.choose"] = BadInput("The bond is too small.", expected="Half.", field="bond_eth")
        page = Page(lender.post("/bounties/ab12/terms", status=422).text)
        assert "The bond is too small." in page.one("p", id="bond_eth-error").text

    def test_the_review_states_amounts_and_what_cannot_be_undone_before_the_button(self, lender):
        html = lender.get("/bounties/ab12/review").text
        page = Page(html)
        assert f"1.5049{NB}ETH" in html or "≈" in html
        assert html.index("Cannot be undone") < html.index("Post the bounty, send")
        assert f"1.5{NB}ETH" in next(b.text for b in page.all("button") if "Post the bounty" in b.text)

    def test_a_bounty_the_account_cannot_pay_has_no_button(self, lender, parts):
        parts.review = replace(ex.REVIEW, short_by_wei=10**17)
        page = lender.page("/bounties/ab12/review")
        assert "Not enough ether" in page.text
        assert not [b for b in page.all("button") if "Post the bounty" in b.text]

    @pytest.mark.parametrize("error", [NotEnoughForBounty(replace(ex.REVIEW, short_by_wei=1)), "node"])
    def test_posting_without_enough_ether_says_so_and_keeps_the_draft(self, lender, parts, error):
        parts.fails["bounties.publish"] = NotEnoughEther(ex.LENDER, 3 * 10**18, 10**18) if error == "node" else error
        page = Page(lender.post("/bounties/ab12/publish", status=409).text)
        assert page.h1 == "Not enough ether"
        assert "Nothing was changed" in page.text

    def test_posting_shows_its_steps_and_then_leads_to_the_model(self, lender, parts):
        answer = lender.post("/bounties/ab12/publish")
        assert answer.location == "/bounties/ab12/publishing"
        page = lender.page(answer.location)
        assert "2 of 4 steps done." in page.text
        assert "refresh" in page.html
        again = page.one("div", id="live")["hx-get"]
        parts.jobs.add("publish.ab12", "done", model_id=9)
        assert lender.get(again, 303).location == "/models/9"
        moved = lender.client.get(again, headers={"HX-Request": "true"})
        assert (moved.status_code, moved.headers["HX-Redirect"]) == (204, "/models/9")
        assert lender.json("/bounties/ab12/publishing")["model_id"] == 9
        assert lender.page("/bounties/ab12/publishing").one("a", class_="button")["href"] == "/models/9"

    def test_a_step_that_failed_can_be_tried_again(self, lender, parts):
        parts.jobs.add("publish.ab12", "failed")
        page = lender.page("/bounties/ab12/publishing")
        assert "The chain is away." in page.text
        action = next(f["action"] for f in page.all("form") if "retry" in (f["action"] or ""))
        assert lender.post(action).location.startswith("/jobs/publish.ab12?back=/bounties/ab12/publishing")
        assert parts.jobs.retried == ["publish.ab12"]

    def test_posting_of_an_unknown_draft_is_an_unknown_page(self, lender):
        lender.page("/bounties/zz/publishing", 404)

    def test_a_draft_can_be_thrown_away(self, lender, parts):
        assert lender.post("/bounties/ab12/discard").location == "/"
        assert parts.last("bounties.discard") == (("ab12",), {})


class TestModel:
    def test_the_chart_has_a_title_a_description_and_a_table_under_it(self, lender):
        page = lender.page("/models/3")
        descriptions = [d.text for d in page.all("desc")]
        assert "0.12302 at the start; then 0.11904 after round 1 and 0.11631 after round 2" in descriptions[0]
        assert "target is 0.11500" in descriptions[0]
        scores = [cell.text for cell in page.all("td", **{"data-label": "Brier score"})]
        assert scores == ["–", "0.11631", "0.11904", "0.12302"]
        assert [cell.text for cell in page.all("td", **{"data-label": "AUC"})] == [
            "–",
            "0.694",
            "0.662",
            "0.500",
        ]

    def test_amounts_are_exact_a_click_away(self, lender):
        html = lender.get("/models/3").text
        assert "1.000000000000000001 ETH" in html

    def test_each_seat_has_share_reward_and_reason(self, lender):
        text = lender.page("/models/3").text
        assert f"46.9{NB}%".replace(NB, " ") in text.replace(NB, " ")
        assert "The payload could not be used." in text
        assert "0.140625" in text

    def test_events_carry_their_whole_transaction_hash(self, lender):
        page = lender.page("/models/3")
        assert ex.TX in page.html
        for words in ("contributed 3,180 rows to round 3", "no reward", "Training ended", "SomethingNew"):
            assert words in page.text, words

    def test_a_model_without_rounds_says_what_opens_one(self, lender):
        assert "The first contribution opens one." in lender.page("/models/5").text

    def test_what_is_over_is_no_longer_offered(self, lender):
        page = lender.page("/models/7")
        assert "End training" not in page.text
        assert "Top up" not in page.text
        assert "Reclaim what is left" in page.text
        assert "0.12290" in page.text  # the closing score's start

    def test_ending_is_confirmed_on_a_page_of_its_own(self, lender, parts):
        page = lender.page("/models/5/end")
        assert "cannot be taken up again" in page.text
        assert lender.post("/models/5/end").location == "/jobs/end.5?back=/models/5"

    def test_a_running_round_is_named_instead_of_the_button(self, lender):
        page = lender.page("/models/3/end")
        assert "Training cannot be ended now" in page.text
        assert not page.all("form", class_="terms")

    def test_what_the_contract_refuses_has_its_page(self, lender, parts):
        parts.fails["models.end"] = RuleBroken("Round 3 is running.", do="Settle it first.")
        page = Page(lender.post("/models/5/end", status=409).text)
        assert page.h1 == "The rules do not allow this now"
        assert "Settle it first." in page.text
        assert page.one("a", class_="button")["href"] == "/models/5/end"

    def test_money_can_be_added(self, lender, parts):
        assert lender.post("/models/3/top-up", bounty_eth="0.25").location == "/jobs/top-up.3?back=/models/3"
        assert parts.last("models.top_up") == ((3, 25 * 10**16), {"once": ""})

    def test_a_form_sent_twice_names_itself_so_that_it_tops_up_once(self, lender, parts):
        once = lender.page("/models/3/top-up").one("input", name="once")["value"]
        for _ in range(2):
            lender.post("/models/3/top-up", bounty_eth="0.25", once=once)
            assert parts.last("models.top_up")[1] == {"once": once}
        assert len(once) >= 16

    def test_an_overdue_round_can_be_failed(self, lender):
        assert lender.post("/models/3/fail-round").location == "/jobs/fail-round.3?back=/models/3"

    def test_an_amount_that_cannot_be_read_comes_back(self, lender):
        page = Page(lender.post("/models/3/top-up", status=422, bounty_eth="-1").text)
        assert page.one("input", name="bounty_eth")["value"] == "-1"
        assert page.one("p", id="bounty_eth-error")

    def test_reclaiming_goes_through_a_job(self, lender):
        assert lender.post("/models/7/reclaim").location == "/jobs/reclaim.7?back=/models/7"

    def test_json_of_a_model_has_money_as_text_and_losses_as_numbers(self, lender):
        told = lender.json("/models/3")
        assert told["money"]["left_wei"] == "1000000000000000001"
        assert told["rounds"][1]["loss_after"] == 4_764_210_987
        assert told["timeline"][0]["arguments"]["contribution"]["rows"] == 3180


class TestJobs:
    def test_a_job_page_looks_again_and_leads_on(self, lender, parts):
        parts.jobs.add("withdraw.1", title="Withdraw")
        page = lender.page("/jobs/withdraw.1?back=/account")
        assert page.h1 == "Withdraw"
        again = page.one("div", id="live")["hx-get"]
        parts.jobs.add("withdraw.1", "done", title="Withdraw")
        assert lender.get(again, 303).location == "/account"
        assert "Done: Withdraw." in lender.page("/account").one("div", role="status").text

    def test_a_job_that_is_done_when_first_looked_at_stays(self, lender, parts):
        parts.jobs.add("withdraw.1", "done", title="Withdraw")
        assert lender.page("/jobs/withdraw.1?back=/account").one("a", class_="button")["href"] == "/account"
        assert lender.json("/jobs/withdraw.1")["state"] == "done"

    def test_a_job_never_leads_to_another_site(self, lender, parts):
        parts.jobs.add("withdraw.1", "done")
        assert lender.get("/jobs/withdraw.1?back=//evil.example&again=1", 303).location == "/"

    def test_an_unknown_job_has_its_page(self, lender):
        lender.page("/jobs/none", 404)
        lender.post("/jobs/none/retry", status=404)


class TestKeysAndAccount:
    def test_fingerprints_are_shown_and_secrets_are_not(self, lender):
        page = lender.page("/keys")
        assert "9c2fd17a4be0835561f0a9e27d3c4410" in page.html
        assert lender.json("/keys")["keys"][0]["bits"] == 3072

    def test_a_backup_is_a_download_under_its_own_password(self, lender, parts):
        good = {"password": "one more password", "password_again": "one more password"}
        answer = lender.post("/keys/ab12/backup", status=200, **good)
        assert answer.data == b"chKB..."
        assert "attachment" in answer.headers["Content-Disposition"]
        assert parts.last("backups.make") == (("ab12", "one more password"), {})

    def test_two_passwords_that_differ_come_back_at_their_own_key(self, lender):
        bad = {"password": "one more password", "password_again": "another password"}
        page = Page(lender.post("/keys/ab12/backup", status=422, **bad).text)
        assert "The two passwords differ." in page.one("p", id="password_again-ab12-error").text
        assert not [p for p in page.all("p") if p["id"] == "password_again-cd34-error"]

    def test_a_backup_is_restored_from_its_file(self, lender, parts):
        assert lender.post("/keys/restore", file=csv(b"chKB..."), password="its own").location == "/keys"
        assert parts.last("backups.restore") == ((b"chKB...", "its own"), {})
        assert "“Consumer loans” is restored." in lender.page("/keys").one("div", role="status").text

    def test_a_backup_that_cannot_be_opened_says_so_at_the_form_it_was_given_in(self, lender, parts):
        parts.fails["backups.restore"] = BackupRefused()
        page = Page(lender.post("/keys/restore", status=422, file=csv(), password="wrong").text)
        assert "The backup cannot be opened." in page.one("p", id="password-error").text
        assert "The backup was not restored" in page.one("div", role="alert").text

    def test_credit_is_withdrawn_through_a_job(self, lender):
        page = lender.page("/account")
        assert f"0.184{NB}ETH" in page.html
        assert lender.post("/account/withdraw").location == "/jobs/withdraw.1?back=/account"

    def test_an_account_page_without_a_chain_can_be_tried_again(self, lender, parts):
        parts.fails["account.view"] = Unavailable("No answer from http://127.0.0.1:8545.", do="Start the chain.")
        parts.vitals = replace(ex.VITALS, chain_reached=False)
        page = lender.page("/account", 503)
        assert page.h1 == "The chain is unreachable"
        assert page.one("a", class_="button")["href"] == "/account"
        assert "chain company" in page.text

    def test_an_upload_without_a_store_says_that_nothing_is_lost(self, lender, parts):
        parts.fails["bounties.publish"] = Unavailable("The store does not answer.")
        parts.vitals = replace(ex.VITALS, store_reached=False)
        page = Page(lender.post("/bounties/ab12/publish", status=503).text)
        assert page.h1 == "The content store is unreachable"
        assert "Nothing is lost" in page.text

    def test_a_file_above_the_limit_has_its_page(self, lender):
        page = Page(lender.post("/bounties/new", status=413, file=csv(b"x" * 400_000)).text)
        assert "The file is too large." in page.text
        assert page.one("a", class_="button")["href"] == "/bounties/new"
