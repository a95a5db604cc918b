"""Fields whose values are in the files of stream resources."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...errors import FramesMissing
from ...stores.base import Store
from ...stores.store_ref import StoreRef
from ..readers.base import Region
from ..references import DataReference, failure, no_document
from ..registry import Registry
from .filling import UNREADABLE, Doc
from .grouping import runs
from .reader import Array, FieldReader, Look, common, leave_out, spread
from .resource_values import Opener, ResourceValues, StreamSource
from .stream_index import Claims, FramePlaces


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

    It can be pickled, and needs a store only if that has the data, or has them opened.
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
        self._run = run
        self._field = field.name
        needed = store is not None and (
            store.capabilities.external or any(source.is_held for source in field.sources)
        )
        holder = StoreRef(store) if store is not None and needed else None
        declaring = next(iter(field.holders), None)
        self._opener = Opener(registry, run, field.name, field.data_key, declaring, holder)
        self._sources = field.sources
        self._parts = {source.uid: number for number, source in enumerate(field.sources)}
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

    @property
    def far(self) -> bool:  # type: ignore[override]
        """Whether values are read elsewhere."""
        return any(map(self._opener.is_served, self._sources[:1]))

    def identity(self) -> tuple[Any, ...]:
        root_map = sorted(self._opener.registry.roots.items())
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
            with contextlib.suppress(*UNREADABLE), self._opened(part) as values:
                look = values.look()
                looks += [] if look is None else [look]
        return common(looks)

    def count(self) -> int:
        available = 0
        for start, stop in self._places.stretches():
            part, first = self._place(start)
            if part < 0:
                continue
            with contextlib.suppress(*UNREADABLE), self._opened(part) as values:
                available += values.count(range(first, first + stop - start))
        return available

    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        chosen = FramePlaces(*(column[places] for column in self._places))
        for start, stop in chosen.stretches():
            place = int(places[start])
            part, first = self._place(place)
            if part >= 0:
                with self._reading(part) as values:
                    values.read(first, shape, inner, out[start:stop])
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
            with self._reading(part) as values:
                numbers = range(first, first + stop - start)
                yield len(numbers), values.region(numbers)

    def values(self, references: Sequence[str], field: str | None = None) -> Iterator[Any]:
        """Yield what references '<stream resource>/<index>' stand for."""
        places = [self._parsed(reference) for reference in references]
        for part, same in groupby(places, itemgetter(0)):
            for numbers in runs([index for _, index in same]):
                with self._reading(part) as values:
                    found = values.values(numbers)
                with self._announced(part):
                    yield from found

    def value(self, reference: str, field: str | None = None) -> Any:
        """Return what '<stream resource>/<index>' stands for."""
        return next(self.values([reference]))

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

    def is_served(self, reference: str, field: str | None = None) -> bool:
        """Tell whether a value is read elsewhere, and comes while it is asked for."""
        return self._opener.is_served(self._sources[self._parsed(reference)[0]])

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
            with self._opener.opened_here(self._sources[part]) as values:
                paths |= dict.fromkeys(values.files(range(first, stop)))
        return list(paths)

    def _end(self, part: int) -> int:
        """Return how many events a resource has by the documents."""
        claims = self._claims.some(self._claims.part == part)
        return int((claims.place + claims.stop - claims.first).max(initial=0))

    def _place(self, row: int) -> tuple[int, int]:
        """Return the resource of an event's value, and its index there."""
        return int(self._places.part[row]), int(self._places.place[row])

    def _parsed(self, reference: str) -> tuple[int, int]:
        """Return the resource of a value, and its index there."""
        uid, _, index = reference.rpartition("/")
        if uid not in self._parts:
            raise no_document(f"stream resource {uid!r}", DataReference(self._run, self._field))
        return self._parts[uid], int(index)

    @contextlib.contextmanager
    def _reading(self, part: int) -> Iterator[ResourceValues]:
        """Lend the values of a resource; if some are missing, say how many there should be."""
        with self._announced(part), self._opened(part) as values:
            yield values

    @contextlib.contextmanager
    def _announced(self, part: int) -> Iterator[None]:
        try:
            yield
        except FramesMissing as error:
            announced = f" The documents announce {self._end(part)} events in it."
            complete = FramesMissing(f"{error}{announced}")
            complete.__dict__.update(
                error.__dict__, problem=f"{vars(error).get('problem', error)}{announced}"
            )
            raise complete from error.__cause__

    def _opened(self, part: int) -> AbstractContextManager[ResourceValues]:
        return self._opener.opened(self._sources[part])
