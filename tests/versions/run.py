"""Runs the tests with the oldest versions that are declared, and with the newest there are.

    python tests/versions/run.py [lowest | newest] [-- arguments of pytest]

Needs the package index, and a quarter of an hour. It is not part of the tests: `make versions`
calls it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}


def main() -> int:
    """Do what the command line says, and return whether any test failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("which", nargs="?", choices=RESOLUTIONS, help="both, if not said")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    options = parser.parse_args()
    failed = []
    for which in [options.which] if options.which else RESOLUTIONS:
        with tempfile.TemporaryDirectory(prefix=f"databroker-{which}-") as folder:
            python = _environment(Path(folder), RESOLUTIONS[which])
            print(f"\nThe {which} versions:", *_versions(python), sep="\n  ", flush=True)
            arguments = options.pytest or ["-n", "auto", "--dist", "loadfile"]
            command = [python, "-m", "pytest", "-q", *arguments]
            if subprocess.run(command, cwd=ROOT, check=False).returncode:
                failed.append(which)
    print(f"Tests fail with the {' and '.join(failed)} versions." if failed else "All passed.")
    return bool(failed)


def _environment(folder: Path, resolution: str) -> str:
    """Make an environment with this package and what its tests need; return its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    install = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    install += ["--resolution", resolution, "--editable", f"{ROOT}[test]"]
    subprocess.run(install, check=True)
    return python


def _versions(python: str) -> list[str]:
    listed = [python, "-m", "uv", "pip", "list", "--quiet", "--python", python, "--format=freeze"]
    return subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()


if __name__ == "__main__":
    sys.exit(main())
