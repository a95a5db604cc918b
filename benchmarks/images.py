"""Stacks of images in files, and runs that point to them in the two ways that there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from databroker import Broker

from .data import BEGIN

FIELD = "img"
DATASET = "/entry/data/data"
WAYS = ("datums", "streamed")
TEMPLATE = "%s%s_%6.6d.tiff"

_DIFFERENT = 16  # images of a stack that differ
_PAGE = 1000  # documents that are inserted at once


@dataclass(frozen=True)
class Stack:
    """Square images of 16 bits.

    Attributes
    ----------
    frames, side
        How many there are, and how large they are.
    chunk
        How many of them are stored together; 0 for all of them, in one piece.
    gzip
        Whether they are compressed.
    """

    frames: int
    side: int
    chunk: int = 1
    gzip: bool = False

    @property
    def frame_bytes(self) -> int:
        """The size of an image."""
        return 2 * self.side**2

    @property
    def kind(self) -> str:
        """How it is stored, where that is not one image a chunk."""
        if not self.chunk:
            return ", no chunks"
        return f", gzip, {self.chunk} a chunk" if self.gzip else ""

    def __str__(self) -> str:
        return f"{self.frames} x {self.side}²"

    def images(self) -> np.ndarray[Any, Any]:
        """Some images, of counts as detectors have them."""
        size = (_DIFFERENT, self.side, self.side)
        return np.random.default_rng(1).poisson(20, size).astype("u2")

    def write(self, path: Path, filled: bool = True) -> Path:
        """Write an HDF5 file, as area detectors do; its images may be left out."""
        import h5py

        side, images = self.side, self.images()
        options: dict[str, Any] = {"compression": "gzip", "compression_opts": 1}
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset(
                DATASET,
                (self.frames, side, side),
                "u2",
                chunks=(self.chunk, side, side) if self.chunk else None,
                **(options if self.gzip else {}),
            )
            for first in range(0, self.frames if filled else 0, _DIFFERENT):
                dataset[first : first + _DIFFERENT] = images[: self.frames - first]
        return path

    def write_sequence(self, folder: Path) -> Path:
        """Write a TIFF file for each image."""
        import tifffile

        folder.mkdir()
        images = self.images()
        for number in range(self.frames):
            tifffile.imwrite(sequence_path(folder, number), images[number % _DIFFERENT])
        return folder


def sequence_path(folder: Path, number: int) -> str:
    """Where an image of a sequence is."""
    return TEMPLATE % (f"{folder}/", FIELD, number)


def point_to(db: Broker, path: Path, stack: Stack, way: str) -> str:
    """Insert a run with one image an event; return its uid."""
    uid = f"{way}-{path.stem}"
    streamed = way == "streamed"
    key = {
        "dtype": "array",
        "shape": [1, stack.side, stack.side],
        "dtype_numpy": "<u2",
        "source": "sim",
        "external": "STREAM:" if streamed else "FILESTORE:",
    }
    db.insert("start", {"uid": uid, "time": BEGIN})
    descriptor = {"uid": f"{uid}-d", "run_start": uid, "time": BEGIN, "name": "primary"}
    db.insert("descriptor", {**descriptor, "data_keys": {FIELD: key}})
    (_stream_documents if streamed else _resource)(db, uid, path, stack)
    for first in range(0, stack.frames, _PAGE):
        numbers = range(first, min(first + _PAGE, stack.frames))
        data = {} if streamed else {FIELD: _datums(db, uid, numbers)}
        times = [BEGIN + number for number in numbers]
        page = {
            "descriptor": f"{uid}-d",
            "uid": [f"{uid}-e{number}" for number in numbers],
            "seq_num": [number + 1 for number in numbers],
            "time": times,
            "data": data,
            "timestamps": dict.fromkeys(data, times),
            "filled": {name: [False] * len(numbers) for name in data},
        }
        db.insert("event_page", page)
    db.insert("stop", {"uid": f"{uid}-s", "run_start": uid, "time": BEGIN + stack.frames})
    return uid


def _resource(db: Broker, uid: str, path: Path, stack: Stack) -> None:
    folder = path.is_dir()
    template = {"template": TEMPLATE, "filename": FIELD}
    resource = {
        "uid": f"{uid}-r",
        "run_start": uid,
        "spec": "AD_TIFF" if folder else "AD_HDF5",
        "root": str(path.parent),
        "resource_path": path.name,
        "resource_kwargs": {"frame_per_point": 1, **(template if folder else {})},
        "path_semantics": "posix",
    }
    db.insert("resource", resource)


def _datums(db: Broker, uid: str, numbers: range) -> list[str]:
    ids = [f"{uid}-r/{number}" for number in numbers]
    kwargs = {"point_number": list(numbers)}
    db.insert("datum_page", {"datum_id": ids, "resource": f"{uid}-r", "datum_kwargs": kwargs})
    return ids


def _stream_documents(db: Broker, uid: str, path: Path, stack: Stack) -> None:
    folder = path.is_dir()
    tiff = {"template": TEMPLATE, "filename": FIELD}
    hdf5 = {"dataset": DATASET, "swmr": False}
    shape = [max(stack.chunk, 1), stack.side, stack.side]
    resource = {
        "uid": f"{uid}-r",
        "run_start": uid,
        "data_key": FIELD,
        "mimetype": "multipart/related;type=image/tiff" if folder else "application/x-hdf5",
        "uri": f"file://localhost{path}/" if folder else f"file://localhost{path}",
        "parameters": {"chunk_shape": shape, **(tiff if folder else hdf5)},
    }
    db.insert("stream_resource", resource)
    datum = {
        "uid": f"{uid}-r/0",
        "stream_resource": f"{uid}-r",
        "descriptor": f"{uid}-d",
        "indices": {"start": 0, "stop": stack.frames},
        "seq_nums": {"start": 1, "stop": stack.frames + 1},
    }
    db.insert("stream_datum", datum)
