"""The shared page kit: the way in, what keeps strangers out, and how errors are told."""

import io

import pytest

from tests.web.conftest import ADDRESS, KEY, PASSWORD, Browser, Page, vitals

JSON = {"Accept": "application/json"}


class TestTheWayIn:
    def test_every_page_leads_to_the_first_run_page_until_an_account_exists(self, browser):
        answer = browser.get("/view", status=303)
        assert answer.location == "/unlock?next=/view"
        assert browser.get(answer.location, status=303).location == "/setup"
        assert browser.page("/setup").h1 == "Make your account"

    def test_making_an_account_opens_the_app(self, browser, keyring):
        answer = browser.post("/setup", password=PASSWORD, password_again=PASSWORD)
        assert answer.location == "/"
        assert keyring.password == PASSWORD
        assert keyring.imported is None
        assert "Account made." in browser.page("/").one("div", role="status").text

    def test_a_private_key_can_be_imported(self, browser, keyring):
        browser.post("/setup", password=PASSWORD, password_again=PASSWORD, private_key="0x" + KEY.hex())
        assert keyring.imported == KEY

    @pytest.mark.parametrize(
        ("given", "field", "words"),
        [
            ({"password": "short", "password_again": "short"}, "password", "5 characters were given"),
            (
                {"password": PASSWORD, "password_again": "another one"},
                "password_again",
                "The two passwords differ",
            ),
            (
                {"password": PASSWORD, "password_again": PASSWORD, "private_key": "0x12"},
                "private_key",
                "64 hex digits",
            ),
        ],
    )
    def test_a_first_run_that_cannot_be_used_says_why_at_the_field(self, browser, keyring, given, field, words):
        page = Page(browser.post("/setup", status=422, **given).text)
        assert words in page.one("div", role="alert").text
        assert words in page.one("p", id=f"{field}-error").text
        assert page.one("input", name=field)["aria-invalid"] == "true"
        assert keyring.password is None
        assert "short" not in page.one("main").text

    def test_a_second_account_cannot_be_made_over_the_first(self, browser, keyring):
        browser.set_up()
        assert browser.post("/setup", password="x" * 9, password_again="x" * 9).location == "/unlock"
        assert keyring.password == PASSWORD

    def test_the_password_opens_the_page_that_was_asked_for(self, browser, keyring, kit_app):
        browser.set_up()
        stranger = Browser(kit_app)
        answer = stranger.get("/view?a=1", status=303)
        page = stranger.page(answer.location)
        assert page.one("input", name="next")["value"] == "/view?a=1"
        assert stranger.post("/unlock", password=PASSWORD, next="/view?a=1").location == "/view?a=1"

    def test_an_open_keyring_lets_no_other_browser_in(self, browser, kit_app, keyring):
        browser.set_up()
        assert keyring.is_unlocked()
        assert Browser(kit_app).get("/", status=303).location == "/unlock?next=/"

    def test_a_wrong_password_says_so_and_opens_nothing(self, browser, kit_app):
        browser.set_up()
        stranger = Browser(kit_app)
        page = Page(stranger.post("/unlock", status=401, password="wrong").text)
        assert "The password is wrong." in page.one("div", role="alert").text
        assert ADDRESS in page.text
        stranger.get("/", status=303)

    def test_wrong_passwords_cost_a_wait_that_doubles_up_to_a_minute(self, browser, kit_app, clock, keyring):
        browser.set_up()
        stranger = Browser(kit_app)
        for wait in (0, 0, 1, 2, 4, 8, 16, 32, 60, 60):
            stranger.post("/unlock", status=401, password="wrong")
            if wait:
                clock.time += wait - 0.5
                page = Page(stranger.post("/unlock", status=429, password=PASSWORD).text)
                assert "Too many wrong passwords." in page.text
                clock.time += 0.5
        assert PASSWORD not in keyring.tried

    def test_the_right_password_ends_the_waiting(self, browser, kit_app, clock):
        browser.set_up()
        stranger = Browser(kit_app)
        for _ in range(3):
            stranger.post("/unlock", status=401, password="wrong")
        clock.time += 60
        stranger.post("/unlock", password=PASSWORD)
        for _ in range(2):
            Browser(kit_app).post("/unlock", status=401, password="wrong")

    @pytest.mark.parametrize("elsewhere", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/\n/e"])
    def test_the_way_back_never_leads_elsewhere(self, browser, kit_app, elsewhere):
        browser.set_up()
        assert Browser(kit_app).post("/unlock", password=PASSWORD, next=elsewhere).location == "/"

    def test_locking_ends_every_session(self, browser, keyring, kit_app):
        browser.set_up()
        other = Browser(kit_app)
        other.post("/unlock", password=PASSWORD)
        browser.post("/lock")
        assert not keyring.is_unlocked()
        keyring.open = True  # the account opened again by somebody else
        browser.get("/", status=303)
        other.get("/", status=303)

    def test_a_form_sent_after_locking_leads_back_to_a_page_that_exists(self, browser):
        browser.set_up()
        browser.post("/lock")
        assert browser.post("/fail/rule").location == "/unlock?next=/fail/rule"
        assert browser.post("/form").location == "/unlock?next=/"

    def test_programs_are_told_that_a_password_is_needed(self, browser):
        told = browser.json("/view", status=401)
        assert told["error"]["got"] == "This page needs your password."


class TestStrangers:
    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "", "[::2]:80"])
    def test_a_foreign_host_name_is_refused(self, browser, host):
        answer = browser.client.get("/healthz", headers={"Host": host})
        assert answer.status_code == 421

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:5000", "LOCALHOST:1", "[::1]:9"])
    def test_loopback_names_are_served(self, browser, host):
        assert browser.client.get("/healthz", headers={"Host": host}).status_code == 200

    def test_a_form_without_the_sessions_token_does_nothing(self, browser):
        browser.set_up()
        answer = browser.client.post("/form", data={"title": "x", "amount": "1"})
        assert answer.status_code == 400
        assert Page(answer.text).h1 == "This form is out of date"

    def test_the_token_of_another_session_does_nothing(self, browser, kit_app):
        browser.set_up()
        token = Browser(kit_app).token()
        assert browser.client.post("/form", data={"title": "x", "csrf_token": token}).status_code == 400

    @pytest.mark.parametrize("path", ["/", "/unlock", "/nothing", "/fail/bug", "/fail/away", "/static/css/base.css"])
    def test_every_answer_carries_the_security_headers(self, browser, path, kit_app):
        kit_app.config["PROPAGATE_EXCEPTIONS"] = False
        browser.set_up()
        with browser.client.get(path) as answer:
            headers = answer.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"

    def test_pages_are_kept_by_no_cache(self, browser):
        browser.set_up()
        assert browser.get("/").headers["Cache-Control"] == "no-store"

    def test_the_cookie_is_this_apps_own_and_out_of_reach_of_scripts_and_other_sites(self, browser):
        browser.client.get("/setup")
        cookie = browser.client.get("/setup").headers.get("Set-Cookie") or ""
        browser.set_up()
        cookie = browser.client.post("/lock", data={"csrf_token": browser.token()}).headers["Set-Cookie"]
        assert cookie.startswith("chain_lender=")
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie

    def test_health_says_nothing_about_the_user(self, browser):
        told = browser.get("/healthz").json
        assert told == {"ok": True, "app": "lender", "chain": True, "store": True}

    def test_uploads_stay_in_memory(self, browser):
        browser.set_up()
        big = io.BytesIO(b"x" * 190_000)
        told = browser.post("/upload", status=200, file=(big, "data/loans.csv")).json
        assert told == {"name": "loans.csv", "bytes": 190_000, "kind": "BytesIO"}


