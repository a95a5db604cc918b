"""A field of a stream as an array that reads only what is asked of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from copy import copy
from types import EllipsisType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._util.user_warnings import warn_user
from ...columns.cells import as_cells
from ...errors import NoHandler
from ...extras import require
from ..readers.base import Declared, Region
from .filling import UNREADABLE, Doc, OnMissing, check_on_missing
from .reader import LARGEST, Array, FieldReader, Look, apart, cut, grown, leave_out, with_nan

if TYPE_CHECKING:
    import dask.array as da


class LazyArray:
    """A field of a stream as an array along its events, which is read when it is sliced.

    Obtained as ``stream['img']``. It can be asked what NumPy arrays and dask ask of each other:
    `shape`, `dtype`, `chunks`, slicing, ``np.asarray``. It holds no data and no open file, and
    can be pickled. It has the events that the stream had when it was made. Making it opens no
    file; the shape of external data is that of the first value that can be read, or as declared
    if there is none. Events that have no value are NaN, which makes integers floats.

    Parameters
    ----------
    name
        Of the field.
    reader
        Reads it by events.
    data_key
        What the descriptor says of it.
    on_missing
        'raise' where a value cannot be had; 'mask' or 'skip' it as NaN, which makes integers
        floats (in a loop with `values`, 'skip' leaves it out).
    warn
        Whether to say, once, that the data have another shape or type than declared.

    Examples
    --------
    >>> import numpy
    >>> from databroker.external.fields.reader import FieldReader
    >>> class Squares(FieldReader):
    ...     rows = 4
    ...     def look(self): return Look((2,), numpy.dtype(int))
    ...     def read(self, places, shape, inner, out):
    ...         out[...] = numpy.stack([places, places**2], axis=1)[(slice(None), *inner)]
    >>> array = LazyArray("squares", Squares(), {"shape": [2]})
    >>> array
    <LazyArray 'squares' shape=(4, 2) dtype=int64>
    >>> array[-1].tolist(), array[1:3, 1].tolist(), numpy.asarray(array).sum()
    ([3, 9], [1, 4], np.int64(20))
    """

    def __init__(
        self,
        name: str,
        reader: FieldReader,
        data_key: Doc | None = None,
        on_missing: OnMissing = "raise",
        warn: bool = True,
    ) -> None:
        check_on_missing(on_missing)
        self.name = name
        self._reader = reader
        self._data_key = dict(data_key or {})
        self._on_missing = on_missing
        self._warn = warn
        self._looked: Look | None = None
        self._in_dask = False
        self._told: set[str] = set()

    # -- what it is ------------------------------------------------------

    @property
    def data_key(self) -> Doc:
        """What the descriptor says of the field: dtype, shape, units, ..."""
        return self._data_key

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of events, then the shape of one value."""
        return (self._reader.rows, *self._look.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        dtype = self._look.dtype
        complete = self._on_missing == "raise" and not self._reader.gaps
        return dtype if complete else with_nan(dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes all of it would take."""
        return self.size * self.dtype.itemsize

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """The sizes of chunks along each axis, as dask has them: of whole stored blocks."""
        look = self._look
        inner = look.shape
        if self.dtype.itemsize * math.prod(look.shape) > LARGEST and look.inner is not None:
            inner = grown(look.inner, look.shape, self.dtype.itemsize)
        row_bytes = self.dtype.itemsize * math.prod(inner)
        rows = self._reader.row_chunks(row_bytes, look.rows)
        return rows, *(cut(n, m) for n, m in zip(look.shape, inner, strict=True))

    @property
    def available(self) -> int:
        """How many events have their value in a file by now; the rest may be still to come."""
        return self._reader.count()

    @property
    def disagreement(self) -> str | None:
        """How the data differ from what the descriptor says, in words."""
        declared, look = Declared.by(self._data_key), self._look
        differences = []
        is_number = declared.number and declared.shape == (1,) and look.shape == ()
        if declared.shape not in (None, look.shape) and not is_number:
            differences.append(f"shape {list(look.shape)}, not {list(declared.shape or ())}")
        if declared.dtype is not None and declared.dtype != look.dtype:
            differences.append(f"dtype {look.dtype}, not {declared.dtype}")
        return " and ".join(differences) or None

    def __len__(self) -> int:
        return self._reader.rows

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def _repr_html_(self) -> str:
        from ...display.html import array_html

        return array_html(self.name, self.shape, self.dtype, self.nbytes)

    # -- reading ---------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        wanted = asked(index, self.shape)
        inner = wanted.inner
        shape = [len(range(n)[part]) for n, part in zip(self._look.shape, inner, strict=True)]
        out = np.empty((len(wanted.places), *shape), self.dtype)
        if out.size:
            self._tell_disagreement()
            self._read(wanted.places, inner, out)
        return as_cells(out)[wanted.finish] if self._in_dask else out[wanted.finish]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("The data are stored: an array of them is always a copy.")
        return np.asarray(self[...], dtype)

    def __iter__(self) -> Iterator[Any]:
        return self.values()

    def values(self) -> Iterator[Any]:
        """Yield the value of each event in order; few of them are in memory at a time."""
        for first, stop in self._reader.pages(self._look):
            if self._on_missing == "skip":
                yield from self._there(range(first, stop))
            else:
                # Copies, so that keeping one value does not keep its page.
                page = self[first:stop]
                yield from page if page.ndim == 1 or stop - first == 1 else apart(page)

    def to_dask(self, chunks: Any = None) -> da.Array:
        """Return a dask array, which holds where the data are, not the data.

        Parameters
        ----------
        chunks
            As dask takes them; by default those of `chunks`.

        Raises
        ------
        MissingExtra
            dask is not installed.
        """
        dask_array = require("dask.array", "arrays")
        self._tell_disagreement()
        # What was promised stays promised, whatever files come later.
        promised = copy(self)
        promised._looked = self._look
        promised._reader = self._reader.unbuffered()
        promised._in_dask = True
        array: da.Array = dask_array.from_array(
            promised,
            chunks=self.chunks if chunks is None else chunks,
            name=f"databroker-{self.name}-{require('dask.base', 'arrays').tokenize(self)}",
            lock=False,
            asarray=False,
            meta=np.empty((0,) * self.ndim, self.dtype),
        )
        return array

    def regions(self) -> list[tuple[int, Region]] | None:
        """Return where the values are, if all of them are in HDF5 files just as they are.

        Returns
        -------
        list or None
            For stretches of events, how many there are, and the path, the dataset, its shape and
            which part of it has their values in their order.

        Raises
        ------
        ExternalDataMissing, NoHandler
            A file cannot be had.
        """
        found: list[tuple[int, Region]] = []
        for events, region in self._reader.regions():
            if region is None:
                return None
            found.append((events, region))
        return found

    # -- inside ----------------------------------------------------------

    @property
    def _look(self) -> Look:
        if self._looked is None:
            look = self._reader.look()
            if look is None:  # nothing there to look at: perhaps later
                return _as_declared(self._data_key)
            self._looked = look
        return self._looked

    def _read(self, places: Array, inner: tuple[slice, ...], out: Array) -> None:
        try:
            self._reader.read(places, self._look.shape, inner, out)
        except UNREADABLE as error:
            if self._on_missing == "raise":
                raise
            if len(places) == 1 or isinstance(error, NoHandler):
                leave_out(out)
                self._say("missing", f"Some external data cannot be had (said once). {error}")
                return
            middle = len(places) // 2  # some of them may be there
            self._read(places[:middle], inner, out[:middle])
            self._read(places[middle:], inner, out[middle:])

    def _there(self, rows: Sequence[int]) -> Iterator[Any]:
        inner = tuple(slice(0, n, 1) for n in self._look.shape)
        dtype = with_nan(self._look.dtype) if self._reader.gaps else self._look.dtype
        for row in rows:
            out = np.empty((1, *self._look.shape), dtype)
            try:
                self._reader.read(np.array([row]), self._look.shape, inner, out)
            except UNREADABLE as error:
                self._say("missing", f"Some external data cannot be had (said once). {error}")
                continue
            yield out[0]

    def _tell_disagreement(self) -> None:
        disagreement = self.disagreement if self._warn and "form" not in self._told else None
        if disagreement:
            self._say(
                "form",
                f"The data of {self.name!r} have another form than their descriptor says, and are "
                f"given as they are: {disagreement}.",
            )

    def _say(self, what: str, text: str) -> None:
        if what not in self._told:
            self._told.add(what)
            warn_user(text, UserWarning)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return (self._reader.identity(), self.shape, str(self.dtype), self._on_missing)


def _as_declared(data_key: Doc) -> Look:
    declared = Declared.by(data_key)
    shape = declared.shape or ()
    if declared.number and shape == (1,):
        shape = ()
    return Look(shape, declared.dtype or np.dtype(np.float64))


class Asked(NamedTuple):
    """What an index asks for."""

    places: Array  # the rows, counted from 0, in the order in which they are wanted
    inner: tuple[slice, ...]  # what is to be read of each row: slices that go forwards
    finish: tuple[Any, ...]  # what is to be selected of what was read


def asked(index: Any, shape: tuple[int, ...]) -> Asked:
    """Take an index apart; raise IndexError if it does not fit the shape."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is None for part in parts):
        raise IndexError("New axes are for NumPy: take the rows first, then np.newaxis.")
    dots = [place for place, part in enumerate(parts) if isinstance(part, EllipsisType)]
    if len(parts) - len(dots) > len(shape) or len(dots) > 1:
        raise IndexError(f"Too many indices: the array has {len(shape)} dimensions.")
    missing = [slice(None)] * (len(shape) - len(parts) + len(dots))
    place = dots[0] if dots else len(parts)
    parts[place : place + len(dots)] = missing
    places, first = _rows(parts[0], shape[0])
    pairs = [_inner(part, size) for part, size in zip(parts[1:], shape[1:], strict=True)]
    rest = [finish for _, finish in pairs]
    if isinstance(first, slice) and _is_list(parts[0]) and any(map(_is_list, rest)):
        first = np.arange(len(places))  # lists on several axes are taken together, as in NumPy
    return Asked(places, tuple(inner for inner, _ in pairs), (first, *rest))


def _rows(part: Any, size: int) -> tuple[Array, Any]:
    if isinstance(part, slice):
        return np.arange(*part.indices(size)), slice(None)
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        place = int(part) + (size if part < 0 else 0)
        if not 0 <= place < size:
            raise IndexError(f"Event {part} of {size}: there is no such row.")
        return np.array([place]), 0
    chosen = np.asarray(part)
    return np.arange(size)[chosen if chosen.size else chosen.astype(np.intp)], slice(None)


def _inner(part: Any, size: int) -> tuple[slice, Any]:
    if isinstance(part, slice):
        chosen = range(*part.indices(size))
        if not chosen:
            return slice(0, 0, 1), slice(None)
        if chosen.step > 0:
            return slice(chosen.start, chosen.stop, chosen.step), slice(None)
        return slice(chosen[-1], chosen[0] + 1, 1), slice(None, None, chosen.step)
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        place = int(part) + (size if part < 0 else 0)
        if not 0 <= place < size:
            raise IndexError(f"Index {part} is out of bounds for an axis of size {size}.")
        return slice(place, place + 1, 1), 0
    return slice(0, size, 1), part


def _is_list(part: Any) -> bool:
    return not isinstance(part, slice | int | np.integer)
