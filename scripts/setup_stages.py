"""The stages of a set-up, each stamped with a digest of what went into it.

The digest covers file contents, the checkout's path and the version of Python, so a second run finds nothing
to do and opens no connection, and a moved checkout or a new Python is set up again.
"""

import hashlib
import platform
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from installers import (
    NODE_MODULES,
    REQUIREMENTS,
    ROOT,
    TOOLS,
    VENV,
    VENV_PYTHON,
    SetupError,
    install_node,
    install_node_packages,
    install_packages,
    install_project,
    machine_npm,
    make_venv,
)

__all__ = ["SetupError", "set_up"]

VENDOR = ROOT / "chain_common" / "web" / "static" / "vendor"

# Where each browser library's file comes from in node_modules, and the name it is served under.
BROWSER_FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
}


def set_up(*, force: bool) -> list[str]:
    """Run the stages that are out of date and return their names.

    Raises
    ------
    SetupError
        If something is missing that the set-up cannot bring about.
    """
    TOOLS.mkdir(exist_ok=True)
    with one_at_a_time():
        return run_stages(force=force)


def run_stages(*, force: bool) -> list[str]:
    """Run the stages that are out of date; Python's and Node's side by side."""
    done: list[str] = []
    npm = machine_npm()
    wheel = [] if npm else [REQUIREMENTS / "node.txt"]
    files = [REQUIREMENTS / "dev.txt", *wheel]
    venv_digest = digest(ROOT, sys.version, platform.machine(), sys.base_prefix)
    packages_digest = digest(venv_digest, *files)
    project_digest = digest(packages_digest, ROOT / "pyproject.toml")
    npm_digest = digest(
        ROOT, platform.machine(), *(ROOT / name for name in ("package.json", "package-lock.json", ".npmrc"))
    )

    def stage(name: str, stamp: Path, current: str, action: Callable[[], None]) -> None:
        if not force and read(stamp) == current:
            return
        stamp.unlink(missing_ok=True)
        started = time.monotonic()
        action()
        stamp.write_text(current)
        done.append(name)
        print(f"setup: {name}: {time.monotonic() - started:.1f} s", flush=True)

    def python_side() -> None:
        stage("Python packages", VENV / ".stamp-packages", packages_digest, lambda: install_packages(files))
        stage("chain command", VENV / ".stamp-project", project_digest, install_project)

    def node_side() -> None:
        stage("Node packages", NODE_MODULES / ".stamp", npm_digest, lambda: install_node_packages(npm))
        if not all((VENDOR / name).exists() for name in BROWSER_FILES):
            (VENDOR / ".stamp").unlink(missing_ok=True)
        sources = [NODE_MODULES / source for source in BROWSER_FILES.values()]
        stage("browser libraries", VENDOR / ".stamp", digest(*sources), copy_browser_files)

    if not VENV_PYTHON.exists():
        (VENV / ".stamp-venv").unlink(missing_ok=True)
    stage("environment", VENV / ".stamp-venv", venv_digest, make_venv)
    if wheel:
        stage("Node", VENV / ".stamp-node", digest(venv_digest, *wheel), lambda: install_node(wheel[0]))
    both(python_side, node_side)
    return done


def digest(*parts: object) -> str:
    """Return the SHA-256 of the parts: a file counts by its name and contents, anything else by its text."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path) and part.is_file():
            data = part.name.encode() + b"\0" + part.read_bytes()
        else:
            data = str(part).encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def read(path: Path) -> str:
    """Return a stamp's text, empty where there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""


def both(first: Callable[[], None], second: Callable[[], None]) -> None:
    """Run two stages side by side and raise what either raised."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            second()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)

    beside = threading.Thread(target=guarded)
    beside.start()
    try:
        first()
    finally:
        beside.join()
    if errors:
        raise errors[0]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait for another set-up of this checkout to end; the lock goes with the process that holds it."""
    with (TOOLS / "setup.lock").open("w") as lock:
        try:
            import fcntl
        except ImportError:
            yield
            return
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def copy_browser_files() -> None:
    """Copy the scripts and styles that the pages use out of `node_modules`."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, source in BROWSER_FILES.items():
        if not (NODE_MODULES / source).is_file():
            raise SetupError(f"node_modules has no {source}: remove node_modules and run again")
        shutil.copyfile(NODE_MODULES / source, VENDOR / name)


if __name__ == "__main__":  # an image has its packages already and only needs these
    copy_browser_files()
