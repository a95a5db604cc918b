"""Files of detectors that the package fabio reads, as arrays: CBF, EDF, MarCCD, SPE."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...extras import require
from ..locate import Guard
from ..references import FileDamaged, Problem
from .base import Array

__all__ = ["FORMATS", "count_frames", "fabio_files", "opened_image", "read_fabio", "read_frames"]

FORMATS: Mapping[str, tuple[str, str]] = {
    ".cbf": ("fabio.cbfimage", "CbfImage"),
    ".edf": ("fabio.edfimage", "EdfImage"),
    ".mccd": ("fabio.marccdimage", "MarccdImage"),
    ".spe": ("fabio.speimage", "SpeImage"),
}
"""The class that reads a format, by the usual end of the names of its files."""

_OPENERS = {".gz": "GzipFile", ".bz2": "BZ2File"}


def read_fabio(path: str, ending: str, guard: Guard) -> Array:
    """Return all frames of a file."""
    with opened_image(path, ending) as image:
        for other in fabio_files(image, path)[1:]:
            guard.check(other)
        return read_frames(image, path, ending, range(count_frames(image, ending)))


def read_frames(image: Any, path: str, ending: str, numbers: range) -> Array:
    """Return some frames of an open image."""
    frames = [np.asarray(image.get_frame(n).data) for n in numbers if n < image.nframes]
    # Of SPE, fabio has read the first frame only.
    for number in numbers[len(frames) :]:
        with opened_image(path, ending, number) as other:
            frames.append(np.asarray(other.data))
    if len({(frame.shape, frame.dtype) for frame in frames}) != 1:
        raise Problem(FileDamaged, f"{path} has no images, or not of one shape and type")
    return np.stack(frames)


def fabio_files(image: Any, path: str) -> list[str]:
    """Return the files of an open image: EDF may have its data in another one beside it."""
    headers = (image.get_frame(number).header for number in range(image.nframes))
    names = dict.fromkeys(header.get("EDF_BinaryFileName") for header in headers)
    beside = [os.path.join(os.path.dirname(path), os.path.basename(name)) for name in names if name]
    packed = [not os.path.exists(each) and os.path.exists(f"{each}.gz") for each in beside]
    return [path, *(f"{a}.gz" if zipped else a for a, zipped in zip(beside, packed, strict=True))]


@contextmanager
def opened_image(path: str, ending: str, number: int | None = None) -> Iterator[Any]:
    """Open a file as what its resource says that it is: fabio itself would have to guess."""
    module, name = FORMATS[ending]
    image = getattr(require(module, "images"), name)()
    opener = _OPENERS.get(os.path.splitext(path)[1].lower(), "File")
    with getattr(require("fabio.fabioutils", "images"), opener)(path, "rb") as file:
        yield image.read(file, number)


def count_frames(image: Any, ending: str) -> int:
    """Return how many frames an open image has."""
    return int(image.header["num_frames"] if ending == ".spe" else image.nframes)
