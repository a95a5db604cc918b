"""Datasets in HDF5 files: opened read-only and never kept locked, read slice by slice.

A file may grow while it is read. One that its writer opened for that (SWMR)
is refreshed; any other is opened again when it has changed on disk.

How many of its chunks HDF5 keeps is chosen for each dataset, see `_cache`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ...extras import require
from ..fields.chunking import LARGEST
from ..locate import Guard
from ..references import DatasetMissing, Problem
from .hdf5_files import linked_files, opened_hdf5

__all__ = ["Hdf5Dataset"]

Array = np.ndarray[Any, Any]
Key = tuple[Any, ...]

_DIRECT = 2**18  # bytes, above which h5py's way to read into an array pays
_PLAIN = 2**20  # bytes of a chunk, above which it is read better than kept if it is not compressed


class Hdf5Dataset:
    """One dataset of an HDF5 file."""

    def __init__(
        self, path: str, dataset: str, swmr: bool = False, guard: Guard | None = None
    ) -> None:
        self.path = path
        self._name = dataset
        self._swmr = swmr
        self._guard = guard or Guard()
        self._lock = threading.RLock()
        self._files: list[str] | None = None
        self._open()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape as it is known; see `length`. One value has the shape of one row."""
        return tuple(self._dataset.shape) or (1,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements; text is given as objects."""
        return np.dtype(object) if self._is_text else np.dtype(self._dataset.dtype)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """The shape of the file's own chunks; None if it has none."""
        return None if self._dataset.chunks is None else tuple(self._dataset.chunks)

    @property
    def keep(self) -> bool:
        """Whether it may stay open: what this process writes would not be finished otherwise."""
        return bool(self._file) and self._file.mode == "r"

    def length(self, wanted: int = 0) -> int:
        """Return how many rows there are, looking again if there are fewer than wanted."""
        with self._lock:
            if self.shape[0] < wanted:
                self._refresh()
            return self.shape[0]

    def read(self, key: Key) -> Array:
        """Return a part of the dataset."""
        with self._lock:
            dataset = self._dataset
            if not dataset.shape:
                return np.asarray([dataset[()]])[key]
            values = (dataset.asstr() if self._is_text else dataset)[key]
        return np.asarray(values)

    def read_into(self, key: Key, out: Array) -> None:
        """Put a part of the dataset into an array of its shape; a large one with no detour."""
        same = out.dtype == self.dtype and out.flags.c_contiguous  # HDF5 converts, but not all
        if not same or self._is_text or not self._dataset.shape or out.nbytes < _DIRECT:
            out[...] = self.read(key)
            return
        with self._lock:
            self._dataset.read_direct(out, key)

    def files(self) -> list[str]:
        """Return the file, and those that its dataset is read from through links in it."""
        with self._lock:
            if self._files is None:
                self._files = [self.path, *self._linked(self._name or self._dataset.name)]
            return list(self._files)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _open(self) -> None:
        self._files = None
        self._file = opened_hdf5(self.path, self._swmr)
        try:
            self._dataset = self._cached(self._find())
            _need_filters(self._dataset)
            self._is_text = require("h5py", "images").check_string_dtype(self._dataset.dtype)
        except BaseException:
            self._file.close()
            raise
        self._seen = _state(self.path)

    def _refresh(self) -> None:
        if self._file.swmr_mode:
            self._dataset.refresh()  # of the id alone, h5py would remember the old shape
        elif _state(self.path) != self._seen:
            self._file.close()
            self._open()

    def _find(self) -> Any:
        h5py = require("h5py", "images")
        name = self._name or self._only(h5py)
        if self._guard:
            self._linked(name, self._guard.check)  # before the library follows links to there
        try:
            dataset = self._file[name]
        except KeyError as error:
            names = ", ".join(self._names(h5py, 8)) or "none"
            raise Problem(
                DatasetMissing,
                f"the file {self.path} has no dataset {self._name!r}; it has: {names}",
                "Is the file still being written, or the dataset's name another one?",
            ) from error
        if not isinstance(dataset, h5py.Dataset):
            raise Problem(DatasetMissing, f"{self._name!r} in {self.path} is not a dataset")
        return dataset

    def _linked(self, name: str, check: Callable[[str], Any] = lambda path: None) -> list[str]:
        return linked_files(self._file, name, lambda path: opened_hdf5(path, self._swmr), check)

    def _cached(self, dataset: Any) -> Any:
        """Return a dataset that keeps as many of its chunks as is good for reading its frames."""
        access = dataset.id.get_access_plist()
        slots, size, preempt = access.get_chunk_cache()
        wanted = _cache(dataset, slots, size)
        if wanted == (slots, size):
            return dataset
        h5py = require("h5py", "images")
        file, name = dataset.file, dataset.name.encode()
        access.set_chunk_cache(*wanted, preempt)
        del dataset  # while it is open, its cache stays as it is
        return h5py.Dataset(h5py.h5d.open(file.id, name, access), readonly=True)

    def _only(self, h5py: Any) -> str:
        names = self._names(h5py, 9)
        if len(names) != 1:
            raise Problem(
                DatasetMissing,
                f"the resource names no dataset, and {self.path} has not just one but: "
                f"{', '.join(names) or 'none'}",
            )
        return names[0]

    def _names(self, h5py: Any, most: int) -> list[str]:
        names: list[str] = []

        def visit(name: str, item: Any) -> bool | None:
            if isinstance(item, h5py.Dataset):
                names.append(f"/{name}")
            return True if len(names) >= most else None

        self._file.visititems(visit)
        return names


def _need_filters(dataset: Any) -> None:
    """See to the filters that a dataset was compressed with, which HDF5 itself may not have."""
    available = require("h5py", "images").h5z.filter_avail
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    if not all(map(available, filters)):
        require("hdf5plugin", "filters")  # brings them when it is imported


def _cache(dataset: Any, slots: int, size: int) -> tuple[int, int]:
    """Return how many chunks a dataset should keep, and how many bytes, where these are usual.

    HDF5 keeps some megabytes: too few where large compressed chunks have several frames each,
    which would be unpacked once a frame; and a detour for large chunks that are not compressed.
    """
    if not dataset.chunks:
        return slots, size
    chunk = int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize
    if not dataset.id.get_create_plist().get_nfilters():
        return slots, (0 if chunk > _PLAIN else size)
    pairs = zip(dataset.shape[1:], dataset.chunks[1:], strict=True)
    across = int(np.prod([-(-whole // part) for whole, part in pairs], dtype=object))
    if dataset.chunks[0] == 1 or not size < across * chunk <= LARGEST:
        return slots, size
    return max(slots, across), across * chunk


def _state(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns
