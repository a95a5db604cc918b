"""What datum documents stand for, read by the handlers of their resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from ..._util.signals import from_signal, suppressed
from ...errors import DatabrokerError, ShapesDiffer
from ..readers.hdf5_links import check_links
from ..references import DataReference, data_error, with_context
from .chunking import LARGEST, rows_ahead
from .datum_lookup import Datum, Datums
from .reader import Look

if TYPE_CHECKING:
    import numpy as np

    from ...stores.base import Store
    from ..registry import Registry

    Array = np.ndarray[Any, Any]

__all__ = ["Loader", "as_array", "check_form"]

Doc = Mapping[str, Any]
T = TypeVar("T")


class Loader:
    """Loads the data of datums: all of it, some of it, that of many at once.

    What a handler can do beside being called is used where it can; see
    `databroker.external.handlers.builtin`.

    Parameters
    ----------
    store
        Where the documents are.
    registry
        Handlers and root map; changes apply at once.
    run
        The uid of the run, for errors.
    """

    def __init__(self, store: Store, registry: Registry, run: str | None = None) -> None:
        self._registry = registry
        self._run = run
        self._datums = Datums(store, registry.mend)
        self._loaded: dict[str, Array] = {}
        self._bytes = LARGEST  # of a value, as far as one knows

    def prefetch(self, references: Iterable[Any], field: str | None = None) -> Iterator[Any]:
        """Yield what may be ids of datums, whose `value` is then asked for.

        Some are loaded before: looking up and opening are then done once for all of them.
        They take little memory, and no longer than those before them. What cannot be had
        is left for `value` to tell.
        """
        rest, several = iter(references), 1
        while some := list(islice(rest, several)):
            if len(some) > 1:
                with suppressed(Exception):
                    self._load([each for each in some if isinstance(each, str)], field)
            yield from some
            self._loaded.clear()
            several = min(2 * several, rows_ahead(self._bytes))

    def value(self, datum_id: str, field: str | None = None) -> Array:
        """Return the data of a datum.

        Parameters
        ----------
        field
            Whose value it is, for errors.

        Raises
        ------
        ExternalDataMissing, NoHandler
            It cannot be had.
        """
        found = self._loaded.pop(datum_id, None)
        if found is None:
            found = self._read(datum_id, field, lambda handler, kwargs: as_array(handler(**kwargs)))
            self._bytes = found.nbytes
        return found

    def look(self, datum_id: str, field: str | None = None) -> Look:
        """Return what the data of a datum are like, reading them only where there is need."""

        def read(handler: Any, kwargs: Doc) -> Look:
            found = _form(handler, kwargs)
            if found is None:
                value = as_array(handler(**kwargs))
                found = Look(value.shape, value.dtype)
            return found

        return self._read(datum_id, field, read)

    def form(self, datum_id: str, field: str | None = None) -> Look | None:
        """Return what the data of a datum are like; None if only reading them would tell."""
        return self._read(datum_id, field, _form)

    def read(
        self,
        datum_ids: Sequence[str],
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        out: Array,
        field: str | None = None,
    ) -> None:
        """Put what `inner` selects of the data of each datum into a row of an array.

        Parameters
        ----------
        shape
            What all of the data must have: a part of something else would look right.

        Raises
        ------
        ShapesDiffer
            The data of a datum have another shape, or a type that does not fit.
        """
        first = 0
        for datums in self._datums.stretches(datum_ids, DataReference(self._run, field)):
            stop = first + len(datums)
            if not self._at_once(datums, shape, inner, out[first:stop]):
                for row in range(first, stop):
                    out[row] = self._part(datum_ids[row], shape, inner, out.dtype, field)
            first = stop

    def _load(self, datum_ids: Sequence[str], field: str | None) -> None:
        reference = DataReference(self._run, field)
        rest = iter(datum_ids)
        for datums in self._datums.stretches(datum_ids, reference):
            with self._registry.opened(datums[0].resource, reference) as handler:
                self._check(handler, [datum.kwargs for datum in datums], reference)
                for datum, datum_id in zip(datums, rest, strict=False):
                    self._loaded[datum_id] = as_array(handler(**datum.kwargs))

    def _at_once(
        self,
        datums: Sequence[Datum],
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        out: Array,
    ) -> bool:
        """Read datums of one resource by one call, and tell whether that could be done."""
        kwargs = [datum.kwargs for datum in datums]
        reference = DataReference(self._run)
        try:
            with self._registry.opened(datums[0].resource, reference) as handler:
                if not hasattr(handler, "read_into"):
                    return False
                self._check(handler, kwargs, reference)
                for each in kwargs:
                    check_form(handler.form(**each), shape, out.dtype, reference)
                handler.read_into(out, inner, kwargs)
        except Exception as error:  # reading them one by one tells which, and of what
            if from_signal(error):
                raise
            return False
        return True

    def _part(
        self,
        datum_id: str,
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        dtype: np.dtype[Any],
        field: str | None,
    ) -> Array:
        """Return a part of the data of a datum, reading only that if its handler can."""
        reference = DataReference(self._run, field, datum_id)

        def read(handler: Any, kwargs: Doc) -> Array:
            if hasattr(handler, "part") and hasattr(handler, "form"):
                check_form(handler.form(**kwargs), shape, dtype, reference)
                return as_array(handler.part(inner, **kwargs))
            whole = as_array(handler(**kwargs))
            check_form((whole.shape, whole.dtype), shape, dtype, reference)
            return whole[inner]

        return self._read(datum_id, field, read)

    def _read(self, datum_id: str, field: str | None, read: Callable[[Any, Doc], T]) -> T:
        found = self._datums.find(datum_id, DataReference(self._run, field))
        spec = str(found.resource.get("spec"))
        run = self._run or found.resource.get("run_start")
        reference = DataReference(run, field, datum_id, spec)
        with self._registry.opened(found.resource, reference) as handler:
            try:
                self._check(handler, [found.kwargs], reference)
                return read(handler, found.kwargs)
            except DatabrokerError as error:
                raise with_context(error, reference) from error.__cause__
            except Exception as error:  # whatever somebody else's handler raises
                if from_signal(error):
                    raise
                place = self._registry.place(found.resource, reference)
                by = f"the handler {type(handler).__name__}"
                raise data_error(error, reference, place, by) from error

    def _check(self, handler: Any, kwargs: Sequence[Doc], reference: DataReference) -> None:
        """Refuse what templates lead to: no local file, or one outside of the allowed roots."""
        guard = self._registry.guard
        if not hasattr(handler, "get_file_list"):
            return
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


def _form(handler: Any, kwargs: Doc) -> Look | None:
    """Return what a handler says of the data of a datum, if it can."""
    import numpy as np

    if not hasattr(handler, "form"):
        return None
    shape, dtype = handler.form(**kwargs)
    blocks = handler.blocks(**kwargs) if hasattr(handler, "blocks") else None
    rows, *inner = blocks or (1, *shape)
    kept = bool(getattr(handler, "keeps", False))
    return Look(tuple(shape), np.dtype(dtype), rows, tuple(inner) if blocks else None, kept)


def check_form(
    found: tuple[tuple[int, ...], Any],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    reference: DataReference,
) -> None:
    """Raise if values cannot stand in one array with others, unchanged.

    Parameters
    ----------
    found
        Their shape and dtype.
    shape, dtype
        Those of the array.

    Raises
    ------
    ShapesDiffer
        They have another shape, or a type that does not fit.
    """
    import numpy as np

    if tuple(found[0]) != shape:
        differ = f"its shape is {list(found[0])}, and others have {list(shape)}"
    elif found[1] != dtype and not np.can_cast(found[1], dtype):
        differ = f"its type is {np.dtype(found[1])}, and others have {dtype}"
    else:
        return
    raise ShapesDiffer(f"{reference}: {differ}. data() and table(fill=True) give each as it is.")


def as_array(value: Any) -> Array:
    """Return what a handler gave as an array: computed if it is lazy, objects if it is ragged.

    Examples
    --------
    >>> as_array([1, 2]), as_array([[1], [2, 3]]).dtype
    (array([1, 2]), dtype('O'))
    """
    import numpy as np

    if hasattr(value, "__dask_graph__"):
        # In this thread: the file may be closed, or used by another one, afterwards.
        value = value.compute(scheduler="synchronous")
    try:
        return np.asarray(value)
    except ValueError:
        ragged = np.empty(len(value), object)
        ragged[:] = value
        return ragged
