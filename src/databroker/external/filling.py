"""References in events replaced by the data that they stand for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..errors import DatabrokerError, ExternalDataMissing, NoHandler
from .datums import Datum, Datums
from .failures import Reference, translated

if TYPE_CHECKING:
    import numpy as np

    from ..stores.contract import Store
    from .registry import Registry

__all__ = [
    "UNREADABLE",
    "Filler",
    "OnMissing",
    "as_array",
    "check_on_missing",
    "external_fields",
    "fields_to_fill",
    "is_streamed",
]

Doc = Mapping[str, Any]
Fill = bool | str | Iterable[str]
OnMissing = Literal["raise", "mask", "skip"]

UNREADABLE = (ExternalDataMissing, NoHandler)
"""What is raised where external data cannot be had, whatever else is well."""


def external_fields(descriptors: Iterable[Doc]) -> dict[str, str]:
    """Return the external fields of a stream, and of each whether it is a 'datum' or a 'stream'.

    Examples
    --------
    >>> external_fields([{"data_keys": {"img": {"external": "FILESTORE:"}, "det": {},
    ...                                 "cam": {"external": "STREAM:"}}}])
    {'img': 'datum', 'cam': 'stream'}
    """
    return {
        name: "stream" if is_streamed(key) else "datum"
        for descriptor in descriptors
        for name, key in descriptor["data_keys"].items()
        if isinstance(key, Mapping) and key.get("external")
    }


def is_streamed(data_key: Doc) -> bool:
    """Tell whether stream resources, rather than datum documents, hold a field's data."""
    return str(data_key.get("external") or "").startswith("STREAM")


def fields_to_fill(fill: Fill, external: Iterable[str]) -> list[str]:
    """Return which external fields ``fill=...`` means.

    Examples
    --------
    >>> fields_to_fill(True, ["img", "cam"]), fields_to_fill(["img", "det"], ["img", "cam"])
    (['img', 'cam'], ['img'])
    """
    if isinstance(fill, str):
        fill = [fill]
    if isinstance(fill, Iterable):
        names = set(fill)
        return [name for name in external if name in names]
    return list(external) if fill else []


def check_on_missing(on_missing: str) -> None:
    """Raise ValueError for what is none of the ways to deal with data that cannot be had."""
    if on_missing not in ("raise", "mask", "skip"):
        raise ValueError(f"on_missing is 'raise', 'mask' or 'skip', not {on_missing!r}.")


