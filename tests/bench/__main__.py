"""Measure, and write the figures the README quotes: ``make bench``.

Plays the headless demo on the sample, on Ganache too, and on real Lending Club rows where they are, and times one
encrypted update at 3,072 bits. Absolute times are this machine's; the scores and the money are not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from chain_common.adapters.os_random import OsRng
from chain_common.domain.paillier.private_key import encrypt_weights, generate_private_key
from chain_common.domain.privacy import release_without_noise
from chain_common.domain.statistics import accumulate
from chain_common.domain.update import damped_step, encrypted_update

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
FIGURES = ROOT / "docs" / "figures.md"
KEY_BITS = 3072
REAL_ROWS = (
    Path(os.environ.get("CHAIN_LENDING_CLUB_DIR", ROOT.parent / "shared" / "data" / "lending_club"))
    / "LoanStats3a_sample17000.csv.gz"
)


def play(*options: str) -> dict[str, Any]:
    """Play the headless demo and return its summary."""
    command = [sys.executable, "-m", "chain_common.cli", "demo", "--headless", "--json", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def score_rows(told: dict[str, Any]) -> list[str]:
    """Return the README's rows of scores."""
    names = {
        "initial": "start: the base rate",
        "final": "trained encrypted",
        "pooled": "pooled in the clear, for comparison",
    }
    return [
        f"| {name} | {told[key]['auc']:.4f} | {told[key]['ks']:.4f} | {told[key]['brier']:.4f} | "
        f"{told[key]['accuracy']:.4f} |"
        for key, name in names.items()
    ]


def story_row(name: str, told: dict[str, Any]) -> str:
    """Return one story as a row of the figures' table."""
    scores = f"{told['initial']['auc']:.4f} → {told['final']['auc']:.4f} | {told['pooled']['auc']:.4f}"
    rounds = ", ".join(f"{each['reward_wei'] / 1e18:.4f}" for each in told["rounds"])
    money = f"{told['paid_wei'] / 1e18:.6f} + {told['refunded_wei'] / 1e18:.6f}"
    return (
        f"| {name} | {told['chain']} | {len(told['owners'])} | {scores} | {rounds} | {money} | {told['seconds']:.0f} |"
    )


def update_row(n_inputs: int) -> str:
    """Time one data owner's encrypted update."""
    generator = np.random.default_rng(n_inputs)
    rows = np.column_stack([generator.normal(size=(1000, n_inputs)), np.ones(1000)])
    labels = (generator.random(1000) < 0.15).astype(np.float64)
    key = generate_private_key(KEY_BITS, OsRng())
    weights = np.zeros(n_inputs + 1, dtype=np.int32)
    began = time.perf_counter()
    encrypted = encrypt_weights(key, weights, bytes(range(32)))
    lender_s = time.perf_counter() - began
    began = time.perf_counter()
    affine = damped_step(release_without_noise(accumulate(rows, labels, "taylor-logistic"), acknowledged=True))
    packed = encrypted_update(affine, encrypted, OsRng())
    owner_s = time.perf_counter() - began
    return f"| {n_inputs} | {owner_s:.2f} | {len(packed.to_bytes()):,} | {lender_s:.2f} |"


def machine() -> str:
    """Describe what the figures were measured on."""
    parts = [
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("gmpy2", "numpy", "web3")),
    ]
    return ", ".join(parts)


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--no-ganache", action="store_true", help="leave the run on Ganache out")
    options = parser.parse_args()
    sample = play("--owners", "8")
    stories = [story_row("sample", sample)]
    if not options.no_ganache:
        stories.append(story_row("sample", play("--owners", "3", "--chain", "ganache")))
    if REAL_ROWS.exists():
        for preset in ("lending-club-compact", "lending-club"):
            told = play("--owners", "8", "--data", str(REAL_ROWS), "--preset", preset)
            stories.append(story_row(f"Lending Club 2007–2011, `{preset}`", told))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    head = "| on the closing set | AUC | KS | Brier | accuracy |\n|---|---|---|---|---|\n"
    block = f"<!-- figures:demo -->\n{head}" + "\n".join(score_rows(sample)) + "\n<!-- /figures:demo -->"
    text = README.read_text(encoding="utf-8")
    README.write_text(
        re.sub(r"<!-- figures:demo -->.*?<!-- /figures:demo -->", block, text, flags=re.DOTALL),
        encoding="utf-8",
    )
    updates = "\n".join(update_row(n_inputs) for n_inputs in (9, 20, 44, 100))
    FIGURES.write_text(
        f"""# Figures

Written by `make bench` on {today}: {machine()}. Absolute times are this machine's.

## Stories

Headless demo; bounty 1 ether, half of every round held for the closing score. AUC on the closing set.

| file | chain | data owners | AUC, start → end | AUC, pooled in the clear | ether of each round | paid + refunded | s |
|---|---|---|---|---|---|---|---|
{chr(10).join(stories)}

## One encrypted update

{KEY_BITS}-bit key, 1,000 rows, one core, blinding included.

| inputs | data owner, s | upload, bytes | lender encrypts the weights, s |
|---|---|---|---|
{updates}
""",
        encoding="utf-8",
    )
    print(f"README.md and {FIGURES.relative_to(ROOT)} hold the figures of {today}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
