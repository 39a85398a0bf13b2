"""What the documentation names exists, and what people need to know is named."""

import re
import shlex
from pathlib import Path

import click
import pytest

from chain_common.cli import main
from chain_common.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").glob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
# Of ours, and of docker compose.
KNOWN_SETTINGS = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
IGNORED = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - IGNORED


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def shell_lines(text: str) -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def code_spans(text: str) -> list[str]:
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", without_blocks(text))]


def named_commands(text: str) -> list[list[str]]:
    """Every command line of a page, in a block or between backticks, that starts with ``chain`` or ``make``."""
    spans = [shlex.split(span) for span in code_spans(text) if re.match(r"(\.venv/bin/)?(chain|make)( |$)", span)]
    return [*shell_lines(text), *spans]


def complaint_about(words: list[str]) -> str:
    program, *arguments = words
    if program == "make":
        return complaint_about_make(arguments)
    if program in ("chain", ".venv/bin/chain"):
        return complaint_about_chain(arguments)
    if program == "docker":
        return "" if arguments[:1] == ["compose"] and (ROOT / "docker-compose.yml").is_file() else "not compose"
    return f"{program} is not a program these pages use"


def complaint_about_make(arguments: list[str]) -> str:
    for argument in arguments:
        variable, is_variable, value = argument.partition("=")
        if not is_variable and argument not in TARGETS:
            return f"no target {argument}"
        if is_variable and f"$({variable})" not in MAKEFILE:
            return f"no variable {variable}"
        if variable == "ARGS" and "demo" in arguments:
            return complaint_about_chain(["demo", *shlex.split(value)])
    return ""


def complaint_about_chain(arguments: list[str]) -> str:
    if not arguments or arguments[0].startswith("--"):
        command: click.Command = main
    elif arguments[0] in main.commands:
        command = main.commands[arguments[0]]
    else:
        return f"no command chain {arguments[0]}"
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts, "--help")}
    unknown = [word for word in arguments if word.startswith("--") and word.split("=")[0] not in known]
    missing = [word for word in arguments if word.startswith("data/") and not (ROOT / word).is_file()]
    return ", ".join(unknown + missing)


@pytest.mark.parametrize(
    "line",
    [
        "chain tokenise",
        "chain demo --headles",
        "make tests",
        "make demo HEADFUL=1",
        'make demo ARGS="--ownrs 4"',
        "rm x",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    assert complaint_about(shlex.split(line))


@every_page
def test_every_command_named_exists(page: Path) -> None:
    lines = named_commands(page.read_text(encoding="utf-8"))
    assert {shlex.join(line): said for line in lines if (said := complaint_about(line))} == {}


def test_the_readme_shows_how_to_start() -> None:
    lines = shell_lines(README)
    assert lines[:3] == [["make", "demo"], ["make", "demo", "HEADLESS=1"], ["make", "test"]]


def test_the_readme_lists_every_command() -> None:
    assert set(re.findall(r"^\| `chain ([a-z-]+)` \|", README, re.MULTILINE)) == set(main.commands)


@every_page
def test_every_setting_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"\b(?:CHAIN_[A-Z_]+|[A-Z_]*DATABASE_URL)\b", text)) <= KNOWN_SETTINGS


def test_the_readme_lists_every_setting_with_its_default() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|", README, re.MULTILINE)
    assert listed == [(setting.name, setting.default) for setting in SETTINGS]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", without_blocks(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@every_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+://", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@every_page
def test_every_path_named_exists(page: Path) -> None:
    paths = [span for span in code_spans(page.read_text(encoding="utf-8")) if re.fullmatch(r"[\w.-]+(/[\w.-]*)+", span)]
    ours = [path for path in paths if path.split("/")[0] in FOLDERS]
    assert [path for path in ours if not (ROOT / path).exists()] == []


def test_the_readme_says_what_every_folder_holds() -> None:
    table = README.partition("## What is where")[2].partition("\n## ")[0]
    visible = {name for name in FOLDERS if not name.startswith((".", "_"))}
    assert {name for name in visible if f"`{name}/`" not in table} == set()


def test_the_readme_says_that_updates_carry_no_noise() -> None:
    assert "**Updates carry no noise yet.**" in README
    assert "a dishonest lender can read all statistics" in " ".join(README.split())


def test_the_figures_of_the_readme_are_filled_in() -> None:
    figures = re.search(r"^<!-- figures:demo -->\n(.*?)^<!-- /figures:demo -->$", README, re.MULTILINE | re.DOTALL)
    assert figures is not None
    cells = [cell.strip() for row in figures[1].splitlines()[2:] for cell in row.strip("|").split("|")]
    assert cells
    assert "" not in cells


@pytest.mark.parametrize("decision", DECISIONS, ids=name_of)
def test_a_decision_has_its_four_parts(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    assert parts[1::2] == ["Context", "Decision", "Consequences", "How we would notice it was wrong"]
    assert all(part.strip() for part in parts[2::2])
    assert len(text.splitlines()) <= 30


def test_decisions_are_numbered_and_listed() -> None:
    titles = [decision.read_text(encoding="utf-8").splitlines()[0] for decision in DECISIONS]
    expected = [
        f"{int(decision.name[:4])}. [{title.partition('. ')[2]}]({decision.name})"
        for decision, title in zip(DECISIONS, titles, strict=True)
    ]
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\d+\. .*$", index, re.MULTILINE) == expected
    assert [int(decision.name[:4]) for decision in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert [title.partition(".")[0] for title in titles] == [f"# {n}" for n in range(1, len(DECISIONS) + 1)]


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.*)$", changelog, re.MULTILINE)
    assert sections[0] == "[Unreleased]"
    kinds = set(re.findall(r"^### (.*)$", changelog, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_no_word_is_explained_twice() -> None:
    words = re.findall(
        r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert words
    assert len(words) == len(set(words))
