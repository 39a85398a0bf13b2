"""The style sheets: colours stand in one place, and everything can be read in both themes of both apps."""

import re
from pathlib import Path

import pytest

import chain_common.web

STATIC = Path(chain_common.web.__file__).parent / "static" / "css"
TOKENS = (STATIC / "tokens.css").read_text()

GROUNDS = ("paper", "surface", "sunken")
TEXT = [
    *[("ink", ground) for ground in (*GROUNDS, "accent-soft")],
    *[("ink-2", ground) for ground in GROUNDS],
    *[("accent", ground) for ground in GROUNDS],
    *[("accent-strong", ground) for ground in ("surface", "accent-soft")],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    *[(kind, ground) for kind in ("good", "warn", "bad") for ground in ("surface", "paper", f"{kind}-soft")],
    ("on-mast", "mast"),
    ("on-mast-2", "mast"),
]
EDGES = [("edge", ground) for ground in GROUNDS] + [
    ("accent", "surface"),
    ("bad", "surface"),
    ("ink", "paper"),
]


def blocks():
    """The declarations of tokens.css by (app, theme), the later ones over the earlier as a browser has them."""
    light, _, dark = TOKENS.partition("@media (prefers-color-scheme: dark)")
    dark = dark.partition("@media (forced-colors")[0]

    def read(part, selector):
        found = re.search(re.escape(selector) + r"\s*\{(.*?)\}", part, re.DOTALL)
        return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", found[1]))

    root, owner = read(light, ":root"), read(light, '[data-app="data-owner"]')
    dark_root, dark_owner = read(dark, ":root"), read(dark, '[data-app="data-owner"]')
    return {
        ("lender", "light"): root,
        ("data-owner", "light"): {**root, **owner},
        ("lender", "dark"): {**root, **dark_root},
        ("data-owner", "dark"): {**root, **dark_root, **owner, **dark_owner},
    }


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_right_for_black_on_white_and_for_a_published_pair():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("look", blocks(), ids="-".join)
def test_text_has_four_and_a_half_to_one_and_edges_three_to_one(look):
    tokens = blocks()[look]
    low = {pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in TEXT}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}
    low = {pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in EDGES}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 3} == {}


@pytest.mark.parametrize("name", ["base", "layout", "blocks"])
def test_colours_are_named_in_tokens_only(name):
    sheet = re.sub(r"/\*.*?\*/", "", (STATIC / f"{name}.css").read_text(), flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", sheet) == []


def test_every_token_that_is_used_is_defined():
    defined = set(re.findall(r"--([a-z0-9-]+):", TOKENS))
    for sheet in STATIC.glob("*.css"):
        used = set(re.findall(r"var\(--([a-z0-9-]+)", sheet.read_text()))
        assert used <= defined, sheet.name
