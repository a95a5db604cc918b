"""What the two commands of the README do before databroker is there."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

PIP = """#!/bin/sh
echo "$@" > arguments
echo "Obtaining file:///copy"
echo "  Installing build dependencies: started"
echo "Collecting numpy>=1.26 (from databroker==3.0)"
echo "  Downloading numpy-2.0-cp311.whl (14.0 MB)"
echo "Collecting dask[array]>=2024.1"
echo "Requirement already satisfied: pip in ./.venv"
echo "Installing collected packages: numpy, dask"
{end}
"""


@pytest.fixture
def install(tmp_path):
    """Run a rule of the Makefile where pip says and does this."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)

    def run(rule, end="exit 0"):
        python.write_text(PIP.format(end=end))
        python.chmod(0o755)
        (tmp_path / ".venv/python").touch()
        # Whatever another make, which these tests run in, tells the one here.
        told = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
        environment = {key: value for key, value in os.environ.items() if key not in told}
        return subprocess.run(
            ["make", rule],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )

    return run


@pytest.mark.parametrize(("rule", "extras"), [("demo", "demo"), ("test", "test,test-tiled,lint")])
def test_an_install_shows_how_far_it_is_and_no_more(install, tmp_path, rule, extras):
    done = install(f".venv/{rule}")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [" numpy dask", "Unpacking them ..."]
    assert (tmp_path / "arguments").read_text().endswith(f"--editable .[{extras}]\n")


def test_an_install_that_fails_says_why_and_is_tried_again(install, tmp_path):
    done = install(".venv/demo", "echo 'ERROR: no space left' >&2; exit 2")
    assert done.returncode != 0
    assert "ERROR: no space left" in done.stderr
    assert not (tmp_path / ".venv/demo").exists()


def test_the_demonstration_installs_what_the_readme_shows():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    # Datasets (docs/streams.md) and pictures (docs/preview.md).
    assert "databroker[arrays,plot]" in extras["demo"]
