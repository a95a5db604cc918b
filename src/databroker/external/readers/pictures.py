"""Image files, whatever their format."""

from __future__ import annotations

import io
import os
from typing import Any

from ...errors import FileDamaged
from ...extras import require
from ..locate import Guard
from ..references import Problem
from .fabio import FORMATS, read_fabio

__all__ = ["read_picture"]

_BY_ENDING = {
    ".cbf": "image/x-cbf",
    ".edf": "image/x-edf",
    ".mccd": "image/x-marccd",
    ".spe": "image/x-spe",
    ".btf": "image/tiff",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


def read_picture(path: str, mimetype: str, guard: Guard) -> Any:
    """Return the image, or the stack of images, in a file.

    Of the mimetypes that are not named here the end of its name says more.
    """
    if mimetype not in _BY_ENDING.values():
        mimetype = _BY_ENDING.get(os.path.splitext(path)[1].lower(), mimetype)
    if mimetype == "image/tiff":
        with _Alone(io.FileIO(path)) as file:
            return _checked(require("tifffile", "images").imread(file, _multifile=False), path)
    if mimetype in FORMATS:
        frames = read_fabio(path, mimetype, guard)
        return frames[0] if len(frames) == 1 else frames
    with open(path, "rb") as file:
        # Of what reads images, some would fetch what a file names; this one does not.
        return _checked(require("imageio.v3", "images").imread(file, plugin="pillow"), path)


class _Alone(io.BufferedReader):
    """An open file that nobody asks where it is: some TIFF files name others, read with them."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def _checked(found: Any, path: str) -> Any:
    if not found.size:
        raise Problem(FileDamaged, f"{path} has no image in it", "Is it still being written?")
    return found
