"""The wheel: everything is in it, and it works by itself in an empty environment."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

WALK = """
from databroker import Broker, __version__
with Broker.from_config({"driver": "sqlite", "path": "runs.db"}) as db:
    db.insert("start", {"uid": "b2c1", "time": 1.0, "sample": "good sample"})
    key = {"dtype": "number", "shape": [], "source": "demo"}
    db.insert("descriptor", {"uid": "d", "run_start": "b2c1", "time": 1.0, "name": "primary",
                             "data_keys": {"det": key}})
    db.insert("event", {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 2.0,
                        "data": {"det": 5}, "timestamps": {"det": 2.0}})
    db.insert("stop", {"uid": "s", "run_start": "b2c1", "time": 3.0, "exit_status": "success"})
    (header,) = db("good")
    print(__version__, header.uid, header.status, header.table()["det"].tolist())
    try:
        header.xarray()
    except ImportError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # What an earlier build left beside the sources would be taken along.
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "."]
    subprocess.run(command, cwd=folder, check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_every_module_is_in_the_wheel(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = ROOT / "src"
    modules = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    assert inside == {*modules, "databroker/py.typed"}


def test_it_works_alone(wheel, tmp_path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin/python"
    # Of all that comes along, little is imported: the remainder need not be compiled.
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-compile"]
    subprocess.run([*command, "--quiet", wheel], check=True)

    def output(*command):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    version = wheel.name.split("-")[1]
    walked = output(python, "-c", WALK)
    assert walked.startswith(f"{version} b2c1 success [5]\n")
    assert "pip install" in walked
    assert "databroker demo" in output(venv / "bin/databroker", "--help")
