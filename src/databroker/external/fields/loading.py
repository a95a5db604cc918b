"""What datum documents stand for, read by the handlers of their resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..._util.signals import from_signal
from ...documents.transform import Transform, unchanged
from ...errors import DatabrokerError, ShapesDiffer
from ..handlers.adapter import Check, DatumSource, source_of
from ..handlers.builtin import FrameHandler
from ..readers.hdf5_links import check_links
from ..references import DataReference, data_error, with_context
from .datum_lookup import Datum, Datums
from .reader import Look

if TYPE_CHECKING:
    import numpy as np

    from ...stores.base import Store
    from ..registry import Registry

    Array = np.ndarray[Any, Any]

__all__ = ["Loader", "form_check"]

Doc = Mapping[str, Any]
T = TypeVar("T")


class Loader:
    """Loads the data of datums: all of it, some of it, that of many at once."""

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

    def value(self, datum_id: str, field: str | None = None) -> Array:
        """Return the data of a datum; raise an error that says everything if that cannot be had."""
        value: Array = self._read(datum_id, field, lambda source, datum: source.values([datum])[0])
        return value

    def values(self, datum_ids: Sequence[str], field: str | None = None) -> list[Any]:
        """Return the data of each datum, opening each resource once."""
        reference = DataReference(self._run, field)
        values: list[Any] = []
        for datums in self._datums.stretches(datum_ids, reference):
            kwargs = [datum.kwargs for datum in datums]
            with self._registry.opened(datums[0].resource, reference) as handler:
                self._check(handler, kwargs, reference)
                values += source_of(handler).values(kwargs)
        return values

    def look(self, datum_id: str, field: str | None = None, cheaply: bool = False) -> Look | None:
        """Return what the data of a datum are like; None if reading would tell, but is too much."""
        return self._read(datum_id, field, lambda source, datum: source.look(datum, cheaply))

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
        reference = DataReference(self._run, field)
        for datums in self._datums.stretches(datum_ids, reference):
            rows = range(row, row + len(datums))
            row = rows.stop
            if not self._read_together(datums, shape, inner, out[rows.start : rows.stop]):
                for each in rows:
                    self._read_one(datum_ids[each], shape, inner, out[each : each + 1], field)

    def _read_together(
        self, datums: Sequence[Datum], shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> bool:
        """Read datums of one resource, and tell whether that could be done."""
        kwargs = [datum.kwargs for datum in datums]
        reference = DataReference(self._run)
        if len(datums) == 1:
            return False
        try:
            with self._registry.opened(datums[0].resource, reference) as handler:
                self._check(handler, kwargs, reference)
                check = form_check(shape, out.dtype, reference)
                source_of(handler).read(kwargs, check, inner, out)
        except Exception as error:  # reading them one by one tells which, and of what
            if from_signal(error):
                raise
            return False
        return True

    def _read_one(
        self,
        datum_id: str,
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        out: Array,
        field: str | None,
    ) -> None:
        check = form_check(shape, out.dtype, DataReference(self._run, field, datum_id))
        self._read(datum_id, field, lambda source, datum: source.read([datum], check, inner, out))

    def _read(self, datum_id: str, field: str | None, read: Callable[[DatumSource, Doc], T]) -> T:
        datum = self._datums.find(datum_id, DataReference(self._run, field))
        spec = str(datum.resource.get("spec"))
        run = self._run or datum.resource.get("run_start")
        reference = DataReference(run, field, datum_id, spec)
        with self._registry.opened(datum.resource, reference) as handler:
            try:
                self._check(handler, [datum.kwargs], reference)
                return read(source_of(handler), datum.kwargs)
            except DatabrokerError as error:
                raise with_context(error, reference) from error.__cause__
            except Exception as error:  # whatever somebody else's handler raises
                if from_signal(error):
                    raise
                place = self._registry.place(datum.resource, reference)
                by = f"the handler {type(handler).__name__}"
                raise data_error(error, reference, place, by) from error

    def _check(self, handler: Any, kwargs: Sequence[Doc], reference: DataReference) -> None:
        """Refuse what templates lead to: no local file, or one outside of the allowed roots."""
        guard = self._registry.guard
        if isinstance(handler, FrameHandler) or not hasattr(handler, "get_file_list"):
            return  # ours ask themselves
        try:
            paths = list(handler.get_file_list(kwargs))
        except Exception as error:  # many handlers have only the name of it
            if from_signal(error):
                raise
            if guard:
                raise
            return
        for path in map(str, paths):
            guard.check(path, reference)
            if not getattr(handler, "takes_guard", False):
                check_links(guard, path)


def form_check(shape: tuple[int, ...], dtype: np.dtype[Any], reference: DataReference) -> Check:
    """Return what raises for values that cannot stand in an array with others, unchanged."""
    import numpy as np

    def check(found: tuple[int, ...], kind: Any) -> None:
        if tuple(found) != shape:
            differ = f"its shape is {list(found)}, and others have {list(shape)}"
        elif kind != dtype and not np.can_cast(kind, dtype):
            differ = f"its type is {np.dtype(kind)}, and others have {dtype}"
        else:
            return
        raise ShapesDiffer(
            f"{reference}: {differ}. data() and table(fill=True) give each as it is."
        )

    return check
