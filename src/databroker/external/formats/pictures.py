"""Image files, whatever their format."""

from __future__ import annotations

from typing import Any

from ...extras import require
from ..failures import FileDamaged, Problem

__all__ = ["read_picture"]

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
    # Handed over open: TIFF files that refer to others would else be read together with them.
    with open(path, "rb") as file:
        if path.lower().endswith(_TIFF):
            found = require("tifffile", "images").imread(file)
        else:
            found = require("imageio.v3", "images").imread(file)
    if not found.size:
        raise Problem(FileDamaged, f"{path} has no image in it", "Is it still being written?")
    return found
