"""The small parts of a page as functions from values to markup: money, hashes, times, badges, links.

They are filters and globals in the templates and are called by the presenters. Every string goes out escaped.
"""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from chain_common.web import text

BadgeKind = Literal["wait", "run", "good", "warn", "bad"]


def badge(kind: BadgeKind, word: str) -> Markup:
    """Show the state of a thing: a sign, a word and a colour that repeats them."""
    return Markup('<span class="badge {}">{}</span>').format(kind, word)


def money(wei: int, unit: str = "ETH", decimals: int = text.SHOWN_DECIMALS) -> Markup:
    """Show an amount with its unit; where digits had to be left out, ``≈`` says so and the title has them all."""
    near = "" if text.ether_is_exact(wei, decimals) else "≈\N{NO-BREAK SPACE}"
    if near and abs(wei) < 10 ** (18 - decimals):
        near = ""
    return Markup('<data value="{}" title="{} {}">{}{}\N{NO-BREAK SPACE}{}</data>').format(
        wei, text.ether_exact(wei), unit, near, text.ether(wei, decimals), unit
    )


def money_whole(wei: int, unit: str = "ETH") -> Markup:
    """Show an amount whose every digit is a click away. Not inside a paragraph: it is a ``details`` element."""
    if text.ether_is_exact(wei):
        return money(wei, unit)
    return Markup(
        '<details class="hash"><summary>{}<span class="visually-hidden">, show every digit</span></summary>'
        "<code>{} {}</code></details>"
    ).format(money(wei, unit), text.ether_exact(wei), unit)


def whole_hash(whole: str, head: int = 6, tail: int = 4) -> Markup:
    """Show a hash or an address shortened, the whole of it a click away. Not inside a paragraph."""
    if not whole:
        return Markup("–")
    return Markup(
        '<details class="hash"><summary><code>{}</code><span class="visually-hidden">, show whole</span></summary>'
        "<code>{}</code></details>"
    ).format(text.short(whole, head, tail), whole)


def when(moment_s: float) -> Markup:
    """Show a unix time in this machine's zone, with the exact instant for programs."""
    at = text.local(moment_s)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), text.moment(moment_s))


def on_day(moment_s: float) -> Markup:
    """Show the day of a unix time, with the exact instant for programs."""
    at = text.local(moment_s)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), text.day(moment_s))


def code(word: str) -> Markup:
    """Show a column, a file name or a command."""
    return Markup("<code>{}</code>").format(word)


def codes(items: tuple[str, ...] | list[str], most: int = 0) -> Markup:
    """Show several columns; beyond ``most`` the rest is a click away. Not inside a paragraph when ``most`` is given."""
    shown = Markup(", ").join(code(item) for item in (items[:most] if most else items))
    rest = items[most:] if most else items[:0]
    if not rest:
        return shown
    more = Markup(", ").join(code(item) for item in rest)
    return Markup("{}<details><summary>and {} more</summary>{}</details>").format(shown, len(rest), more)


def link(href: str, words: str, hidden: str = "") -> Markup:
    """Show a link; ``hidden`` completes its words for who cannot see what stands around it."""
    more = Markup('<span class="visually-hidden"> {}</span>').format(hidden) if hidden else ""
    return Markup('<a href="{}">{}{}</a>').format(href, words, more)


def under(main: str | Markup, quiet: str | Markup) -> Markup:
    """Show a value with a quieter line under it."""
    return Markup('{}<br><span class="quiet">{}</span>').format(main, quiet)
