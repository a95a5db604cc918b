"""Images of runs as TIFF files: all frames of a field in one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..external.fields.filling import OnMissing, check_on_missing
from ..extras import require
from . import losses
from .columns import Array, Columns, as_json, columns_of
from .format import Choice, Format, Losses, Part

if TYPE_CHECKING:
    from ..external.fields.lazy_array import LazyArray
    from ..runs.run import Run

_LARGEST = 2**32  # bytes of a file whose places have 32 bits
_SAID = 2**12  # bytes that are said of a page, at most as a rule
_PLAIN = {"metadata": None}  # or tifffile would write a description of its own


class TIFF(Format):
    """The images of a field as the pages of one TIFF file.

    What an event has besides, its number and time and all fields of one value, is in the
    description of its pages, as JSON.

    Parameters
    ----------
    on_missing
        Where images cannot be had: 'raise' the error, or 'mask' them with NaN.
    """

    suffix = ".tif"
    about = "TIFF, a file for each field of images, for ImageJ, FIJI, fabio"

    def __init__(self, on_missing: OnMissing = "raise") -> None:
        check_on_missing(on_missing)
        self._on_missing = on_missing

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return a file for each field of images; a run without images has none."""
        for columns in columns_of(run, choice, self._on_missing):
            for field, array in columns.arrays.items():
                if _is_image(array):
                    names = {"stream": columns.stream.name, "field": field}
                    yield Part(_writer(run, columns, field), names)


def _is_image(array: LazyArray) -> bool:
    large = [size for size in array.shape[1:] if size > 1]
    return array.dtype.kind in "biufc" and len(large) > 1 and len(array) > 0


def _writer(run: Run, columns: Columns, field: str) -> Callable[[Path], Losses]:
    array = columns.arrays[field]
    said = {"uid": run.uid, "scan_id": run.start.get("scan_id"), "stream": columns.stream.name}
    said |= {"field": field, **columns.attrs[field]}
    room = array.nbytes + _SAID * array.size // math.prod(array.shape[-2:])

    def write(path: Path) -> Losses:
        tifffile = require("tifffile", "images")
        with tifffile.TiffWriter(path, bigtiff=room > _LARGEST) as file:
            for event, value in zip(_events(columns), array.values(), strict=True):
                description = as_json({**said, **event})
                for page, photometric in _pages(value):
                    file.write(page, photometric=photometric, description=description, **_PLAIN)
        others = (name for name, each in columns.arrays.items() if name != field and each.ndim > 1)
        return [losses.METADATA, losses.TIMES, *losses.of_fields("arrays", others)]

    return write


def _events(columns: Columns) -> Iterator[dict[str, Any]]:
    """Yield the number and the time of each event, and its fields of one value."""
    values: dict[str, Array] = {"seq_num": columns.seq_num, "time": columns.time}
    single = (name for name, array in columns.arrays.items() if array.ndim == 1)
    values |= {name: columns.arrays[name][:] for name in single if name not in values}
    for row in zip(*values.values(), strict=True):
        yield dict(zip(values, row, strict=True))


def _pages(value: Array) -> Iterator[tuple[Array, str]]:
    """Yield the images of an event, and what their numbers are."""
    if value.dtype == np.dtype(bool):
        value = value.astype(np.uint8)  # few programs read pixels of a bit
    colour = value.ndim > 2 and value.shape[-1] in (3, 4) and value.dtype in (np.uint8, np.uint16)
    depth = 3 if colour else 2
    for page in value.reshape(-1, *value.shape[-depth:]):
        yield page, "rgb" if colour else "minisblack"
