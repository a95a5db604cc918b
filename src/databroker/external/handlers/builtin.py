"""Handlers of our own, for files that no other package opens, or not as carefully.

A handler is made with the path of a resource and its `resource_kwargs`, and
called with the `datum_kwargs` of a datum. Ours have more abilities, which any
handler may have:

``thread_safe = True``
    one object may be called by several threads at a time;
``form(**datum_kwargs)``
    gives shape and dtype without reading the data;
``blocks(**datum_kwargs)``
    gives the shape of the blocks in which the data are stored: how many datums are together,
    then as much of each; None if they are in no blocks;
``keeps = True``
    says that a block that was read is kept, so that reading one by one costs no more;
``part(inner, **datum_kwargs)``
    reads only what `inner`, a tuple of slices, selects;
``read_into(out, inner, datums)``
    puts that of many datums, given by their arguments, into the rows of an array; it is only
    asked for data whose form fits, so it needs `form`, too;
``takes_guard = True``
    it is made with a `guard`, too, which it asks about files that its file leads to.

Nothing that these need is imported before a file is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..guard import open_uncompressed

__all__ = [
    "CsvFile",
    "ImageSequence",
    "NumpyFile",
    "NumpyFrames",
    "NumpySequence",
    "OneFile",
    "SingleImage",
    "TextFile",
    "TiffSequence",
]

Datums = Iterable[Mapping[str, Any]]
Inner = tuple[slice, ...]


class OneFile:
    """A handler for one file."""

    thread_safe = True

    def __init__(self, path: str) -> None:
        self._path = path

    def get_file_list(self, datum_kwargs: Datums) -> list[str]:
        """Return the files that some datums need."""
        return [self._path]

    def close(self) -> None:
        """Let go of what was opened."""


class NumpySequence:
    """Opens NPY_SEQ, which ophyd's simulated detectors write: ``<path>_<index>.npy``.

    Examples
    --------
    >>> NumpySequence("/data/img").get_file_list([{"index": 3}])
    ['/data/img_3.npy']
    """

    specs: ClassVar[set[str]] = {"NPY_SEQ"}
    thread_safe = True

    def __init__(self, path: str, root: str = "") -> None:
        self._path = os.path.join(root, path)

    def __call__(self, index: int) -> Any:
        """Return an array."""
        return _load_npy(self._file(index))

    def form(self, index: int) -> Any:
        """Return shape and dtype of an array."""
        found = _load_npy(self._file(index), "r")
        return found.shape, found.dtype

    def part(self, inner: Inner, index: int) -> Any:
        """Return a part of an array."""
        return _load_npy(self._file(index), "r")[inner].copy()

    def get_file_list(self, datum_kwargs: Datums) -> list[str]:
        """Return the files that some datums need."""
        return [self._file(kwargs["index"]) for kwargs in datum_kwargs]

    def _file(self, index: int) -> str:
        return f"{self._path}_{index}.npy"


class NumpyFile(OneFile):
    """Opens npy: one file with one array."""

    specs: ClassVar[set[str]] = {"npy"}

    def __init__(self, path: str, mmap_mode: str | None = None) -> None:
        super().__init__(path)

    def __call__(self) -> Any:
        """Return the array."""
        return _load_npy(self._path)


class NumpyFrames(OneFile):
    """Opens npy_FRAMEWISE: one file with an array of frames, of which one is wanted."""

    specs: ClassVar[set[str]] = {"npy_FRAMEWISE"}

    def __init__(self, path: str, mmap_mode: str | None = None) -> None:
        super().__init__(path)
        self._frames = _load_npy(path, "r")

    def __call__(self, frame_no: int) -> Any:
        """Return a frame."""
        import numpy as np

        return np.array(self._frames[frame_no])

    def form(self, frame_no: int) -> Any:
        """Return shape and dtype of a frame."""
        return self._frames.shape[1:], self._frames.dtype

    def part(self, inner: Inner, frame_no: int) -> Any:
        """Return a part of a frame."""
        return self._frames[frame_no][inner].copy()


class SingleImage(OneFile):
    """Opens SINGLE_TIFF: one file with one image or stack, of any format that images have."""

    specs: ClassVar[set[str]] = {"SINGLE_TIFF"}

    def __call__(self) -> Any:
        """Return the image."""
        from ..readers.pictures import read_picture

        return read_picture(self._path)


class ImageSequence:
    """Opens a folder of images with numbered names, as `AD_TIFF` does for TIFF files only.

    Parameters
    ----------
    path
        The folder.
    template
        As area detectors have it: folder, name and number are put into it.
    filename
        What the names of the files begin with.
    frame_per_point
        How many files belong to a point.

    Examples
    --------
    >>> images = ImageSequence("/data", "%s%s_%6.6d.jpg", "img", frame_per_point=2)
    >>> images.get_file_list([{"point_number": 1}])
    ['/data/img_000002.jpg', '/data/img_000003.jpg']
    """

    specs: ClassVar[set[str]] = {"IMAGE_SEQ"}
    thread_safe = True

    def __init__(
        self, path: str, template: str, filename: str = "", frame_per_point: int = 1
    ) -> None:
        self._path = os.path.join(path, "")
        self._template = template
        self._filename = filename
        self._frames = int(frame_per_point)

    def __call__(self, point_number: int) -> Any:
        """Return the images of a point."""
        import numpy as np

        return np.stack([self._read(path) for path in self._files(point_number)])

    def get_file_list(self, datum_kwargs: Datums) -> list[str]:
        """Return the files that some datums need."""
        return [path for kwargs in datum_kwargs for path in self._files(**kwargs)]

    def _files(self, point_number: int) -> list[str]:
        first = point_number * self._frames
        return [
            self._template % (self._path, self._filename, number)
            for number in range(first, first + self._frames)
        ]

    def _read(self, path: str) -> Any:
        from ..readers.pictures import read_picture

        return read_picture(path)


class TiffSequence(ImageSequence):
    """Opens AD_TIFF: TIFF files with numbered names, whatever these end in."""

    specs: ClassVar[set[str]] = {"AD_TIFF"}

    def _read(self, path: str) -> Any:
        from ..readers.pictures import read_tiff

        return read_tiff(path)


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
    """Opens CSV: a table as text; all of it, or one of its columns.

    Parameters
    ----------
    header
        Whether the first line has the names of the columns.
    """

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


def _load_npy(path: str, mmap_mode: Any = None) -> Any:
    import numpy as np

    # A pickle could run anything: arrays of objects are refused.
    return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
