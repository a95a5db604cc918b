"""Image files, whatever their format."""

from __future__ import annotations

from typing import Any

from ..extras import require

__all__ = ["read_picture"]

_TIFF = (".tif", ".tiff", ".btf")


def read_picture(path: str) -> Any:
    """Return the image, or the stack of images, in a file.

    Raises
    ------
    MissingExtra
        What reads such files is not installed.
    """
    if path.lower().endswith(_TIFF):
        # Handed over open: TIFF files that have siblings by name are else read as one series.
        with open(path, "rb") as file:
            return require("tifffile", "images").imread(file)
    with open(path, "rb") as file:
        return require("imageio.v3", "images").imread(file)
