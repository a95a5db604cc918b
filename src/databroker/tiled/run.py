"""A run as a container of its streams, and a stream as one of a table and arrays."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any

from tiled.structures.core import Spec

from ..external.fields.filling import external_fields
from ..external.fields.lazy_array import LazyArray
from ..runs.run import Run
from ..runs.stream.stream import Stream
from .array import ArrayEntry
from .cache import Cache
from .columns import Columns
from .container import NamedEntries
from .metadata import of_stream, presentable
from .names import INTERNAL, SPEC, entry_names
from .table import TableEntry


class RunEntry(NamedEntries):
    """A run, whose entries are its streams.

    Parameters
    ----------
    run
        The run.
    cache
        Streams that were looked at.
    """

    specs = (Spec(SPEC, version="1"), Spec("BlueskyRun", version="3.0"))

    def __init__(self, run: Run, cache: Cache) -> None:
        self.run = run
        self._cache = cache

    def metadata(self) -> dict[str, Any]:
        stop = self.run.stored_stop()
        found: dict[str, Any] = presentable({"start": self.run.start, "stop": stop or None})
        return found

    def names(self) -> list[str]:
        return self.run.stream_names

    def count(self, most: int | None = None) -> int:
        # The stop document says it already; who wants to know it exactly gets it exactly.
        counts = None if most is None else self.run.stored_stop().get("num_events")
        return len(counts) if isinstance(counts, dict) else super().count(most)

    def child(self, name: str) -> StreamEntry:
        streams = self.run.streams
        if name not in streams:
            raise KeyError(name)
        stream = streams[name]
        if not self.run.stored_stop():  # it grows
            return StreamEntry(stream)
        rows = tuple(extent.rows for extent in stream.extents())
        found: StreamEntry = self._cache.get(
            (self.run.uid, name, rows), lambda: StreamEntry(stream)
        )
        return found

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        # Tiled marks exports by it: of a run that goes on, each is another one.
        counts = tuple(stream.num_events for stream in self.run.streams.values())
        return self.run.uid, counts, self.run.stored_stop().get("uid") or uuid.uuid4().hex


class StreamEntry(NamedEntries):
    """A stream: a table of what events hold, and an array for each field that is elsewhere.

    Parameters
    ----------
    stream
        The stream.
    """

    specs = (Spec("BlueskyEventStream", version="3.0"), Spec("composite"))

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._names = entry_names(stream.fields)

    def metadata(self) -> dict[str, Any]:
        return of_stream(self._stream.descriptors)

    def names(self) -> list[str]:
        return [INTERNAL, *self._arrays]

    def child(self, name: str) -> Any:
        if name == INTERNAL:
            return TableEntry(self._columns)
        array, field = self._arrays[name]
        return ArrayEntry(array, presentable(self._data_key(field)))

    @cached_property
    def _columns(self) -> Columns:
        external = external_fields(self._stream.descriptors)
        held = {name: self._names[name] for name in self._stream.fields if name not in external}
        return Columns(self._stream, held)

    @cached_property
    def _arrays(self) -> dict[str, tuple[LazyArray, str]]:
        """The fields that are arrays, each with its name in the stream."""
        external = external_fields(self._stream.descriptors)
        wanted = [name for name in self._stream.fields if name in external]
        arrays = {
            self._names[field]: (self._stream[field], field)
            for field in [*wanted, *self._columns.wide]
        }
        return {name: pair for name, pair in arrays.items() if pair[0].dtype.kind != "O"}

    def _data_key(self, field: str) -> dict[str, Any]:
        keys = (doc["data_keys"].get(field) for doc in self._stream.descriptors)
        return dict(next(filter(None, keys), {}))

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        owners = tuple(doc["uid"] for doc in self._stream.descriptors)
        return owners, self._stream.num_events
