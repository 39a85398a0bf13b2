"""Every error, event and call of the repository is reached by a test of this folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contracts.market import artifact

HERE = Path(__file__).parent
ABI = artifact("chain_common/artifacts", "ModelRepository")["abi"]
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_*.py")))
DRIVER = (HERE / "market.py").read_text(encoding="utf-8")


def _names(kind: str) -> list[str]:
    return sorted(entry["name"] for entry in ABI if entry["type"] == kind)


@pytest.mark.parametrize("name", _names("error"))
def test_every_error_is_provoked(name: str) -> None:
    """``refused(name, facts)``, or the name and facts among a test's parameters."""
    assert re.search(rf'refused\(\s*"{name}"|"{name}",\s*\(', TESTS)


@pytest.mark.parametrize("name", _names("event"))
def test_every_event_is_compared(name: str) -> None:
    assert f'events("{name}")' in TESTS


@pytest.mark.parametrize("name", _names("function"))
def test_every_function_is_called(name: str) -> None:
    assert re.search(rf'(send|call|_named)\(\s*"{name}"|"{name}",', TESTS + DRIVER)


def test_the_abi_has_nothing_that_takes_plain_ether() -> None:
    assert not [entry for entry in ABI if entry["type"] in {"receive", "fallback"}]
