"""Packs beside their bytes written by the standard library, and imports beside reading JSON."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from databroker.broker.importing import import_files
from databroker.export import export
from databroker.packing import pack

from . import harness
from .data import open_broker
from .harness import Row
from .saving import small_run

Documents = list[tuple[str, dict[str, Any]]]


def wide_run(seed: int, fields: int, events: int) -> Documents:
    """A run whose descriptor has very many data keys."""
    uid, descriptor = f"run-{seed}", f"descriptor-{seed}"
    key = {"dtype": "number", "shape": [], "source": "PV:test", "units": "mm", "precision": 3}
    keys = {f"field_{n}": key for n in range(fields)}
    data = {name: [float(n) for n in range(events)] for name in keys}
    page = {"descriptor": descriptor, "uid": [f"event-{seed}-{n}" for n in range(events)]}
    page |= {"seq_num": [*range(1, events + 1)], "time": [float(n) for n in range(events)]}
    opening = {"uid": descriptor, "run_start": uid, "time": 1.0, "name": "primary"}
    return [
        ("start", {"uid": uid, "time": 1e9 + seed}),
        ("descriptor", opening | {"data_keys": keys}),
        ("event_page", page | {"data": data, "timestamps": data}),
        ("stop", {"uid": f"stop-{seed}", "run_start": uid, "time": 2e9, "exit_status": "success"}),
    ]


def saved(folder: Path, runs: list[Documents]) -> Any:
    """Return a broker of some runs."""
    db = open_broker(str(folder / "runs.db"))
    db.insert_many(pair for documents in runs for pair in documents)
    return db


def packs(what: str, runs: list[Documents], repeat: int = 3) -> Iterator[Row]:
    """Packs of runs, in turns with files of the same bytes."""
    with harness.folder() as folder, saved(folder, runs) as db:
        pack(db(), folder / "first")
        files = {
            str(path.relative_to(folder / "first")): path.read_bytes()
            for path in (folder / "first").rglob("*")
            if path.is_file()
        }
        for end, alone in (("", _folder), (".zip", _zip)):
            target = folder / f"again{end}"
            took, least = harness.side_by_side(
                lambda target=target: pack(db(), target, overwrite=True),
                lambda end=end, alone=alone: alone(folder / f"alone{end}", files),
                repeat,
            )
            yield Row(
                f"pack {what} into a {'zip' if end else 'folder'}",
                harness.number(len(runs)),
                took / len(runs),
                "ms a run",
                limit=least / len(runs),
                note="limit: the same files, written by the standard library",
            )


def _folder(path: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(path, ignore_errors=True)
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)


def _zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def imports(what: str, runs: list[Documents]) -> Iterator[Row]:
    """Imports of files, new and known, beside reading their JSON."""
    with harness.folder() as folder:
        with saved(folder, runs) as db:
            export(db(), folder / "files", "jsonl", name="{uid}")
        lines = [path.read_bytes().splitlines() for path in (folder / "files").iterdir()]
        begun = time.perf_counter()
        for file in lines:
            for line in file:
                json.loads(line)
        least = time.perf_counter() - begun
        with open_broker(str(folder / "copy.db")) as db:
            for kind in ("new", "known"):
                begun = time.perf_counter()
                report = import_files(db, [folder / "files"])
                took = time.perf_counter() - begun
                assert len(getattr(report, kind)) == len(runs), report
                yield Row(
                    f"import {what}, {kind}",
                    harness.number(len(runs)),
                    took / len(runs) * 1e3,
                    "ms a run",
                    limit=least / len(runs) * 1e3,
                    note="limit: the standard library's json of the same lines",
                )


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    small = [small_run(seed) for seed in range(4000 if full else 1000)]
    wide = [wide_run(seed, 1000, 5) for seed in range(200 if full else 50)]
    for what, runs in (("runs of 5 events", small), ("runs of 1 000 fields", wide)):
        yield from packs(what, runs)
        yield from imports(what, runs)


if __name__ == "__main__":
    harness.script(rows, __doc__)
