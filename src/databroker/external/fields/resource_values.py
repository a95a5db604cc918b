"""The values in the files of stream resources, whoever opens these: by their numbers."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FileDamaged
from ...stores import arrays
from ...stores.store_ref import StoreRef
from ..handlers.specs import mimetype_of
from ..locate import Guard
from ..readers.base import Declared, FrameReader, Region
from ..readers.held import HeldReader
from ..readers.mimetypes import reader_of
from ..references import DataReference, Place, Problem, explained
from ..registry import Registry, lend
from .filling import Doc
from .grouping import Grouping, grouping_of_events
from .reader import Array, Look
from .served import ServedField

if TYPE_CHECKING:
    from ...stores.base import Store


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

    @property
    def uid(self) -> str:
        """The uid of the document."""
        return str(self.document.get("uid"))

    @property
    def is_held(self) -> bool:
        """Whether the store that gave the document has the data, too."""
        return self.mimetype == arrays.MIMETYPE


def stream_sources(documents: Iterable[tuple[str, Doc]], field: str) -> list[StreamSource]:
    """Return the stream resources of a field, in order, among the documents of a run."""
    sources = [StreamSource.of(doc) for kind, doc in documents if kind == "stream_resource"]
    named = [source for source in sources if source.data_key == field]
    return named or [source for source in sources if not source.data_key]


class ResourceValues(ABC):
    """The values of a field in one stream resource, counted from 0."""

    @abstractmethod
    def look(self) -> Look | None:
        """Return what they are like; None if only reading one tells."""

    @abstractmethod
    def count(self, numbers: range) -> int:
        """Return how many of some values that follow each other are there."""

    @abstractmethod
    def values(self, numbers: range) -> Iterable[Any]:
        """Return values that follow each other, each an array of its own.

        They are read by now, or come as they are looped over, whatever has been closed.
        """

    @abstractmethod
    def read(
        self, first: int, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put what `inner` selects of values of a shape into the rows of an array."""

    def region(self, numbers: range) -> Region | None:
        """Return where values that follow each other are; None if that is no HDF5 file here."""
        return None


@dataclass(frozen=True)
class FileValues(ResourceValues):
    """Values that are read from files here."""

    frames: FrameReader
    grouping: Grouping

    def look(self) -> Look | None:
        return self.grouping.look(self.frames)

    def count(self, numbers: range) -> int:
        each = self.grouping.each or 1
        return self.frames.count(numbers.start * each, numbers.stop * each) // each

    def values(self, numbers: range) -> list[Any]:
        return self.grouping.values(self.frames, numbers)

    def read(
        self, first: int, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        look = self.look()
        if look is not None and look.shape != shape:
            raise _differ(f"the shape {list(shape)} was expected, and one has {list(look.shape)}")
        if look is not None and not np.can_cast(look.dtype, out.dtype):
            raise _differ(f"{out.dtype} was expected, and one has {look.dtype}")
        self.grouping.read_into(self.frames, first, inner, out)

    def region(self, numbers: range) -> Region | None:
        return self.grouping.region(self.frames, numbers)

    def files(self, numbers: range) -> list[str]:
        """Return the files that hold values, or will."""
        each = self.grouping.each or 1
        return self.frames.files(numbers.start * each, numbers.stop * each)


@dataclass(frozen=True)
class ServedValues(ResourceValues):
    """Values that the store has read elsewhere."""

    served: ServedField
    uid: str  # of the stream resource

    def look(self) -> Look | None:
        return self.served.look([(self.uid, 0, 1)])

    def count(self, numbers: range) -> int:
        return self.served.count([(self.uid, numbers.start, numbers.stop)])

    def values(self, numbers: range) -> Iterator[Any]:
        return self.served.values([(self.uid, numbers.start, numbers.stop)])

    def read(
        self, first: int, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        self.served.read([(self.uid, first, first + len(out))], shape, inner, out)


@dataclass(frozen=True)
class Opener:
    """Opens the stream resources of a field.

    Attributes
    ----------
    registry
        What opens files here.
    run, field
        The uid of the run and the name of the field, for errors; and the store is asked by them.
    data_key
        What a descriptor says of the field.
    descriptor
        The uid of this one.
    store
        What has the data, or has them opened; None if that is nobody.
    """

    registry: Registry
    run: str | None
    field: str
    data_key: Doc
    descriptor: str | None = None
    store: StoreRef[Store] | None = None

    @contextlib.contextmanager
    def opened(self, source: StreamSource) -> Iterator[ResourceValues]:
        """Lend the values in a stream resource."""
        if self.store is not None and self.is_served(source):
            served = ServedField(self.store, self.run, self.field, self.descriptor)
            yield ServedValues(served, source.uid)
        else:
            with self.opened_here(source) as values:
                yield values

    def is_served(self, source: StreamSource) -> bool:
        """Tell whether the store has a stream resource read, and it is not read here."""
        store = None if self.store is None else self.store.store
        return (
            store is not None
            and store.capabilities.external
            and not self.registry.reaches(source.document)
        )

    @contextlib.contextmanager
    def opened_here(self, source: StreamSource) -> Iterator[FileValues]:
        """Lend the values in a stream resource, which is opened by this process."""
        declared = Declared.by(self.data_key)
        with self._frames(source, declared) as frames:
            join = str(source.parameters.get("join_method") or frames.join)
            multiplier = source.parameters.get("multiplier")
            yield FileValues(frames, grouping_of_events(declared, multiplier, join, frames.ndim))

    @contextlib.contextmanager
    def _frames(self, source: StreamSource, declared: Declared) -> Iterator[FrameReader]:
        reference = DataReference(self.run, self.field, source.uid, source.mimetype)
        if self.store is not None and source.is_held:
            place = str(source.document.get("uri"))
            with explained(reference, Place(place, place)):
                yield HeldReader(self.store.store, source.document)
            return
        opener = reader_of(source.mimetype, self.registry.readers, reference)

        def make(path: str, guard: Guard) -> FrameReader:
            frames: FrameReader = opener(path, source.parameters, declared, guard)
            return frames

        arguments = (declared, source.parameters)
        with lend(self.registry, source.document, opener, arguments, make, reference) as frames:
            yield frames


def _differ(how: str) -> Problem:
    return Problem(FileDamaged, f"its files do not agree: {how}")
