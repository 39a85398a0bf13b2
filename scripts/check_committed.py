"""Look through what is or would be committed for registries' addresses, one machine's paths, broken templates."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "a registry's address": re.compile(
        r"https?://[\w.-]*(?:pypi|pythonhosted|npmjs|yarnpkg|registry|files\.|debian|crates)[\w.-]*/"
        r"|^\s*(?:-i|--(?:extra-)?index-url|--find-links)\s|\"resolved\": \"http",
        re.MULTILINE,
    ),
    "a path of one machine": re.compile(r"/w[o]rk/(?:main|shared|steering|\.)|/r[o]ot/|/(?:home|U[s]ers)/\w+/"),
}


def main() -> int:
    """Print each finding with its place; return the exit status."""
    complaints = [complaint for path in committed() for complaint in complaints_about(path)]
    print("\n".join(complaints))
    return 1 if complaints else 0


def committed() -> list[Path]:
    """Return the files that git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def complaints_about(path: Path) -> Iterator[str]:
    """Yield what is wrong with one file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from (f"{path.relative_to(ROOT)}:{line}: {what}" for line, what in forbidden_in(text))
    if path.suffix == ".html" and "templates" in path.parts:
        try:
            Environment(autoescape=True).parse(text)
        except TemplateSyntaxError as error:
            yield f"{path.relative_to(ROOT)}:{error.lineno}: {error.message}"


def forbidden_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the kind of everything that must not be committed."""
    for what, pattern in FORBIDDEN.items():
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, f"{what}: {match[0].strip()}"


if __name__ == "__main__":
    sys.exit(main())
