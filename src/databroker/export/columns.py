"""Streams as columns: the values of each field, which are read when they are sliced."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns.cells import cells_of
from ..runs.stream.dataset import LazyFields
from ..runs.stream.layout import Layout
from ..runs.stream.many import share_fields
from .losses import CHARACTERS, of_fields

if TYPE_CHECKING:
    from ..external.fields.lazy_array import LazyArray
    from ..runs.run import Run
    from ..runs.stream.stream import Stream
    from .format import Choice, OnMissing

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Columns:
    """What is exported of a stream.

    Attributes
    ----------
    stream
        The stream.
    time, seq_num
        Of each event: seconds since 1970, and its number.
    arrays
        Each field along the events.
    attrs
        What descriptors say of each field, as datasets have it: units, precision, source, object.
    """

    stream: Stream
    time: Array
    seq_num: Array
    arrays: Mapping[str, LazyArray]
    attrs: Mapping[str, Mapping[str, Any]]

    def only(self, fields: Iterable[str]) -> Columns:
        """Return these with fewer fields."""
        return replace(self, arrays={field: self.arrays[field] for field in fields})


def columns_of(run: Run, choice: Choice, on_missing: OnMissing) -> Iterator[Columns]:
    """Yield the chosen fields of each chosen stream of a run."""
    for stream, fields in share_fields(list(choice.streams_of(run)), choice.fields):
        request = stream.request(fields, on_missing=on_missing)
        lazy = LazyFields(request, Layout.of(request.store, request.owners))
        arrays = {field.name: lazy.array(field) for field in request.fields}
        attrs = {field.name: field.attrs for field in request.fields}
        yield Columns(stream, *lazy.index, arrays, attrs)


def blocks(array: LazyArray) -> Iterator[tuple[slice, ...]]:
    """Yield which parts of an array to read at a time, each of some MB."""
    yield from itertools.product(*map(_slices, array.chunks))


def _slices(sizes: tuple[int, ...]) -> list[slice]:
    stops = list(itertools.accumulate(sizes))
    return [slice(stop - size, stop) for stop, size in zip(stops, sizes, strict=True)]


@dataclass(frozen=True)
class Texts:
    """Values that are no numbers, as texts; and what is not to be seen in these.

    Attributes
    ----------
    values
        An array of objects, all of them `str`.
    is_json
        Whether each is the JSON of a value.
    losses
        What was lost.
    """

    values: Array
    is_json: bool
    losses: tuple[str, ...] = ()


def as_texts(name: str, values: Array) -> Texts:
    """Return values as texts: themselves, or else the JSON of each.

    Examples
    --------
    >>> as_texts("x", np.array(["a", None], object))
    Texts(values=array(['a', ''], dtype=object), is_json=False,
          losses=('which texts are missing (x)',))
    >>> as_texts("x", np.array([[1, 2], None, True], object)).values.tolist()
    ['[1, 2]', 'null', 'true']
    """
    flat: list[Any] = list(values.flat)
    if all(isinstance(value, str) or value is None for value in flat):
        plain = [plain_text(value or "") for value in flat]
        is_changed = any(map(str.__ne__, plain, (value or "" for value in flat)))
        lost = of_fields("which texts are missing", [name] if None in flat else [])
        lost += of_fields(CHARACTERS, [name] if is_changed else [])
        return Texts(cells_of(plain).reshape(values.shape), False, tuple(lost))
    texts = cells_of([as_json(value) for value in flat]).reshape(values.shape)
    return Texts(texts, True, tuple(of_fields("values of mixed kinds, but as JSON", [name])))


def plain_text(value: object) -> str:
    r"""Return text that any file can hold: without NUL, and with no half of a character.

    Examples
    --------
    >>> plain_text("a" + chr(0) + chr(0xD800))
    'a\\x00\\ud800'
    """
    text = str(value).replace("\0", r"\x00")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def as_json(value: Any) -> str:
    """Return a value as JSON, in which NaN and infinities have their names."""
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
