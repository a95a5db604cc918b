"""Fields whose events refer to datum documents, which the handlers of their resources read."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._util.signals import from_signal, suppressed
from ...columns import ALL, to_rows
from ...columns.to_numpy import cast_lossless
from ...documents.transform import Transform, unchanged
from ...errors import ShapesDiffer
from ...stores.rows import batches_of
from ...stores.store_ref import StoreRef
from ..handlers.adapter import DatumSource, as_array, source_of
from ..handlers.builtin import FrameHandler
from ..readers.base import Region
from ..readers.hdf5_files import check_links
from ..references import DataReference, no_document
from .filling import UNREADABLE, Doc
from .reader import Array, Check, FieldReader, Look, common, leave_out, spread

if TYPE_CHECKING:
    from ...stores.base import Store
    from ..registry import Registry


_BLOCK = 512
_KEPT = 16 * _BLOCK
_RESOURCES = 256
_LARGE = 2**18  # bytes of a value
_PAGE = 2**16  # ids that are looked through at a time


class Datum(NamedTuple):
    """A datum: what to read, and the arguments to read it."""

    resource: Doc
    kwargs: Doc


class Datums:
    """Finds datum documents by their ids; those of neighbours are read together."""

    def __init__(self, store: Store, transform: Transform = unchanged) -> None:
        self._store_ref = StoreRef(store)
        self._transform = transform
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._datums: OrderedDict[str, Doc] = OrderedDict()
        self._resources: OrderedDict[str, Doc] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"_store_ref": self._store_ref, "_transform": self._transform}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def find(self, datum_id: str, reference: DataReference | None = None) -> Datum:
        """Return what a datum's id stands for."""
        with self._lock:
            document = self._datums.get(datum_id) or self._look_up(datum_id)
            if document is None:
                raise no_document(f"datum document {datum_id!r}", _of(datum_id, reference))
            uid = document["resource"]
            resource = self._resources.get(uid)
            if resource is None:
                stored = self._store_ref.store.resource(uid)
                if stored is None:
                    raise no_document(f"resource document {uid!r}", _of(datum_id, reference))
                resource = self._transform("resource", stored)
                _keep(self._resources, {uid: resource}, _RESOURCES)
        return Datum(resource, document.get("datum_kwargs") or {})

    def stretches(
        self, datum_ids: Iterable[str], reference: DataReference | None = None
    ) -> Iterator[list[Datum]]:
        """Yield what datum ids stand for, those that follow each other in one resource together."""
        datums = (self.find(datum_id, reference) for datum_id in datum_ids)
        for _, same_resource in groupby(datums, lambda datum: datum.resource["uid"]):
            yield list(same_resource)

    def _look_up(self, datum_id: str) -> Doc | None:
        """Read a datum, and those behind it if its id, like most, is '<resource>/<number>'."""
        uid, _, number = datum_id.rpartition("/")
        if uid and number.isdecimal():
            block = self._block(uid, int(number))
            if datum_id in block:
                _keep(self._datums, block, _KEPT)
                return block[datum_id]
        document = self._store_ref.store.datum(datum_id)
        if document is not None:
            _keep(self._datums, {datum_id: document}, _KEPT)
        return document

    def _block(self, uid: str, first: int) -> dict[str, Doc]:
        batches = batches_of(self._store_ref.store, "datum", uid, ALL, first, first + _BLOCK)
        return {row["datum_id"]: row for batch in batches for row in to_rows("datum", uid, batch)}


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
        with self._one(datum_id, field) as (source, datum):
            return source.values([datum])[0]

    def values(self, datum_ids: Sequence[str], field: str | None = None) -> list[Any]:
        """Return the data of each datum, opening each resource once."""
        values: list[Any] = []
        reference = self.reference(field)
        for datums in self._datums.stretches(datum_ids, reference):
            with self._source(datums, reference) as source:
                values += source.values([datum.kwargs for datum in datums])
        return values

    def look(self, datum_id: str, field: str | None = None, cheaply: bool = False) -> Look | None:
        """Return what the data of a datum are like; None if reading would tell, but is too much."""
        with self._one(datum_id, field) as (source, datum):
            return source.look(datum, cheaply)

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
        for datums in self._datums.stretches(datum_ids, reference):
            with self._source(datums, reference) as source:
                yield from source.regions([datum.kwargs for datum in datums])

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

    def identity(self) -> tuple[Any, ...]:
        return ("datum", self._field, self._loader.identity(), self._ids)

    def look(self) -> Look | None:
        """Return what the values are like; None if none of the first few can be had."""
        if self._looked is not None:
            return self._looked
        looks: list[Look] = []
        rows = self._sample[0]
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

    def count(self) -> int:
        return sum(row is not None and self._is_there(row) for row in self._ids[:])

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


def _of(datum_id: str, reference: DataReference | None) -> DataReference:
    return replace(reference or DataReference(), datum=datum_id)


def _keep(kept: OrderedDict[str, Doc], found: dict[str, Doc], most: int) -> None:
    kept.update(found)
    while len(kept) > most:
        kept.popitem(last=False)
