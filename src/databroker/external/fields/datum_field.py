"""Fields whose events refer to datum documents, which the handlers of their resources read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._util.signals import from_signal, suppressed
from ...columns.to_numpy import cast_lossless
from ...documents.transform import Transform, unchanged
from ...errors import ShapesDiffer
from ..handlers.adapter import DatumSource, as_array, source_of
from ..handlers.builtin import FrameHandler
from ..readers.base import Region
from ..readers.hdf5_files import check_links
from ..references import DataReference
from .datums import Datum, Datums
from .filling import UNREADABLE, Doc
from .reader import Array, Check, FieldReader, Look, common, leave_out, spread
from .served import ServedField

if TYPE_CHECKING:
    from ...stores.base import Store
    from ..registry import Registry


_LARGE = 2**18  # bytes of a value
_PAGE = 2**16  # ids that are looked through at a time


class Loader:
    """Loads the data of datums: all of it, some of it, that of many at once.

    It can be pickled if the store can.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        run: str | None = None,
        transform: Transform = unchanged,
    ) -> None:
        self._registry = registry
        self._run = run
        self._datums = Datums(store, transform)
        self._looks: dict[str, Look] = {}

    def identity(self) -> tuple[Any, ...]:
        """Return what tells where this loads data from."""
        return self._run, sorted(self._registry.roots.items())

    def reference(self, field: str | None, datum_id: str | None = None) -> DataReference:
        """Return what errors say of a field, or of one of its datums."""
        return DataReference(self._run, field, datum_id)

    def value(self, datum_id: str, field: str | None = None) -> Any:
        """Return the data of a datum; raise an error that says everything if that cannot be had."""
        if (served := self.served([datum_id], field)) is not None:
            return next(served.values([datum_id]))
        with self._one(datum_id, field) as (source, datum):
            return source.values([datum])[0]

    def values(self, datum_ids: Sequence[str], field: str | None = None) -> Iterator[Any]:
        """Yield the data of each datum, opening each resource once."""
        for served, ids in self._apart(datum_ids, field):
            if served is not None:
                yield from served.values(ids)
                continue
            reference = self.reference(field)
            for datums in self._datums.stretches(ids, reference):
                with self._source(datums, reference) as source:
                    found = source.values([datum.kwargs for datum in datums])
                yield from found

    def look(self, datum_id: str, field: str | None = None, cheaply: bool = False) -> Look | None:
        """Return what the data of a datum are like; None if reading would tell, but is too much."""
        if (served := self.served([datum_id], field)) is not None:
            return served.look([datum_id], cheaply)
        with self._one(datum_id, field) as (source, datum):
            return source.look(datum, cheaply)

    def served(self, datum_ids: Sequence[str], field: str | None) -> ServedField | None:
        """Return what has the data of datums read elsewhere; None if some are to be read here."""
        ((first, _), *others) = self._apart(datum_ids, field) if datum_ids else [(None, [])]
        return None if others else first

    def is_served(self, datum_id: str, field: str | None = None) -> bool:
        """Tell whether the data of a datum are read elsewhere, and come bit by bit."""
        return self.served([datum_id], field) is not None

    def single(self, datum_id: str, field: str) -> DatumReader:
        """Return a reader of the one value that a datum id stands for.

        A handler that can say what its values are like is asked; of the values of others, the
        first of each field is read, to tell what they are like.
        """
        look = None
        with contextlib.suppress(*UNREADABLE):  # computing the value says why
            look = self.look(datum_id, field, cheaply=True)
            if look is None and field not in self._looks:
                look = self.look(datum_id, field)
                if look is not None:
                    self._looks[field] = look
        return DatumReader(self, field, [datum_id], look or self._looks.get(field))

    def read(
        self,
        datum_ids: Sequence[str],
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        out: Array,
        field: str | None = None,
    ) -> None:
        """Put what `inner` selects of the data of each datum into a row of an array.

        All of the data must have the shape: a part of something else would look right.
        """
        first = 0
        for served, ids in self._apart(datum_ids, field):
            rows = out[first : first + len(ids)]
            first += len(ids)
            if served is not None:
                served.read(ids, shape, inner, rows)
            else:
                self._read_here(ids, shape, inner, rows, field)

    def _read_here(
        self,
        datum_ids: Sequence[str],
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        out: Array,
        field: str | None,
    ) -> None:
        row = 0
        reference = self.reference(field)
        for datums in self._datums.stretches(datum_ids, reference):
            first, row = row, row + len(datums)
            if len(datums) > 1:
                check = form_check(shape, out.dtype, reference)
                # Where that fails, reading them one by one tells which, and of what.
                with suppressed(Exception), self._source(datums, reference) as source:
                    source.read([datum.kwargs for datum in datums], check, inner, out[first:row])
                    continue
            for each in range(first, row):
                check = form_check(shape, out.dtype, self.reference(field, datum_ids[each]))
                with self._one(datum_ids[each], field) as (source, datum):
                    source.read([datum], check, inner, out[each : each + 1])

    def regions(
        self, datum_ids: Sequence[str], field: str | None = None
    ) -> Iterator[tuple[int, Region | None]]:
        """Yield how many of the datums are where in an HDF5 file, if that is so."""
        reference = self.reference(field)
        for served, ids in self._apart(datum_ids, field):
            if served is not None:
                yield len(ids), None
                continue
            for datums in self._datums.stretches(ids, reference):
                with self._source(datums, reference) as source:
                    yield from source.regions([datum.kwargs for datum in datums])

    def _apart(
        self, datum_ids: Sequence[str], field: str | None
    ) -> Iterator[tuple[ServedField | None, list[str]]]:
        """Yield datums that follow each other, and what has them read; None for those read here."""
        served = ServedField(self._datums.store_ref, self._run, field)
        reference = self.reference(field)
        for is_served, ids in groupby(datum_ids, lambda each: self._is_served(each, reference)):
            yield served if is_served else None, list(ids)

    def _is_served(self, datum_id: str, reference: DataReference) -> bool:
        if not self._datums.store_ref.store.capabilities.external:
            return False
        if not self._registry.roots:  # so it need not be looked up here
            return True
        return not self._registry.reaches(self._datums.find(datum_id, reference).resource)

    @contextlib.contextmanager
    def _one(self, datum_id: str, field: str | None) -> Iterator[tuple[DatumSource, Doc]]:
        """Lend what gives the data of a datum, and its arguments."""
        datum = self._datums.find(datum_id, self.reference(field))
        run = self._run or datum.resource.get("run_start")
        reference = DataReference(run, field, datum_id, str(datum.resource.get("spec")))
        with self._source([datum], reference) as source:
            yield source, datum.kwargs

    @contextlib.contextmanager
    def _source(self, datums: Sequence[Datum], reference: DataReference) -> Iterator[DatumSource]:
        """Lend what gives the data of datums of one resource."""
        with self._registry.opened(datums[0].resource, reference) as handler:
            self._check(handler, [datum.kwargs for datum in datums], reference)
            yield source_of(handler)

    def _check(self, handler: Any, kwargs: Sequence[Doc], reference: DataReference) -> None:
        """Refuse what templates lead to: no local file, or one outside of the allowed roots."""
        guard = self._registry.guard
        if isinstance(handler, FrameHandler) or not hasattr(handler, "get_file_list"):
            return  # ours ask themselves
        try:
            paths = list(handler.get_file_list(kwargs))
        except Exception as error:  # many handlers have only the name of it
            if guard or from_signal(error):
                raise
            return
        for path in map(str, paths):
            guard.check(path, reference)
            if not getattr(handler, "takes_guard", False):
                check_links(guard, path)


