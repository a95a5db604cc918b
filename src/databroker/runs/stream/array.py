"""One field of a stream as an array that reads only what is asked of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from ...columns import Selection
from ...columns.cells import as_cells
from ...columns.to_numpy import ArraySpec
from ...errors import DatabrokerError
from ...extras import require
from .layout import Layout, Window
from .rows import Chunk, EventSource
from .schema import FieldSchema, Variable
from .shared import SharedFields, formed
from .store_ref import StoreRef

if TYPE_CHECKING:
    import dask.array as da

Array = np.ndarray[Any, Any]


class LazyArray:
    """An array along the events of a stream, read when it is sliced.

    It has the rows that the stream had when it was made. What it can be asked
    is what NumPy arrays and dask ask of each other: `shape`, `dtype`,
    slicing, ``np.asarray``.

    Parameters
    ----------
    locator
        Where the events are.
    layout
        Which rows are stored where.
    name
        What the values are called.
    known
        The form of the values, as far as one has looked.
    """

    def __init__(
        self, store_ref: StoreRef[EventSource], layout: Layout, name: str, known: FieldSchema
    ) -> None:
        self.name = name
        self._store_ref = store_ref
        self._layout = layout
        self._known = known
        self._pages = layout.pages(known.row_bytes)
        self._starts = np.array([page.first for page in self._pages], np.intp)
        self._keep = False
        self._in_dask = False
        self._kept: tuple[int, Array] | None = None
        self._lock = threading.Lock()

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements; object where the values are no arrays of one shape."""
        return self._known.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of events, then the shape of one value."""
        return (self._layout.rows, *self._known.form.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        """How many bytes all of it would take."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self._layout.rows

    def __iter__(self) -> Iterator[Any]:
        for page in self._pages:
            yield from self._load(page)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def _repr_html_(self) -> str:
        from ...display import array_html

        return array_html(self.name, self.shape, self.dtype, self.nbytes)

    def __getitem__(self, index: Any) -> Any:
        found = self._chosen(index)
        return as_cells(found) if self._in_dask and isinstance(found, np.ndarray) else found

    def _chosen(self, index: Any) -> Any:
        rows, rest = _split(index, self.ndim)
        if isinstance(rows, int | np.integer):
            place = int(rows) + (len(self) if rows < 0 else 0)
            if not 0 <= place < len(self):
                raise IndexError(f"Event {rows} of {len(self)}: there is no such row.")
            values = self._take(np.array([place]), rest)
            # dask is not to see the value itself, which may be a list
            return as_cells(values)[(0,)] if self._in_dask else values[0]
        if isinstance(rows, slice):
            return self._take(np.arange(*rows.indices(len(self))), rest)
        wanted = np.asarray(rows) if len(rows) else np.empty(0, np.intp)
        values = self._take(np.arange(len(self))[wanted], ())
        if any(not isinstance(each, int | slice) for each in rest):
            return values[(np.arange(len(values)), *rest)]
        return values[(slice(None), *rest)]

    def to_dask(self, chunks: Sequence[int] | None = None) -> da.Array:
        """Return this as a dask array, which holds where the data are, not the data.

        Parameters
        ----------
        chunks
            How many events each chunk has; by default as they are stored
            together, at most some 16 MB.
        """
        dask_array = require("dask.array", "arrays")
        tokenize = require("dask.base", "arrays").tokenize
        sizes = tuple(chunks or self._layout.chunks(self._known.row_bytes))
        name = f"databroker-{tokenize(type(self).__name__, self._identity(), sizes)}"
        array: da.Array = dask_array.from_array(
            self._anew(),
            chunks=(sizes, *self._known.form.shape),
            name=name,
            lock=False,
            asarray=False,
            meta=np.empty((0,) * self.ndim, self.dtype),
        )
        return array

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        # Without it, dask would look at all that the array holds, or name it anew each time.
        return (type(self).__name__, *self._identity())

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def _anew(self) -> LazyArray:
        """Return a copy for dask, which keeps nothing that it has read."""
        other = object.__new__(type(self))
        other.__setstate__({**self.__getstate__(), "_keep": False, "_in_dask": True})
        return other

    def _identity(self) -> tuple[Any, ...]:
        """Return what tells this array from any other, for dask's names."""
        layout = [
            [(each.owner, each.extent.rows, each.extent.token) for each in cluster]
            for cluster in self._layout.clusters
        ]
        return (self.name, str(self.dtype), self.shape, layout)

    def _take(self, places: Array, rest: tuple[Any, ...]) -> Array:
        """Return some rows, and of each what `rest` selects, page by page."""
        pages = np.searchsorted(self._starts, places, "right") - 1
        inner = (slice(None), *rest)
        out: Array | None = None
        for number in np.unique(pages):
            mine = pages == number
            values = self._some(int(number), places[mine])[inner]
            if out is None:
                out = np.empty((len(places), *values.shape[1:]), self.dtype)
            out[mine] = values
        return np.empty((0, *self.shape[1:]), self.dtype)[inner] if out is None else out

    def _some(self, number: int, places: Array) -> Array:
        page = self._pages[number]
        first, stop = int(places.min()), int(places.max()) + 1
        if self._keep and stop - first < page.stop - page.first:
            whole = self._whole(number)
            return np.asarray(whole[places - page.first])
        return np.asarray(self._load(Window(page.cluster, first, stop))[places - first])

    def _whole(self, number: int) -> Array:
        """Return a page, the last of which is kept: a loop over rows reads it once."""
        with self._lock:
            kept = self._kept
        if kept is None or kept[0] != number:
            kept = (number, self._load(self._pages[number]))
            with self._lock:
                self._kept = kept
        return kept[1]

    def _load(self, window: Window) -> Array:
        """Return the values of the rows of a window."""
        raise NotImplementedError


