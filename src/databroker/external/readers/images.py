"""Files of images, whatever their format; those of detectors (CBF, EDF, ...) are fabio's."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from ...errors import FileDamaged
from ...extras import require
from ..fields.reader import LARGEST
from ..locate import Guard
from ..references import Problem
from .base import Array, Declared, FileReader

_FORMATS: Mapping[str, tuple[str, str]] = {
    "image/x-cbf": ("fabio.cbfimage", "CbfImage"),
    "image/x-edf": ("fabio.edfimage", "EdfImage"),
    "image/x-marccd": ("fabio.marccdimage", "MarccdImage"),
    "image/x-spe": ("fabio.speimage", "SpeImage"),
}
"""What of fabio reads the files of a mimetype."""

_BY_ENDING = {
    ".cbf": "image/x-cbf",
    ".edf": "image/x-edf",
    ".mccd": "image/x-marccd",
    ".spe": "image/x-spe",
    ".btf": "image/tiff",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}

_OPENERS = {".gz": "GzipFile", ".bz2": "BZ2File"}


class FabioReader(FileReader):
    """Reads image/x-cbf, image/x-edf, image/x-marccd and image/x-spe: a file of some frames.

    All frames of a file have the shape and the type of the first. An EDF file may have them in
    another one beside it, which is opened if the guard allows it.
    """

    thread_safe = False

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        super().__init__(path, guard)
        self._mimetype = str(parameters["mimetype"])
        self._opened = ExitStack()
        try:
            self._open()
            first = self.read(0, 1, ())
        except BaseException:
            self.close()
            raise
        self.frame_shape, self.dtype = first.shape[1:], first.dtype

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        self.need(stop)
        if self._kept > LARGEST:
            self._open()
        frames = _read(self._image, self.path, self._mimetype, range(first, stop))
        self._kept += frames.nbytes
        return frames[(slice(None), *inner)]

    def length(self, wanted: int = 0) -> int:
        if self._frames < wanted and os.stat(self.path).st_mtime_ns != self._seen:
            self._open()
        return self._frames

    def files(self, first: int, stop: int) -> list[str]:
        """Return the file, and that in which its frames are."""
        return list(self._files)

    def close(self) -> None:
        self._opened.close()

    def _open(self) -> None:
        self.close()
        self._guard.check(self.path)
        self._seen = os.stat(self.path).st_mtime_ns
        self._kept = 0  # bytes: fabio keeps all frames that it has read
        self._image = self._opened.enter_context(_opened(self.path, self._mimetype))
        self._frames = _count(self._image, self._mimetype)
        self._files = [self.path, *_beside(self._image, self.path, self._guard)]


def read_picture(path: str, mimetype: str, guard: Guard) -> Any:
    """Return the image, or the stack of images, in a file.

    Of the mimetypes that are not named here the end of its name says more.
    """
    if mimetype not in _BY_ENDING.values():
        mimetype = _BY_ENDING.get(os.path.splitext(path)[1].lower(), mimetype)
    if mimetype == "image/tiff":
        with _Alone(io.FileIO(path)) as file:
            return _checked(require("tifffile", "images").imread(file, _multifile=False), path)
    if mimetype in _FORMATS:
        frames = _read_fabio(path, mimetype, guard)
        return frames[0] if len(frames) == 1 else frames
    with open(path, "rb") as file:
        # Of what reads images, some would fetch what a file names; this one does not.
        return _checked(require("imageio.v3", "images").imread(file, plugin="pillow"), path)


def _read_fabio(path: str, mimetype: str, guard: Guard) -> Array:
    """Return all frames of a file."""
    with _opened(path, mimetype) as image:
        _beside(image, path, guard)
        return _read(image, path, mimetype, range(_count(image, mimetype)))


@contextmanager
def _opened(path: str, mimetype: str, number: int | None = None) -> Iterator[Any]:
    """Open a file as what its resource says that it is: fabio itself would have to guess."""
    module, name = _FORMATS[mimetype]
    image = getattr(require(module, "images"), name)()
    opener = _OPENERS.get(os.path.splitext(path)[1].lower(), "File")
    with getattr(require("fabio.fabioutils", "images"), opener)(path, "rb") as file:
        yield image.read(file, number)


def _count(image: Any, mimetype: str) -> int:
    """Return how many frames an open image has."""
    return int(image.header["num_frames"] if mimetype == "image/x-spe" else image.nframes)


def _beside(image: Any, path: str, guard: Guard) -> list[str]:
    """Return the files beside it in which EDF may have the frames, if these may be read."""
    headers = (image.get_frame(number).header for number in range(image.nframes))
    names = dict.fromkeys(header.get("EDF_BinaryFileName") for header in headers)
    beside = [os.path.join(os.path.dirname(path), os.path.basename(name)) for name in names if name]
    packed = [not os.path.exists(each) and os.path.exists(f"{each}.gz") for each in beside]
    files = [f"{each}.gz" if zipped else each for each, zipped in zip(beside, packed, strict=True)]
    for file in files:
        guard.check(file)
    return files


def _read(image: Any, path: str, mimetype: str, numbers: range) -> Array:
    """Return some frames of an open image."""
    frames = [np.asarray(image.get_frame(n).data) for n in numbers if n < image.nframes]
    # Of SPE, fabio has read the first frame only.
    for number in numbers[len(frames) :]:
        with _opened(path, mimetype, number) as other:
            frames.append(np.asarray(other.data))
    if len({(frame.shape, frame.dtype) for frame in frames}) != 1:
        raise Problem(FileDamaged, f"{path} has no images, or not of one shape and type")
    return np.stack(frames)


class _Alone(io.BufferedReader):
    """An open file that nobody asks where it is: some TIFF files name others, read with them."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def _checked(found: Any, path: str) -> Any:
    if not found.size:
        raise Problem(FileDamaged, f"{path} has no image in it", "Is it still being written?")
    return found
