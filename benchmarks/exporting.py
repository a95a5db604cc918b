"""Runs as files, beside pandas and pyarrow where they are given the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import parquet

from databroker.export import export

from . import harness
from .data import Scan, open_broker, write
from .harness import Row
from .many_runs import documents

Alone = Callable[[pd.DataFrame, Path], Any]


def _csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path)


def _parquet(table: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa

    parquet.write_table(pa.Table.from_pandas(table), path)


def _xlsx(table: pd.DataFrame, path: Path) -> None:
    shown = table.reset_index()
    shown["time"] = shown["time"].dt.tz_localize(None)  # pandas refuses the others
    shown.to_excel(path, engine="xlsxwriter")


ALONE: dict[str, tuple[Alone, float]] = {
    "csv": (_csv, 2.0),
    "parquet": (_parquet, 4.0),
    "xlsx": (_xlsx, 1.5),
}
"""What writes a table that is ready, and how many times as long an export may take."""


def one_run(events: int, format: str, repeat: int = 3) -> Row:
    """An export of a long run, with reading it, and its table that is ready, in turns."""
    alone, target = ALONE[format]
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        write(db, Scan(1), events, page=min(5000, events))
        table = db[-1].table(timezone="UTC")
        took, least = harness.side_by_side(
            lambda: export(db[-1], folder / "out", format, overwrite=True),
            lambda: alone(table, folder / "alone"),
            repeat,
        )
    return Row(
        f"export of a run, {format}",
        f"{events} x 4",
        took,
        limit=least,
        target_ratio=target,
        note="limit: pandas (or pyarrow) alone, given the table",
    )


def search(path: str, runs: int, format: str) -> dict[str, float]:
    """How long an export of a search takes, and what memory, in this process."""
    with open_broker(path) as db, harness.folder() as folder:
        export(db().limit(1), folder / "first", format)
        before = harness.peak_memory()
        begun = time.perf_counter()
        report = export(db().limit(runs), folder / "out", format)
        took = time.perf_counter() - begun
        assert len(report.written) == runs, report
        begun = time.perf_counter()
        again = export(db().limit(runs), folder / "out", format)
        assert len(again.kept) == runs, again
        repeated = time.perf_counter() - begun
    return {"took": took, "again": repeated, "memory": harness.peak_memory() - before}


def searches(runs: int, format: str) -> Iterator[Row]:
    """An export of many small runs, and of a tenth of them: memory does not grow."""
    with harness.folder() as folder:
        path = str(folder / "runs.db")
        with open_broker(path) as db:
            db.insert_many(documents(runs))
        few = harness.fresh(search, path, runs // 10, format)
        many = harness.fresh(search, path, runs, format)
    yield Row(
        f"export of a search, {format}",
        f"{runs} runs",
        many["took"] * 1e3 / runs,
        "ms a run",
        limit=few["took"] * 1e3 / (runs // 10),
        target_ratio=2,
        memory=many["memory"],
        target_memory=few["memory"] + 32,
        note=f"limit: a tenth of the runs, which took {few['memory']:.0f} MiB more",
    )
    again = many["again"] * 1e3 / runs
    yield Row(f"export of what is there already, {format}", f"{runs} runs", again, "ms a run")


def rows(full: bool = False) -> Iterator[Row]:
    """All measurements of this script."""
    for format in ALONE:
        yield one_run(1_000_000 if full and format != "xlsx" else 100_000, format)
    for format in ALONE:
        yield from searches(10_000 if full and format != "xlsx" else 1_000, format)


if __name__ == "__main__":
    harness.script(rows, __doc__)