class TestErrors:
    @pytest.mark.parametrize(
        ("how", "status", "title", "words"),
        [
            ("bad", 422, "This did not work", ("Got a picture.", "A CSV.", "Export it.")),
            (
                "rule",
                409,
                "A rule forbids this",
                ("The round is full.", "A free seat.", "Wait for the next round."),
            ),
            ("payload", 502, "This did not work", ("malformed",)),
            ("bug", 500, "Something went wrong", ("no money moves twice",)),
        ],
    )
    def test_each_kind_has_its_status_and_says_what_was_got_expected_and_to_do(
        self, browser, kit_app, how, status, title, words
    ):
        kit_app.config["PROPAGATE_EXCEPTIONS"] = False
        browser.set_up()
        page = browser.page(f"/fail/{how}", status)
        assert page.h1 == title
        for word in words:
            assert word in page.text
        assert "secret" not in page.html

    def test_a_chain_that_is_away_is_named_and_can_be_tried_again(self, browser, world):
        browser.set_up()
        world.vitals = vitals(chain_reached=False)
        answer = browser.get("/fail/away?x=1", 503)
        page = Page(answer.text)
        assert page.h1 == "The chain is unreachable"
        assert page.one("a", class_="button").attributes["href"] == "/fail/away?x=1"
        assert "chain company --chain URL" in page.text
        assert "Nothing is lost" in page.text
        assert answer.headers["Retry-After"] == "5"
        assert "Chain unreachable" in page.one("ul", class_="vitals").text

    def test_a_store_that_is_away_is_named(self, browser, world):
        browser.set_up()
        world.vitals = vitals(store_reached=False)
        assert browser.page("/fail/away", 503).h1 == "The content store is unreachable"

    def test_what_was_away_is_not_asked_again_for_some_seconds(self, browser, world, clock):
        browser.set_up()
        world.vitals = vitals(chain_reached=False)
        browser.page("/")
        world.vitals = vitals()
        clock.time += 4
        assert "Chain unreachable" in browser.page("/").one("ul", class_="vitals").text
        clock.time += 2
        assert "block 18,204" in browser.page("/").one("ul", class_="vitals").text

    def test_pages_stay_readable_while_everything_is_away(self, browser, world):
        browser.set_up()
        world.vitals = vitals(chain_reached=False, store_reached=False, balance_wei=0)
        assert "ETH" not in browser.page("/").one("ul", class_="vitals").text

    def test_a_page_that_needs_the_vault_asks_for_the_password(self, browser):
        browser.set_up()
        assert browser.get("/fail/locked", 303).location == "/unlock?next=/fail/locked"

    def test_a_form_comes_back_with_what_was_typed_and_all_that_was_wrong(self, browser):
        browser.set_up()
        page = Page(browser.post("/form", status=422, title="", amount="much").text)
        assert page.one("h2", id="error-title").text == "2 answers need another look"
        assert page.one("input", name="amount")["value"] == "much"
        assert page.one("input", name="amount")["aria-invalid"] == "true"
        assert "is not an amount of ether" in page.one("p", id="amount-error").text
        summary = page.one("div", role="alert")
        assert "autofocus" in summary.attributes
        assert {a["href"] for a in page.all("a") if (a["href"] or "").startswith("#")} >= {
            "#title",
            "#amount",
        }

    def test_markup_that_was_typed_comes_back_as_text(self, browser):
        browser.set_up()
        html = browser.post("/form", status=422, title="<script>alert(1)</script>" * 9, amount='"><script>').text
        assert "<script>alert" not in html
        assert '"><script>' not in html

    def test_a_file_above_the_limit_has_its_page(self, browser):
        browser.set_up()
        page = Page(browser.post("/upload", status=413, file=(io.BytesIO(b"x" * 300_000), "loans.csv")).text)
        assert "The file is too large." in page.text
        assert "At most 200\N{NO-BREAK SPACE}kB" in page.one("main").text

    def test_no_file_and_an_empty_file_are_told_apart(self, browser):
        browser.set_up()
        assert "No file was chosen." in browser.post("/upload", status=422).text
        assert "loans.csv is empty." in browser.post("/upload", status=422, file=(io.BytesIO(), "loans.csv")).text

    def test_unknown_addresses_and_methods_have_their_pages(self, browser):
        browser.set_up()
        assert browser.page("/nothing/here", 404).h1 == "Page not found"
        answer = browser.client.get("/form")
        assert answer.status_code == 405
        assert Page(answer.text).h1 == "Not possible here"

    def test_programs_are_told_the_same_in_one_shape(self, browser):
        browser.set_up()
        told = browser.json("/fail/bad", status=422)
        assert told == {"error": {"got": "Got a picture.", "expected": "A CSV.", "do": "Export it.", "field": "file"}}

    def test_the_exact_cause_of_a_rejected_payload_is_in_the_log_only(self, browser, caplog):
        browser.set_up()
        assert "guard bits" not in browser.get("/fail/payload", 502).text
        assert "guard bits 101" in caplog.text


class TestPages:
    def test_a_view_is_told_as_json_with_money_as_text(self, browser):
        browser.set_up()
        assert browser.json("/view") == {"money_wei": "1000000000000000000"}

    def test_one_place_in_the_navigation_is_shown_only_to_who_is_in(self, browser):
        assert not browser.page("/setup").all("nav")
        browser.set_up()
        assert "Overview" in browser.page("/").one("nav").text

    def test_the_masthead_shows_block_store_account_and_balance(self, browser):
        browser.set_up()
        shown = " ".join(browser.page("/").one("ul", class_="vitals").text.split())
        assert "block 18,204" in shown
        assert "0x2e91…b7d0" in shown
        assert "12.408\N{NO-BREAK SPACE}ETH" in shown or "12.408 ETH" in shown
