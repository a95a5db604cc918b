"""Files of databroker 1.2.5 and of this one, each read by the other: the documents are equal.

    python tests/side_by_side/files.py [--environments FOLDER] [--write]

Needs the package index, and some minutes. Prints a table; with ``--write``, it is put into
``docs/file-sources.md``, too. It is not part of the tests: `make side-by-side` calls it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "src"))

import databroker  # noqa: E402

PAGE = ROOT / "docs" / "file-sources.md"
MARK = "<!-- what follows is written by tests/side_by_side/files.py -->\n"
_UTILS = "suitcase-utils<0.5.4"  # that closes files twice, and fails
OLD = ("databroker==1.2.5", "databroker-pack", "suitcase-jsonl", "suitcase-msgpack", _UTILS)
NEW = ("suitcase-jsonl", "suitcase-msgpack", _UTILS, "event-model", "intake<1", "tqdm")
NEW_ALONE = ("databroker-pack",)
"""It asks for an older databroker: installed without what it needs."""

FORMATS = ("jsonl", "msgpack")
Documents = list[tuple[str, dict[str, Any]]]


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--environments", type=Path, help="made where they are not there")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        trials = Trials(options.environments or Path(folder) / "environments", Path(folder))
        text = report(trials)
    print(text)
    if options.write:
        before, _, _ = PAGE.read_text().partition(MARK)
        PAGE.write_text(before + MARK + text)


class Trials:
    """What is tried: each yields what is written and read by whom, and what came of it."""

    def __init__(self, environments: Path, folder: Path) -> None:
        self.folder = folder
        self.old = environment(environments / "old", OLD)
        packages = ("--editable", str(ROOT), *NEW)
        self.new = environment(environments / "new", packages, NEW_ALONE)

    def __iter__(self) -> Iterator[tuple[str, str, str, str]]:
        for form in FORMATS:
            yield form, "1.2.5", "this one", self.tried(self.old_to_new, form)
            yield form, "this one", "1.2.5", self.tried(self.new_to_old, form)
            what = f"packed catalog, {form}"
            yield what, "databroker-pack with 1.2.5", "this one", self.tried(self.packed_old, form)
            yield what, "databroker-pack with this one", "1.2.5", self.tried(self.packed_new, form)
            yield (
                f"zip of a packed catalog, {form}",
                "databroker-pack with 1.2.5",
                "this one",
                self.tried(self.zipped, form),
            )

    def tried(self, trial: Callable[[str, Path], Documents], form: str) -> str:
        """Return whether the documents of a trial are those that went in."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        # Who packs says by another root that external files came along.
        keeps_roots = trial in (self.old_to_new, self.new_to_old)
        found, wanted = (
            compared(several, keeps_roots) for several in (trial(form, folder), documents())
        )
        if found == wanted:
            return f"equal: {len(wanted)} documents"
        odd = next((pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]), None)
        return f"different: {len(found)} of {len(wanted)} documents; {odd!r:.300}"

    def old_to_new(self, form: str, folder: Path) -> Documents:
        """Let 1.2.5 write a folder, and read it here."""
        self.written_by_old(form, folder)
        return read(folder)

    def written_by_old(self, form: str, folder: Path) -> None:
        """Let 1.2.5 write a folder."""
        folder.mkdir(exist_ok=True)
        given = json.dumps(documents(), default=plain)
        called(self.old, HERE / "databroker_1.py", "write", form, folder, given=given)

    def new_to_old(self, form: str, folder: Path) -> Documents:
        """Write a folder, and let 1.2.5 read it."""
        written(form, folder)
        return self.read_by_old("read", form, folder / f"*.{form}")

    def read_by_old(self, *arguments: object) -> Documents:
        """Let 1.2.5 read something."""
        found = called(self.old, HERE / "databroker_1.py", *arguments)
        return [(kind, doc) for kind, doc in json.loads(found, object_hook=restored)]

    def packed_old(self, form: str, folder: Path) -> Documents:
        """Let 1.2.5 pack a folder, and open it here after it was moved."""
        self.written_by_old(form, folder / "runs")
        packed = self.packed(self.old, form, folder, f"bluesky-{form}-catalog")
        return read(packed.rename(folder / "moved"))

    def zipped(self, form: str, folder: Path) -> Documents:
        """Let 1.2.5 pack a folder, and open a zip of it here."""
        self.written_by_old(form, folder / "runs")
        packed = self.packed(self.old, form, folder, f"bluesky-{form}-catalog")
        return read(Path(shutil.make_archive(str(folder / "packed"), "zip", folder, packed.name)))

    def packed_new(self, form: str, folder: Path) -> Documents:
        """Pack a folder with this databroker, and let 1.2.5 read it."""
        written(form, folder / "runs")
        packed = self.packed(self.new, form, folder, f"bluesky-{form}-catalog")
        return self.read_by_old("read-catalog", packed / "catalog.yml")

    def packed(self, python: Path, form: str, folder: Path, driver: str) -> Path:
        """Let databroker-pack pack a folder of files."""
        sources = {"lab": {"driver": driver, "args": {"paths": f"{folder}/runs/*.{form}"}}}
        (folder / "configurations").mkdir()
        (folder / "configurations" / "lab.yml").write_text(json.dumps({"sources": sources}))
        packed = folder / "packed"
        paths = {"DATABROKER_PATH": "configurations", "INTAKE_PATH": "configurations"}
        called(
            python, python.parent / "databroker-pack", "lab", "--all", "--format", form,
            "--ignore-external", packed,
            environment={name: str(folder / place) for name, place in paths.items()},
        )  # fmt: skip
        return packed


