"""Foundry's fuzz and invariant tests of ``contracts/test``, run as one test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.market import ROOT

FORGE = ROOT / "node_modules" / ".bin" / ("forge.cmd" if os.name == "nt" else "forge")

# forge has one cache: never two at once.
pytestmark = [pytest.mark.xdist_group("forge"), pytest.mark.slow]


def test_the_contracts_keep_their_promises_under_fuzzing() -> None:
    if not FORGE.exists() and "CI" not in os.environ:
        pytest.skip("forge has no npm package for this platform")
    # The compiler's first line asks for node, which set-up may have put into .venv.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    run = subprocess.run(
        [FORGE, "test"],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8_000:] + run.stderr[-4_000:]
    # It ran what is there: five suites, the invariants among them.
    suites = len(list((ROOT / "contracts" / "test").glob("*.t.sol")))
    assert f"Ran {suites} test suites" in run.stdout
    assert re.search(r"invariant_promisesHold\(\) \(runs: \d{2,}, calls: \d{4,}, reverts: 0\)", run.stdout)
