"""Streams of many columns and few rows, as a baseline of a beamline has: each way to read one.

Columns should cost as much everywhere as in the table, whose time is the limit here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from . import harness
from .data import open_broker
from .harness import Row

WIDTHS = (500, 1000, 2000, 5000)
_PER_DEVICE = 10
_ROWS = 2
_STATES = {True: "ended", False: "running"}
_PROMISED = ("read", "read of named fields", "v2 read", "timestamps", "align", "documents")


def _baseline(header: Any) -> Any:
    return header.streams["baseline"]


READERS: dict[str, Callable[[Any], Any]] = {
    "read": lambda header: _baseline(header).read(),
    "read of named fields": lambda header: header.xarray("baseline", _baseline(header).fields),
    "to_dask": lambda header: _baseline(header).to_dask(),
    "to_dask, computed": lambda header: _baseline(header).to_dask().compute(),
    "v2 read": lambda header: header.db.v2[header.uid].baseline.read(),
    "timestamps": lambda header: _baseline(header).timestamps.read(),
    "timestamps, as a table": lambda header: _baseline(header).timestamps.table(),
    "configuration": lambda header: [each.read() for each in _baseline(header).config.values()],
    "align": lambda header: header.align(),
    "documents": lambda header: list(header.documents()),
    "HTML": lambda header: header._repr_html_(),
}


def write(db: Any, width: int, ended: bool) -> None:
    """Insert a run with a baseline of so many columns, ten a device."""
    names = [f"device{n // _PER_DEVICE}_value{n % _PER_DEVICE}" for n in range(width)]
    devices: dict[str, list[str]] = {}
    for name in names:
        devices.setdefault(name.partition("_")[0], []).append(name)
    keys = {name: {"dtype": "number", "shape": [], "source": f"PV:{name}"} for name in names}
    setting = {"dtype": "number", "shape": [], "source": "PV:gain"}
    configuration = {
        device: {
            "data": {f"{device}_gain": 1.0},
            "timestamps": {f"{device}_gain": 1.0},
            "data_keys": {f"{device}_gain": setting},
        }
        for device in devices
    }
    db.insert("start", {"uid": "wide", "time": 1.0})
    for stream, some in (("baseline", names), ("primary", ["motor"])):
        db.insert(
            "descriptor",
            {
                "uid": stream,
                "run_start": "wide",
                "time": 1.0,
                "name": stream,
                "data_keys": keys if stream == "baseline" else {"motor": setting},
                "object_keys": devices if stream == "baseline" else {"motor": ["motor"]},
                "configuration": configuration if stream == "baseline" else {},
                "hints": {},
            },
        )
        for row in range(_ROWS):
            data = {name: row + number / 7 for number, name in enumerate(some)}
            db.insert(
                "event",
                {
                    "uid": f"{stream}{row}",
                    "descriptor": stream,
                    "seq_num": row + 1,
                    "time": 2.0 + row,
                    "data": data,
                    "timestamps": dict.fromkeys(some, 2.0),
                    "filled": {},
                },
            )
    if ended:
        db.insert("stop", {"uid": "stop", "run_start": "wide", "time": 9.0})


def rows(full: bool = False, widths: tuple[int, ...] = (), repeat: int = 3) -> Iterator[Row]:
    """Time each way to read, beside the table of the same columns."""
    for width in widths or (WIDTHS if full else WIDTHS[:2]):
        for ended in (True, False):
            with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
                write(db, width, ended)
                yield from _read(db[-1], f"{_ROWS} x {width}, {_STATES[ended]}", repeat)


def _read(header: Any, size: str, repeat: int) -> Iterator[Row]:
    for what, read in READERS.items():
        took, table = harness.side_by_side(
            partial(read, header), partial(header.table, "baseline"), repeat
        )
        target = 2.0 if what in _PROMISED else None
        yield Row(f"wide: {what}", size, took, limit=table, target_ratio=target)


if __name__ == "__main__":
    harness.script(rows, __doc__)
