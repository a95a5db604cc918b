"""Image files, whatever their format."""

from __future__ import annotations

import io
import os
from typing import Any

from ...extras import require
from ..locate import Guard
from ..references import FileDamaged, Problem
from .fabio_files import FORMATS, read_fabio

__all__ = ["read_picture", "read_tiff"]

_TIFF = (".tif", ".tiff", ".btf")


def read_picture(path: str, guard: Guard) -> Any:
    """Return the image, or the stack of images, in a file of any format, by the end of its name."""
    ending = os.path.splitext(path)[1].lower()
    if ending in _TIFF:
        return read_tiff(path)
    if ending in FORMATS:
        frames = read_fabio(path, ending, guard)
        return frames[0] if len(frames) == 1 else frames
    with open(path, "rb") as file:
        # Of what reads images, some would fetch what a file names; this one does not.
        return _checked(require("imageio.v3", "images").imread(file, plugin="pillow"), path)


def read_tiff(path: str) -> Any:
    """Return the image, or the stack of images, in a TIFF file, whatever its name."""
    with _Alone(io.FileIO(path)) as file:
        return _checked(require("tifffile", "images").imread(file, _multifile=False), path)


class _Alone(io.BufferedReader):
    """An open file that nobody asks where it is: some TIFF files name others, read with them."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def _checked(found: Any, path: str) -> Any:
    if not found.size:
        raise Problem(FileDamaged, f"{path} has no image in it", "Is it still being written?")
    return found
