"""Values of a field that its store has read where they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...documents.encode import decode
from ...errors import ShapesDiffer, StoreUnavailable
from ...stores.external import Buffer, ExternalValues, Head, Part, Stretch
from ...stores.store_ref import StoreRef
from .reader import Array, Look

if TYPE_CHECKING:
    from ...stores.base import Store

_MOST = 20_000
"""How many references are in one question: a request has a size."""

References = Sequence[str] | Sequence[Stretch]


@dataclass(frozen=True)
class ServedField:
    """A field whose values a store has opened and read; it can be pickled if the store can."""

    store: StoreRef[Store]
    run: str | None
    field: str | None
    descriptor: str | None = None

    def look(self, references: References, cheaply: bool = False) -> Look | None:
        """Return what values are like; None if none can be seen."""
        seen = self.store.store.see_external(self._asked(references), cheaply)
        return None if seen is None else Look(*seen)

    def count(self, references: References) -> int:
        """Return how many of some values are there."""
        return sum(map(self.store.store.count_external, self._batches(references)))

    def values(self, references: References) -> Iterator[Any]:
        """Yield each value as it is, while they come."""
        head: Head | None = None
        into: Into | None = None
        for piece in self._pieces(references):
            if isinstance(piece, Head):
                head, into = piece, Into(np.empty(piece.shape, piece.dtype))
            elif into is not None:
                into.add(piece)
            if head is not None and into is not None and into.is_full:
                yield into.array if head.is_array else into.array[()]
                head = into = None
        if into is not None:
            raise _too_few()

    def read(
        self,
        references: References,
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        out: Array,
    ) -> None:
        """Put what `inner` selects of each value into a row of an array."""
        target = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
        into = Into(target)
        part = Part(shape, out.dtype, inner)
        try:
            for piece in self._pieces(references, part):
                if not isinstance(piece, Head):
                    into.add(piece)
        except ShapesDiffer as error:
            raise ShapesDiffer(str(error), self.field) from error
        if not into.is_full:
            raise _too_few()
        if target is not out:
            out[...] = target

    def _pieces(self, references: References, part: Part | None = None) -> Iterator[Head | Buffer]:
        for values in self._batches(references):
            yield from self.store.store.read_external(values, part)

    def _batches(self, references: References) -> Iterator[ExternalValues]:
        for first in range(0, len(references), _MOST):
            yield self._asked(references[first : first + _MOST])

    def _asked(self, references: References) -> ExternalValues:
        return ExternalValues(references, self.run, self.field, self.descriptor)


class Into:
    """An array that is filled by pieces, from its beginning on.

    Examples
    --------
    >>> into = Into(np.empty((2, 2), "u1"))
    >>> into.add(b"abc")
    >>> into.is_full, into.add(b"d"), into.is_full, into.array.tolist()
    (False, None, True, [[97, 98], [99, 100]])
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self._flat = array.reshape(-1)
        if not array.dtype.hasobject:
            self._flat = self._flat.view(np.uint8) if array.size else np.empty(0, np.uint8)
        self._place = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing is missing."""
        return self._place == math.prod(self._flat.shape)

    def add(self, piece: Buffer) -> None:
        """Put a piece behind what is there."""
        if self.array.dtype.hasobject:
            for value in decode(piece):
                self._flat[self._place] = value
                self._place += 1
            return
        stop = self._place + len(piece)
        self._flat[self._place : stop] = np.frombuffer(piece, np.uint8)
        self._place = stop


def _too_few() -> StoreUnavailable:
    return StoreUnavailable("The server sent other data than it was asked for: ask again.")