class DatumReader(FieldReader):
    """Reads a field of which each event has a datum."""

    def __init__(
        self, loader: Loader, field: str, ids: Sequence[Any] | Any, look: Look | None = None
    ) -> None:
        self._loader = loader
        self._field = field
        self._ids = ids
        self._looked = look

    @property
    def rows(self) -> int:
        return len(self._ids)

    @property
    def gaps(self) -> bool:  # type: ignore[override]
        """Whether some events have no datum."""
        return self._sample[1]

    @property
    def far(self) -> bool:  # type: ignore[override]
        """Whether the first values are read elsewhere."""
        return self._served(self._sample[0][:1]) is not None

    def identity(self) -> tuple[Any, ...]:
        return ("datum", self._field, self._loader.identity(), self._ids)

    def look(self) -> Look | None:
        """Return what the values are like; None if none of the first few can be had."""
        if self._looked is not None:
            return self._looked
        looks: list[Look] = []
        rows = self._sample[0]
        if (served := self._served(rows)) is not None:
            return served.look(rows)
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
            return self._loader.look(row, self._field, cheaply)
        return None

    def _served(self, rows: Sequence[Any]) -> ServedField | None:
        """Return what has all of some rows read elsewhere, if they are."""
        are_ids = all(isinstance(row, str) for row in rows)
        return self._loader.served(rows, self._field) if are_ids else None

    def count(self) -> int:
        rows = [row for row in self._ids[:] if row is not None]
        if (served := self._served(rows)) is not None:
            return served.count(rows)
        return sum(map(self._is_there, rows))

    def _is_there(self, row: Any) -> bool:
        with contextlib.suppress(*UNREADABLE):
            if isinstance(row, str):
                self._loader.look(row, self._field)
            return True
        return False

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
                self._loader.read(rows, shape, inner, part, self._field)
            elif kind is None:
                leave_out(part)
            else:
                self._copy(rows, shape, inner, part)

    def regions(self) -> Iterator[tuple[int, Region | None]]:
        ids = list(self._ids[:])
        if all(isinstance(each, str) for each in ids):
            return self._loader.regions(ids, self._field)
        return super().regions()

    def _copy(
        self, values: list[Any], shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put values that the events have themselves into an array."""
        check = form_check(shape, out.dtype, self._loader.reference(self._field))
        for row, value in enumerate(map(as_array, values)):
            fitting = cast_lossless(value, out.dtype)
            cast = value if fitting is None else fitting
            check(cast.shape, cast.dtype)
            out[row] = cast[inner]

    @cached_property
    def _sample(self) -> tuple[list[Any], bool]:
        """Some rows that have something, and whether any has nothing."""
        some: list[Any] = []
        gaps = False
        for first in range(0, self.rows, _PAGE):
            page = self._ids[first : first + _PAGE]
            held = [row for row in page if row is not None]
            some += spread(held)
            gaps = gaps or len(held) < len(page)
        return spread(some), gaps


def form_check(shape: tuple[int, ...], dtype: np.dtype[Any], reference: DataReference) -> Check:
    """Return what raises for values that cannot stand in an array with others, unchanged."""

    def check(found: tuple[int, ...], kind: Any) -> None:
        if tuple(found) != shape:
            differ = f"its shape is {list(found)}, and others have {list(shape)}"
        elif kind != dtype and not np.can_cast(kind, dtype):
            differ = f"its type is {np.dtype(kind)}, and others have {dtype}"
        else:
            return
        raise ShapesDiffer(
            f"{reference}: {differ}. data() and table(fill=True) give each as it is.",
            reference.field,
        )

    return check


def _kind(row: Any) -> type[Any] | None:
    """Return str for the id of a datum, None for nothing, object for a value."""
    return None if row is None else str if isinstance(row, str) else object
