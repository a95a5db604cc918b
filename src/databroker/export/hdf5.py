"""Values and columns in groups of HDF5 files, under names that NeXus allows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapesDiffer
from ..external.fields.filling import UNREADABLE
from ..extras import require
from .columns import Texts, as_json, as_texts, blocks, plain_text
from .losses import UNLIKE, of_fields

if TYPE_CHECKING:
    from ..external.fields.lazy_array import LazyArray
    from ..external.readers.base import Region
    from .format import Losses

_UNWANTED = re.compile("[^A-Za-z0-9_]")
_NUMBERS = "biufc"
_SMALL = 2**16  # bytes of a value, above which each is a chunk of its own


def names_of(fields: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name for each field: of letters, digits and underscores, each once.

    Examples
    --------
    >>> names_of(["det", "det-1", "det.1", "2theta", "time"], ["time"])
    {'det': 'det', 'det-1': 'det_1', 'det.1': 'det_1_', '2theta': '_2theta', 'time': 'time_'}
    """
    fields = list(fields)
    used = {*taken}
    names: dict[str, str] = {}
    # Who has a good name keeps it, whoever comes before.
    for field in sorted(fields, key=lambda field: _good(field) != field):
        name = _good(field)
        while name in used:
            name += "_"
        used.add(name)
        names[field] = name
    return {field: names[field] for field in fields}


def _good(field: str) -> str:
    name = _UNWANTED.sub("_", field) or "_"
    return f"_{name}" if name[0].isdigit() else name


def new_group(parent: Any, name: str, nx_class: str) -> Any:
    """Return a new group of a NeXus class, whose members keep their order."""
    group = parent.create_group(name, track_order=True)
    group.attrs["NX_class"] = nx_class
    return group


def put_mapping(group: Any, values: Mapping[Any, Any]) -> None:
    """Put a dictionary into a group: numbers and texts as they are, dictionaries as groups."""
    names = names_of(map(str, values))
    for key, value in values.items():
        name = names[str(key)]
        if isinstance(value, Mapping) and value:
            inside = new_group(group, name, "NXcollection")
            put_mapping(inside, value)
            say_name(inside, name, str(key))
        else:
            say_name(put_value(group, name, value), name, str(key))


def put_value(group: Any, name: str, value: Any, units: object = None) -> Any:
    """Put a value into a group: what is no number, no text and no array of them is JSON."""
    data = _plain(value)
    dataset = group.create_dataset(name, data=as_json(value) if data is None else data)
    if data is None:
        dataset.attrs["encoding"] = "json"
    if isinstance(units, str) and units:
        dataset.attrs["units"] = plain_text(units)
    return dataset


def _plain(value: Any) -> Any:
    """Return a value as HDF5 has it; None if it does not."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        return [plain_text(each) for each in value]
    try:
        array = np.asarray(value)
    except ValueError:  # a list of lists that differ in length
        return None
    return array if array.dtype.kind in _NUMBERS and array.size else None


def put_column(
    group: Any,
    name: str,
    field: str,
    array: LazyArray,
    attrs: Mapping[str, Any],
    compression: str | None = None,
) -> Losses:
    """Put a field into a group, numbers some MB at a time; return what was lost."""
    losses: Losses = ()
    try:
        if array.dtype.kind in _NUMBERS:
            dataset = _put_numbers(group, name, array, compression)
        else:
            dataset, losses = _put_texts(group, name, as_texts(field, array[:]))
    except ShapesDiffer:
        return of_fields(UNLIKE, [field])
    describe(dataset, name, field, attrs)
    return losses


def _put_numbers(group: Any, name: str, array: LazyArray, compression: str | None) -> Any:
    storage = _storage(array, compression)
    dataset = group.create_dataset(name, array.shape, array.dtype, **storage)
    try:
        for block in blocks(array) if array.size else ():
            dataset[block] = array[block]
    except ShapesDiffer:
        del group[name]
        raise
    return dataset


def _put_texts(group: Any, name: str, texts: Texts) -> tuple[Any, tuple[str, ...]]:
    strings = require("h5py", "images").string_dtype()
    dataset = group.create_dataset(name, data=texts.values, dtype=strings)
    if texts.is_json:
        dataset.attrs["encoding"] = "json"
    return dataset, texts.losses


def put_link(group: Any, name: str, field: str, array: LazyArray, attrs: Mapping[str, Any]) -> bool:
    """Have a field in a group that is read from the HDF5 files with its values, if there are any.

    Returns
    -------
    bool
        Whether it is there: not where values are in other files, or not just as they are.
    """
    regions = _regions(array)
    if not regions:
        return False
    h5py = require("h5py", "images")
    layout = h5py.VirtualLayout(array.shape, array.dtype)
    row = 0
    for events, region in regions:
        source = h5py.VirtualSource(region.path, region.dataset, region.shape, array.dtype)
        # A source for each event, though one may do for many: NeXpy counts them to have the shape.
        for frames in _cut(region.key[0], events):
            layout[row] = source[(frames, *region.key[1:])]
            row += 1
    empty = np.nan if array.dtype.kind in "fc" else None
    describe(group.create_virtual_dataset(name, layout, fillvalue=empty), name, field, attrs)
    return True


def _cut(frames: slice, events: int) -> Iterator[slice]:
    """Yield the frames of each event."""
    each = len(range(frames.start, frames.stop, frames.step or 1)) // events * (frames.step or 1)
    for first in range(frames.start, frames.start + events * each, each):
        yield slice(first, first + each, frames.step)


def _regions(array: LazyArray) -> list[tuple[int, Region]]:
    """Return where the values of a field are, one after the other; nothing if that is unknown."""
    try:
        regions = array.regions() if array.size else None
    except UNREADABLE:
        return []  # reading them says why, or what stands for them
    value = array.size // max(len(array), 1)
    for events, region in regions or ():
        sizes = zip(region.key, region.shape, strict=True)
        if math.prod(len(range(size)[part]) for part, size in sizes) != events * value:
            return []
    return regions or []


def _storage(array: LazyArray, compression: str | None) -> dict[str, Any]:
    """Return how large values are stored: each by itself, as they are looked at."""
    value = array.nbytes // max(len(array), 1)
    if value <= _SMALL:
        return {}
    return {"chunks": (1, *array.shape[1:]), "compression": compression}


def describe(dataset: Any, name: str, field: str, attrs: Mapping[str, Any]) -> None:
    """Say of a dataset what is known of its field."""
    say_name(dataset, name, field)
    for attribute, value in attrs.items():
        if attribute == "units" and value == "":
            continue  # silx would draw "name ()"
        text = isinstance(value, str)
        dataset.attrs[attribute] = plain_text(value) if text else np.asarray(value)


def say_name(item: Any, name: str, field: str) -> None:
    """Say what a thing is called where its name in the file is another one."""
    if name != field:
        item.attrs["long_name"] = plain_text(field)
