"""Run all benchmarks; with ``--write``, keep the results in RESULTS.md."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # `python benchmarks/run.py`: its folder would hide tiled itself
    sys.path[0] = str(ROOT)

from benchmarks import (  # noqa: E402
    catalog,
    crowd,
    exporting,
    external,
    federation,
    files,
    following,
    harness,
    huge,
    many_runs,
    moving,
    packing,
    parts,
    progress,
    saving,
    serving,
    shared_database,
    spilling,
    starting,
    tables,
    tiled,
    tiled_tree,
    wide,
)
from benchmarks.harness import HEADINGS, Row  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")

_SHAPED_BY = (
    "engine/schema",
    "search/index",
    "search/index_terms",
    "search/name_filter",
    "run_key",
)


def _catalogs() -> str:
    """Return where catalogs stay from one run to the next: they take minutes to build.

    The name changes with the code that says what is in them.
    """
    source = ROOT / "src" / "databroker"
    files = [source / "stores" / "sql" / f"{name}.py" for name in _SHAPED_BY]
    files += [source / "query" / "text.py", Path(__file__).with_name("metadata.py")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    return str(Path(tempfile.gettempdir()) / f"databroker-bench-catalogs-{digest}")


def _finding(full: bool) -> Iterator[Row]:
    return catalog.rows(full, keep=_catalogs())


BENCHMARKS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "starting": starting.rows,
    "tables": tables.rows,
    "many_runs": many_runs.rows,
    "wide": wide.rows,
    "parts": parts.rows,
    "saving": saving.rows,
    "spilling": spilling.rows,
    "moving": moving.rows,
    "packing": packing.rows,
    "exporting": exporting.rows,
    "progress": progress.rows,
    "external": external.rows,
    "huge": huge.rows,
    "shared_database": shared_database.rows,
    "federation": federation.rows,
    "files": files.rows,
    "tiled": tiled.rows,
    "tiled_tree": tiled_tree.rows,
    "serving": serving.rows,
    "crowd": crowd.rows,
    "following": following.rows,
    "catalog": _finding,
}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = f"which ones: {', '.join(BENCHMARKS)}; all if none is named"
    parser.add_argument("names", nargs="*", help=which)
    parser.add_argument("--full", action="store_true", help="the large sizes too")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    arguments = parser.parse_args()
    print(harness.machine())
    begun = time.perf_counter()
    results: list[Row] = []
    for name in arguments.names or BENCHMARKS:
        print(f"\n{name}")
        for row in BENCHMARKS[name](arguments.full):
            harness.show([row])
            results.append(row)
    missed = [row.what for row in results if row.verdict == "MISS"]
    print(f"\n{len(results)} rows in {time.perf_counter() - begun:.0f} s, {len(missed)} missed")
    if arguments.write:
        RESULTS.write_text(report(results))


def report(rows: list[Row]) -> str:
    """The results as a page."""
    table = [HEADINGS, ["---"] * len(HEADINGS), *(row.cells() for row in rows)]
    lines = ["| " + " | ".join(cells) + " |" for cells in table]
    return "\n".join(
        [
            "# Results",
            "",
            f"{datetime.date.today()}. {harness.machine()}.",
            "",
            "Written by `python benchmarks/run.py --write`. Ours and the limit are measured in "
            "turns, in one run; of both the median is shown. Only ratios mean much elsewhere. "
            "Data is random, files are in the cache of the operating system, imports have their "
            "bytecode cached and are counted in the rows about importing alone. Peak memory is "
            "that of a fresh process, less what it had after importing everything.",
            "",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
