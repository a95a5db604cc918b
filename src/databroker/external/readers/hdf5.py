"""Frames in a dataset of an HDF5 file, opened read-only and never kept locked.

A file may grow while it is read. One that its writer opened for that (SWMR)
is refreshed; any other is opened again when it has changed on disk.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import DatasetMissing, FileDamaged
from ...extras import require
from ..fields.reader import LARGEST
from ..locate import Guard
from ..references import Problem
from .base import Array, Declared, FileReader, Region
from .hdf5_files import linked_files, opened_hdf5

Key = tuple[Any, ...]

_DIRECT = 2**18  # bytes, above which h5py's way to read into an array pays
_PLAIN = 2**20  # bytes of a chunk, above which it is read better than kept if it is not compressed


class Hdf5Reader(FileReader):
    """Reads application/x-hdf5.

    Its parameters are `dataset` (older: `path`), `swmr` (default True), `slice`
    (which part of the dataset is the data, written as in NumPy), and `squeeze`
    (whether axes of length 1 are dropped; the frames' own axis never is).
    """

    keeps = True

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        super().__init__(path, guard)
        name = parameters.get("dataset") or parameters.get("path") or ""
        name = "/".join(name) if isinstance(name, list | tuple) else str(name)
        self._dataset = Hdf5Dataset(path, name, bool(parameters.get("swmr", True)), guard)
        try:
            self._axes(parameters)
        except BaseException:
            self._dataset.close()
            raise
        self.dtype = self._dataset.dtype

    @property
    def keep(self) -> bool:  # type: ignore[override]
        """Whether the file may stay open."""
        return self._dataset.keep

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        values = self._dataset.read(self._key(first, stop, inner))
        dropped = tuple(n for n, (_, kept) in enumerate(self._inner, 1) if not kept)
        return values.squeeze(dropped) if dropped else values

    def read_into(self, first: int, stop: int, inner: tuple[slice, ...], out: Array) -> None:
        places = [slice(None), *(slice(None) if kept else np.newaxis for _, kept in self._inner)]
        self._dataset.read_into(self._key(first, stop, inner), out[tuple(places)])

    def _key(self, first: int, stop: int, inner: tuple[slice, ...]) -> tuple[slice, ...]:
        """Return what to read of the dataset."""
        self.need(stop)
        rows = range(self._dataset.length())[self._first]
        chosen = iter(inner)
        parts = [next(chosen, slice(None)) if kept else slice(None) for _, kept in self._inner]
        axes = [rows, *(axis for axis, _ in self._inner)]
        return tuple(map(_part, axes, [slice(first, stop), *parts]))

    def files(self, first: int, stop: int) -> list[str]:
        """Return the file, and those that it links to."""
        return self._dataset.files()

    def region(self, first: int, stop: int) -> Region:
        dataset = self._dataset
        return Region(self.path, dataset.name, dataset.shape, self._key(first, stop, ()))

    def close(self) -> None:
        self._dataset.close()

    def _axes(self, parameters: Mapping[str, Any]) -> None:
        """Work out which part of each axis is the data, and which axes are dropped."""
        shape = self._dataset.shape
        parts = parse_slice(parameters.get("slice"), len(shape))
        self._first = parts[0] if isinstance(parts[0], slice) else slice(parts[0], parts[0] + 1)
        self._inner: list[tuple[range, bool]] = []
        for size, part in zip(shape[1:], parts[1:], strict=True):
            single = isinstance(part, int)
            axis = range(size)[part] if isinstance(part, slice) else range(part, part + 1)
            dropped = single or (bool(parameters.get("squeeze")) and len(axis) == 1)
            self._inner.append((axis, not dropped))
        self.frame_shape = tuple(len(axis) for axis, kept in self._inner if kept)
        if self._dataset.chunks is not None and not parameters.get("slice"):
            kept = [True, *(kept for _, kept in self._inner)]
            self.chunks = tuple(
                size for size, here in zip(self._dataset.chunks, kept, strict=True) if here
            )

    def length(self, wanted: int = 0) -> int:
        start, stop, step = self._first.indices(2**62)
        last = min(start + wanted * step, stop)
        return len(range(self._dataset.length(last))[self._first])


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
    def name(self) -> str:
        """The path of the dataset in the file."""
        return str(self._name or self._dataset.name)

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
                self._files = [self.path, *self._linked(self.name)]
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
    """Return how many chunks a dataset should keep, and how many bytes, where these are usual."""
    if not dataset.chunks:
        return slots, size
    chunk = int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize
    # To keep large chunks that are not compressed would be a detour. Others that have several
    # frames each would be unpacked once a frame if fewer of them were kept.
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


def parse_slice(written: Any, ndim: int) -> list[int | slice]:
    """Return the part of each axis that a `slice` parameter means: text as in NumPy, or a list."""
    if not written:
        return [slice(None)] * ndim
    parts = written if isinstance(written, list | tuple) else str(written).strip("()[] ").split(",")
    axes = [_parsed(part) for part in parts if str(part).strip()]
    if Ellipsis in axes:
        place = axes.index(Ellipsis)
        axes[place : place + 1] = [slice(None)] * (ndim - len(axes) + 1)
    axes += [slice(None)] * (ndim - len(axes))
    if len(axes) != ndim or Ellipsis in axes:
        raise Problem(
            DatasetMissing, f"the slice {written!r} does not fit a dataset with {ndim} dimensions"
        )
    return axes


def _parsed(part: Any) -> Any:
    if isinstance(part, int):
        return part
    if isinstance(part, Mapping):
        return slice(part.get("start"), part.get("stop"), part.get("step"))
    text = str(part).strip()
    if text in ("...", "Ellipsis"):
        return Ellipsis
    if re.fullmatch(r"\d+", text):
        return int(text)
    match = re.fullmatch(r"(-?\d*):(-?\d*)(?::(\d*))?", text)
    if match is None:
        raise Problem(FileDamaged, f"the stream resource has a slice that says nothing: {text!r}")
    return slice(*(int(number) if number else None for number in match.groups()))


def _part(axis: range, part: slice) -> slice:
    """Return a part of a part of an axis, as h5py takes it."""
    chosen = axis[part]
    return slice(chosen.start, max(chosen.start, chosen.stop), chosen.step)
