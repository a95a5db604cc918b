"""Runs the tests with the oldest versions that are declared, and with the newest there are.

    python tests/versions/run.py [lowest | newest] [--python 3.12] [-- arguments of pytest]

The lowest run with the oldest Python; the newest with each that is declared in pyproject.toml and
is on this machine: on PATH, or kept by pyenv. Needs the package index, and a quarter of an hour for
each. It is not part of the tests: `make versions` calls it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECLARED = "Programming Language :: Python :: 3."

RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}


def main() -> int:
    """Do what the command line says, and return whether any test failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("which", nargs="?", choices=RESOLUTIONS, help="both, if not said")
    parser.add_argument("--python", action="append", help="3.12, say; all there are, if not said")
    # argparse would not take them behind an option.
    ours, theirs = _split_at_dashes(sys.argv[1:])
    options = parser.parse_args(ours)
    pythons = dict(_interpreters(options.python or _declared()))
    chosen = [options.which] if options.which else RESOLUTIONS
    runs = [(which, version) for which in chosen for version in pythons]
    if not options.python:
        runs = [run for run in runs if run[0] != "lowest" or run[1] == next(iter(pythons))]
    failed = [
        f"the {which} versions on Python {version}"
        for which, version in runs
        if not _passes(which, pythons[version], theirs)
    ]
    print(f"Tests fail with {' and '.join(failed)}." if failed else "All passed.")
    return bool(failed)


def _split_at_dashes(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before '--', and the arguments of pytest behind it."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _declared() -> list[str]:
    """Versions of Python that the project says it runs on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    minors = [each.removeprefix(DECLARED) for each in project["classifiers"] if DECLARED in each]
    return [f"3.{minor}" for minor in minors]


def _interpreters(versions: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each version that is on this machine, with its interpreter."""
    for version in versions:
        kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
        for python in filter(None, [shutil.which(f"python{version}"), *map(str, kept)]):
            # A name on PATH may stand for an interpreter that is not chosen.
            if not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
                yield version, python
                break
        else:
            print(f"Python {version} is not on this machine, and is left out.")


def _passes(which: str, interpreter: str, arguments: list[str]) -> bool:
    """Run the tests with these versions in an environment of their own."""
    with tempfile.TemporaryDirectory(prefix=f"databroker-{which}-") as folder:
        python = _environment(Path(folder), interpreter, RESOLUTIONS[which])
        print(f"\nThe {which} versions:", *_versions(python), sep="\n  ", flush=True)
        command = [python, "-m", "pytest", "-q"]
        command += arguments or ["-n", "auto", "--dist", "loadfile"]
        return not subprocess.run(command, cwd=ROOT, check=False).returncode


def _environment(folder: Path, interpreter: str, resolution: str) -> str:
    """Make an environment with this package and what its tests need; return its interpreter."""
    subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    install = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    install += ["--resolution", resolution, "--editable", f"{ROOT}[test]"]
    subprocess.run(install, check=True)
    return python


def _versions(python: str) -> list[str]:
    listed = [python, "-m", "uv", "pip", "list", "--quiet", "--python", python, "--format=freeze"]
    found = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()
    return [subprocess.check_output([python, "--version"], text=True).strip(), *found]


if __name__ == "__main__":
    sys.exit(main())
