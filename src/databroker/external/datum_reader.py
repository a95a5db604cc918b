"""Fields whose events refer to datum documents."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import ExternalDataMissing
from .failures import Reference, failure
from .filling import UNREADABLE, Filler
from .reading import Look

if TYPE_CHECKING:
    from ..stores.contract import Store
    from .registry import Registry

__all__ = ["DatumReader", "HasStore"]

Array = np.ndarray[Any, Any]

_SEEN = 4


class HasStore(Protocol):
    """What leads to a store from any process."""

    @property
    def store(self) -> Store:
        """The store, opened by now."""
        ...


class DatumReader:
    """Reads a field of which each event has a datum.

    Parameters
    ----------
    source
        Leads to the store; pickled with the reader.
    registry
        Handlers and root map.
    run, field
        For errors.
    ids
        The datum ids of the events: anything that can be sliced.
    """

    def __init__(
        self,
        source: HasStore,
        registry: Registry,
        run: str | None,
        field: str,
        ids: Sequence[Any] | Any,
    ) -> None:
        self._source = source
        self._registry = registry
        self._run = run
        self._field = field
        self._ids = ids
        self._lock = threading.Lock()
        self._filler: Filler | None = None

    @property
    def rows(self) -> int:
        """How many events there are."""
        return len(self._ids)

    def identity(self) -> tuple[Any, ...]:
        """Return what tells this reader from any other, for dask's names."""
        root_map = sorted(self._registry.root_map.items())
        return ("datum", self._run, self._field, root_map, list(self._ids[:]))

    def look(self) -> Look | None:
        """Return what the values are like; None if none of the first few can be had."""
        for datum_id in dict.fromkeys(self._ids[: min(_SEEN, self.rows)]):
            try:
                shape, dtype = self._fill.form(self._checked(datum_id), self._field)
            except UNREADABLE:
                continue
            return Look(shape, dtype)
        return None

    def count(self) -> int:
        """Return how many events have their value in a file by now."""
        there = 0
        for datum_id in self._ids[:]:
            try:
                self._fill.form(self._checked(datum_id), self._field)
            except UNREADABLE:
                continue
            there += 1
        return there

    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put the values of some events, and of each what `inner` selects, into an array."""
        first = int(places.min())
        ids = self._ids[first : int(places.max()) + 1]
        for row, place in enumerate(places):
            datum_id = self._checked(ids[int(place) - first])
            out[row] = self._fill.part(datum_id, shape, inner, self._field)

    @property
    def _fill(self) -> Filler:
        with self._lock:
            if self._filler is None:
                self._filler = Filler(self._source.store, self._registry, self._run)
            return self._filler

    def _checked(self, datum_id: Any) -> str:
        if isinstance(datum_id, str):
            return datum_id
        raise failure(
            ExternalDataMissing,
            Reference(self._run, self._field),
            None,
            f"an event has {datum_id!r:.60} in place of a datum's id",
            "table() and data() give the values as they are.",
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None, "_filler": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
