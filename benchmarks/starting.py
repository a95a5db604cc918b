"""Importing databroker, and the time to the first table, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

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
TERMINAL = "import typer, rich"
COMMAND = """
import typer, rich
app = typer.Typer(add_completion=False, rich_markup_mode=None)
@app.command("list")
def nothing(limit: int = 20): pass
@app.callback()
def app_itself(): pass
app(["list"], standalone_mode=False)
"""
LIST = "from databroker.cli import main; main(['list'])"
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
    """Median milliseconds of whole processes that run pieces of code, in turns."""
    found: list[list[float]] = [[] for _ in codes]
    for turn in range(-warm_up, repeat):
        for place, code in enumerate(codes):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
            if turn >= 0:
                found[place].append((time.perf_counter() - begun) * 1e3)
    return list(map(statistics.median, found))


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
    nothing, named, terminal, command, listed = processes(
        NOTHING, NAMED, TERMINAL, COMMAND, LIST, repeat=repeat, warm_up=warm_up
    )
    yield Row("from databroker import Broker", "", named - nothing, target=100.0, note="a process")
    yield Row(
        "databroker list",
        "",
        listed,
        limit=terminal,
        target_ratio=1.5,
        note=f"limit: importing typer and rich; an empty command: {command:.0f} ms",
    )
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
