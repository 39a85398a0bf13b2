"""Reading forms: every answer is checked, all that is wrong is told at once, and what was typed is never lost."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import BinaryIO

from werkzeug.datastructures import FileStorage

from chain_common.errors import BadInput
from chain_common.units import parse_duration, parse_ether
from chain_common.web import text


class FormRefused(BadInput):
    """One or more answers of a form cannot be used; ``problems`` has one error for each."""

    def __init__(self, problems: Sequence[BadInput]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.sentence for problem in problems), field=problems[0].field)


def problems_of(error: BadInput) -> tuple[BadInput, ...]:
    """Return the single problems of an error."""
    return error.problems if isinstance(error, FormRefused) else (error,)


def write_duration(seconds: int) -> str:
    """Write a length of time so that :func:`~chain_common.units.parse_duration` gives it back."""
    parts, left = [], seconds
    for length, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, length)
        if number:
            parts.append(f"{number} {name}")
    return " ".join(parts) or "0 s"


class FormReader:
    """Reads one form; :meth:`done` raises once, with everything that was wrong."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self._problems: list[BadInput] = []

    def refuse(self, name: str, got: str, expected: str) -> None:
        """Note that the answer of a field cannot be used."""
        self._problems.append(BadInput(got, expected=expected, field=name))

    def _refuse(self, name: str, label: str, got: str, expected: str) -> None:
        said = f"“{got}” was given" if got else "nothing was given"
        self.refuse(name, f"{label}: {said}.", expected)

    def _keep(self, label: str, error: BadInput) -> None:
        self.refuse(error.field, f"{label}: {error.got}", f"{error.expected} {error.do}".strip())

    def _raw(self, name: str) -> str:
        return self._form.get(name, "").strip()

    def text(self, name: str, label: str, *, most: int = 80) -> str:
        """Return a line of text of 1 to ``most`` characters."""
        given = self._raw(name)
        if not given:
            self._refuse(name, label, "", "Write something here.")
        elif len(given) > most or not given.isprintable():
            self._refuse(name, label, text.short(given, 20, 10), f"At most {most} characters, on one line.")
        return given

    def ether(self, name: str, label: str, *, least_wei: int = 0) -> int:
        """Return an amount of ether in wei, at least ``least_wei``."""
        given = self._raw(name)
        try:
            wei = parse_ether(given, field=name)
        except BadInput as error:
            self._keep(label, error)
            return least_wei
        if wei < least_wei:
            self._refuse(name, label, f"{given} ETH", f"At least {text.ether_exact(least_wei)} ETH.")
        return wei

    def whole(self, name: str, label: str, *, least: int, most: int) -> int:
        """Return a whole number from ``least`` to ``most``."""
        given = self._raw(name).replace(",", "")
        if given.isascii() and given.isdigit() and least <= int(given) <= most:
            return int(given)
        self._refuse(name, label, given, f"A whole number from {text.count(least)} to {text.count(most)}.")
        return least

    def decimal(self, name: str, label: str, *, above: float, most: float, places: int = 4) -> float:
        """Return a number above ``above`` and at most ``most``."""
        given = self._raw(name)
        try:
            value = float(given)
        except ValueError:
            value = float("nan")
        if not above < value <= most:
            low, high = text.digits(above, places), text.digits(most, places)
            self._refuse(name, label, given, f"A number above {low}, at most {high}.")
            return most
        return value

    def duration(self, name: str, label: str, *, least_s: int = 1, most_s: int = 366 * 86400) -> int:
        """Return a length of time in seconds."""
        given = self._raw(name)
        try:
            seconds = parse_duration(given, field=name)
        except BadInput as error:
            self._keep(label, error)
            return least_s
        if not least_s <= seconds <= most_s:
            span = f"{write_duration(least_s)} to {write_duration(most_s)}"
            self._refuse(name, label, given, f"Between {span}.")
        return seconds

    def choice(self, name: str, label: str, options: Sequence[str]) -> str:
        """Return one of the options."""
        given = self._raw(name)
        if given not in options:
            self._refuse(name, label, text.short(given, 20, 10), f"One of {text.words(list(options), 'or')}.")
        return given

    def ticked(self, name: str) -> bool:
        """Tell whether a box was ticked."""
        return self._raw(name) in {"on", "yes", "true", "1"}

    def must_tick(self, name: str, got: str, expected: str) -> None:
        """Refuse the form unless a box was ticked."""
        if not self.ticked(name):
            self.refuse(name, got, expected)

    def done(self) -> None:
        """Raise what was wrong, if anything.

        Raises
        ------
        FormRefused
            With one problem for each answer that cannot be used.
        """
        if self._problems:
            raise FormRefused(self._problems)


def uploaded(
    files: Mapping[str, FileStorage], name: str = "file", wanted: str = "A CSV file of finished loans is needed."
) -> tuple[BinaryIO, str]:
    """Return an uploaded file's bytes, in memory, and its name without folders.

    Raises
    ------
    BadInput
        If no file was chosen or it is empty.
    """
    given = files.get(name)
    if given is None or not given.filename:
        raise BadInput("No file was chosen.", expected=wanted, field=name)
    content = given.read()
    filename = re.split(r"[/\\]", given.filename)[-1][:200]
    if not content:
        raise BadInput(f"{filename} is empty.", expected="A CSV with a header and rows is needed.", field=name)
    return BytesIO(content), filename
