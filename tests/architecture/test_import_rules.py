"""The import rules of pyproject.toml name modules that exist, and break when somebody crosses a line."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chain_common", "company_app", "data_owner_app")
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
}


def matches(pattern: str) -> bool:
    regex = re.escape(pattern).replace(r"\*\*", r"[\w.]+").replace(r"\*", r"\w+")
    return any(re.fullmatch(regex, module) for module in MODULES)


@pytest.mark.parametrize("rule", ["data-owner-cannot-decrypt", "lender-sees-no-rows"])
def test_a_privacy_rule_guards_modules_that_exist(rule: str) -> None:
    assert [pattern for pattern in CONTRACTS[rule]["forbidden_modules"] if not matches(pattern)] == []


@pytest.mark.parametrize(
    ("importer", "imported", "rule"),
    [
        (
            "data_owner_app/crossing.py",
            "chain_common.domain.paillier.private_key",
            "data-owner-cannot-decrypt",
        ),
        ("company_app/crossing.py", "chain_common.domain.statistics", "lender-sees-no-rows"),
        ("chain_common/domain/crossing.py", "logging", "pure-domain"),
        ("chain_common/domain/crossing.py", "chain_common.services.crossing", "arrows"),
        ("chain_common/services/crossing.py", "web3", "services-speak-to-ports"),
        ("company_app/crossing.py", "chain_common.adapters.crossing", "only-containers-build-adapters"),
    ],
)
def test_crossing_a_line_breaks_its_rule(importer: str, imported: str, rule: str, tmp_path: Path) -> None:
    for name in (*PACKAGES, "chain_common/domain", "chain_common/services", "chain_common/adapters"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "__init__.py").touch()
    if imported.startswith("chain_common"):
        target = tmp_path.joinpath(*imported.split(".")).with_suffix(".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        (target.parent / "__init__.py").touch()
        target.touch()
    (tmp_path / importer).write_text(f"import {imported}\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--contract", rule, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "1 broken" in done.stdout
