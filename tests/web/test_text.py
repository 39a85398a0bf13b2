"""Numbers, money and times as text. Expected values are written out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.units import parse_duration
from chain_common.web import inline, text
from chain_common.web.as_json import as_json
from chain_common.web.forms import write_duration

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
        (1, "<0.000001"),
        (123_456_789_012_345_678, "0.123456"),
        (999_999_999_999_999_999, "0.999999"),
        (1_234_500_000_000_000_000_000, "1,234.5"),
        (-1_500_000_000_000_000_000, "-1.5"),
    ],
)
def test_ether_on_a_page_is_cut_at_a_millionth_and_never_rounded_up(wei, shown):
    assert text.ether(wei) == shown


def test_ether_can_keep_decimals_so_that_a_column_lines_up():
    assert [text.ether(w * 10**16, least=4) for w in (250, 25, 0)] == ["2.5000", "0.2500", "0.0000"]


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
    assert told == {
        "bounty_wei": "7",
        "n": 7,
        "big": str(2**60),
        "f": None,
        "b": "0x01ff",
        "t": [1, True, None],
    }


def test_json_refuses_what_no_view_holds():
    with pytest.raises(TypeError):
        as_json(object())