class Filler:
    """Loads what events refer to.

    Parameters
    ----------
    store
        Where the documents are.
    registry
        Handlers and root map; changes apply at once.
    run
        The uid of the run, for errors.
    on_missing
        What happens where data cannot be had: 'raise' the error; 'mask' the value with None;
        or 'skip' it, which leaves the reference in an event, and gives nothing in `values`.
        But for 'raise', each field warns once.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("resource", {"uid": "r", "spec": "COUNT", "root": "/", "resource_path": "x",
    ...                        "resource_kwargs": {"first": 10}})
    >>> db.insert("datum", {"datum_id": "r/0", "resource": "r", "datum_kwargs": {"n": 2}})
    >>> class Count:
    ...     def __init__(self, path, first): self.first = first
    ...     def __call__(self, n): return [self.first + i for i in range(n)]
    >>> db.reg.register_handler("COUNT", Count)
    >>> filler = Filler(db.store, db.reg)
    >>> filler.value("r/0")
    array([10, 11])
    >>> event = {"data": {"img": "r/0"}, "filled": {"img": False}}
    >>> filler.fill(event, ["img"])
    {'data': {'img': array([10, 11])}, 'filled': {'img': 'r/0'}}
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        run: str | None = None,
        on_missing: OnMissing = "raise",
    ) -> None:
        check_on_missing(on_missing)
        self._registry = registry
        self._run = run
        self._on_missing = on_missing
        self._datums = Datums(store)
        self._warned: set[str | None] = set()

    def value(self, datum_id: str, field: str | None = None) -> np.ndarray[Any, Any]:
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
        return self._read(datum_id, field, lambda handler, kwargs: handler(**kwargs))

    def part(
        self,
        datum_id: str,
        shape: tuple[int, ...],
        inner: tuple[slice, ...],
        field: str | None = None,
    ) -> np.ndarray[Any, Any]:
        """Return a part of the data of a datum, reading only that if its handler can.

        Parameters
        ----------
        shape
            What all of the data must have: a part of something else would look right.
        inner
            Which part.

        Raises
        ------
        DatabrokerError
            The data have another shape.
        """

        def check(found: tuple[int, ...]) -> None:
            if found != shape:
                raise DatabrokerError(
                    f"{Reference(self._run, field, datum_id)}: its shape is {list(found)}, and "
                    f"others have {list(shape)}. data() and table(fill=True) give each as it is."
                )

        def read(handler: Any, kwargs: Doc) -> Any:
            if hasattr(handler, "part") and hasattr(handler, "form"):
                check(tuple(handler.form(**kwargs)[0]))
                return handler.part(inner, **kwargs)
            whole = as_array(handler(**kwargs))
            check(whole.shape)
            return whole[inner]

        return self._read(datum_id, field, read)

    def form(
        self, datum_id: str, field: str | None = None
    ) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of the data of a datum, reading it only where there is need."""
        import numpy as np

        found: list[Any] = []

        def read(handler: Any, kwargs: Doc) -> Any:
            if hasattr(handler, "form"):
                found.extend(handler.form(**kwargs))
                return ()
            return handler(**kwargs)

        value = self._read(datum_id, field, read)
        if found:
            return tuple(found[0]), np.dtype(found[1])
        return value.shape, value.dtype

    def values(self, references: Iterable[Any], field: str) -> Iterator[Any]:
        """Yield the data that references stand for, one at a time; what is none stays as it is."""
        for reference in references:
            value, there = self._try(reference, field)
            if there or self._on_missing == "mask":
                yield value

    def fill(self, event: Doc, fields: Sequence[str]) -> dict[str, Any]:
        """Return a copy of an event in which fields hold data; `filled` has the references.

        Fields that are filled already, or hold no reference, stay as they are.
        """
        data = dict(event["data"])
        filled = dict(event.get("filled") or {})
        for field in fields:
            reference = data.get(field)
            if not isinstance(reference, str) or filled.get(field) is True:
                continue
            value, there = self._try(reference, field)
            if there:
                filled[field] = reference
            if there or self._on_missing == "mask":
                data[field] = value
        return {**event, "data": data, "filled": filled}

    def events(self, events: Iterable[Doc], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield filled copies of events, one at a time."""
        for event in events:
            yield self.fill(event, fields)

    def column(self, references: Iterable[Any], field: str) -> list[Any]:
        """Return the cells of a table's column; for missing data, None or the reference."""
        cells = []
        for reference in references:
            value, there = self._try(reference, field)
            cells.append(reference if not there and self._on_missing == "skip" else value)
        return cells

    def warn(self, field: str | None, error: Exception) -> None:
        """Say once for each field that its data cannot be had."""
        if field not in self._warned:
            self._warned.add(field)
            warnings.warn(
                f"Some external data cannot be had (said once a field). {error}",
                UserWarning,
                stacklevel=4,
            )

    def _try(self, reference: Any, field: str) -> tuple[Any, bool]:
        """Return a value and whether it is there; what is no reference is a value."""
        if not isinstance(reference, str):
            return reference, True
        try:
            return self.value(reference, field), True
        except UNREADABLE as error:
            if self._on_missing == "raise":
                raise
            self.warn(field, error)
            return None, False

    def _read(
        self, datum_id: str, field: str | None, read: Callable[[Any, Doc], Any]
    ) -> np.ndarray[Any, Any]:
        found = self._datums.find(datum_id, Reference(self._run, field, datum_id))
        spec = str(found.resource.get("spec"))
        run = self._run or found.resource.get("run_start")
        reference = Reference(run, field, datum_id, spec)
        with self._registry.opened(found.resource, reference) as handler:
            try:
                self._check(handler, found, reference)
                return as_array(read(handler, found.kwargs))
            except DatabrokerError:
                raise
            except Exception as error:  # whatever somebody else's handler raises
                place = self._registry.place(found.resource, reference)
                by = f"the handler {type(handler).__name__}"
                raise translated(error, reference, place, by) from error

    def _check(self, handler: Any, datum: Datum, reference: Reference) -> None:
        """Refuse files that templates lead to outside of the allowed roots."""
        guard = self._registry.guard
        if guard and hasattr(handler, "get_file_list"):
            for path in handler.get_file_list([datum.kwargs]):
                guard.check(str(path), reference)


def as_array(value: Any) -> np.ndarray[Any, Any]:
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
