"""Realistic metadata of any number of runs: about 30 leaves each, of mixed types."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

Doc = dict[str, Any]

BEGIN = 1.5e9
SPACING = 600.0  # seconds between two runs
RARE = 1000  # one run in so many has what is called rare

_SYLLABLES = [first + second for first in "bdfgjklmnprstvz" for second in "aeiou"]
_ELEMENTS = ("Ni", "Cu", "Fe", "Zn", "Al", "Ti", "Co", "Mn", "Cr", "Au", "Ag", "Pt", "Pd", "Si")
_OPERATORS = ("Dan", "Ana", "Tom", "Mia", "Lev", "Ines", "Kai", "Uma", "Ole", "Zoe", "Raj", "Eva")
_PURPOSES = ("alignment", "calibration", "data collection", "test", "commissioning")
_PLANS = ("count", "scan", "rel_scan", "grid_scan", "list_scan", "fly", "tune")
_PLAN_SHARES = (30, 20, 20, 12, 8, 7, 3)
_MOTORS = ("motor", "theta", "chi", "phi", "sample_x", "sample_y", "energy")
_DETECTORS = ("det", "pilatus", "ion_chamber", "camera", "vortex")
_EXITS = ("success", "abort", "fail")


def _vocabulary(size: int) -> list[str]:
    chance = random.Random(7)
    words: dict[str, None] = {}
    while len(words) < size:
        words["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4)))] = None
    return list(words)


WORDS = _vocabulary(5000)
COMMON_WORD = WORDS[0]
RARE_WORD = "quasicrystal"
_SHARES = list(accumulate(1 / place for place in range(1, len(WORDS) + 1)))  # as in any language


def starts(count: int, seed: int = 1) -> Iterator[Doc]:
    """Yield so many start documents, by time."""
    chance = random.Random(seed)
    for number in range(count):
        yield start(number, chance)


def start(number: int, chance: random.Random) -> Doc:
    """Make one start document."""
    motors = chance.sample(_MOTORS, chance.choice((1, 1, 1, 2)))
    detectors = chance.sample(_DETECTORS, chance.choice((1, 1, 2)))
    points = chance.randint(1, 500)
    element = chance.choice(_ELEMENTS)
    doc: Doc = {
        "uid": _uid(chance),
        "time": BEGIN + number * SPACING + chance.random() * SPACING,
        "scan_id": number + 1,
        "plan_name": chance.choices(_PLANS, _PLAN_SHARES)[0],
        "plan_args": {"detectors": detectors, "num": points, "args": _limits(motors, chance)},
        "detectors": detectors,
        "motors": motors,
        "num_points": points,
        "hints": {"dimensions": [[motors, "primary"]]},
        "operator": chance.choice(_OPERATORS),
        "purpose": chance.choice(_PURPOSES),
        "proposal": {"id": f"GUP-{number // 500}", "cycle": f"{2017 + number % 9}-{number % 3}"},
        "sample": {
            "name": f"{element} foil {chance.randrange(400)}",
            "composition": element,
            "thickness": round(chance.uniform(0.01, 2), 3),
            "batch": chance.randrange(50),
        },
        "temperature": chance.gauss(300, 40),
        "dark": chance.random() < 0.1,
        "shutter": chance.choice(("open", "closed", None)),
        "tags": chance.sample(WORDS[:40], chance.randrange(3)),
        "comment": " ".join(chance.choices(WORDS, cum_weights=_SHARES, k=chance.randint(3, 14))),
        "versions": {"bluesky": f"1.{number // 50_000}.{number % 4}"},
        "beamline_id": "06-ID",
    }
    if number % RARE == 17:
        doc["anomaly"] = f"case {chance.randrange(10**6)}"
        doc["flag"] = "rare"
        doc["comment"] += f" {RARE_WORD}"
    return doc


def stop(start_doc: Doc, chance: random.Random) -> Doc:
    """Make the stop document of a run."""
    return {
        "uid": _uid(chance),
        "run_start": start_doc["uid"],
        "time": start_doc["time"] + chance.uniform(5, 300),
        "exit_status": chance.choices(_EXITS, (90, 6, 4))[0],
        "num_events": {"primary": start_doc["num_points"]},
    }


def _uid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _limits(motors: list[str], chance: random.Random) -> list[Any]:
    return [item for motor in motors for item in (motor, -1, round(chance.uniform(1, 10), 2))]