def environment(folder: Path, packages: tuple[str, ...], alone: tuple[str, ...] = ()) -> Path:
    """Return the interpreter of an environment with some packages."""
    python = folder / "bin" / "python"
    if not python.exists():
        called(Path(sys.executable), "-m", "venv", folder)
        called(python, "-m", "pip", "install", "--quiet", *packages)
        if alone:
            called(python, "-m", "pip", "install", "--quiet", "--no-deps", *alone)
    return python


def called(
    python: Path, *arguments: object, given: str = "", environment: dict[str, str] | None = None
) -> str:
    """Run Python, and return what it printed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(python), *map(str, arguments)],
        input=given,
        env={**kept, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stderr[-2000:]}")
    return done.stdout


# -- documents -----------------------------------------------------------------------


def documents() -> Documents:
    """Return runs of many kinds: scalars, arrays, text, images in files, several streams."""
    return [pair for number in range(3) for pair in run(number)]


def run(number: int) -> Documents:
    """Return one run, which has ended: until then, 1.2.5 may not have written what it was given."""
    uid, time = f"0a1b2c3d-{number:04}-4000-8000-0123456789ab", 1.5e9 + 100 * number
    found: Documents = [("start", start(uid, time, number))]
    found.append(("resource", resource(uid)))
    for stream in ("primary", "baseline"):
        owner = f"{uid}-{stream}"
        found.append(("descriptor", descriptor(owner, uid, time, stream)))
        for row in range(1, 5):
            datum = f"{uid}-resource/{stream}-{row}"
            kwargs = {"frame": row, "name": "x"}
            ids = {"datum_id": datum, "resource": f"{uid}-resource"}
            found.append(("datum", {**ids, "datum_kwargs": kwargs}))
            found.append(("event", event(owner, time, row, datum)))
    stop = {"uid": f"{uid}-stop", "run_start": uid, "time": time + 9, "exit_status": "success"}
    ended = {"reason": "", "num_events": {"primary": 4, "baseline": 4}}
    return [*found, ("stop", {**stop, **ended})]


def start(uid: str, time: float, number: int) -> dict[str, Any]:
    """Return a start document."""
    shape = {"shape": [4], "extents": [[-1.0, 1.0]], "dark": np.arange(3.0), "odd": float("nan")}
    sample = {"name": 'Ni, "pure" Ω', "mass": 2.5, "none": None, "nested": {"list": [1, [2, 3.0]]}}
    plan = {"plan_name": "scan", "detectors": ["det", "img"], "motors": ["motor"], "big": 2**60}
    return {"uid": uid, "time": time, "scan_id": number, **plan, "sample": sample, **shape}


def resource(uid: str) -> dict[str, Any]:
    """Return a resource document."""
    place = {"root": "/data", "resource_path": "a.h5", "path_semantics": "posix"}
    kwargs = {"frame_per_point": 1}
    head = {"uid": f"{uid}-resource", "run_start": uid, "spec": "AD_HDF5"}
    return {**head, **place, "resource_kwargs": kwargs}


def descriptor(owner: str, uid: str, time: float, stream: str) -> dict[str, Any]:
    """Return an event descriptor."""
    keys: dict[str, dict[str, Any]] = {
        "det": {"source": "PV:det", "dtype": "number", "shape": []},
        "text": {"source": "PV:text", "dtype": "string", "shape": []},
        "wave": {"source": "PV:wave", "dtype": "array", "shape": [3]},
        "img": {"source": "PV:i", "dtype": "array", "shape": [2, 2], "external": "FILESTORE:"},
    }
    configuration = {"data": {"gain": 2}, "timestamps": {"gain": time}, "data_keys": {}}
    return {
        "uid": owner,
        "run_start": uid,
        "time": time + 1,
        "name": stream,
        "data_keys": keys,
        "configuration": {"det": configuration},
        "hints": {"det": {"fields": ["det"]}},
        "object_keys": {"det": ["det", "text"], "wave": ["wave"], "img": ["img"]},
    }


def event(owner: str, time: float, row: int, datum: str) -> dict[str, Any]:
    """Return an event."""
    value = float("nan") if row == 3 else row / 3
    data = {"det": value, "text": f"row {row}", "wave": np.arange(3) * row, "img": datum}
    return {
        "uid": f"{owner}-{row}",
        "descriptor": owner,
        "seq_num": row,
        "time": time + 1 + row,
        "data": data,
        "timestamps": dict.fromkeys(data, time + row),
        "filled": {"img": False},
    }


def written(form: str, folder: Path) -> None:
    """Write the documents into a folder."""
    with databroker.Broker.from_config({"driver": form, "paths": str(folder)}) as broker:
        for kind, document in documents():
            broker.insert(kind, document)


def read(path: Path) -> Documents:
    """Return the documents of what is at a path."""
    with databroker.open(path) as broker:
        return [pair for header in broker() for pair in header.documents()]


def restored(found: dict[str, Any]) -> Any:
    """Return the array that a dictionary stands for, or the dictionary."""
    return np.array(found["array"]) if set(found) == {"array"} else found


def plain(value: Any) -> Any:
    """Return what stands for an array."""
    return {"array": value.tolist()}


def compared(found: Documents, with_roots: bool) -> list[str]:
    """Return documents as they are compared: arrays as lists, in one order."""
    texts = []
    for kind, document in found:
        if kind == "resource" and not with_roots:
            document = {key: value for key, value in document.items() if key != "root"}
        pair = [kind, document]
        texts.append(json.dumps(pair, sort_keys=True, default=lambda array: array.tolist()))
    return sorted(texts)


def report(trials: Trials) -> str:
    """Return the table."""
    lines = [f"| {' | '.join(cells)} |" for cells in trials]
    return "\n".join(
        [
            f"Tried on {datetime.date.today()} with Python {platform.python_version()}.",
            "",
            "| what | written by | read by | documents |",
            "| --- | --- | --- | --- |",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
