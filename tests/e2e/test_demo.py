"""``chain demo --headless``: the whole training story as one command, and the summary on its last line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chain_common.adapters.embedded_chain_programs import chain_program
from chain_common.chain_errors import NoChainProgram
from tests.e2e.chromium import missing

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
LOANS = Path(os.environ.get("CHAIN_LENDING_CLUB_DIR", ROOT.parent / "shared" / "data" / "lending_club"))
LOAN_FILE = LOANS / "LoanStats3a_sample17000.csv.gz"

KEYS = {
    *("ok", "chain", "model_id", "rounds", "initial", "final", "pooled", "bounty_wei", "paid_wei", "refunded_wei"),
    *("owners", "seconds"),
}
SCORES = {"auc", "ks", "brier", "accuracy"}
ETHER = 10**18


def played(folder: Path, *options: str, owners: int) -> dict[str, Any]:
    """Run the command in an empty folder, as a stranger would, and read its last line."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CHAIN_") and name != "DATABASE_URL"
    }
    command = [sys.executable, "-m", "chain_common.cli", "demo", "--headless", "--json", "--owners", str(owners)]
    done = subprocess.run(
        [*command, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert list(folder.iterdir()) == []
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def check_promises(told: dict[str, Any], owners: int) -> None:
    """Check what holds of every run, whatever its data and its chain."""
    assert told.keys() >= KEYS
    assert told["ok"] is True
    assert told["paid_wei"] + told["refunded_wei"] == told["bounty_wei"] == ETHER
    for name in ("initial", "final", "pooled"):
        assert told[name].keys() == SCORES
        assert all(0 <= value <= 1 for value in told[name].values())
    assert [each.keys() for each in told["rounds"]] == [
        {"contributions", "loss_before", "loss_after", "reward_wei"}
    ] * len(told["rounds"])
    assert [each["contributions"] for each in told["rounds"]] == [1, owners - 1]
    for each in told["rounds"]:
        assert isinstance(each["loss_before"], int)
        assert each["loss_after"] < each["loss_before"]
    assert told["rounds"][1]["loss_before"] == told["rounds"][0]["loss_after"]
    assert [owner.keys() for owner in told["owners"]] == [{"address", "rows", "reward_wei"}] * owners
    assert len({owner["address"] for owner in told["owners"]}) == owners
    assert sum(owner["reward_wei"] for owner in told["owners"]) == told["paid_wei"]
    assert told["initial"]["auc"] == 0.5
    assert told["final"]["auc"] >= told["pooled"]["auc"] - 0.01
    assert told["final"]["brier"] < told["initial"]["brier"]
    assert told["seconds"] < 180


@pytest.mark.xdist_group("e2e-demo-anvil")
def test_the_sample_reaches_its_target_in_round_two_and_pays_both_rounds(tmp_path):
    told = played(tmp_path, owners=3)
    check_promises(told, owners=3)
    assert told["chain"] == "anvil"
    first, second = told["rounds"]
    assert first["reward_wei"] > 0
    assert second["reward_wei"] > 0
    # At the target nothing of the bounty is left for a third round.
    assert first["reward_wei"] + second["reward_wei"] == told["bounty_wei"]
    assert all(owner["reward_wei"] > 0 for owner in told["owners"])
    assert abs(told["final"]["auc"] - told["pooled"]["auc"]) <= 0.01
    assert sum(owner["rows"] for owner in told["owners"]) == 12_000  # of 16,000 finished loans, 4,000 are the lender's


@pytest.mark.xdist_group("e2e-demo-ganache")
def test_ganache_tells_the_same_story(tmp_path):
    try:
        chain_program("ganache")
    except NoChainProgram as error:
        missing(f"Ganache ({error.sentence})")
    told = played(tmp_path, "--chain", "ganache", owners=2)
    check_promises(told, owners=2)
    assert told["chain"] == "ganache"


@pytest.mark.skipif(not LOAN_FILE.exists(), reason=f"no real loans at {LOAN_FILE} (CHAIN_LENDING_CLUB_DIR)")
@pytest.mark.xdist_group("e2e-demo-loans")
def test_real_loans_train_as_well_encrypted_as_pooled_in_the_clear(tmp_path):
    told = played(tmp_path, "--data", str(LOAN_FILE), owners=3)
    check_promises(told, owners=3)
    assert told["pooled"]["auc"] > 0.65
    assert abs(told["final"]["auc"] - told["pooled"]["auc"]) <= 0.01
