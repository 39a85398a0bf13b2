"""Set the checkout up: ``.venv``, ``node_modules`` and the browser libraries.

Needs Python 3.11 or newer with pip, and nothing else. This file must run on any Python 3, to be able to say
which version it wants; the work is in `setup_stages`.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)


def main() -> int:
    """Bring every stage up to date; return the exit status."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(description="Set the checkout up.")
    parser.add_argument("--force", action="store_true", help="do every stage again")
    parser.add_argument("--quiet", action="store_true", help="say nothing when there is nothing to do")
    arguments = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        return on_a_newer_python()
    if Path(sys.prefix) == Path(__file__).resolve().parent.parent / ".venv":  # the set-up may replace it
        return subprocess.call([getattr(sys, "_base_executable", "python3"), *sys.argv])

    from setup_stages import SetupError, set_up

    try:
        done = set_up(force=arguments.force)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    if done or not arguments.quiet:
        what = ", ".join(done) if done else "nothing to do"
        print(f"setup: ready in {time.monotonic() - started:.1f} s ({what})", flush=True)
    return 0


def on_a_newer_python() -> int:
    """Start again on a newer Python from PATH, or say that there is none."""
    for minor in range(20, OLDEST_PYTHON[1] - 1, -1):
        candidate = shutil.which(f"python3.{minor}")
        if candidate and subprocess.call([candidate, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return subprocess.call([candidate, *sys.argv])
    have = ".".join(map(str, sys.version_info[:3]))
    print(
        f"setup: Python 3.11 or newer is needed and this is {have}."
        " Install one, or name it: make PYTHON=/path/to/python3",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
