"""Random runs with a fixed seed: the documents of one stream."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from databroker import Broker

Doc = dict[str, Any]
BEGIN = 1.7e9  # seconds since 1970


def uuid_of(random: np.random.Generator) -> str:
    """A uuid that is the same in each run of a benchmark."""
    return str(uuid.UUID(bytes=random.bytes(16), version=4))


def columns(count: int) -> list[str]:
    """The names of so many data keys."""
    return [f"det{n}" for n in range(count)]


@dataclass
class Scan:
    """A run with one stream of random floats.

    Parameters
    ----------
    seed
        Of the random numbers, the uids among them.
    width
        How many scalar columns there are.
    waveform
        How many elements a further column ``wave`` has; 0 for no such column.
    """

    seed: int
    width: int = 4
    waveform: int = 0

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self.uid = uuid_of(self._random)
        self.descriptor = uuid_of(self._random)
        self._rows = 0

    def start(self) -> Doc:
        """The start document."""
        return {
            "uid": self.uid,
            "time": BEGIN + self.seed * 1e5,
            "scan_id": self.seed,
            "plan_name": "scan",
            "detectors": ["det0"],
            "motors": ["motor"],
        }

    def opening(self) -> list[tuple[str, Doc]]:
        """What comes before the events."""
        keys: dict[str, Doc] = {
            name: {"dtype": "number", "shape": [], "source": "PV:" + name}
            for name in columns(self.width)
        }
        if self.waveform:
            keys["wave"] = {"dtype": "array", "shape": [self.waveform], "source": "PV:wave"}
        descriptor = {
            "uid": self.descriptor,
            "run_start": self.uid,
            "time": BEGIN + self.seed * 1e5,
            "name": "primary",
            "data_keys": keys,
            "configuration": {},
            "object_keys": {name: [name] for name in keys},
            "hints": {},
        }
        return [("start", self.start()), ("descriptor", descriptor)]

    def page(self, rows: int) -> Doc:
        """The next events, as a page."""
        first, random = self._rows, self._random
        self._rows += rows
        times = self._times(first, rows)
        data: Doc = {name: random.standard_normal(rows).tolist() for name in columns(self.width)}
        stamps: Doc = {name: self._times(first, rows) for name in data}
        if self.waveform:
            data["wave"] = list(random.standard_normal((rows, self.waveform)))
            stamps["wave"] = times
        return {
            "descriptor": self.descriptor,
            "uid": [uuid_of(random) for _ in range(rows)],
            "seq_num": list(range(first + 1, first + rows + 1)),
            "time": times,
            "data": data,
            "timestamps": stamps,
            "filled": {},
        }

    def events(self, rows: int) -> Iterator[Doc]:
        """The next events, one by one."""
        page = self.page(rows)
        for row in range(rows):
            yield {
                "descriptor": self.descriptor,
                "uid": page["uid"][row],
                "seq_num": page["seq_num"][row],
                "time": page["time"][row],
                "data": {name: column[row] for name, column in page["data"].items()},
                "timestamps": {name: column[row] for name, column in page["timestamps"].items()},
                "filled": {},
            }

    def stop(self) -> Doc:
        """The stop document."""
        return {
            "uid": uuid_of(self._random),
            "run_start": self.uid,
            "time": BEGIN + self.seed * 1e5 + self._rows * 0.01,
            "exit_status": "success",
            "num_events": {"primary": self._rows},
        }

    def _times(self, first: int, rows: int) -> list[float]:
        begin = BEGIN + self.seed * 1e5
        ticks = np.arange(first, first + rows) * 0.01
        times: list[float] = (begin + ticks + self._random.uniform(0, 5e-3, rows)).tolist()
        return times


def open_broker(path: str) -> Broker:
    """Open a file of ours, in the public way."""
    return Broker.from_config({"driver": "sqlite", "path": path})


def write(db: Broker, scan: Scan, rows: int, page: int = 1000, stop: bool = True) -> None:
    """Write a whole run, its events in pages."""
    for kind, doc in scan.opening():
        db.insert(kind, doc)
    for first in range(0, rows, page):
        db.insert("event_page", scan.page(min(page, rows - first)))
    if stop:
        db.insert("stop", scan.stop())
