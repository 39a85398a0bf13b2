"""The model-spec presets that ship with the library, read from ``chain_common/presets``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from chain_common.domain.document import Fields, Json
from chain_common.domain.feature_plans import plan_from_document
from chain_common.domain.model_spec import Preset
from chain_common.domain.spec_parts import LOSSES, METRICS, SERVICES
from chain_common.domain.targets import target_from_document
from chain_common.errors import BadInput

PRESETS: Final = ("lending-club-compact", "lending-club")
"""Names of the presets, the default first."""

DEFAULT_PRESET: Final = PRESETS[0]


class UnknownPreset(BadInput):
    """No preset has the name. ``name`` is what was asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"There is no preset named {name[:60]!r}.",
            expected=f"The presets are {', '.join(PRESETS)}.",
            do="Choose one of them.",
            field="preset",
        )


class PackagedPresets:
    """The presets in the package, as a :class:`~chain_common.ports.Presets`."""

    def names(self) -> list[str]:
        """Return the names, the default first."""
        return list(PRESETS)

    def get(self, name: str) -> Preset:
        """Return a preset. Raises ``UnknownPreset``."""
        if name not in PRESETS:
            raise UnknownPreset(name)
        return _load(name)


@cache
def columns_known_later() -> Mapping[str, str]:
    """Return Lending Club's columns that are known only after the loan was made, with the reason each."""
    fields = _document("lending_club_columns").members("known_later")
    return MappingProxyType({name: fields.text(name) for name in fields.names()})


@cache
def _load(name: str) -> Preset:
    fields = _document(name)
    fields.integer("version", low=1, high=1)
    fields.choice("known_later", ("lending_club_columns",))
    preset = Preset(
        name=fields.choice("name", (name,)),
        title=fields.text("title"),
        description=fields.text("description", max_chars=400),
        service=fields.choice("service", SERVICES),
        target=target_from_document(fields.members("target")),
        plans=tuple(plan_from_document(*item) for item in fields.items("features", max_items=200)),
        loss=fields.choice("loss", LOSSES),
        metric=fields.choice("metric", METRICS),
        norm_bound=fields.number_or_none("norm_bound"),
        known_later=columns_known_later(),
    )
    fields.done()
    return preset


def _document(name: str) -> Fields:
    file = resources.files("chain_common") / "presets" / f"{name}.json"
    document: Json = json.loads(file.read_text(encoding="utf-8"))
    return Fields(document, name)
