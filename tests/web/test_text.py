"""Numbers, money and times as text. Expected values are written out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.web import inline, text
from chain_common.web.as_json import as_json
from chain_common.web.forms import parse_duration, parse_ether, parse_moment, write_duration, write_moment

NB = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("wei", "exact"),
    [
        (0, "0"),
        (1, "0.000000000000000001"),
        (1_500_000_000_000_000_000, "1.5"),
        (-25 * 10**16, "-0.25"),
        (1_234_567 * 10**18 + 1, "1,234,567.000000000000000001"),
        (2**200, "1,606,938,044,258,990,275,541,962,092,341,162,602,522,202.993782792835301376"),
    ],
)
def test_ether_is_written_with_every_digit(wei, exact):
    assert text.ether_exact(wei) == exact


@pytest.mark.parametrize(
    ("wei", "shown"),
    [
        (0, "0"),
        (1, "under 0.000001"),
        (123_456_789_012_345_678, "0.123457"),
        (1_000_000_500_000_000_000, "1"),  # half goes to even
        (1_000_001_500_000_000_000, "1.000002"),
        (999_999_999_999_999_999, "1"),
        (-1_500_000_000_000_000_000, "-1.5"),
    ],
)
def test_ether_on_a_page_is_rounded_to_a_millionth(wei, shown):
    assert text.ether(wei) == shown


def test_ether_can_keep_decimals_so_that_a_column_lines_up():
    assert [text.ether(w * 10**16, least=4) for w in (250, 25, 0)] == ["2.5000", "0.2500", "0.0000"]


@given(st.integers(0, 2**90))
def test_reading_ether_gives_the_very_wei_that_was_written(wei):
    assert parse_ether(text.ether_exact(wei)) == wei


@pytest.mark.parametrize("written", ["", "-1", "1e3", "1.", ".5", "0.1234567890123456789", "NaN", "١"])
def test_ether_is_read_from_digits_and_one_point_only(written):
    with pytest.raises(ValueError):
        parse_ether(written)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, f"0{NB}s"),
        (59.6, f"1{NB}min"),
        (61, f"1{NB}min 1{NB}s"),
        (3600, f"1{NB}h"),
        (118_800, f"1{NB}d 9{NB}h"),
        (86_400 + 30, f"1{NB}d"),
        (-5, f"0{NB}s"),
    ],
)
def test_a_duration_shows_its_two_largest_units(seconds, shown):
    assert text.duration(seconds) == shown


@given(st.integers(1, 10**9))
def test_a_duration_in_a_form_comes_back_as_it_was(seconds):
    assert parse_duration(write_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("written", "seconds"), [("48 h", 172_800), ("2d 12h", 216_000), ("90", 90), ("1 day, 30 min", 88_200), ("20s", 20)]
)
def test_a_duration_is_read_in_the_words_people_use(written, seconds):
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("written", ["", "soon", "5 weeks", "h", "1 h and a bit", "-3 h", "1.5 h"])
def test_anything_else_is_no_duration(written):
    with pytest.raises(ValueError):
        parse_duration(written)


def test_a_moment_in_a_form_comes_back_as_it_was():
    assert parse_moment(write_moment(1_795_000_123)) == 1_795_000_123
    assert parse_moment("1795000123") == 1_795_000_123
    assert parse_moment("2026-12-18T12:00:00+00:00") == 1_797_595_200


def test_hashes_are_shortened_in_the_middle_and_short_ones_are_not():
    assert text.short("0x2e91c7f04d8ab35e6f1029c8d7b6a5e4f3d2b7d0") == "0x2e91…b7d0"
    assert text.short("0x123") == "0x123"


def test_shares_and_percentages_carry_their_sign():
    assert text.share(32) == f"50.0{NB}%"
    assert text.percent(0.1435, 2) == f"14.35{NB}%"
    assert text.digits(-0.5, 1) == "−0.5"


def test_amounts_carry_their_unit_and_say_when_digits_are_left_out():
    assert inline.money(5 * 10**17) == f'<data value="500000000000000000" title="0.5 ETH">0.5{NB}ETH</data>'
    assert f"≈{NB}0.333333{NB}ETH" in inline.money(10**18 // 3)
    assert "0.333333333333333333 ETH" in inline.money_whole(10**18 // 3)


def test_markup_in_a_value_is_shown_not_run():
    hostile = "<script>alert(1)</script>"
    for shown in (
        inline.badge("bad", hostile),
        inline.whole_hash(hostile),
        inline.code(hostile),
        inline.codes([hostile, hostile], 1),
        inline.link("/", hostile, hostile),
        inline.under(hostile, hostile),
    ):
        assert "<script" not in shown
        assert "&lt;script" in shown


def test_json_of_a_view_keeps_every_digit_of_money_and_has_no_nan():
    told = as_json({"bounty_wei": 7, "n": 7, "big": 2**60, "f": float("nan"), "b": b"\x01\xff", "t": (1, True, None)})
    assert told == {"bounty_wei": "7", "n": 7, "big": str(2**60), "f": None, "b": "0x01ff", "t": [1, True, None]}


def test_json_refuses_what_no_view_holds():
    with pytest.raises(TypeError):
        as_json(object())
