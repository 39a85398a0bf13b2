"""Exact conversions between what people read and type and what the contract counts in.

Money is ``int`` wei, time is ``int`` seconds; no float is involved.
"""

from __future__ import annotations

import re
from typing import Final

from chain_common.errors import BadInput

ETHER_DIGITS: Final = 18
WEI_PER_ETHER: Final = 10**ETHER_DIGITS
# What the contract stores an amount in.
MAX_WEI: Final = 2**128 - 1

_AMOUNT = re.compile(r"([0-9]*)(?:\.([0-9]*))?")

# Largest first; a month and a year have no fixed length, so they are not here.
_SECONDS_PER: Final = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_SHORT_UNITS: Final = {
    "w": "week",
    "d": "day",
    "h": "hour",
    "m": "minute",
    "min": "minute",
    "s": "second",
    "sec": "second",
}
_DURATION_PART = re.compile(r"([0-9]{1,9})\s*([a-z]+)(?:\s*,|\s+and\b)?\s*")


def parse_ether(text: str, *, field: str = "") -> int:
    """Return the wei of an amount of ether such as ``0.5``.

    Parameters
    ----------
    text
        Digits with at most one point and 18 places after it. No sign, exponent, comma or unit.
    field
        The form field an error belongs to.

    Raises
    ------
    BadInput
        If it is not such an amount, or is more than the contract can hold.
    """
    spelled = text.strip()
    match = _AMOUNT.fullmatch(spelled)
    whole, places = (match.group(1), match.group(2) or "") if match else ("", "")
    if not whole and not places:
        raise BadInput(
            f"{spelled[:40]!r} is not an amount of ether.",
            expected="Expected a number that is not negative, with a point before the fraction, such as 0.5.",
            field=field,
        )
    if len(places) > ETHER_DIGITS:
        raise BadInput(
            f"{spelled[:40]!r} has {len(places)} digits after the point.",
            expected=f"One wei is the {ETHER_DIGITS}th; there is nothing smaller.",
            field=field,
        )
    # 39 digits hold the largest amount; longer text is not worth converting.
    wei = int((whole.lstrip("0") or "0") + places.ljust(ETHER_DIGITS, "0")) if len(whole) <= 40 else MAX_WEI + 1
    if wei > MAX_WEI:
        raise BadInput(f"{spelled[:40]!r} is more ether than the contract can hold.", field=field)
    return wei


def format_ether(wei: int, digits: int | None = None) -> str:
    """Return an amount in ether, without the unit.

    Parameters
    ----------
    wei
        May be negative, for differences.
    digits
        Places after the point, cut and never rounded up, so that no page shows money that is not there; what is not
        zero but would look it reads ``<0.0001``. By default all that are needed, exactly.
    """
    sign = "-" if wei < 0 else ""
    whole, rest = divmod(abs(wei), WEI_PER_ETHER)
    places = f"{rest:0{ETHER_DIGITS}d}"
    if digits is None:
        places = places.rstrip("0")
        return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"
    if not 0 <= digits <= ETHER_DIGITS:
        raise ValueError(f"between 0 and {ETHER_DIGITS} digits can be shown, got {digits}")
    shown = f"{whole}.{places[:digits]}" if digits else str(whole)
    if wei and not shown.strip("0."):
        smallest = f"0.{'1'.rjust(digits, '0')}" if digits else "1"
        return f"<{smallest}" if wei > 0 else f">-{smallest}"
    return sign + shown


def parse_duration(text: str, *, field: str = "") -> int:
    """Return the seconds of a duration such as ``2 days``, ``1 hour 30 minutes``, ``90 min`` or ``45s``.

    Raises
    ------
    BadInput
        If it is not one; a bare number is refused, because its unit would be a guess.
    """
    spelled = text.strip().lower()
    seconds, position = 0, 0
    while match := _DURATION_PART.match(spelled, position):
        unit = _unit(match.group(2))
        if unit is None:
            break
        seconds += int(match.group(1)) * _SECONDS_PER[unit]
        position = match.end()
    if not spelled or position != len(spelled):
        raise BadInput(
            f"{text.strip()[:40]!r} is not a duration.",
            expected="Expected a whole number and weeks, days, hours, minutes or seconds, such as 2 days.",
            field=field,
        )
    return seconds


def format_duration(seconds: int) -> str:
    """Return a duration in its two largest units, such as ``2 days`` or ``1 hour 30 minutes``; weeks read as days."""
    if seconds < 0:
        raise ValueError(f"a duration is not negative, got {seconds}")
    parts: list[tuple[int, str]] = []
    rest = seconds
    for unit, length in list(_SECONDS_PER.items())[1:]:
        count, rest = divmod(rest, length)
        if count or parts:
            parts.append((count, unit))
    named = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts[:2] if count]
    return " ".join(named) or "0 seconds"


def _unit(word: str) -> str | None:
    if word in _SHORT_UNITS:
        return _SHORT_UNITS[word]
    singular = word.removesuffix("s")
    return singular if singular in _SECONDS_PER else None
