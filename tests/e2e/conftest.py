"""What the end-to-end tests share: a theatre for each module, and a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import chromium
from tests.e2e.theatre import Theatre, opened


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with opened(tmp_path_factory.mktemp("theatre")) as open_theatre:
        yield open_theatre


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.launched() as running:
        yield running
