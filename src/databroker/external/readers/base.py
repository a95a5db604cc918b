"""Frames of a file, or of several, read by ranges: what each format has a class for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...errors import FramesMissing
from ..locate import Guard
from ..references import Problem

Array = np.ndarray[Any, Any]
Form = tuple[tuple[int, ...], np.dtype[Any]]


@dataclass(frozen=True)
class Declared:
    """What a descriptor says of a field.

    Attributes
    ----------
    shape
        Of one event's value; None where it is left open.
    dtype
        Of its elements; None where it is not said.
    number
        Whether the value of an event is a number rather than an array.
    """

    shape: tuple[int, ...] | None = None
    dtype: np.dtype[Any] | None = None
    number: bool = False

    @classmethod
    def by(cls, data_key: Mapping[str, Any]) -> Declared:
        """Return what a data key declares."""
        shape = data_key.get("shape")
        known = isinstance(shape, list | tuple) and all(
            type(n) is int and 0 < n < 2**63 for n in shape
        )
        number = data_key.get("dtype") in ("number", "integer", "boolean", "string")
        dtype = declared_dtype(data_key)
        return cls(tuple(shape) if known and shape is not None else None, dtype, number)


class Region(NamedTuple):
    """Where values are in a dataset of an HDF5 file, as they are and in their order."""

    path: str
    dataset: str
    shape: tuple[int, ...]  # of the dataset
    key: tuple[slice, ...]  # which part of it


class FrameReader(ABC):
    """Reads the frames of a file, or of several files, whose format has a mimetype.

    To teach databroker a format, write a subclass and name it:
    ``db.reg.mimetypes["application/x-lab"] = "my_lab.readers:LabReader"``. It is made with four
    arguments: the path (of a file, a folder, or what the names of numbered files begin with);
    the parameters of the stream resource, its mimetype among them; a `Declared`, what the
    descriptor says of the field; and a guard, whose ``check(path)`` raises for each file that may
    not be opened. It is kept and used again, and closed when too many are open.

    Attributes
    ----------
    frame_shape, dtype
        Of one frame.
    chunks
        The shape of the blocks in which frames are stored, frames first; None if unknown.
    thread_safe
        Whether several threads may use one object at a time.
    keeps
        Whether a block that was read is kept, so that frames one by one cost no more.
    apart
        Whether each frame is in a file of its own: reading several at once gains nothing.
    keep
        Whether the file may stay open between two uses.
    join
        'concat' where an event has frames; 'stack' where it has one that is all of its value.

    Examples
    --------
    >>> class Ramp(FrameReader):
    ...     def __init__(self, path, parameters, declared, guard):
    ...         self.frame_shape, self.dtype = (parameters["size"],), numpy.dtype(int)
    ...     def read(self, first, stop, inner):
    ...         ramp = numpy.arange(self.frame_shape[0])
    ...         frames = numpy.stack([ramp + number for number in range(first, stop)])
    ...         return frames[(slice(None), *inner)]
    ...     def count(self, first, stop):
    ...         return stop - first
    >>> import numpy
    >>> Ramp("/data/x", {"size": 4}, Declared(), None).read(1, 3, (slice(2, 4),)).tolist()
    [[3, 4], [4, 5]]
    """

    thread_safe = True
    frame_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...] | None = None
    keeps = False
    apart = False
    keep = True
    join = "concat"

    @property
    def ndim(self) -> int:
        """How many dimensions a frame has."""
        return len(self.frame_shape)

    @abstractmethod
    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        """Return frames ``first`` to ``stop``, and of each what `inner` selects.

        Parameters
        ----------
        first, stop
            A half-open range; frames are counted from 0.
        inner
            A slice, which goes forwards, for each of the first dimensions of a frame.
        """

    def read_into(self, first: int, stop: int, inner: tuple[slice, ...], out: Array) -> None:
        """Put frames into an array, whose shape fits; better ones need no array in between."""
        out[...] = self.read(first, stop, inner)

    @abstractmethod
    def count(self, first: int, stop: int) -> int:
        """Return how many frames of a range are there now."""

    def length(self, wanted: int = 0) -> int | None:
        """Return how many frames there are, looking again if there are fewer than wanted.

        None stands for files that are numbered without an end.
        """
        return None

    def form(self, number: int) -> Form | None:
        """Return shape and dtype of one frame; None if only reading it tells."""
        return self.frame_shape, self.dtype

    def files(self, first: int, stop: int) -> list[str]:
        """Return the files that hold a range of frames, or will."""
        return []

    def region(self, first: int, stop: int) -> Region | None:
        """Return where a range of frames is in an HDF5 file; None if it is in none."""
        return None

    def close(self) -> None:
        """Let go of what was opened."""
        return


class FileReader(FrameReader):
    """Reads frames in one file, to which more may be added."""

    unit = "frame"

    def __init__(self, path: str, guard: Guard) -> None:
        guard.check(path)
        self.path = path
        self._guard = guard

    @abstractmethod
    def length(self, wanted: int = 0) -> int:
        """Return how many frames there are now."""

    def count(self, first: int, stop: int) -> int:
        """Return how many frames of a range are there now."""
        return max(0, min(stop, self.length(stop)) - first)

    def form(self, number: int) -> Form:
        """Return shape and dtype of a frame that is there."""
        self.need(number + 1)
        return self.frame_shape, self.dtype

    def files(self, first: int, stop: int) -> list[str]:
        """Return the file."""
        return [self.path]

    def need(self, stop: int) -> None:
        """Raise if there are fewer frames."""
        if (length := self.length(stop)) < stop:
            raise Problem(
                FramesMissing,
                f"the file {self.path} has {length} {self.unit}s so far, "
                f"and {self.unit} {stop - 1} is wanted",
                "If it is still being written, try again later.",
            )


def declared_dtype(data_key: Mapping[str, Any]) -> np.dtype[Any] | None:
    """Return the NumPy dtype that a data key declares, if it does."""
    declared = data_key.get("dtype_numpy")
    if isinstance(declared, list):
        declared = [tuple(part) if isinstance(part, list) else part for part in declared]
    try:
        return np.dtype(declared) if declared else None
    except (TypeError, ValueError):
        return None
