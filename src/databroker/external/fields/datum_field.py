"""Fields whose events refer to datum documents."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...columns.to_numpy import cast_lossless
from ...documents.transform import Transform, unchanged
from ..handlers.adapter import as_array
from ..references import DataReference
from .filling import UNREADABLE
from .loading import Loader, form_check
from .reader import FieldReader, Look, common, leave_out, spread

if TYPE_CHECKING:
    from ...stores.base import Store
    from ..registry import Registry

__all__ = ["DatumReader", "HasStore"]

Array = np.ndarray[Any, Any]

_LARGE = 2**18  # bytes of a value
_PAGE = 2**16  # ids that are looked through at a time


class HasStore(Protocol):
    """What leads to a store from any process."""

    @property
    def store(self) -> Store:
        """The store, opened by now."""
        ...


class DatumReader(FieldReader):
    """Reads a field of which each event has a datum."""

    def __init__(
        self,
        source: HasStore,
        registry: Registry,
        run: str | None,
        field: str,
        ids: Sequence[Any] | Any,
        transform: Transform = unchanged,
    ) -> None:
        self._source = source
        self._registry = registry
        self._run = run
        self._field = field
        self._ids = ids
        self._transform = transform
        self._known: tuple[list[Any], bool] | None = None
        self._lock = threading.Lock()
        self._loader: Loader | None = None

    @property
    def rows(self) -> int:
        return len(self._ids)

    @property
    def gaps(self) -> bool:  # type: ignore[override]
        """Whether some events have no datum."""
        return self._look_through()[1]

    def identity(self) -> tuple[Any, ...]:
        root_map = sorted(self._registry.root_map.items())
        return ("datum", self._run, self._field, root_map, self._ids)

    def look(self) -> Look | None:
        """Return what the values are like; None if none of the first few can be had."""
        looks: list[Look] = []
        rows = self._look_through()[0]
        # A list says little of a type: it is what the others are, if that holds it.
        rows = [row for row in rows if not isinstance(row, list)] or rows
        for place, row in enumerate(rows, 1):
            # Where a handler must read large values to say what they are like, two have to do.
            large = bool(looks) and looks[0].bytes > _LARGE
            look = self._seen(row, cheaply=large and place < len(rows))
            looks += [] if look is None else [look]
        return common(looks)

    def _seen(self, row: Any, cheaply: bool) -> Look | None:
        """Return what one value is like; None if it cannot be had, or not without reading it."""
        if not isinstance(row, str):
            value = as_array(row)
            return Look(value.shape, value.dtype)
        with contextlib.suppress(*UNREADABLE):
            return self._load.look(row, self._field, cheaply)
        return None

    def count(self) -> int:
        return sum(map(self._is_there, self._ids[:]))

    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        first = int(places.min())
        ids = self._ids[first : int(places.max()) + 1]
        start = 0
        for kind, same_kind in groupby((ids[place] for place in places - first), _kind):
            rows = list(same_kind)
            part = out[start : start + len(rows)]
            start += len(rows)
            if kind is str:
                self._load.read(rows, shape, inner, part, self._field)
            elif kind is None:
                leave_out(part)
            else:
                self._copy(rows, shape, inner, part)

    def _copy(
        self, values: list[Any], shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put values that the events have themselves into an array."""
        check = form_check(shape, out.dtype, DataReference(self._run, self._field))
        for row, value in enumerate(map(as_array, values)):
            fitting = cast_lossless(value, out.dtype)
            cast = value if fitting is None else fitting
            check(cast.shape, cast.dtype)
            out[row] = cast[inner]

    def _is_there(self, row: Any) -> bool:
        if not isinstance(row, str):
            return row is not None
        try:
            self._load.look(row, self._field)
        except UNREADABLE:
            return False
        return True

    def _look_through(self) -> tuple[list[Any], bool]:
        """Return some rows that have something, and whether any has nothing."""
        if self._known is None:
            some: list[Any] = []
            gaps = False
            for first in range(0, self.rows, _PAGE):
                page = self._ids[first : first + _PAGE]
                held = [row for row in page if row is not None]
                some += spread(held)
                gaps = gaps or len(held) < len(page)
            self._known = spread(some), gaps
        return self._known

    @property
    def _load(self) -> Loader:
        with self._lock:
            if self._loader is None:
                self._loader = Loader(
                    self._source.store, self._registry, self._run, self._transform
                )
            return self._loader

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None, "_loader": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def _kind(row: Any) -> type[Any] | None:
    """Return str for the id of a datum, None for nothing, object for a value."""
    return None if row is None else str if isinstance(row, str) else object
