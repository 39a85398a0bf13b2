"""Canonical JSON: one byte string for one document, and a strict reader for documents from elsewhere.

UTF-8, sorted keys, no spaces, no JSON floats. A float travels as the shortest decimal text that gives it back
(Python's ``repr``), so equal documents have equal digests on every machine.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Final, NoReturn, TypeAlias, TypeVar

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH: Final = 16
"""Objects and lists inside each other; no document of ours needs more than four."""

_Word = TypeVar("_Word", bound=str)

_HEX = re.compile(r"(?:[0-9a-f]{2})*")


class DocumentError(ValueError):
    """A document breaks its own rules; the text starts with the path of the field."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}" if path else problem)


def canonical_bytes(document: Json) -> bytes:
    """Write a document in its one canonical form."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def decimal_text(value: float) -> str:
    """Write a finite float as its canonical decimal text; minus zero becomes zero."""
    if not math.isfinite(value):
        raise ValueError(f"only finite numbers have a canonical text, got {value}")
    return repr(float(value) + 0.0)


def parse_canonical(raw: bytes, *, max_bytes: int) -> Json:
    """Read canonical JSON, refusing every other spelling of the same document.

    Raises
    ------
    DocumentError
        Too large, not UTF-8, not JSON, JSON floats, ``NaN``, a key given twice, or not in canonical form.
    """
    if len(raw) > max_bytes:
        raise DocumentError("", f"{len(raw)} bytes, at most {max_bytes} are read")
    try:
        text = raw.decode("utf-8")
        _check_depth(text)
        document: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=lambda text: _refuse(f"JSON float {text[:40]}; numbers with a fraction travel as text"),
            parse_constant=lambda text: _refuse(f"{text} is not a number"),
        )
        spelled_as = canonical_bytes(document)
    except DocumentError:
        raise
    except ValueError as error:
        raise DocumentError("", f"not UTF-8 JSON ({error})") from error
    if spelled_as != raw:
        raise DocumentError("", "not in canonical form (UTF-8, sorted keys, no spaces)")
    return document


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the JSON parser meets it: it recurses on the C stack."""
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise DocumentError("", f"nested deeper than {MAX_DEPTH} levels")
        elif character in "]}":
            depth -= 1


def _refuse(problem: str) -> NoReturn:
    raise DocumentError("", problem)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError(twice[:80], "given twice")
    return members


