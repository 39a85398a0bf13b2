"""Frozen records to JSON and back, for documents this app writes and reads itself."""

from __future__ import annotations

from typing import TypeVar, cast

import cattrs

from chain_common.ports import JsonObject

Record = TypeVar("Record")

_converter = cattrs.Converter(forbid_extra_keys=True)


def to_json(record: object) -> JsonObject:
    """Turn a frozen dataclass into JSON."""
    return cast(JsonObject, _converter.unstructure(record))


def from_json(document: object, kind: type[Record]) -> Record:
    """Rebuild a frozen dataclass from what :func:`to_json` gave."""
    return _converter.structure(document, kind)
