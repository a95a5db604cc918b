"""The files of a stream resource as one long row of frames, whatever their format.

Each mimetype has a class that reads it; the registry's `mimetypes` may name
others. A reader is made with the path (of a file, a folder, or what the names
of a sequence begin with), the `parameters` of the stream resource, what is
declared of the field, and a guard to ask before it opens a file.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import NoHandler
from ..import_path import imported
from ..references import DataReference

__all__ = ["MIMETYPES", "SPECS", "Declared", "FrameReader", "mimetype_of", "reader_of"]

Array = np.ndarray[Any, Any]
Parameters = Mapping[str, Any]

_HERE = "databroker.external.readers"

MIMETYPES: Mapping[str, str] = {
    "application/x-hdf5": f"{_HERE}.hdf5:Hdf5Reader",
    "multipart/related;type=image/tiff": f"{_HERE}.numbered_files:PictureSequence",
    "multipart/related;type=image/jpeg": f"{_HERE}.numbered_files:PictureSequence",
    "multipart/related;type=image/png": f"{_HERE}.numbered_files:PictureSequence",
    "multipart/related;type=application/x-npy": f"{_HERE}.numbered_files:NpySequence",
    "application/x-zarr": f"{_HERE}.zarr:ZarrReader",
    "text/csv": f"{_HERE}.csv:CsvReader",
    "text/csv;header=absent": f"{_HERE}.csv:CsvReader",
    "text/csv;header=present": f"{_HERE}.csv:CsvReader",
}
"""What reads each mimetype."""

_HDF5 = "application/x-hdf5"

SPECS: Mapping[str, str] = {
    "AD_TIFF": "multipart/related;type=image/tiff",
    "NPY_SEQ": "multipart/related;type=application/x-npy",
    "PIZZABOX_ENC_FILE_TXT_PD": "text/csv",
    "ZARR": "application/x-zarr",
}
"""The mimetype of a spec, as older stream resources have it instead; see `mimetype_of`."""

_HDF5_SPECS = re.compile(
    r"hdf5|.*HDF5.*|XSP3.*|XPS3.*|PANDA|EIGER2_STREAM|ROI_.*|MERLIN_FLY.*|SIS_.*", re.IGNORECASE
)


@dataclass(frozen=True)
class Declared:
    """What a descriptor says of a streamed field.

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
        """Return what a data key declares.

        Examples
        --------
        >>> Declared.by({"dtype": "array", "shape": [1, 2], "dtype_numpy": "<u2"})
        Declared(shape=(1, 2), dtype=dtype('uint16'), number=False)
        """
        shape = data_key.get("shape")
        known = isinstance(shape, list | tuple) and all(
            type(n) is int and 0 < n < 2**63 for n in shape
        )
        number = data_key.get("dtype") in ("number", "integer", "boolean", "string")
        return cls(tuple(shape) if known and shape is not None else None, _dtype(data_key), number)


class FrameReader(ABC):
    """Frames that follow each other, in one file or in several.

    Parameters
    ----------
    path
        Where they are.
    parameters
        Of the stream resource.
    declared
        What is said of the field.
    guard
        To be asked before a file is opened.

    Attributes
    ----------
    frame_shape, dtype
        Of one frame.
    chunks
        The shape of the blocks in which frames are stored, frames first; None if unknown.
    keeps
        Whether a block that was read is kept, so that frames one by one cost no more.
    join
        'concat' where an event has frames; 'stack' where it has one that is all of its value.
    """

    thread_safe = True
    frame_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...] | None = None
    keeps = False
    join = "concat"

    @property
    def ndim(self) -> int:
        """How many dimensions a frame has."""
        return len(self.frame_shape)

    @abstractmethod
    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        """Return frames ``first`` to ``stop``, and of each what `inner` selects.

        Raises
        ------
        Problem
            They are not there.
        """

    def read_into(self, first: int, stop: int, inner: tuple[slice, ...], out: Array) -> None:
        """Put frames into an array, whose shape fits; better ones need no array in between."""
        out[...] = self.read(first, stop, inner)

    @abstractmethod
    def count(self, first: int, stop: int) -> int:
        """Return how many of some frames are there now."""

    @abstractmethod
    def files(self, first: int, stop: int) -> list[str]:
        """Return the files that hold some frames, or will."""

    def close(self) -> None:
        """Let go of what was opened."""
        return


def mimetype_of(document: Mapping[str, Any]) -> str:
    """Return the mimetype of a stream resource, older ones included, in its usual spelling.

    Examples
    --------
    >>> mimetype_of({"mimetype": "multipart/related; type=image/TIFF"})
    'multipart/related;type=image/tiff'
    >>> mimetype_of({"spec": "AD_HDF5_SWMR_SLICE"}), mimetype_of({"spec": "ODD"})
    ('application/x-hdf5', 'application/octet-stream')
    """
    if document.get("mimetype"):
        return str(document["mimetype"]).replace(" ", "").lower()
    spec = str(document.get("spec"))
    if spec in SPECS:
        return SPECS[spec]
    return _HDF5 if _HDF5_SPECS.fullmatch(spec) else "application/octet-stream"


def reader_of(mimetype: str, more: Mapping[str, Any], reference: DataReference) -> Any:
    """Return what reads a mimetype.

    Parameters
    ----------
    more
        The registry's own, which come first.

    Raises
    ------
    NoHandler
        There is nothing for it.
    """
    target = more.get(mimetype, MIMETYPES.get(mimetype))
    if target is None:
        raise NoHandler(
            f"{reference}: nothing is known that reads the mimetype {mimetype!r}. Say what does: "
            f"db.reg.mimetypes[{mimetype!r}] = 'your_module:YourFrames'."
        )
    return imported(target, f"mimetypes: {mimetype}")


def _dtype(data_key: Mapping[str, Any]) -> np.dtype[Any] | None:
    declared = data_key.get("dtype_numpy")
    if isinstance(declared, list):
        declared = [tuple(part) if isinstance(part, list) else part for part in declared]
    try:
        return np.dtype(declared) if declared else None
    except (TypeError, ValueError):
        return None
