"""Images of runs as TIFF files: all frames of a field in one, of whatever sizes."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapesDiffer
from ..external.handlers.adapter import as_array
from ..extras import require
from . import losses
from .columns import Array, Columns, as_json, columns_of
from .format import Choice, Format, Losses, OnMissing, Part, check_on_missing

if TYPE_CHECKING:
    from ..external.fields.lazy_array import LazyArray
    from ..runs.run import Run

Doc = Mapping[str, Any]

_LARGEST = 2**32  # bytes of a file whose places have 32 bits
_SAID = 2**12  # bytes that are said of a page, at most as a rule
_KINDS = "biufc"  # of numbers that pixels may be
_PLAIN = {"metadata": None}  # or tifffile would write a description of its own


class TIFF(Format):
    """The images of a field as the pages of one TIFF file.

    What an event has besides, its number and time and all fields of one value, is in the
    description of its pages, as JSON. Images of different sizes are pages of different sizes.

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
            images = [field for field, array in columns.arrays.items() if _has_images(array)]
            for field in images:
                names = {"stream": columns.stream.name, "field": field}
                yield Part(_Images(run, columns, field, images, self._on_missing).write, names)


def _has_images(array: LazyArray) -> bool:
    """Tell whether the events have images, which may differ in size, and nothing else."""
    if array.dtype != np.dtype(object):
        return len(array) > 0 and _is_image(array.dtype, array.shape[1:])
    found = False
    with suppress(ShapesDiffer):  # as far as it can be read together, it is seen
        for value in map(as_array, filter(_is_there, array.values())):
            found = _is_image(value.dtype, value.shape)
            if not found:
                break
    return found


def _is_image(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    return dtype.kind in _KINDS and sum(size > 1 for size in shape) > 1


def _is_there(value: Any) -> bool:
    return value is not None


@dataclass(frozen=True)
class _Images:
    """A field of images, of which a file is made."""

    run: Run
    columns: Columns
    field: str
    fields: Collection[str]  # all that have images
    on_missing: OnMissing

    def write(self, path: Path) -> Losses:
        """Write a page for each image, and return what is not said there."""
        try:
            missing = self._write(path, self._together(), _is_large(self._array))
        except ShapesDiffer:
            # Few programs read such pages at all, and those know large files, too.
            missing = self._write(path, self._one_by_one(), True)
        arrays = self.columns.arrays
        others = {name for name, each in arrays.items() if each.ndim > 1} | {*self.fields}
        others -= {self.field}
        lost = losses.of_fields("arrays", sorted(others))
        lost += losses.of_fields(losses.IMAGES, [self.field] if missing else [])
        return [losses.METADATA, losses.TIMES, *lost]

    @property
    def _array(self) -> LazyArray:
        return self.columns.arrays[self.field]

    @property
    def _single(self) -> list[str]:
        """The fields of which each event has one value."""
        arrays = self.columns.arrays
        return [name for name in arrays if arrays[name].ndim == 1 and name not in self.fields]

    def _write(self, path: Path, events: Iterable[tuple[Doc, Any]], is_large: bool) -> bool:
        """Write the image of each event; tell whether any had none."""
        start, stream = self.run.start, self.columns.stream.name
        said = {"uid": self.run.uid, "scan_id": start.get("scan_id"), "stream": stream}
        said |= {"field": self.field, **self.columns.attrs[self.field]}
        missing = False
        tifffile = require("tifffile", "images")
        with tifffile.TiffWriter(path, bigtiff=is_large) as file:
            for event, value in events:
                image = as_array(value)
                is_there = image.dtype.kind in _KINDS and image.ndim > 1 and image.size > 0
                missing = missing or not is_there
                description = as_json({**said, **event})
                for page, photometric in _pages(image) if is_there else ():
                    file.write(page, photometric=photometric, description=description, **_PLAIN)
        return missing

    def _together(self) -> Iterator[tuple[Doc, Any]]:
        """Yield what is said of each event, and its image, of the type that all of them have."""
        index: dict[str, Array] = {"seq_num": self.columns.seq_num, "time": self.columns.time}
        values = {name: self.columns.arrays[name][:] for name in self._single} | index
        for *row, image in zip(*values.values(), self._array.values(), strict=True):
            yield dict(zip(values, row, strict=True)), image

    def _one_by_one(self) -> Iterator[tuple[Doc, Any]]:
        """Yield what is said of each event that has an image, and that image as it is."""
        names = [self.field, *self._single]
        stream = self.columns.stream
        filled = [name for name in names if name in stream.fields]
        for event in stream.events(names, fill=filled, on_missing=self.on_missing):
            values = event["data"]
            index = {"seq_num": event["seq_num"], "time": event["time"]}
            yield {name: values.get(name) for name in self._single} | index, values.get(self.field)


def _is_large(array: LazyArray) -> bool:
    """Tell whether places in a file of these images have more than 32 bits."""
    return array.nbytes + _SAID * array.size // math.prod(array.shape[-2:]) > _LARGEST


def _pages(value: Array) -> Iterator[tuple[Array, str]]:
    """Yield the images of an event, and what their numbers are."""
    if value.dtype == np.dtype(bool):
        value = value.astype(np.uint8)  # few programs read pixels of a bit
    colour = value.ndim > 2 and value.shape[-1] in (3, 4) and value.dtype in (np.uint8, np.uint16)
    depth = 3 if colour else 2
    for page in value.reshape(-1, *value.shape[-depth:]):
        yield page, "rgb" if colour else "minisblack"
