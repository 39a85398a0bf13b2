"""The files that set the repository up keep their promises."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from chain_common.settings import SETTINGS
from scripts.check_committed import forbidden_in

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()


def names(requirements: str) -> set[str]:
    return {name.lower() for name in re.findall(r"^([A-Za-z][\w.-]*)", requirements, re.MULTILINE)}


@pytest.mark.parametrize(
    "text",
    [
        '"resolved": "h' + "ttps://example.test/a.tgz",
        "--index-" + "url https://example.test/simple",
        "see https://" + "pypi" + ".example.test/simple/x",
        "/ro" + "ot/.cache",
        "/home" + "/somebody/chain",
    ],
)
def test_addresses_and_machine_paths_are_noticed(text: str) -> None:
    assert next(iter(forbidden_in(f"first line\n{text}\n")))[0] == 2


def test_ordinary_text_is_not_noticed() -> None:
    assert not list(forbidden_in("http://127.0.0.1:8545 https://www.apache.org/licenses/ CHAIN_HOME=/data/home\n"))


def test_every_make_target_says_what_it_does() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].split())
    assert targets == set(re.findall(r"^([a-z]+):.*## \S", MAKEFILE, re.MULTILINE))


def test_every_pinned_package_has_a_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=[a-z])", path.read_text().split("\n", 2)[2])
        assert all("--hash=sha256:" in entry for entry in entries), path.name


@pytest.mark.parametrize("name", ["runtime", "dev", "uv", "node"])
def test_what_is_asked_for_is_pinned(name: str) -> None:
    asked = names((ROOT / "requirements" / f"{name}.in").read_text())
    assert asked <= names((ROOT / "requirements" / f"{name}.txt").read_text())


def test_development_and_run_time_pin_the_same_versions() -> None:
    def versions(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    development = versions("dev.txt")
    assert {name: development.get(name) for name in versions("runtime.txt")} == versions("runtime.txt")


def test_the_wheel_asks_for_what_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert names("\n".join(project["dependencies"])) == names((ROOT / "requirements" / "runtime.in").read_text())


def test_node_packages_are_pinned_by_integrity_and_not_by_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert not [
        name
        for name, package in packages.items()
        if name and "integrity" not in package and not package.get("inBundle")
    ]


def test_compose_publishes_on_loopback_only() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_compose_has_no_default_password() -> None:
    assert all(secret["file"].startswith("${") and ":?" in secret["file"] for secret in COMPOSE["secrets"].values())


def test_every_lasting_compose_service_is_watched_and_keeps_its_state() -> None:
    declared = set(COMPOSE["volumes"])
    for name, service in COMPOSE["services"].items():
        assert {volume.split(":")[0] for volume in service["volumes"]} <= declared
        assert "healthcheck" in service or service["restart"] == "no", name


def test_both_apps_are_unprivileged_in_a_container() -> None:
    final = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root)\w+$", final, re.MULTILINE)


def test_every_setting_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used | {setting.name for setting in SETTINGS} <= listed


def test_pre_commit_hooks_are_local() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
