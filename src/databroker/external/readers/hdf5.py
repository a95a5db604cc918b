"""Frames in a dataset of an HDF5 file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..locate import Guard
from ..references import DatasetMissing, FileDamaged, Problem
from .base import Array, Declared, FileReader
from .hdf5_dataset import Hdf5Dataset

__all__ = ["Hdf5Reader", "parse_slice"]


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


def parse_slice(written: Any, ndim: int) -> list[int | slice]:
    """Return the part of each axis that a `slice` parameter means: text as in NumPy, or a list.

    Examples
    --------
    >>> parse_slice("(:, 0, ..., 2:8)", 4)
    [slice(None, None, None), 0, slice(None, None, None), slice(2, 8, None)]
    """
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
