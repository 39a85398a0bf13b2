"""Views as JSON: what a page shows, for programs.

Amounts of money (fields named ``…_wei``) are strings, since JSON numbers lose digits in many readers; so is every
integer beyond ``2**53``. Bytes are ``0x`` hex; an enumeration is its member's name in lower case; ``nan`` and the
infinities are null.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_EXACT = 2**53


def as_json(value: object, name: str = "") -> Json:
    """Turn a view into JSON values. ``name`` is the field the value stands in.

    Raises
    ------
    TypeError
        For a value no view holds.
    """
    if value is None or (isinstance(value, bool | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, int):
        return str(value) if name.endswith("_wei") or abs(value) > _EXACT else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item, name) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")
