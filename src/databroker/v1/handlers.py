"""Handlers of databroker 1.x by their old path.

Those of area detectors live in the package area-detector-handlers now, others are
databroker's own. What only databroker 1.x had is here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ..errors import MissingExtra
from ..external.handlers.registry import SUCCESSORS
from ..external.import_path import imported
from .frames import Frames
from .handlers_base import HandlerBase

__all__ = [
    "XS3_XRF_DATA_KEY",
    "DummyAreaDetectorHandler",
    "ImageStack",
    "IntegrityError",
    "handlers_of",
]

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


def handlers_of(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module that hands on handlers which live elsewhere now."""

    def find(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            theirs = importlib.import_module("area_detector_handlers.handlers")
        except ModuleNotFoundError as error:
            if name not in SUCCESSORS:
                raise MissingExtra(
                    f"The handler {name!r} lives in the package area-detector-handlers now: "
                    "pip install area-detector-handlers"
                ) from error
        else:
            # Theirs have the attributes that users' own subclasses reach for.
            if hasattr(theirs, name):
                return getattr(theirs, name)
            if name not in SUCCESSORS:
                raise AttributeError(
                    f"There is no handler {name!r} here, nor in area-detector-handlers, where "
                    "the handlers of databroker 1.x live now."
                )
        return imported(SUCCESSORS[name], f"{module}.{name}")

    return find
