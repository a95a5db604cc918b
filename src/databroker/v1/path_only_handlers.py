"""Handlers that open nothing, and say where the data is."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from .handlers_base import HandlerBase

__all__ = ["AreaDetectorTiffPathOnlyHandler", "RawHandler"]


class RawHandler(HandlerBase):
    """Gives what the documents say: the path, the resource's and the datum's arguments.

    Examples
    --------
    >>> RawHandler("/data/x.h5", frame_per_point=2)(point_number=3)
    ('/data/x.h5', {'frame_per_point': 2}, {'point_number': 3})
    """

    def __init__(self, fpath: str, **kwargs: Any) -> None:
        self._path = fpath
        self._kwargs = kwargs

    def __call__(self, **kwargs: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Return the path and both sets of arguments."""
        return self._path, self._kwargs, kwargs


class AreaDetectorTiffPathOnlyHandler(HandlerBase):
    """Gives the paths of the TIFF files of a point, without opening them.

    Parameters
    ----------
    fpath
        The folder.
    template
        As the area detector has it: folder, name and number are put into it.
    filename
        What the names of the files begin with.
    frame_per_point
        How many files belong to a point.

    Examples
    --------
    >>> handler = AreaDetectorTiffPathOnlyHandler("/data", "%s%s_%6.6d.tiff", "img", 2)
    >>> handler(point_number=1)
    ['/data/img_000002.tiff', '/data/img_000003.tiff']
    """

    specs: ClassVar[set[str]] = {"AD_TIFF"}

    def __init__(self, fpath: str, template: str, filename: str, frame_per_point: int = 1) -> None:
        self._path = os.path.join(fpath, "")
        self._template = template
        self._filename = filename
        self._frames = frame_per_point

    def __call__(self, point_number: int) -> list[str]:
        """Return the paths of the files of a point."""
        first = point_number * self._frames
        return [
            self._template % (self._path, self._filename, number)
            for number in range(first, first + self._frames)
        ]

    def get_file_list(self, datum_kwargs: Any) -> list[str]:
        """Return the files of several points, given the arguments of each."""
        return [path for kwargs in datum_kwargs for path in self(**kwargs)]
