"""A built wheel has all it needs: it works in an empty folder, without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The wheel's content, where no checkout is."""
    built, folder = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked, cwd, *arguments):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHAIN_")}
    environment = {**kept, "PYTHONPATH": str(unpacked), "PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_wheel_carries_what_the_apps_read(unpacked, tmp_path):
    program = (
        "import chain_common, json; from pathlib import Path;"
        "from chain_common.adapters.ledger_artifact import model_repository;"
        "from chain_common.adapters.presets import PackagedPresets;"
        "from chain_common.demo.rows import sample_file, split;"
        "presets = PackagedPresets();"
        "rows = split(sample_file(), presets.get(presets.names()[0]), 2).owner_rows;"
        "static = Path(chain_common.__file__).parent / 'web' / 'static';"
        "print(json.dumps([chain_common.__file__, model_repository().name, sum(rows),"
        " (static / 'css' / 'tokens.css').exists(), (static / 'vendor' / 'htmx.min.js').exists()]))"
    )
    done = run(unpacked, tmp_path, "-c", program)
    assert done.returncode == 0, done.stderr
    assert str(unpacked) in done.stdout
    assert done.stdout.strip().endswith('"ModelRepository", 12000, true, true]')


def test_the_demo_says_in_one_line_what_an_empty_folder_lacks(unpacked, tmp_path):
    done = run(unpacked, tmp_path, "-m", "chain_common.cli", "demo", "--headless", "--chain", "anvil")
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("chain:")]
    assert len(said) == 1
    assert "Anvil is not installed" in said[0]
    assert "--chain URL" in said[0]


def test_both_apps_and_every_command_start(unpacked, tmp_path):
    for command in ("company", "data-owner", "deploy", "demo"):
        done = run(unpacked, tmp_path, "-m", "chain_common.cli", command, "--help")
        assert done.returncode == 0, done.stderr
    program = "import company_app.container, company_app, data_owner_app.container, data_owner_app"
    assert run(unpacked, tmp_path, "-c", program).returncode == 0
