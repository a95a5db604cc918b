"""The table of a run in progress: not stopped, its newest events still in the tail."""

from __future__ import annotations

from collections.abc import Iterator

from . import harness
from .data import Scan, open_broker
from .harness import Row
from .tables import cold


def rows(full: bool = False, count: int = 100_000, repeat: int = 9) -> Iterator[Row]:
    """Measure, with the writer still open and nothing moved out of its log on purpose."""
    size = f"{harness.number(count)} x 4"
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as writer:
        scan = Scan(1)
        for kind, doc in scan.opening():
            writer.insert(kind, doc)
        for event in scan.events(count):
            writer.insert("event", event)
        with open_broker(str(folder / "runs.db")) as reader:
            assert len(reader[-1].table()) == count
            took = harness.median_ms(lambda: reader[-1].table(), repeat)
        yield Row("table of a run in progress, warm", size, took, target=50.0)
        first = harness.median_fresh(cold, str(folder / "runs.db"), repeat=repeat // 2 + 1)
    yield Row(
        "table of a run in progress, fresh process",
        size,
        first["ms"],
        target=50.0,
        memory=first["memory"],
    )


if __name__ == "__main__":
    harness.script(rows, __doc__)
