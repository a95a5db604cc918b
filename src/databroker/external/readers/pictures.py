"""Image files, whatever their format."""

from __future__ import annotations

import io
from typing import Any

from ...extras import require
from ..references import FileDamaged, Problem

__all__ = ["read_picture", "read_tiff"]

_TIFF = (".tif", ".tiff", ".btf")


def read_picture(path: str) -> Any:
    """Return the image, or the stack of images, in a file.

    Raises
    ------
    MissingExtra
        What reads such files is not installed.
    Problem
        There is no image in it.
    """
    if path.lower().endswith(_TIFF):
        return read_tiff(path)
    with open(path, "rb") as file:
        # Of what reads images, some would fetch what a file names; this one does not.
        return _checked(require("imageio.v3", "images").imread(file, plugin="pillow"), path)


def read_tiff(path: str) -> Any:
    """Return the image, or the stack of images, in a TIFF file, whatever its name.

    Raises
    ------
    MissingExtra
        What reads such files is not installed.
    Problem
        There is no image in it.
    """
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
