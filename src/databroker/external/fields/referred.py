"""Values of a field by what refers to them, some at a time: what is read for others."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...stores.external import Stretch
from ..references import DataReference, no_document
from .datum_field import DatumReader, Loader
from .filling import UNREADABLE
from .reader import Array, Look, common, spread
from .resource_values import Opener, StreamSource


class Referred(ABC):
    """Values of a field, each known by what refers to it."""

    @property
    @abstractmethod
    def number(self) -> int:
        """How many they are."""

    @abstractmethod
    def look(self, cheaply: bool = False) -> Look | None:
        """Return what they are like; None if none can be seen, or not without reading it."""

    @abstractmethod
    def count(self) -> int:
        """Return how many of them are there."""

    @abstractmethod
    def pages(self, size: int) -> Iterator[Referred]:
        """Yield them in order, at most so many at a time."""

    @abstractmethod
    def read(self, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array) -> None:
        """Put what `inner` selects of each, which has the shape, into a row of an array."""

    @abstractmethod
    def values(self) -> Iterable[Any]:
        """Return each as it is."""


@dataclass(frozen=True)
class ReferredDatums(Referred):
    """The data of datums."""

    loader: Loader
    ids: Sequence[str]
    field: str | None

    @property
    def number(self) -> int:
        return len(self.ids)

    def look(self, cheaply: bool = False) -> Look | None:
        if len(self.ids) != 1:
            return self._reader().look()
        with contextlib.suppress(*UNREADABLE):
            return self.loader.look(self.ids[0], self.field, cheaply)
        return None

    def count(self) -> int:
        return self._reader().count()

    def pages(self, size: int) -> Iterator[Referred]:
        for first in range(0, len(self.ids), size):
            yield replace(self, ids=self.ids[first : first + size])

    def read(self, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array) -> None:
        self.loader.read(self.ids, shape, inner, out, self.field)

    def values(self) -> Iterable[Any]:
        if len(self.ids) == 1:  # what is wrong with it is said of this one
            return [self.loader.value(self.ids[0], self.field)]
        return self.loader.values(self.ids, self.field)

    def _reader(self) -> DatumReader:
        return DatumReader(self.loader, self.field or "", self.ids)


@dataclass(frozen=True)
class ReferredStretches(Referred):
    """Stretches of the values in stream resources, which are given by their uids."""

    opener: Opener
    sources: Mapping[str, StreamSource]
    stretches: Sequence[Stretch]

    @property
    def number(self) -> int:
        return sum(stop - first for _, first, stop in self.stretches)

    def look(self, cheaply: bool = False) -> Look | None:
        looks: list[Look] = []
        for uid in spread(list(dict.fromkeys(uid for uid, _, _ in self.stretches))):
            with contextlib.suppress(*UNREADABLE), self._opened(uid) as values:
                look = values.look()
                looks += [] if look is None else [look]
        return common(looks)

    def count(self) -> int:
        found = 0
        for uid, first, stop in self.stretches:
            with contextlib.suppress(*UNREADABLE), self._opened(uid) as values:
                found += values.count(range(first, stop))
        return found

    def pages(self, size: int) -> Iterator[Referred]:
        for uid, first, stop in self.stretches:
            for start in range(first, stop, size):
                yield replace(self, stretches=[(uid, start, min(start + size, stop))])

    def read(self, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array) -> None:
        row = 0
        for uid, first, stop in self.stretches:
            with self._opened(uid) as values:
                values.read(first, shape, inner, out[row : row + stop - first])
            row += stop - first

    def values(self) -> Iterator[Any]:
        for uid, first, stop in self.stretches:
            with self._opened(uid) as values:
                found = values.values(range(first, stop))
            yield from found

    def _opened(self, uid: str) -> Any:
        if uid not in self.sources:
            reference = DataReference(self.opener.run, self.opener.field)
            raise no_document(f"stream resource {uid!r}", reference)
        return self.opener.opened(self.sources[uid])
