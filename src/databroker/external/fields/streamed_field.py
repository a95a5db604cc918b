"""Fields whose values are in the files of stream resources."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...errors import FileDamaged, FramesMissing
from ...stores import arrays
from ...stores.base import Store
from ...stores.store_ref import StoreRef
from ..handlers.specs import mimetype_of
from ..locate import Guard
from ..readers.base import Declared, FrameReader, Region
from ..readers.held import HeldReader
from ..readers.mimetypes import reader_of
from ..references import DataReference, Place, explained, failure, no_document
from ..registry import Registry, lend
from .filling import UNREADABLE, Doc
from .grouping import Grouping, grouping_of_events, runs
from .reader import Array, FieldReader, Look, common, leave_out, spread
from .stream_index import Claims, FramePlaces


@dataclass(frozen=True)
class StreamSource:
    """A stream resource: what is in its files, and how they are to be read."""

    document: Doc  # as it is stored
    mimetype: str  # what is in its files
    parameters: Doc  # how they are to be read
    data_key: str  # the field; '' in old documents, which do not say

    @classmethod
    def of(cls, document: Doc) -> StreamSource:
        """Return what a stream resource says; older ones say it in other words."""
        mimetype = mimetype_of(document)
        given = document.get("parameters") or document.get("resource_kwargs") or {}
        # 'text/csv;header=absent' says how to read, too.
        said = (part.partition("=") for part in mimetype.split(";")[1:])
        parameters = {**{key: value for key, _, value in said}, **given, "mimetype": mimetype}
        if document.get("spec") and mimetype == "application/x-hdf5":
            parameters.setdefault("dataset", parameters.get("path") or "/entry/data/data")
        data_key = document.get("data_key") or given.get("data_key") or given.get("name") or ""
        return cls(document, mimetype, parameters, str(data_key))


def stream_sources(documents: Iterable[tuple[str, Doc]], field: str) -> list[StreamSource]:
    """Return the stream resources of a field, in order, among the documents of a run."""
    sources = [StreamSource.of(doc) for kind, doc in documents if kind == "stream_resource"]
    named = [source for source in sources if source.data_key == field]
    return named or [source for source in sources if not source.data_key]


@dataclass(frozen=True)
class StreamedField:
    """Where the values of a streamed field are."""

    name: str  # the field
    data_key: Doc  # what the first descriptor says of it
    sources: list[StreamSource]  # its stream resources
    holders: dict[str, int]  # the descriptors that have the field, each with its number
    claims: Claims  # which events have a value, and where it is

    def references(self, places: FramePlaces) -> pa.Array:
        """Return references to values; null where there is none."""
        uids = pa.array([str(source.document["uid"]) for source in self.sources], pa.string())
        parts = pa.array(places.part, mask=places.part < 0)
        texts: pa.Array = pc.binary_join_element_wise(
            uids.take(parts), pa.array(places.place).cast(pa.string()), "/"
        )
        return texts


class StreamReader(FieldReader):
    """Reads a streamed field by events.

    It can be pickled, and needs a store only if that has the data itself.
    """

    def __init__(
        self,
        registry: Registry,
        run: str | None,
        field: StreamedField,
        places: FramePlaces | None = None,
        seq_nums: Array | None = None,
        absent: Array | None = None,
        store: Store | None = None,
    ) -> None:
        self._registry = registry
        self._run = run
        held = any(source.mimetype == arrays.MIMETYPE for source in field.sources)
        self._holder = StoreRef(store) if store is not None and held else None
        self._field = field.name
        self._declared = Declared.by(field.data_key)
        self._sources = field.sources
        self._parts = {str(source.document["uid"]): n for n, source in enumerate(field.sources)}
        self._claims = field.claims
        self._places = FramePlaces.nowhere(0) if places is None else places
        self._seq_nums = seq_nums  # for errors
        self._absent = absent  # which events are of a descriptor without the field

    @property
    def rows(self) -> int:
        return len(self._places.part)

    @property
    def gaps(self) -> bool:  # type: ignore[override]
        """Whether some events are of a descriptor without the field."""
        return self._absent is not None

    def identity(self) -> tuple[Any, ...]:
        root_map = sorted(self._registry.roots.items())
        return ("stream", self._run, self._field, list(self._parts), root_map, *self._places)

    def uncovered(self, seq_num: int | None = None) -> Exception:
        """Return the error for an event of which nothing says where its value is."""
        event = "an event" if seq_num is None else f"event {seq_num}"
        return failure(
            FramesMissing,
            DataReference(self._run, self._field),
            None,
            f"no stream datum says where the value of {event} is",
            "If the run is going on, try again later.",
        )

    def look(self) -> Look | None:
        """Return what the values are like; None if no file can be opened."""
        looks: list[Look] = []
        for part in spread(list(dict.fromkeys(self._claims.part.tolist()))):
            with contextlib.suppress(*UNREADABLE), self._opened(part) as frames:
                look = self._grouping(part, frames).look(frames)
                looks += [] if look is None else [look]
        return common(looks)

    def count(self) -> int:
        available = 0
        for start, stop in self._places.stretches():
            part, first = self._place(start)
            if part < 0:
                continue
            with contextlib.suppress(*UNREADABLE), self._opened(part) as frames:
                each = self._grouping(part, frames).each or 1
                available += frames.count(first * each, (first + stop - start) * each) // each
        return available

    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        chosen = FramePlaces(*(column[places] for column in self._places))
        for start, stop in chosen.stretches():
            place = int(places[start])
            part, first = self._place(place)
            if part >= 0:
                with self._reading(part) as frames:
                    grouping = self._grouping(part, frames)
                    self._check(grouping.look(frames), shape, out.dtype)
                    grouping.read_into(frames, first, inner, out[start:stop])
            elif self._absent is not None and self._absent[place]:
                leave_out(out[start:stop])
            else:
                raise self.uncovered(None if self._seq_nums is None else int(self._seq_nums[place]))

    def regions(self) -> Iterator[tuple[int, Region | None]]:
        for start, stop in self._places.stretches():
            part, first = self._place(start)
            if part < 0:
                yield stop - start, None
                continue
            with self._reading(part) as frames:
                numbers = range(first, first + stop - start)
                yield len(numbers), self._grouping(part, frames).region(frames, numbers)

    def values(self, references: Sequence[str], field: str | None = None) -> list[Any]:
        """Return what references '<stream resource>/<index>' stand for."""
        places = [self._parsed(reference) for reference in references]
        values: list[Any] = []
        for part, same in groupby(places, itemgetter(0)):
            indices = [index for _, index in same]
            with self._reading(part) as frames:
                grouping = self._grouping(part, frames)
                for numbers in runs(indices):
                    values += grouping.values(frames, numbers)
        return values

    def value(self, reference: str, field: str | None = None) -> Any:
        """Return what '<stream resource>/<index>' stands for."""
        return self.values([reference])[0]

    def single(self, reference: str, field: str | None = None) -> StreamReader:
        """Return a reader of the one value that '<stream resource>/<index>' stands for."""
        part, index = self._parsed(reference)
        reader = copy(self)
        reader._places = FramePlaces(np.array([part]), np.array([index]))
        reader._seq_nums = reader._absent = None
        return reader

    def knows(self, reference: str) -> bool:
        """Tell whether a reference is to a value of one of the resources."""
        uid, _, place = reference.rpartition("/")
        return place.isdecimal() and uid in self._parts

    def files(self) -> list[str]:
        """Return the files of all events."""
        paths: dict[str, None] = {}
        stretches = [
            (int(part), int(index), int(index + stop - first))
            for first, stop, index, part, _ in zip(*self._claims, strict=True)
        ]
        # Before its first event, a resource may have a file, but no file of a sequence.
        waiting = set(self._parts.values()) - {part for part, _, _ in stretches}
        for part, first, stop in [*stretches, *((part, 0, 0) for part in sorted(waiting))]:
            with self._opened(part) as frames:
                each = self._grouping(part, frames).each or 1
                paths |= dict.fromkeys(frames.files(first * each, stop * each))
        return list(paths)

    def _end(self, part: int) -> int:
        """Return how many events a resource has by the documents."""
        claims = self._claims.some(self._claims.part == part)
        return int((claims.place + claims.stop - claims.first).max(initial=0))

    def _place(self, row: int) -> tuple[int, int]:
        """Return the resource of an event's value, and its index there."""
        return int(self._places.part[row]), int(self._places.place[row])

    def _check(self, look: Look | None, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        if look is None:
            return
        if look.shape != shape:
            differ = f"the shape {list(shape)} was expected, and one has {list(look.shape)}"
        elif not np.can_cast(look.dtype, dtype):
            differ = f"{dtype} was expected, and one has {look.dtype}"
        else:
            return
        reference = DataReference(self._run, self._field)
        raise failure(FileDamaged, reference, None, f"its files do not agree: {differ}")

    def _parsed(self, reference: str) -> tuple[int, int]:
        """Return the resource of a value, and its index there."""
        uid, _, index = reference.rpartition("/")
        if uid not in self._parts:
            raise no_document(f"stream resource {uid!r}", DataReference(self._run, self._field))
        return self._parts[uid], int(index)

    def _grouping(self, part: int, frames: FrameReader) -> Grouping:
        parameters = self._sources[part].parameters
        join = str(parameters.get("join_method") or frames.join)
        multiplier = parameters.get("multiplier")
        return grouping_of_events(self._declared, multiplier, join, frames.ndim)

    @contextlib.contextmanager
    def _reading(self, part: int) -> Iterator[FrameReader]:
        """Lend the frames of a resource; if some are missing, say how many there should be."""
        try:
            with self._opened(part) as frames:
                yield frames
        except FramesMissing as error:
            announced = f" The documents announce {self._end(part)} events in it."
            complete = FramesMissing(f"{error}{announced}")
            complete.__dict__.update(error.__dict__, problem=f"{vars(error)['problem']}{announced}")
            raise complete from error.__cause__

    @contextlib.contextmanager
    def _opened(self, part: int) -> Iterator[FrameReader]:
        source = self._sources[part]
        uid = str(source.document.get("uid"))
        reference = DataReference(self._run, self._field, uid, source.mimetype)
        if self._holder is not None and source.mimetype == arrays.MIMETYPE:
            place = str(source.document.get("uri"))
            with explained(reference, Place(place, place)):
                yield HeldReader(self._holder.store, source.document)
            return
        opener = reader_of(source.mimetype, self._registry.readers, reference)

        def make(path: str, guard: Guard) -> FrameReader:
            frames: FrameReader = opener(path, source.parameters, self._declared, guard)
            return frames

        arguments = (self._declared, source.parameters)
        document = source.document
        with lend(self._registry, document, opener, arguments, make, reference) as frames:
            yield frames
