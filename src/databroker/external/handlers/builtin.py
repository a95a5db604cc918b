"""Handlers of our own, for files that no other package opens, or not as carefully.

A handler is made with the path of a resource and its `resource_kwargs`, and called with the
`datum_kwargs` of a datum. What it may do beside that is in docs/external.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar

from ..fields.grouping import Grouping, Inner, runs
from ..fields.reader import Check, Look
from ..guard import open_uncompressed
from ..locate import Guard
from ..readers.base import Array, Declared, FrameReader, Region
from ..readers.mimetypes import reader_of
from .specs import SPECS, Doc, Spec

Datums = Iterable[Doc]


class FrameHandler:
    """A handler for frames, which a `FrameReader` reads.

    Databroker itself reads its frames as it reads those of stream resources; called, as
    programs for databroker 1.x do it, it gives the same.
    """

    thread_safe = True
    takes_guard = True
    specs: ClassVar[set[str]] = set()
    spec: ClassVar[Spec]

    def __init_subclass__(cls, spec: str = "") -> None:
        if spec:
            cls.specs, cls.spec = {spec}, SPECS[spec]

    def __init__(self, path: str, *args: Any, guard: Guard | None = None, **kwargs: Any) -> None:
        mimetype = self.spec.mimetype
        self._parameters = {**self.spec.parameters(*args, **kwargs), "mimetype": mimetype}
        opener = reader_of(mimetype)
        self.frames: FrameReader = opener(path, self._parameters, Declared(), guard or Guard())

    def __call__(self, *args: Any, **datum_kwargs: Any) -> Any:
        """Return the data of a datum."""
        grouping, number = self.spec.frames(self._parameters, *args, **datum_kwargs)
        return grouping.value(self.frames, number)

    def place(self, datum_kwargs: Mapping[str, Any]) -> tuple[Grouping, int]:
        """Return how many frames a datum has, and its number among such datums."""
        return self.spec.frames(self._parameters, **datum_kwargs)

    def look(self, datum: Doc, cheaply: bool = False) -> Look | None:
        """Return what its data are like; None if only reading them tells, and that is too much."""
        grouping, number = self.place(datum)
        look = grouping.look(self.frames, number)
        if look is None and not cheaply:
            value = grouping.value(self.frames, number)
            look = Look(value.shape, value.dtype, kept=self.frames.keeps)
        return look

    def values(self, datums: Sequence[Doc]) -> list[Any]:
        """Return the data of each datum."""
        return [
            value
            for grouping, numbers in self._stretches(datums)
            for value in grouping.values(self.frames, numbers)
        ]

    def read(self, datums: Sequence[Doc], check: Check, inner: Inner, out: Array) -> None:
        """Put what `inner` selects of each datum into a row of an array."""
        row = 0
        for grouping, numbers in self._stretches(datums):
            self._read(grouping, numbers, check, inner, out[row : row + len(numbers)])
            row += len(numbers)

    def regions(self, datums: Sequence[Doc]) -> Iterator[tuple[int, Region | None]]:
        """Yield how many datums are where in an HDF5 file, if that is so."""
        for grouping, numbers in self._stretches(datums):
            yield len(numbers), grouping.region(self.frames, numbers)

    def _read(
        self, grouping: Grouping, numbers: range, check: Check, inner: Inner, out: Array
    ) -> None:
        looks = [grouping.look(self.frames, number) for number in numbers]
        for look in looks:
            if look is not None:
                check(look.shape, look.dtype)
        if None not in looks:
            grouping.read_into(self.frames, numbers[0], inner, out)
            return
        for row, number in enumerate(numbers):
            value = grouping.value(self.frames, number)
            check(value.shape, value.dtype)
            out[row] = value[inner]

    def _stretches(self, datums: Sequence[Doc]) -> Iterator[tuple[Grouping, range]]:
        """Yield datums whose frames follow each other."""
        for grouping, places in groupby(map(self.place, datums), itemgetter(0)):
            for numbers in runs([number for _, number in places]):
                yield grouping, numbers

    def get_file_list(self, datum_kwargs: Datums) -> list[str]:
        """Return the files that some datums need."""
        if only := self.frames.files(0, 0):
            return only
        places = map(self.place, datum_kwargs)
        spans = (grouping.span(self.frames, number) for grouping, number in places)
        return [path for first, stop in spans for path in self.frames.files(first, stop)]

    @property
    def keep(self) -> bool:
        """Whether the file may stay open."""
        return self.frames.keep

    def close(self) -> None:
        """Close the file."""
        self.frames.close()


class NumpySequence(FrameHandler, spec="NPY_SEQ"):
    """Opens NPY_SEQ, which ophyd's simulated detectors write: ``<path>_<index>.npy``.

    Examples
    --------
    >>> NumpySequence("/data/img").get_file_list([{"index": 3}])
    ['/data/img_3.npy']
    """

    def __init__(self, path: str, root: str = "", guard: Guard | None = None) -> None:
        super().__init__(os.path.join(root, path), guard=guard)


class NumpyFile(FrameHandler, spec="npy"):
    """Opens npy: one file with one array."""


class NumpyFrames(FrameHandler, spec="npy_FRAMEWISE"):
    """Opens npy_FRAMEWISE: one file with an array of frames, of which one is wanted."""


class SingleImage(FrameHandler, spec="SINGLE_TIFF"):
    """Opens SINGLE_TIFF: one file with one image or stack, of any format that images have."""


class ImageSequence(FrameHandler, spec="IMAGE_SEQ"):
    """Opens IMAGE_SEQ: a folder of images with numbered names, of any format.

    Examples
    --------
    >>> images = ImageSequence("/data", "%s%s_%6.6d.jpg", "img", frame_per_point=2)
    >>> images.get_file_list([{"point_number": 1}])
    ['/data/img_000002.jpg', '/data/img_000003.jpg']
    """


class PilatusCbf(FrameHandler, spec="AD_CBF"):
    """Opens AD_CBF: CBF files with numbered names, as Pilatus detectors write them."""


class SpeSequence(FrameHandler, spec="AD_SPE"):
    """Opens AD_SPE: SPE files with numbered names, one for each point."""


class TiffSequence(FrameHandler, spec="AD_TIFF"):
    """Opens AD_TIFF: TIFF files with numbered names, whatever these end in."""


class Hdf5Slices(FrameHandler, spec="HDF5"):
    """Opens HDF5: a dataset of a file, of which each point has a number of frames."""


class AreaDetectorHdf5(FrameHandler, spec="AD_HDF5"):
    """Opens AD_HDF5: frames at /entry/data/data."""


class AreaDetectorHdf5Swmr(FrameHandler, spec="AD_HDF5_SWMR"):
    """Opens AD_HDF5_SWMR: as AD_HDF5, while it is being written."""


class TimepixHdf5(FrameHandler, spec="TPX_HDF5"):
    """Opens TPX_HDF5: frames at /entry/instrument/detector/data."""


class OneFile:
    """A handler for one file whose data are no frames."""

    thread_safe = True

    def __init__(self, path: str) -> None:
        self._path = path

    def get_file_list(self, datum_kwargs: Datums) -> list[str]:
        """Return the files that some datums need."""
        return [self._path]

    def close(self) -> None:
        """Let go of what was opened."""


class TextFile(OneFile):
    """Opens DAT: columns of numbers as text, which `numpy.loadtxt` reads."""

    specs: ClassVar[set[str]] = {"DAT"}

    def __init__(self, path: str, **kwargs: Any) -> None:
        super().__init__(path)
        self._kwargs = kwargs

    def __call__(self) -> Any:
        """Return the numbers."""
        import numpy as np

        with open_uncompressed(self._path) as file:
            return np.loadtxt(file, **self._kwargs)


class CsvFile(OneFile):
    """Opens CSV: a table as text; all of it, or one of its columns."""

    specs: ClassVar[set[str]] = {"CSV"}

    def __init__(self, path: str, sep: str = ",", header: bool = True) -> None:
        super().__init__(path)
        self._options: dict[str, Any] = {"sep": sep, "header": 0 if header else None}

    def __call__(self, column: Any = None) -> Any:
        """Return the table, or a column of it."""
        import pandas as pd

        with open_uncompressed(self._path) as file:
            table = pd.read_csv(file, **self._options)
        return (table if column is None else table[column]).to_numpy()


class MapsSpectrum(OneFile):
    """Opens MAPS_SPECTRUM: the spectrum at a place of a map."""

    specs: ClassVar[set[str]] = {"MAPS_SPECTRUM"}
    takes_guard = True

    def __init__(self, path: str, dset_path: str, guard: Guard | None = None) -> None:
        from ..readers.hdf5 import Hdf5Dataset

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
        self._dataset.close()


class MapsPlane(MapsSpectrum):
    """Opens MAPS_PLANE: the map at one energy."""

    specs: ClassVar[set[str]] = {"MAPS_PLANE"}

    def __call__(self, e_index: int) -> Any:  # type: ignore[override]
        """Return a plane."""
        return self._dataset.read((e_index,))


_REPLACEMENTS: Mapping[str, type[FrameHandler]] = {
    "AreaDetectorHDF5Handler": AreaDetectorHdf5,
    "AreaDetectorHDF5SWMRHandler": AreaDetectorHdf5Swmr,
    "AreaDetectorTiffHandler": TiffSequence,
    "HDF5DatasetSliceHandler": Hdf5Slices,
    "HDF5DatasetSliceHandlerPureNumpy": Hdf5Slices,
    "PilatusCBFHandler": PilatusCbf,
    "TimepixHDF5Handler": TimepixHdf5,
}


def replacement_for(handler: Any) -> Any:
    """Return our own handler for one of area-detector-handlers that reads the same values.

    Those lock HDF5 files while they are open, read whole frames through dask, and read what
    a TIFF file names together with it. A subclass of one stands for itself.
    """
    if getattr(handler, "__module__", None) != "area_detector_handlers.handlers":
        return handler
    return _REPLACEMENTS.get(getattr(handler, "__name__", ""), handler)
