"""Makes an environment with other people's packages and this databroker, and runs them.

    python tests/clients/run.py [--environment FOLDER] [--write]

Needs the package index, and ten minutes. Prints a table; with ``--write``, it is put into
``docs/clients.md``, too. It is not part of the tests: `make clients` calls it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "clients.md"
MARK = "<!-- what follows is written by tests/clients/run.py -->\n"

PACKAGES = (
    *("suitcase-csv", "suitcase-jsonl", "suitcase-msgpack", "suitcase-specfile"),
    # suitcase-utils 0.5.4 closes the files of suitcase-csv twice, and fails.
    *("suitcase-json-metadata", "suitcase-tiff", "suitcase-utils<0.5.4"),
    *("nslsii", "spec2nexus", "bluesky-live", "tqdm", "intake<1", "pytest", "pytest-timeout"),
    *("pyRestTable", "pysumreg", "pint", "pyepics", "openpyxl", "xlrd", "psutil", "Deprecated"),
    *("entrypoints", "mongoquery", "scipy", "toolz", "ipython", "humanize", "setuptools<80"),
)
ALONE = ("apstools", "databroker-pack", "bluesky-widgets")
"""Packages that ask for another databroker or for a window system: without what they need."""

SUITES = {
    "apstools": (
        *("callbacks/tests/test_specwriter.py", "callbacks/tests/test_filewriter.py"),
        *("plans/tests/test_doc_run.py", "utils/tests/test_listruns_class.py"),
        *("utils/tests/test_listruns_i776.py", "utils/tests/test_utils.py"),
    ),
    "databroker 1.2.5": (
        *("tests/test_pivot.py", "tests/test_projector.py", "tests/test_lazymap.py"),
        *("tests/test_queries.py", "tests/test_document.py", "tests/test_v2/generic.py"),
    ),
}
"""The tests of others that concern databroker and need no instrument."""


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--environment", type=Path, help="made where it is not there")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = environment(options.environment or Path(folder) / "environment")
        trials = programs(python, Path(folder))
        suites = [apstools(python, Path(folder)), databroker(python, Path(folder))]
    text = report(trials, suites)
    print(text)
    if options.write:
        before, _, _ = PAGE.read_text().partition(MARK)
        PAGE.write_text(before + MARK + text)


def environment(folder: Path) -> Path:
    """Return the interpreter of an environment with everything in it."""
    python = folder / "bin" / "python"
    if not python.exists():
        call(sys.executable, "-m", "venv", str(folder))
        pip = (str(python), "-m", "pip", "install", "--quiet")
        call(*pip, "--editable", f"{ROOT}[demo,arrays,images,plot]", *PACKAGES)
        call(*pip, "--no-deps", *ALONE)
    return python


def call(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed."""
    return subprocess.run(command, check=True, text=True, **options)


def alone(folder: Path) -> dict[str, str]:
    """Return an environment without configurations, and without an instrument."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("DATABROKER")},
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "share"),
        "MPLBACKEND": "agg",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
    }


def programs(python: Path, folder: Path) -> list[dict[str, str]]:
    """Return what came of `programs.py`."""
    answers = folder / "answers.json"
    call(str(python), str(HERE / "programs.py"), str(answers), cwd=folder, env=alone(folder))
    found: list[dict[str, str]] = json.loads(answers.read_text())
    return found


def apstools(python: Path, folder: Path) -> dict[str, Any]:
    """Run the tests that apstools ships, on the recorded runs that are at hand."""
    asked = "import apstools, pathlib; print(pathlib.Path(apstools.__file__).parent)"
    installed = Path(call(str(python), "-c", asked, capture_output=True).stdout.strip())
    shared = ROOT.parent / "shared" / "data" / "aps" / "apstools.json.gz"
    data = installed / "tests" / "apstools.json.gz"
    if shared.exists() and not data.exists():
        shutil.copy(shared, data)
    return suite(python, folder, "apstools", [installed / name for name in SUITES["apstools"]])


def databroker(python: Path, folder: Path) -> dict[str, Any]:
    """Run tests of databroker 1.2.5 itself."""
    name = "databroker 1.2.5"
    pip = (str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder))
    call(*pip, "--only-binary", ":all:", "databroker==1.2.5")
    (wheel,) = folder.glob("databroker-1.2.5-*.whl")
    shutil.unpack_archive(wheel, folder / "databroker-1.2.5", "zip")
    copies = folder / "old"
    copies.mkdir()
    for file in (*SUITES[name], "tests/test_v2/transform.py"):
        source = (folder / "databroker-1.2.5" / "databroker" / file).read_text()
        # They are no part of a package here.
        source = source.replace("from ..", "from databroker.").replace("databroker.tests.", "")
        (copies / Path(file).name).write_text(source)
    return suite(python, folder, name, [copies / Path(file).name for file in SUITES[name]])


def suite(python: Path, folder: Path, name: str, files: list[Path]) -> dict[str, Any]:
    """Return how many of some tests pass, and what is said of the others."""
    (folder / name).mkdir()
    log = folder / f"{name.replace(' ', '-')}.xml"
    subprocess.run(
        [
            *(str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=60"),
            *(
                "-p",
                "apstools_data",
                "-p",
                "old_bundle",
                "--continue-on-collection-errors",
                f"--junitxml={log}",
            ),
            *map(str, files),
        ],
        cwd=folder,
        env={**alone(folder / name), "PYTHONPATH": str(HERE)},
        stdout=sys.stderr,
        check=False,
    )
    counts = {"passed": 0, "failed": 0, "not tried": 0}
    remarks: dict[str, int] = {}
    for case in ElementTree.parse(log).getroot().iter("testcase"):
        wrong = [each for each in case if each.tag in ("failure", "error", "skipped")]
        if not wrong:
            counts["passed"] += 1
            continue
        skipped = wrong[0].tag == "skipped"
        counts["not tried" if skipped else "failed"] += 1
        words = " ".join((wrong[0].get("message") or "").split())[:200]
        remark = words if skipped else f"`{case.get('name')}`: {words}"
        remarks[remark] = remarks.get(remark, 0) + 1
    return {"name": name, **counts, "remarks": remarks}


def report(trials: list[dict[str, str]], suites: list[dict[str, Any]]) -> str:
    """Return the results as a page."""
    lines = [
        f"Tried on {datetime.date.today()} with Python {platform.python_version()}.",
        "",
        "| package | version | what was tried | result |",
        "| --- | --- | --- | --- |",
    ]
    for trial in trials:
        result = trial["state"] + (f": {trial['remark']}" if trial["remark"] else "")
        cells = (trial["package"], trial["version"], trial["what"], result)
        lines.append(f"| {' | '.join(map(cell, cells))} |")
    lines += ["", "| tests of | passed | failed | not tried |", "| --- | --- | --- | --- |"]
    lines += [f"| {s['name']} | {s['passed']} | {s['failed']} | {s['not tried']} |" for s in suites]
    lines.append("")
    for found in suites:
        for remark, times in found["remarks"].items():
            lines += [f"- {found['name']}, {times} of them: {cell(remark)}"]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Return a text for a table, without paths of this machine."""
    return re.sub(r"(/[\w.+-]+){2,}", "...", text).replace("|", "\\|")


if __name__ == "__main__":
    main()
