"""What all benchmarks share: timing, fresh processes, rows of results."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MIB = 2**20


@dataclass(frozen=True)
class Row:
    """One line of the results.

    ``ours``, ``limit`` and ``peer`` are in ``unit``. Of a quantity where more is better
    (rates), the ratio that counts is ours to limit, with ``target_ratio`` as the least
    allowed; of the others too, as the most allowed. ``broken`` says that something else that
    was promised does not hold.
    """

    what: str
    size: str
    ours: float
    unit: str = "ms"
    limit: float | None = None
    target_ratio: float | None = None
    target: float | None = None
    more_is_better: bool = False
    memory: float | None = None
    target_memory: float | None = None
    note: str = ""
    broken: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours divided by the limit."""
        return self.ours / self.limit if self.limit else None

    @property
    def verdict(self) -> str:
        """'ok' or 'MISS'; empty where nothing is promised."""
        kept = [
            _within(self.ours, self.target, self.more_is_better),
            _within(self.ratio, self.target_ratio, self.more_is_better),
            _within(self.memory, self.target_memory, False),
        ]
        if self.broken:
            return "MISS"
        known = [one for one in kept if one is not None]
        return "" if not known else ("ok" if all(known) else "MISS")

    def cells(self) -> list[str]:
        """The row as text, in the order of `HEADINGS`."""
        return [
            self.what,
            self.size,
            f"{number(self.ours)} {self.unit}",
            "" if self.limit is None else f"{number(self.limit)} {self.unit}",
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self._promise(),
            self.verdict,
            "" if self.memory is None else f"{self.memory:.0f} MiB",
            self.note,
        ]

    def _promise(self) -> str:
        sign = "≥" if self.more_is_better else "≤"
        parts = []
        if self.target_ratio is not None:
            parts.append(f"{sign} {self.target_ratio:g} x limit")
        if self.target is not None:
            parts.append(f"{sign} {number(self.target)} {self.unit}")
        if self.target_memory is not None:
            parts.append(f"≤ {self.target_memory:.0f} MiB")
        return ", ".join(parts)


HEADINGS = ["what", "size", "ours", "limit", "ratio", "must reach", "", "peak memory", "note"]


def _within(value: float | None, bound: float | None, more_is_better: bool) -> bool | None:
    if value is None or bound is None:
        return None
    return value >= bound if more_is_better else value <= bound


def number(value: float) -> str:
    """A number with three digits that matter."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


# -- timing ------------------------------------------------------------------


def median_ms(work: Callable[[], Any], repeat: int = 9, warm_up: int = 1) -> float:
    """Median duration of some work, in milliseconds."""
    for _ in range(warm_up):
        work()
    return statistics.median(_ms(work) for _ in range(repeat))


def side_by_side(
    ours: Callable[[], Any], limit: Callable[[], Any], repeat: int = 9, warm_up: int = 1
) -> tuple[float, float]:
    """Median durations of two pieces of work in turns, so that noise hits both."""
    for _ in range(warm_up):
        ours()
        limit()
    pairs = [(_ms(ours), _ms(limit)) for _ in range(repeat)]
    return statistics.median(one for one, _ in pairs), statistics.median(two for _, two in pairs)


def _ms(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


# -- fresh processes ---------------------------------------------------------


def environment() -> dict[str, str]:
    """The environment of a fresh process: bytecode is cached, outside the source tree."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    paths = [str(ROOT), *filter(None, sys.path)]
    kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    kept["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "databroker-bench-bytecode")
    return kept


def run_code(code: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def fresh(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a benchmark in a fresh process; its result comes as JSON.

    A function of a script that is being run stands in the module ``__main__``.
    """
    module = function.__module__
    if module == "__main__":
        spec = sys.modules["__main__"].__spec__
        assert spec is not None, "run as python -m benchmarks.<name>"
        module = spec.name
    call = json.dumps([module, function.__name__, arguments])
    return json.loads(run_code(f"from benchmarks import harness; harness.answer({call!r})"))


def answer(call: str) -> None:
    """Carry out what `fresh` asks for, and print the result."""
    module, name, arguments = json.loads(call)
    print(json.dumps(getattr(importlib.import_module(module), name)(*arguments)))


def median_fresh(
    function: Callable[..., Any], *arguments: Any, repeat: int = 5
) -> dict[str, float]:
    """Medians of the numbers that a function returns, each time in a fresh process."""
    fresh(function, *arguments)
    found = [fresh(function, *arguments) for _ in range(repeat)]
    return {key: statistics.median(one[key] for one in found) for key in found[0]}


def peak_memory() -> float:
    """The most memory that this process has had, in MiB.

    On Linux ``ru_maxrss`` also counts the parent as it was at the fork, so the kernel's
    account of this program alone is preferred.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


# -- scripts -----------------------------------------------------------------


@contextmanager
def folder(kept: str | None = None) -> Iterator[Path]:
    """A folder for the files of a benchmark: a given one that stays, or a passing one."""
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    made = Path(tempfile.mkdtemp(prefix="databroker-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def script(rows: Callable[[bool], Iterable[Row]], doc: str | None) -> None:
    """Run one benchmark from the command line."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--full", action="store_true", help="the large sizes too")
    print(machine())
    show(rows(parser.parse_args().full))


def show(rows: Iterable[Row]) -> None:
    """Print rows as they come."""
    for row in rows:
        what, size, ours, limit, ratio, promise, verdict, memory, note = row.cells()
        print(
            f"{what:<46} {size:>14} {ours:>13} | limit {limit:>13} ratio {ratio:>6} "
            f"| {promise:<22} {verdict:<4} {memory:>9} {note}",
            flush=True,
        )


def machine() -> str:
    """The machine and the versions, for the head of results."""
    import sqlite3
    from importlib.metadata import version

    versions = ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "pandas", "pyarrow", "msgpack")
    )
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
