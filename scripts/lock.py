"""Pin what `requirements/*.in` and `package.json` ask for, with hashes and without any registry's address."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from installers import REQUIREMENTS, ROOT, uv, uv_settings


def main() -> int:
    """Compile the requirements files, then npm's lock file; return the exit status."""
    parser = argparse.ArgumentParser(description="Pin the versions of what chAIn stands on.")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions than those pinned now")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    for source in sorted(REQUIREMENTS.glob("*.in")):
        compile_requirements(source.relative_to(ROOT), upgrade)
    npm = ["npm", "update" if upgrade else "install", "--package-lock-only", "--loglevel=error"]
    return subprocess.run(npm, cwd=ROOT, check=False).returncode


def compile_requirements(source: Path, extra: list[str]) -> None:
    """Compile one file for every platform and every Python from the oldest supported on."""
    command = [
        str(uv()),
        *("pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--fork-strategy=fewest"),
        *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"),
        *("--custom-compile-command=make lock", *extra, str(source)),
        f"--output-file={source.with_suffix('.txt')}",
    ]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, **uv_settings()})


if __name__ == "__main__":
    sys.exit(main())
