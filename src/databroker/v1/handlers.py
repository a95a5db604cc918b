"""Handlers of databroker 1.x, and what users' own are made from.

Those of area detectors live in the package area-detector-handlers now, others are
databroker's own. What only databroker 1.x had is here.
"""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from typing import Any, ClassVar

from ..errors import MissingExtra
from ..external.handlers.offered import SUCCESSORS
from ..external.import_path import imported
from .images import Frames


class HandlerBase:
    """Opens a resource; a subclass is called with a datum's arguments and gives its data.

    Attributes
    ----------
    specs
        Which kinds of resource it opens.

    Examples
    --------
    >>> class Numbers(HandlerBase):
    ...     specs = {"NUMBERS"}
    ...     def __init__(self, path, first): self.first = first
    ...     def __call__(self, n): return self.first + n
    >>> with Numbers("/data/numbers", first=5) as handler:
    ...     handler(n=1)
    6
    """

    specs: ClassVar[set[str]] = set()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what was opened; to be defined where something is."""


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


XS3_XRF_DATA_KEY = "entry/instrument/detector/data"
"""Where Xspress3 detectors put their data in an HDF5 file."""


class IntegrityError(Exception):
    """Users' own handlers raise it when a file is not as it should be."""


class ImageStack(Frames):
    """Some frames of a dataset, one after another, each read when it is asked for.

    Parameters
    ----------
    dataset
        Frames along its first axis.
    start, stop
        Which of them: from one place up to, and without, another.

    Examples
    --------
    >>> import numpy
    >>> stack = ImageStack(numpy.arange(12).reshape(6, 2), 2, 5)
    >>> len(stack), stack.frame_shape, stack[0].tolist(), stack[[0, 2]][1].tolist()
    (3, (2,), [4, 5], [8, 9])
    """

    def __init__(self, dataset: Any, start: int, stop: int) -> None:
        super().__init__(
            dataset.__getitem__, range(start, stop), tuple(dataset.shape[1:]), dataset.dtype
        )


class DummyAreaDetectorHandler(HandlerBase):
    """Stands in for an area detector whose files are not at hand: all its pixels are NaN.

    Parameters
    ----------
    fpath
        The file, which is not opened.
    frame_per_point
        How many frames belong to a point.

    Examples
    --------
    >>> DummyAreaDetectorHandler("/data/no.h5", frame_per_point=3)(point_number=0).shape
    (3, 10, 10)
    """

    def __init__(self, fpath: str, frame_per_point: int = 1, **kwargs: Any) -> None:
        self._frames = frame_per_point

    def __call__(self, **kwargs: Any) -> Any:
        """Return the frames of a point."""
        import numpy as np

        return np.full((self._frames, 10, 10), np.nan).squeeze()


def find_handler(name: str) -> Any:
    """Return the handler that `databroker.assets.handlers` had under a name; it lives elsewhere."""
    if name.startswith("_"):
        raise AttributeError(name)
    theirs = None
    with suppress(ModuleNotFoundError):
        theirs = importlib.import_module("area_detector_handlers.handlers")
    # Theirs have the attributes that users' own subclasses reach for.
    if hasattr(theirs, name):
        return getattr(theirs, name)
    if name in SUCCESSORS:
        return imported(SUCCESSORS[name], f"databroker.assets.handlers.{name}")
    if theirs is None:
        raise MissingExtra(
            f"The handler {name!r} lives in the package area-detector-handlers now: "
            "pip install area-detector-handlers"
        )
    raise AttributeError(
        f"There is no handler {name!r} here, nor in area-detector-handlers, where the "
        "handlers of databroker 1.x live now."
    )
