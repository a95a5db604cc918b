"""Searches beside one run with a metadata document of a million keys: nobody else should notice.

The limit is the same search in the same catalog without that run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from databroker.queries import Key

from . import harness
from .data import open_broker
from .harness import Row

_RUNS = 1_000

SEARCHES: dict[str, Callable[[Any], Any]] = {
    "equality": lambda db: db(plan_name="count").first(),
    "nested key": lambda db: db(Key("sample.name") == "Ni 3").count(),
    "scan_id": lambda db: db[300],
    "a word": lambda db: db("calibration").count(),
    "distinct": lambda db: db().distinct("plan_name"),
}


def _shapes(keys: int) -> dict[str, dict[str, Any]]:
    side = max(int(keys**0.5), 1)
    return {
        "flat": {f"key{n}": n for n in range(keys)},
        "nested": {"deep": {f"a{n}": {f"b{m}": m for m in range(side)} for n in range(side)}},
        "words": {f"key{n}": f"word{n}" for n in range(keys)},
    }


def _write(db: Any, extra: dict[str, Any]) -> None:
    for n in range(_RUNS):
        start = {"uid": f"run {n}", "time": float(n), "scan_id": n, "purpose": "calibration"}
        start |= {"plan_name": "count" if n % 5 else "scan", "sample": {"name": f"Ni {n % 7}"}}
        db.insert("start", start)
    if extra:
        db.insert("start", {"uid": "huge", "time": _RUNS / 2, **extra})


def rows(full: bool = False, keys: int = 1_000_000, repeat: int = 21) -> Iterator[Row]:
    """Measure."""
    with harness.folder() as folder, open_broker(str(folder / "plain.db")) as plain:
        _write(plain, {})
        for shape, extra in _shapes(keys).items():
            with open_broker(str(folder / f"{shape}.db")) as db:
                _write(db, extra)
                for what, search in SEARCHES.items():
                    took, limit = harness.side_by_side(
                        lambda db=db, search=search: search(db),
                        lambda search=search: search(plain),
                        repeat,
                    )
                    size = f"{harness.number(keys)} keys, {shape}"
                    note = "limit: without that run"
                    yield Row(f"{what} beside it", size, took, limit=limit, note=note)


if __name__ == "__main__":
    harness.script(rows, __doc__)
