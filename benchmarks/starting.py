"""Importing databroker, and the time to the first table, in fresh processes."""

from __future__ import annotations

import importlib.util
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from unittest import mock

from . import harness
from .data import Scan, open_broker, write
from .harness import Row

_TIMED = """
import time, sys
begun = time.perf_counter()
{code}
took = time.perf_counter() - begun
print(took * 1e3, int("pandas" in sys.modules or "pyarrow" in sys.modules))
"""

IMPORT = "import databroker"
USABLE = "import databroker; databroker.Broker; databroker.list_configs"
NOTHING = "pass"
NAMED = "from databroker import Broker"
HAS_TYPER = importlib.util.find_spec("typer") is not None
TYPER = "import typer, rich" if HAS_TYPER else "import click, rich"
CLICK = "import click, rich"
LIST = "from databroker.cli import main; main(['config', 'list'])"
LIST_NAME = "from databroker.cli import main; main(['list', '-b', 'bench'])"
SHOW = "from databroker.cli import main; main(['show', '-b', 'bench'])"
LIBRARIES = "import pandas, pyarrow"
TABLE = """
import databroker
db = databroker.Broker.from_config({{"driver": "sqlite", "path": {path!r}}})
assert len(db[-1].table()) == 5
"""


def timed(*codes: str, repeat: int = 11, warm_up: int = 1) -> list[tuple[float, bool]]:
    """Median milliseconds of pieces of code, in turns, and whether pandas or pyarrow came too."""
    found: list[list[tuple[float, bool]]] = [[] for _ in codes]
    for turn in range(-warm_up, repeat):  # the first turn writes the bytecode
        for place, code in enumerate(codes):
            took, heavy = harness.run_code(_TIMED.format(code=code)).split()
            if turn >= 0:
                found[place].append((float(took), heavy == "1"))
    return [(statistics.median(took for took, _ in one), one[0][1]) for one in found]


def processes(*codes: str, repeat: int = 11, warm_up: int = 1) -> list[float]:
    """Median milliseconds of a processor's time of processes that run pieces of code, in turns."""
    # As installed packages have it: the first turn writes it, whatever the environment says.
    environment = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}
    found: list[list[float]] = [[] for _ in codes]
    for turn in range(-warm_up, repeat):
        for place, code in enumerate(codes):
            begun = _spent_by_children()
            subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, env=environment
            )
            if turn >= 0:
                found[place].append((_spent_by_children() - begun) * 1e3)
    return list(map(statistics.median, found))


def _commands(repeat: int, warm_up: int) -> Iterator[Row]:
    """Measure processes as a terminal starts them, beside the import of what prints in one."""
    with harness.folder() as folder:
        path = folder / "bench.db"
        (folder / "bench.yml").write_text(f"driver: sqlite\npath: {path}\n")
        with open_broker(str(path)) as db:
            write(db, Scan(1), 5)
        places = {"DATABROKER_PATH": str(folder), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        with mock.patch.dict(os.environ, places):
            nothing, named, typer, click, *commands = processes(
                *(NOTHING, NAMED, TYPER, CLICK, LIST, LIST_NAME, SHOW),
                repeat=repeat,
                warm_up=warm_up,
            )
    yield Row("from databroker import Broker", "", named - nothing, target=100.0, note="a process")
    limit = "typer and rich" if HAS_TYPER else "click and rich, as typer is not installed"
    for what, took in zip(("config list", "list -b", "show -b"), commands, strict=True):
        note = f"limit: importing {limit}; {took / click:.2f} times click and rich"
        yield Row(f"databroker {what}", "CPU", took, limit=typer, target_ratio=1.5, note=note)


def _spent_by_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def rows(full: bool = False, repeat: int = 11, warm_up: int = 1) -> Iterator[Row]:
    """Measure."""
    with harness.folder() as folder:
        path = str(folder / "runs.db")
        with open_broker(path) as db:
            write(db, Scan(1), 5)
        imported, usable, libraries, table = timed(
            IMPORT, USABLE, LIBRARIES, TABLE.format(path=path), repeat=repeat, warm_up=warm_up
        )
    for what, (took, heavy) in (("import", imported), ("import, with Broker", usable)):
        note = "loads pandas or pyarrow" if heavy else "no pandas, no pyarrow"
        yield Row(what, "", took, target=100.0, note=note, broken=heavy)
    yield from _commands(repeat, warm_up)
    yield Row(
        "from nothing to the first table",
        "5 events",
        table[0],
        limit=libraries[0],
        target_ratio=1.3,
        note="limit: importing pandas and pyarrow",
    )


if __name__ == "__main__":
    harness.script(rows, __doc__)