class Field(LazyArray):
    """One field of a stream, such as ``header.streams['primary']['img']``.

    Slicing reads the stored blocks that hold the rows, and nothing of other
    fields. The block read last is kept, so that a loop over single events
    reads each block once.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "a", "time": 0.0})
    >>> key = {"dtype": "array", "shape": [3], "source": "demo"}
    >>> db.insert("descriptor", {"uid": "d", "run_start": "a", "time": 0.0,
    ...                          "name": "primary", "data_keys": {"wave": key}})
    >>> for i in range(4):
    ...     db.insert("event", {"uid": f"e{i}", "descriptor": "d", "seq_num": i + 1,
    ...                         "time": float(i), "data": {"wave": [i, i + 1, i + 2]},
    ...                         "timestamps": {"wave": float(i)}})
    >>> wave = db[-1].streams["primary"]["wave"]
    >>> wave
    <Field 'wave' shape=(4, 3) dtype=int64>
    >>> wave[1:3].tolist(), wave[-1, 0]
    ([[1, 2, 3], [2, 3, 4]], np.int64(3))
    """

    def __init__(
        self,
        store_ref: StoreRef[EventSource],
        layout: Layout,
        variable: Variable,
        known: FieldSchema,
        keep: bool = False,
        shared: SharedFields | None = None,
    ) -> None:
        super().__init__(store_ref, layout, variable.name, known)
        self._variable = variable
        self._keep = keep
        self._shared = shared

    @property
    def data_key(self) -> Mapping[str, Any]:
        """What the descriptor says of this field: dtype, shape, units, ..."""
        return self._variable.key

    def _identity(self) -> tuple[Any, ...]:
        return (self._variable.column, *super()._identity())

    def _load(self, window: Window) -> Array:
        store, name = self._store_ref.store, self._variable.name
        if self._shared is None:
            chunk = self._layout.read(store, window, self._variable.columns)
            values = formed(chunk, [self._variable], {name: self._known})[name]
        else:
            values = self._shared.read(store, window)[name]
        if values is None:
            raise DatabrokerError(
                f"The field {self.name!r} changes: events {window.first} to {window.stop - 1} do "
                f"not fit {self.dtype} of shape {self._known.form.shape}, as others have it. "
                "read(), table() and data() give its values as they are."
            )
        return values


class PerDescriptor(LazyArray):
    """A value that each descriptor has once, given for each of its events.

    Parameters
    ----------
    values
        The value of each descriptor.
    codes
        Which of the values a descriptor has, by its uid.
    """

    def __init__(
        self,
        store_ref: StoreRef[EventSource],
        layout: Layout,
        name: str,
        values: Array,
        codes: dict[str, int],
    ) -> None:
        known = FieldSchema(
            ArraySpec(values.dtype, values.shape[1:]), values.dtype, values[:1].nbytes
        )
        super().__init__(store_ref, layout, name, known)
        self._values = values
        self._codes = codes

    def _identity(self) -> tuple[Any, ...]:
        return (self._codes, repr(self._values), *super()._identity())

    def _load(self, window: Window) -> Array:
        owners = self._layout.owners
        if len(owners) == 1:
            place = self._codes[owners[0]]
            return np.repeat(self._values[place : place + 1], window.stop - window.first, axis=0)
        chunk = self._layout.read(self._store_ref.store, window, Selection())
        return np.asarray(self._values[codes_of(chunk, self._codes)])


def codes_of(chunk: Chunk, codes: Mapping[str, int]) -> Array:
    """Return the code of each row's descriptor."""
    sizes = [batch.num_rows for batch in chunk.batches]
    found: Array = np.repeat([codes[owner] for owner in chunk.owners], sizes)
    return found if chunk.order is None else found[chunk.order]


def _split(index: Any, ndim: int) -> tuple[Any, tuple[Any, ...]]:
    """Return the index of the rows, and that of what is in them."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is None for part in parts):
        raise IndexError("New axes are for NumPy: take the rows first, then np.newaxis.")
    dots = [place for place, part in enumerate(parts) if isinstance(part, EllipsisType)]
    if dots:
        fill = [slice(None)] * (ndim - len(parts) + 1)
        parts[dots[0] : dots[0] + 1] = fill
    if len(parts) > ndim or len(dots) > 1:
        raise IndexError(f"Too many indices: the array has {ndim} dimensions.")
    return (parts[0], tuple(parts[1:])) if parts else (slice(None), ())
