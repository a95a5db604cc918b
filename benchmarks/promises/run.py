"""Try anew what `docs/promises.md` promises, as long as you like.

python benchmarks/promises/run.py                    each attack, a few times
python benchmarks/promises/run.py --attack kills --count 345
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # so that `python benchmarks/promises/run.py` works too
    sys.path.insert(0, str(ROOT))

from benchmarks.promises.outcome import Outcome  # noqa: E402

ATTACKS = {
    "kills": 20,
    "interrupts": 300,
    "forks": 20,
    "full_disk": 9,
    "flips": 400,
    "shared": 6,
    "servers": 12,
    "full_server": 3,
    "outages": 4000,
}
"""Each attack, and how often it is tried unless told otherwise."""

HEADINGS = ("attack", "tried", "lost", "doubled", "wrong", "stuck", "seconds")


def attack(name: str, count: int | None = None, seed: int = 0) -> Outcome:
    """Carry out an attack."""
    module = importlib.import_module(f"benchmarks.promises.{name}")
    outcome: Outcome = module.run(ATTACKS[name] if count is None else count, seed)
    return outcome


def main() -> int:
    """Carry out attacks and print what came of them; the number of faults is the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--attack", choices=ATTACKS, action="append", help="only this one")
    parser.add_argument("--count", type=int, help="how often")
    parser.add_argument("--seed", type=int, default=0, help="for other random moments")
    given = parser.parse_args()
    print("| " + " | ".join(HEADINGS) + " |")
    print("|" + " --- |" * len(HEADINGS))
    faults = 0
    for name in given.attack or ATTACKS:
        begun = time.monotonic()
        found = attack(name, given.count, given.seed)
        faults += found.faults
        cells = [found.tried, found.lost, found.doubled, found.wrong, found.stuck]
        seconds = f"{time.monotonic() - begun:.0f}"
        print("| " + " | ".join([name, *map(str, cells), seconds]) + f" | {found.note}", flush=True)
    return min(faults, 100)


if __name__ == "__main__":
    sys.exit(main())
