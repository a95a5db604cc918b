"""What of a run a person wants to see first, as hints and descriptors tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from ..errors import NoSuchField
from ..runs.stream.fields import mapping
from ..runs.stream.many import share_fields
from ..runs.stream.stream import Stream

Doc = Mapping[str, Any]
Fields = str | Iterable[str] | None

_SCALARS = ("number", "integer", "boolean")
_FIRST, _ASIDE = "primary", "baseline"
_MOST = 8
"""So many pictures of a kind, scalars and others, are made of a stream unless asked for."""


@dataclass(frozen=True)
class Choice:
    """What to draw of one stream: fields of one number an event, and of arrays.

    They are drawn against `axes`: none for the time, one, or two, of which the first moved
    slowly. What one could draw, but is too much, is `left_out`.
    """

    axes: tuple[str, ...]
    scalars: list[str]
    arrays: list[str]
    left_out: list[str]


def streams_to_show(
    streams: Mapping[str, Stream], names: str | Iterable[str] | None, fields: Fields
) -> list[tuple[Stream, list[str] | None]]:
    """Return the streams to draw, and of each the fields that were asked for.

    Where nobody asked, None stands for the fields. The baseline, a few readings
    of many devices, is shown only when asked for, by its name or that of a
    field that no other stream has.
    """
    fields = fields if fields is None or isinstance(fields, str) else list(fields)
    if names is not None:
        each_once = dict.fromkeys([names] if isinstance(names, str) else names)
        return _with_fields([streams[name] for name in each_once], fields)
    main = [stream for name, stream in streams.items() if name != _ASIDE]
    main.sort(key=lambda stream: stream.name != _FIRST)  # a monitor may have begun before it
    if fields is None:
        return [(stream, None) for stream in main]
    try:
        return _with_fields(main, fields)
    except NoSuchField:
        return _with_fields(list(streams.values()), fields)


def _with_fields(
    streams: Sequence[Stream], fields: Fields
) -> list[tuple[Stream, list[str] | None]]:
    chosen = [
        (stream, None if share is None else stream.select(share).data)
        for stream, share in share_fields(streams, fields)
    ]
    return [(stream, names) for stream, names in chosen if names is None or names]


def choose(start: Doc, stream: Stream, wanted: Sequence[str] | None = None) -> Choice:
    """Return what to draw of a stream.

    Scalars are those that the devices hint at, but for all that was moved; where they hint at
    none, all but those of the devices that were moved.
    """
    dimensions = list(_dimensions(start, stream))
    # Motors that move together are one dimension: the first of them stands for it.
    axes = tuple(names[0] for names in dimensions) if len(dimensions) < 3 else ()
    scanned = [name for names in dimensions for name in names]
    keys = {name: data_key(stream, name) for name in stream.fields}
    scalars = [name for name, key in keys.items() if _is_scalar(key)]
    arrays = [name for name, key in keys.items() if _may_be_array(key)]
    if wanted is not None:
        chosen = [name for name in keys if name in wanted]
        others = [name for name in chosen if name not in scalars]
        return Choice(axes, [name for name in scalars if name in chosen], others, [])
    hints = set(hinted(stream))
    moved = {*scanned, *_of_same_device(stream, scanned)}
    shown = [name for name in scalars if name in hints and name not in scanned]
    shown = shown or [name for name in scalars if name not in moved]
    shown = shown or [name for name in scalars if name not in axes]
    arrays.sort(key=lambda name: name not in hints)
    return Choice(axes, shown[:_MOST], arrays[:_MOST], shown[_MOST:] + arrays[_MOST:])


def data_key(stream: Stream, field: str) -> Doc:
    """Return what the first descriptor that has a field says of it."""
    holders = (doc["data_keys"] for doc in stream.descriptors)
    return next((mapping(keys[field]) for keys in holders if field in keys), {})


def _is_scalar(key: Doc) -> bool:
    return key.get("dtype") in _SCALARS and _size(key) == 1


def _may_be_array(key: Doc) -> bool:
    if _is_scalar(key):
        return False
    return bool(key.get("dtype") in ("array", *_SCALARS) or key.get("external"))


def _size(key: Doc) -> int:
    shape = key.get("shape")
    if not isinstance(shape, list | tuple) or not all(isinstance(n, int) for n in shape):
        return 1
    return prod(shape)


def _dimensions(start: Doc, stream: Stream) -> Iterator[list[str]]:
    """Yield the fields of each scanned dimension that this stream has."""
    dimensions = mapping(start.get("hints")).get("dimensions")
    fields = stream.fields
    for dimension in dimensions if isinstance(dimensions, list | tuple) else ():
        match dimension:
            case [names, stream.name]:
                names = _names([names] if isinstance(names, str) else names)
                if there := [name for name in names if name in fields]:
                    yield there


def hinted(stream: Stream) -> Iterator[str]:
    """Yield the fields that devices hint at, as often as they do."""
    for descriptor in stream.descriptors:
        for device in mapping(descriptor.get("hints")).values():
            yield from _names(mapping(device).get("fields"))


def _of_same_device(stream: Stream, fields: Sequence[str]) -> Iterator[str]:
    for descriptor in stream.descriptors:
        for names in mapping(descriptor.get("object_keys")).values():
            same_device = list(_names(names))
            if any(name in same_device for name in fields):
                yield from same_device


def _names(names: object) -> Iterator[str]:
    """Yield the texts in a list that a document should have."""
    if isinstance(names, list | tuple):
        yield from (name for name in names if isinstance(name, str))
