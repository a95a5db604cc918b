"""Fields of a stream that its events, or their descriptors, hold: read page by page."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from ...columns import Selection
from ...columns.to_numpy import cast_lossless, dense, fits, value_kinds
from ...errors import DatabrokerError
from ...external.fields.reader import PAGE_BYTES, FieldReader, Look
from ...stores.store_ref import StoreRef
from .layout import Array, Chunk, EventSource, Layout, Window
from .schema import NARROW, FieldSchema, Variable, columns_of


class SharedFields:
    """The values of several fields, which together are not large, in the windows that were read.

    The fields of a lazy dataset are computed one by one, though they are stored together.
    Without this, each of them would unpack the rows of all.
    """

    def __init__(
        self, layout: Layout, variables: Sequence[Variable], known: Mapping[str, FieldSchema]
    ) -> None:
        self._layout = layout
        self._variables = variables
        self._known = known
        self._kept: dict[Window, dict[str, Array | None]] = {}
        self._lock = threading.Lock()

    @classmethod
    def among(
        cls, layout: Layout, variables: Sequence[Variable], known: Mapping[str, FieldSchema]
    ) -> dict[Variable, SharedFields]:
        """Return what reads those of some fields that are narrow, unless they are too large."""
        narrow = [each for each in variables if known[each.name].row_bytes <= NARROW]
        size = layout.rows * sum(known[each.name].row_bytes for each in narrow)
        if len(narrow) < 2 or size > PAGE_BYTES:
            return {}
        return dict.fromkeys(narrow, cls(layout, narrow, known))

    def read(self, store: EventSource, window: Window) -> dict[str, Array | None]:
        """Return the values of each field in a window; None if they are not as was known."""
        with self._lock:
            if window not in self._kept:
                chunk = self._layout.read(store, window, columns_of(self._variables))
                self._kept[window] = formed(chunk, self._variables, self._known)
            return self._kept[window]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": {}, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def formed(
    chunk: Chunk, variables: Sequence[Variable], known: Mapping[str, FieldSchema]
) -> dict[str, Array | None]:
    """Return fields of a chunk as promised; None for one whose values do not allow that."""
    kinds = value_kinds(chunk.batches, [variable.column for variable in variables])
    forms = {variable.column: known[variable.name].form for variable in variables}
    fitting = {column: form for column, form in forms.items() if fits(kinds[column], form)}
    arrays = dense(chunk.batches, fitting)
    values: dict[str, Array | None] = {}
    for variable in variables:
        array = arrays.get(variable.column)
        if array is not None:
            ordered = array if chunk.order is None else array[chunk.order]
            array = cast_lossless(ordered, known[variable.name].dtype)
        values[variable.name] = array
    return values


class PageReader(FieldReader):
    """Reads stored rows page by page, as they are stored together.

    With `keep`, the page that was read last is kept: a loop over single events reads each once.
    """

    def __init__(
        self,
        store_ref: StoreRef[EventSource],
        layout: Layout,
        look: Look,
        row_bytes: float,
        keep: bool = True,
    ) -> None:
        self._store_ref = store_ref
        self._layout = layout
        self._looked = look
        self._row_bytes = row_bytes
        self._pages = layout.pages(row_bytes)
        self._starts = np.array([page.first for page in self._pages], np.intp)
        self._keep = keep
        self._kept: tuple[int, Array] | None = None

    @property
    def rows(self) -> int:
        return self._layout.rows

    def look(self) -> Look:
        return self._looked

    def pages(self, look: Look) -> Iterable[tuple[int, int]]:
        return ((page.first, page.stop) for page in self._pages)

    def row_chunks(self, row_bytes: int, together: int) -> tuple[int, ...]:
        return self._layout.chunks(self._row_bytes)

    def identity(self) -> Any:
        return [
            [(each.owner, each.extent.rows, each.extent.token) for each in cluster]
            for cluster in self._layout.clusters
        ]

    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        pages = np.searchsorted(self._starts, places, "right") - 1
        for number in np.unique(pages):
            rows = pages == number
            out[rows] = self._some(int(number), places[rows])[(slice(None), *inner)]

    def unbuffered(self) -> FieldReader:
        other = copy(self)
        other._keep = False
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}

    def _some(self, number: int, places: Array) -> Array:
        page = self._pages[number]
        first, stop = int(places.min()), int(places.max()) + 1
        if self._keep and stop - first < page.stop - page.first:
            return np.asarray(self._whole(number)[places - page.first])
        return np.asarray(self._load(Window(page.cluster, first, stop))[places - first])

    def _whole(self, number: int) -> Array:
        kept = self._kept  # by now another thread may read another page
        if kept is None or kept[0] != number:
            kept = self._kept = number, self._load(self._pages[number])
        return kept[1]

    def _load(self, window: Window) -> Array:
        """Return the values of the rows of a window."""
        raise NotImplementedError


class EventReader(PageReader):
    """Reads a field that the events themselves hold."""

    def __init__(
        self,
        store_ref: StoreRef[EventSource],
        layout: Layout,
        variable: Variable,
        known: FieldSchema,
        shared: SharedFields | None = None,
    ) -> None:
        look = Look(known.form.shape, known.dtype, kept=True)
        super().__init__(store_ref, layout, look, known.row_bytes)
        self._variable = variable
        self._known = known
        self._shared = shared

    def identity(self) -> Any:
        return (self._variable.column, super().identity())

    def _load(self, window: Window) -> Array:
        store, name = self._store_ref.store, self._variable.name
        if self._shared is None:
            chunk = self._layout.read(store, window, columns_of([self._variable]))
            values = formed(chunk, [self._variable], {name: self._known})[name]
        else:
            values = self._shared.read(store, window)[name]
        if values is None:
            raise DatabrokerError(
                f"The field {name!r} changes: events {window.first} to {window.stop - 1} do not "
                f"fit {self._known.dtype} of shape {self._known.form.shape}, as others have it. "
                "read(), table() and data() give its values as they are."
            )
        return values


class ConstantReader(PageReader):
    """Reads a value that each descriptor has once, for each of its events."""

    def __init__(self, store_ref: StoreRef[EventSource], layout: Layout, values: Array) -> None:
        look = Look(values.shape[1:], values.dtype, kept=True)
        super().__init__(store_ref, layout, look, values[:1].nbytes, keep=False)
        self._values = values
        self._codes = {owner: number for number, owner in enumerate(layout.owners)}

    def identity(self) -> Any:
        return (self._codes, repr(self._values), super().identity())

    def _load(self, window: Window) -> Array:
        if len(self._codes) == 1:
            return np.repeat(self._values[:1], window.stop - window.first, axis=0)
        chunk = self._layout.read(self._store_ref.store, window, Selection())
        return np.asarray(self._values[chunk.codes(self._codes)])
