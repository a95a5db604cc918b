"""This tree beside another one, such as an older commit: each benchmark in turns, in one run.

    git worktree add ../before 366834e
    python benchmarks/beside.py ../before tables saving

Printed is what each tree took, of several turns the median, and the ratio: below 1, this tree
is better.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_PROGRAM = """
import json, sys
from benchmarks.run import BENCHMARKS
for row in BENCHMARKS[sys.argv[1]](False):
    print("row", json.dumps([row.what, row.size, row.unit, row.ours, row.more_is_better]))
"""

Key = tuple[str, str, str, bool]
"""What is measured, its size, the unit, and whether more is better."""


def measure(tree: Path, name: str) -> dict[Key, float]:
    """Run one benchmark of a tree in a fresh process, with the code of that tree."""
    path = os.pathsep.join([str(tree), str(tree / "src")])
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, name],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("row ")]
    return {
        (what, size, unit, more): ours
        for what, size, unit, ours, more in (
            json.loads(line.removeprefix("row ")) for line in lines
        )
    }


def compare(name: str, other: Path, turns: int) -> Iterator[str]:
    """Yield a line for each row that both trees have."""
    ours, theirs = [], []
    for _ in range(turns):
        ours.append(measure(ROOT, name))
        theirs.append(measure(other, name))
    for key in ours[0]:
        if key not in theirs[0]:
            continue
        what, size, unit, more = key
        here, there = _median(ours, key), _median(theirs, key)
        if here and there:
            ratio = there / here if more else here / there
            yield f"{what:<46} {size:>14} {here:>12.4g} {there:>12.4g} {unit:<12} {ratio:.2f}"


def _median(turns: Iterable[dict[Key, float]], key: Key) -> float:
    return statistics.median(turn[key] for turn in turns if key in turn)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", type=Path, help="the folder of the other tree")
    parser.add_argument("names", nargs="+", help="which benchmarks, as benchmarks/run.py has them")
    parser.add_argument("--turns", type=int, default=3, help="how often each is run")
    arguments = parser.parse_args()
    print(f"{'what':<46} {'size':>14} {'this tree':>12} {'the other':>12} {'unit':<12} ratio")
    for name in arguments.names:
        for line in compare(name, arguments.other.resolve(), arguments.turns):
            print(line, flush=True)


if __name__ == "__main__":
    main()
