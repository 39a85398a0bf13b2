"""Numbers, money and times as a person reads them: pure functions from a value to plain text.

Money is ``int`` wei and is never turned into a float. Times are unix seconds and are shown in the zone of this machine,
which is the user's own.
"""

from __future__ import annotations

from datetime import datetime

from chain_common.units import ETHER_DIGITS, format_ether

SHOWN_DECIMALS = 6  # of an ether on a page; the exact amount is in the element's value and title
NBSP = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def ether_exact(wei: int) -> str:
    """Write an amount of wei in ether with every digit: ``1234500000000000000000`` is ``1,234.5``."""
    whole, point, decimals = format_ether(wei).partition(".")
    return f"{int(whole):,}{point}{decimals}" if whole not in {"0", "-0"} else f"{whole}{point}{decimals}"


def ether_is_exact(wei: int, decimals: int = SHOWN_DECIMALS) -> bool:
    """Tell whether the amount has no digits beyond ``decimals``."""
    smallest: int = 10 ** (ETHER_DIGITS - decimals)
    return wei % smallest == 0


def ether(wei: int, decimals: int = SHOWN_DECIMALS, least: int = 0) -> str:
    """Write an amount of wei in ether with at most ``decimals`` decimals and at least ``least``.

    Digits are cut, never rounded up, so that no page shows money that is not there. An amount too small to show is said
    to be smaller than the smallest shown, never zero.
    """
    shown = format_ether(wei, decimals)
    if shown.startswith(("<", ">")):
        return shown
    whole, _, rest = shown.partition(".")
    rest = rest.rstrip("0").ljust(least, "0")
    grouped = f"{int(whole):,}" if int(whole) else whole
    return f"{grouped}.{rest}" if rest else grouped


def count(number: int) -> str:
    """Write a whole number with thousands separated: ``3,180``."""
    return f"{number:,}"


def digits(value: float, places: int = 4) -> str:
    """Write a number with a fixed number of decimals and a true minus sign."""
    return f"{value:,.{places}f}".replace("-", "\N{MINUS SIGN}")


def percent(fraction: float, places: int = 1) -> str:
    """Write a fraction as a percentage: ``0.145`` is ``14.5 %``."""
    return f"{digits(100 * fraction, places)}{NBSP}%"


def share(units: int, of: int = 64) -> str:
    """Write a share counted in 64ths as a percentage."""
    return percent(units / of)


def size(n_bytes: int) -> str:
    """Write a number of bytes: ``1.4 MB``."""
    if n_bytes < 1000:
        return f"{n_bytes}{NBSP}bytes"
    if n_bytes < 1_000_000:
        return f"{n_bytes / 1000:.0f}{NBSP}kB"
    return f"{n_bytes / 1_000_000:.1f}{NBSP}MB"


def duration(seconds: float) -> str:
    """Write a length of time by its two largest units: ``1 d 9 h``, ``4 min``, ``12 s``."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for length, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        number, left = divmod(left, length)
        if number:
            parts.append(f"{number}{NBSP}{name}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or f"0{NBSP}s"


def countdown(moment_s: float, now_s: float) -> str:
    """Say how long it is until a moment, or that it has passed."""
    if moment_s <= now_s:
        return f"{duration(now_s - moment_s)} ago"
    return f"{duration(moment_s - now_s)} left"


def local(moment_s: float) -> datetime:
    """Return a unix time in this machine's zone."""
    return datetime.fromtimestamp(int(moment_s)).astimezone()


def moment(moment_s: float) -> str:
    """Write a unix time in this machine's zone: ``20 Nov 2026, 18:00 CET``."""
    at = local(moment_s)
    return f"{at.day} {at:%b %Y, %H:%M %Z}"


def day(moment_s: float) -> str:
    """Write the day of a unix time in this machine's zone: ``20 Nov 2026``."""
    at = local(moment_s)
    return f"{at.day} {at:%b %Y}"


def clock_time(moment_s: float) -> str:
    """Write the time of day of a unix time in this machine's zone: ``18:00 CET``."""
    return f"{local(moment_s):%H:%M %Z}"


def short(whole: str, head: int = 6, tail: int = 4) -> str:
    """Shorten a hash or an address in the middle; what is short already stays whole."""
    return whole if len(whole) <= head + tail + 1 else f"{whole[:head]}…{whole[-tail:]}"


def words(items: tuple[str, ...] | list[str], last: str = "and") -> str:
    """Join items as a sentence does: ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def plural(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: ``1 round``, ``3 rounds``."""
    return f"{count(number)}{NBSP}{one if number == 1 else many or one + 's'}"
