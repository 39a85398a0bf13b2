"""Money and time are exact between what people type and what the contract counts in."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.errors import BadInput
from chain_common.units import (
    MAX_WEI,
    WEI_PER_ETHER,
    format_duration,
    format_ether,
    parse_duration,
    parse_ether,
)


class TestEther:
    @pytest.mark.parametrize(
        ("text", "wei"),
        [
            ("0", 0),
            ("1", 10**18),
            ("0.5", 5 * 10**17),
            (".5", 5 * 10**17),
            ("2.", 2 * 10**18),
            (" 1.000000000000000001 ", 10**18 + 1),
            ("0.1", 10**17),
            ("0.3", 3 * 10**17),
            ("007", 7 * 10**18),
            ("340282366920938463463.374607431768211455", 2**128 - 1),
        ],
    )
    def test_an_amount_is_its_wei_exactly(self, text: str, wei: int) -> None:
        assert parse_ether(text) == wei

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            ".",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "1 000",
            "1_000",
            "0x10",
            "1.2.3",
            "inf",
            "nan",
            "1 ETH",
            "½",
            "１",
            "٣",
            "1\n2",
        ],
    )
    def test_nonsense_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(BadInput, match=r"such as 0\.5") as refused:
            parse_ether(text, field="bounty")
        assert refused.value.field == "bounty"

    def test_less_than_a_wei_is_refused(self) -> None:
        with pytest.raises(BadInput, match="19 digits"):
            parse_ether("0.0000000000000000001")
        with pytest.raises(BadInput, match="19 digits"):
            parse_ether("0.1000000000000000000")

    @pytest.mark.parametrize("text", ["340282366920938463463.374607431768211456", "9" * 5000, "1" + "0" * 40])
    def test_more_than_the_contract_holds_is_refused(self, text: str) -> None:
        with pytest.raises(BadInput, match="more ether"):
            parse_ether(text)

    @given(st.integers(0, MAX_WEI))
    def test_what_is_shown_in_full_reads_back(self, wei: int) -> None:
        shown = format_ether(wei)
        assert parse_ether(shown) == wei
        assert Fraction(shown) * WEI_PER_ETHER == wei

    @given(st.integers(0, 10**30), st.integers(0, 18))
    def test_a_shortened_amount_is_never_more_and_less_by_under_one_place(self, wei: int, digits: int) -> None:
        shown = format_ether(wei, digits)
        if shown.startswith("<"):
            assert 0 < wei < Fraction(shown[1:]) * WEI_PER_ETHER
        else:
            missing = wei - Fraction(shown) * WEI_PER_ETHER
            assert 0 <= missing < 10 ** (18 - digits)
            assert len(shown.partition(".")[2]) == digits

    @pytest.mark.parametrize(
        ("wei", "digits", "shown"),
        [
            (0, None, "0"),
            (0, 4, "0.0000"),
            (10**18, 4, "1.0000"),
            (15 * 10**17, None, "1.5"),
            (1_999_999_999_999_999_999, 2, "1.99"),
            (1, 4, "<0.0001"),
            (1, 0, "<1"),
            (1, 18, "0.000000000000000001"),
            (-5 * 10**17, None, "-0.5"),
            (-5 * 10**17, 2, "-0.50"),
            (-1, 4, ">-0.0001"),
            (10 * 10**18, 0, "10"),
        ],
    )
    def test_amounts_as_pages_show_them(self, wei: int, digits: int | None, shown: str) -> None:
        assert format_ether(wei, digits) == shown

    def test_there_are_eighteen_places(self) -> None:
        with pytest.raises(ValueError, match="18"):
            format_ether(1, 19)


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("2 days", 172_800),
            ("1 day", 86_400),
            ("1 hour 30 minutes", 5_400),
            ("1h30m", 5_400),
            ("90 min", 5_400),
            ("45s", 45),
            ("1 week, 1 day and 1 second", 691_201),
            ("  10 Minutes ", 600),
            ("0 seconds", 0),
        ],
    )
    def test_a_duration_is_its_seconds(self, text: str, seconds: int) -> None:
        assert parse_duration(text) == seconds

    @pytest.mark.parametrize(
        "text", ["", "5", "days", "-1 day", "1.5 days", "1 month", "2 days later", "1 s s", "9" * 12 + " s"]
    )
    def test_nonsense_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(BadInput, match="such as 2 days") as refused:
            parse_duration(text, field="deadline")
        assert refused.value.field == "deadline"

    @pytest.mark.parametrize(
        ("seconds", "shown"),
        [
            (0, "0 seconds"),
            (1, "1 second"),
            (61, "1 minute 1 second"),
            (3_600, "1 hour"),
            (3_601, "1 hour"),
            (5_400, "1 hour 30 minutes"),
            (86_400, "1 day"),
            (14 * 86_400 + 3_600, "14 days 1 hour"),
        ],
    )
    def test_two_units_are_enough(self, seconds: int, shown: str) -> None:
        assert format_duration(seconds) == shown

    @given(st.integers(0, 10**8))
    def test_what_is_shown_reads_back_short_of_less_than_its_smallest_unit(self, seconds: int) -> None:
        shown = parse_duration(format_duration(seconds))
        assert 0 <= seconds - shown < 3_600
        assert shown == seconds or seconds > 3_600

    def test_time_does_not_run_back(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            format_duration(-1)
