"""Run every static check, side by side, and show what the failing ones said."""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOLIDITY = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "contracts").rglob("*.sol"))
MOST_LINES = 60  # of what one failing check says


class Check(NamedTuple):
    """A command that exits with zero when all is well."""

    name: str
    command: list[str]


class Outcome(NamedTuple):
    """What one check came to."""

    name: str
    passed: bool
    seconds: float
    said: str


def main() -> int:
    """Run the checks, or format the contracts; return the exit status."""
    parser = argparse.ArgumentParser(description="Run every static check.")
    parser.add_argument("--format-contracts", action="store_true", help="format the contracts instead")
    if parser.parse_args().format_contracts:
        return subprocess.run([forge(), "fmt", *SOLIDITY], cwd=ROOT, check=False).returncode
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = list(pool.map(run, checks()))
    for outcome in outcomes:
        print(f"check: {'ok  ' if outcome.passed else 'FAIL'} {outcome.name} ({outcome.seconds:.1f} s)")
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        lines = outcome.said.splitlines()
        more = len(lines) - MOST_LINES
        print(
            f"\n{outcome.name}:",
            *lines[:MOST_LINES],
            *([f"... and {more} lines"] if more > 0 else []),
            sep="\n",
        )
    print(f"check: {len(outcomes) - len(failed)} of {len(outcomes)} in {time.monotonic() - started:.1f} s")
    return 1 if failed else 0


def checks() -> list[Check]:
    """List the checks, the longest first."""
    python = str(BIN / "python")
    found = [
        Check("types", [str(BIN / "mypy")]),
        Check("import rules", [str(BIN / "lint-imports")]),
        Check("lint", [str(BIN / "ruff"), "check", "--output-format=concise", "."]),
        Check("format", [str(BIN / "ruff"), "format", "--check", "."]),
        Check("templates and committed files", [python, "scripts/check_committed.py"]),
    ]
    if SOLIDITY:
        solhint = ["node", "node_modules/solhint/solhint.js", "--disc", "--noPoster", "--max-warnings", "0"]
        ours = [path for path in SOLIDITY if not path.startswith("contracts/test/")]
        found[1:1] = [
            Check("contract artifacts", [python, "scripts/build_contracts.py", "--check"]),
            Check("contract lint", [*solhint, *ours]),
        ]
        if forge():
            found.append(Check("contract format", [forge(), "fmt", "--check", *SOLIDITY]))
    return found


def forge() -> str:
    """Return the path of npm's forge, empty where npm has none for this machine."""
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("forge-*/bin/forge*"))
    return str(found[0]) if found else ""


def run(check: Check) -> Outcome:
    """Run one check and keep what it says."""
    started = time.monotonic()
    done = subprocess.run(
        check.command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).strip()
    return Outcome(check.name, done.returncode == 0, time.monotonic() - started, said)


if __name__ == "__main__":
    sys.exit(main())
