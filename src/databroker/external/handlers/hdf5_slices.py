"""Handlers of our own for datasets in HDF5 files: no lock is taken, and slices are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from ..locate import Guard
from ..references import FramesMissing, HandlerFailed, Problem
from .builtin import Datums, Inner, OneFile

__all__ = [
    "AreaDetectorHdf5",
    "AreaDetectorHdf5Swmr",
    "Hdf5Slices",
    "MapsPlane",
    "MapsSpectrum",
    "TimepixHdf5",
]

Rows = int | slice


class Hdf5Slices(OneFile):
    """Opens a dataset of an HDF5 file, of which each point has a number of frames.

    Parameters
    ----------
    key, dataset
        Where it is in the file; not needed where there is only one.
    frame_per_point
        How many frames belong to a point.
    swmr
        Whether to try to read while another process writes.
    guard
        Refuses what links in the file lead to outside of the allowed roots.
    """

    specs: ClassVar[set[str]] = {"HDF5"}
    takes_guard = True
    keeps = True

    def __init__(
        self,
        path: str,
        key: str = "",
        frame_per_point: int = 1,
        swmr: bool = False,
        dataset: str = "",
        guard: Guard | None = None,
    ) -> None:
        from ..readers.hdf5_dataset import Hdf5Dataset

        super().__init__(path)
        self._frames = int(frame_per_point)
        self._dataset = Hdf5Dataset(path, key or dataset, swmr, guard)

    def __call__(self, **kwargs: Any) -> Any:
        """Return what a datum means: a point, a frame, or all."""
        return self.part((), **kwargs)

    def form(self, **kwargs: Any) -> Any:
        """Return shape and dtype of what a point has."""
        rows = self._rows(**kwargs)
        inner = self._dataset.shape[1:]
        if isinstance(rows, int):
            return inner, self._dataset.dtype
        return (rows.stop - rows.start, *inner), self._dataset.dtype

    def blocks(self, **kwargs: Any) -> tuple[int, ...] | None:
        """Return the shape of the blocks in which points are stored, points first."""
        if self._dataset.chunks is None:
            return None
        rows = self._rows(**kwargs)
        stored, *inner = self._dataset.chunks
        if isinstance(rows, int):
            return stored, *inner
        frames = max(rows.stop - rows.start, 1)
        return max(stored // frames, 1), min(stored, frames), *inner

    def part(self, inner: Inner, **kwargs: Any) -> Any:
        """Return a part of what a point has."""
        return self._dataset.read(_key(self._rows(**kwargs), inner))

    def read_into(self, out: Any, inner: Inner, points: Sequence[Mapping[str, Any]]) -> None:
        """Put a part of what each of several points has into the rows of an array."""
        rows = [self._rows(**kwargs) for kwargs in points]
        for first, stop in _stretches(rows):
            self._read_stretch(rows[first:stop], inner, out[first:stop])

    def _read_stretch(self, rows: Sequence[Rows], inner: Inner, out: Any) -> None:
        """Read points that follow each other, by one call where all of their frames are wanted."""
        place = slice(_bounds(rows[0])[0], _bounds(rows[-1])[1])
        if isinstance(rows[0], int):
            self._dataset.read_into((place, *inner), out)
        elif len(rows) * out.shape[1] == place.stop - place.start and out.flags.c_contiguous:
            self._dataset.read_into((place, *inner[1:]), out.reshape(-1, *out.shape[2:]))
        else:
            for each, row in zip(rows, out, strict=True):
                self._dataset.read_into(_key(each, inner), row)

    def get_file_list(self, datum_kwargs: Datums) -> list[str]:
        """Return the file, and those that it links to."""
        return self._dataset.files()

    @property
    def keep(self) -> bool:
        """Whether the file may stay open."""
        return self._dataset.keep

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()

    def _rows(
        self, point_number: int | None = None, frame: int | None = None, index: int | None = None
    ) -> Rows:
        """Return which rows are meant: those of a point, one frame, or all."""
        single = frame if frame is not None else index
        if point_number is None and single is None:
            return slice(0, self._dataset.length())
        first = int(point_number) * self._frames if point_number is not None else int(single or 0)
        stop = first + (self._frames if point_number is not None else 1)
        if first < 0:
            raise Problem(HandlerFailed, f"its datum asks for frame {first}, which cannot be")
        there = self._dataset.length(stop)
        if first >= there:
            raise Problem(
                FramesMissing,
                f"the file {self._path} has {there} frames so far, and frame {first} is wanted",
                "If it is still being written, try again later.",
            )
        return first if point_number is None else slice(first, min(stop, there))


class AreaDetectorHdf5(Hdf5Slices):
    """Opens AD_HDF5: frames at /entry/data/data."""

    specs: ClassVar[set[str]] = {"AD_HDF5"}
    _key = "/entry/data/data"
    _swmr = False

    def __init__(self, path: str, frame_per_point: int = 1, guard: Guard | None = None) -> None:
        super().__init__(path, self._key, frame_per_point, self._swmr, guard=guard)


class AreaDetectorHdf5Swmr(AreaDetectorHdf5):
    """Opens AD_HDF5_SWMR: as AD_HDF5, while it is being written."""

    specs: ClassVar[set[str]] = {"AD_HDF5_SWMR"}
    _swmr = True


class TimepixHdf5(AreaDetectorHdf5):
    """Opens TPX_HDF5: frames at /entry/instrument/detector/data."""

    specs: ClassVar[set[str]] = {"TPX_HDF5"}
    _key = "/entry/instrument/detector/data"


class MapsSpectrum(OneFile):
    """Opens MAPS_SPECTRUM: the spectrum at a place of a map."""

    specs: ClassVar[set[str]] = {"MAPS_SPECTRUM"}
    takes_guard = True

    def __init__(self, path: str, dset_path: str, guard: Guard | None = None) -> None:
        from ..readers.hdf5_dataset import Hdf5Dataset

        super().__init__(path)
        self._dataset = Hdf5Dataset(path, f"MAPS/{dset_path}", guard=guard)

    def __call__(self, x: int, y: int) -> Any:
        """Return a spectrum."""
        return self._dataset.read((slice(None), x, y))

    @property
    def keep(self) -> bool:
        """Whether the file may stay open."""
        return self._dataset.keep

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()


class MapsPlane(MapsSpectrum):
    """Opens MAPS_PLANE: the map at one energy."""

    specs: ClassVar[set[str]] = {"MAPS_PLANE"}

    def __call__(self, e_index: int) -> Any:  # type: ignore[override]
        """Return a plane."""
        return self._dataset.read((e_index,))


def _key(rows: Rows, inner: Inner) -> tuple[Any, ...]:
    """Return what to read of a dataset to have a part of some rows."""
    if isinstance(rows, int) or not inner:
        return (rows, *inner)
    chosen = range(rows.start, rows.stop)[inner[0]]
    stop = max(chosen.start, chosen.stop)
    return (slice(chosen.start, stop, chosen.step), *inner[1:])


def _bounds(rows: Rows) -> tuple[int, int]:
    return (rows, rows + 1) if isinstance(rows, int) else (rows.start, rows.stop)


def _stretches(rows: Sequence[Rows]) -> Iterator[tuple[int, int]]:
    """Yield where stretches of rows that follow each other begin and end."""
    start = 0
    for place, (one, other) in enumerate(pairwise(rows), 1):
        if _bounds(one)[1] != _bounds(other)[0]:
            yield start, place
            start = place
    yield start, len(rows)