class Fields:
    """The members of one JSON object, taken out one by one with their type and range checked.

    ``done`` refuses what nobody asked for, so an unknown field never passes silently.
    """

    def __init__(self, value: Json, path: str = "") -> None:
        if not isinstance(value, dict):
            raise DocumentError(path, f"an object is expected, got {_kind(value)}")
        self._left = dict(value)
        self._path = path

    def path(self, name: str) -> str:
        """Give the full path of a member, for messages."""
        return f"{self._path}.{name}" if self._path else name

    def names(self) -> tuple[str, ...]:
        """Give the names of the members that were not taken yet."""
        return tuple(self._left)

    def take(self, name: str) -> Json:
        """Take a member out as it is."""
        if name not in self._left:
            raise DocumentError(self.path(name), "missing")
        return self._left.pop(name)

    def text(self, name: str, *, max_chars: int = 200, may_be_empty: bool = False) -> str:
        """Take a text of printable characters."""
        return as_text(self.take(name), self.path(name), max_chars=max_chars, may_be_empty=may_be_empty)

    def choice(self, name: str, choices: Sequence[_Word]) -> _Word:
        """Take one of a few words."""
        value = self.take(name)
        for choice in choices:
            if value == choice:
                return choice
        raise DocumentError(self.path(name), f"one of {', '.join(choices)} is expected, got {_shown(value)}")

    def integer(self, name: str, *, low: int, high: int) -> int:
        """Take an integer in ``[low, high]``."""
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise DocumentError(self.path(name), f"an integer is expected, got {_kind(value)}")
        if not low <= value <= high:
            raise DocumentError(self.path(name), f"{low} to {high} is expected, got {_shown(value)}")
        return value

    def truth(self, name: str) -> bool:
        """Take true or false."""
        value = self.take(name)
        if not isinstance(value, bool):
            raise DocumentError(self.path(name), f"true or false is expected, got {_kind(value)}")
        return value

    def number(self, name: str) -> float:
        """Take a float written as canonical decimal text."""
        return as_number(self.take(name), self.path(name))

    def number_or_none(self, name: str) -> float | None:
        """Take a float written as canonical decimal text, or null."""
        value = self.take(name)
        return None if value is None else as_number(value, self.path(name))

    def hex_bytes(self, name: str, *, n_bytes: int) -> bytes:
        """Take exactly ``n_bytes`` bytes written as lower-case hexadecimal."""
        value = self.take(name)
        if not isinstance(value, str) or len(value) != 2 * n_bytes or not _HEX.fullmatch(value):
            raise DocumentError(self.path(name), f"{n_bytes} bytes in lower-case hexadecimal are expected")
        return bytes.fromhex(value)

    def members(self, name: str) -> Fields:
        """Take an object."""
        return Fields(self.take(name), self.path(name))

    def items(self, name: str, *, max_items: int) -> list[tuple[Json, str]]:
        """Take a list; each item comes with its path."""
        value = self.take(name)
        if not isinstance(value, list):
            raise DocumentError(self.path(name), f"a list is expected, got {_kind(value)}")
        if len(value) > max_items:
            raise DocumentError(self.path(name), f"at most {max_items} items are read, got {len(value)}")
        return [(item, f"{self.path(name)}[{index}]") for index, item in enumerate(value)]

    def texts(self, name: str, *, max_items: int = 64) -> tuple[str, ...]:
        """Take a list of texts."""
        return tuple(as_text(item, path) for item, path in self.items(name, max_items=max_items))

    def numbers(self, name: str, *, max_items: int = 64) -> tuple[float, ...]:
        """Take a list of floats written as canonical decimal text."""
        return tuple(as_number(item, path) for item, path in self.items(name, max_items=max_items))

    def done(self) -> None:
        """Refuse every member that was not taken."""
        for name in sorted(self._left):
            raise DocumentError(self.path(name[:80]), "unknown field")


def as_text(value: Json, path: str, *, max_chars: int = 200, may_be_empty: bool = False) -> str:
    """Check that a value is a text of printable characters."""
    if not isinstance(value, str):
        raise DocumentError(path, f"a text is expected, got {_kind(value)}")
    if not value and not may_be_empty:
        raise DocumentError(path, "empty")
    if len(value) > max_chars:
        raise DocumentError(path, f"at most {max_chars} characters are read, got {len(value)}")
    if not value.isprintable():
        raise DocumentError(path, "holds characters that cannot be printed")
    return value


def as_number(value: Json, path: str) -> float:
    """Check that a value is the canonical decimal text of a finite float, and give the float."""
    if not isinstance(value, str) or len(value) > 32:
        raise DocumentError(path, f"a number as decimal text is expected, got {_kind(value)}")
    try:
        number = float(value)
        canonical = decimal_text(number)
    except ValueError as error:
        raise DocumentError(path, f"a finite number is expected, got {_shown(value)}") from error
    if canonical != value:
        raise DocumentError(path, f"{_shown(value)} is written {canonical}")
    return number


def _kind(value: Json) -> str:
    names = {type(None): "null", bool: "true or false", int: "an integer", str: "a text", list: "a list"}
    return names.get(type(value), "an object")


def _shown(value: Json) -> str:
    if isinstance(value, int | str | bool):
        text = str(value) if not isinstance(value, int) or value.bit_length() < 200 else "a huge integer"
        return text[:60]
    return _kind(value)
