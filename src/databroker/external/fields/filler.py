"""References in events replaced by the data that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..._util.signals import suppressed
from ..._util.user_warnings import warn_user
from .datum_field import Loader
from .filling import UNREADABLE, Doc, OnMissing, check_on_missing
from .lazy_array import LazyArray
from .reader import rows_ahead

if TYPE_CHECKING:
    from ...stores.base import Store
    from ..registry import Registry
    from .streamed_field import StreamReader


class Filler:
    """Loads what events refer to.

    `on_missing` says what happens where data cannot be had: 'raise' the error; 'mask' the value
    with None; or 'skip' it, which leaves the reference in an event, and gives nothing in
    `values`. But for 'raise', each field warns once. Where `lazily` says what is declared of the
    fields, values are dask arrays, which read their files when they are computed.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        run: str | None = None,
        on_missing: OnMissing = "raise",
        streamed: Mapping[str, StreamReader] | None = None,
        datums: Loader | None = None,
        lazily: Mapping[str, Doc] | None = None,
    ) -> None:
        check_on_missing(on_missing)
        self.on_missing = on_missing
        self._datums = datums or Loader(store, registry, run)
        self._streamed = streamed or {}
        self._lazily = lazily
        self._warned: set[str | None] = set()

    def value(self, datum_id: str, field: str | None = None) -> Any:
        """Return the data of a datum, or what the reference of a streamed field stands for."""
        source = self._source(datum_id, field)
        if self._lazily is None:
            return source.value(datum_id, field)
        name = field or ""
        single, declared = source.single(datum_id, name), self._lazily.get(name, {})
        return LazyArray(name, single, declared, self.on_missing, warn=False).to_dask()[0]

    def values(self, references: Iterable[Any], field: str) -> Iterator[Any]:
        """Yield the data that references stand for, one at a time; what is none stays as it is."""
        for _, value, is_there in self._read(references, field):
            if is_there or self.on_missing == "mask":
                yield value

    def events(self, events: Iterable[Doc], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield copies of events in which fields hold data, and `filled` has the references.

        Fields that are filled already, or hold no reference, stay as they are. Events are yielded
        one at a time; some are read ahead together.
        """
        rest, rows = iter(events), 1
        while some := list(islice(rest, rows)):
            pages = [self._page([_held(event, each) for event in some], each) for each in fields]
            for event in some:
                read = [next(page) for page in pages]
                yield self._filled(event, fields, read)
            last = (_held(event, each) for each in fields)
            rows = self._more(rows, zip(fields, last, (value for value, _ in read), strict=True))

    def column(self, references: Iterable[Any], field: str) -> list[Any]:
        """Return the cells of a table's column; for missing data, None or the reference."""
        skip = self.on_missing == "skip"
        return [
            reference if not is_there and skip else value
            for reference, value, is_there in self._read(references, field)
        ]

    def warn(self, field: str | None, error: Exception) -> None:
        """Say once for each field that its data cannot be had."""
        if field not in self._warned:
            self._warned.add(field)
            warn_user(f"Some external data cannot be had (said once a field). {error}", UserWarning)

    def _read(self, references: Iterable[Any], field: str) -> Iterator[tuple[Any, Any, bool]]:
        """Yield references, each with its value and whether it is there; some are read ahead."""
        rest, rows = iter(references), 1
        while some := list(islice(rest, rows)):
            for reference, (value, is_there) in zip(some, self._page(some, field), strict=True):
                yield reference, value, is_there
            rows = self._more(rows, [(field, reference, value)])

    def _page(self, references: Sequence[Any], field: str) -> Iterator[tuple[Any, bool]]:
        """Yield values, read together if that can be done; else each by itself, to tell why."""
        ahead = self._ahead([each for each in references if isinstance(each, str)], field)
        for reference in references:
            value = next(ahead, _NOTHING) if isinstance(reference, str) else _NOTHING
            yield self._try(reference, field) if value is _NOTHING else (value, True)

    def _ahead(self, references: Sequence[str], field: str) -> Iterator[Any]:
        """Yield values that are read together, up to the first that cannot be had."""
        if len(references) > 1 and self._lazily is None:
            source, *others = (self._source(each, field) for each in references)
            if all(other is source for other in others):
                with suppressed(Exception):
                    yield from source.values(references, field)

    def _filled(
        self, event: Doc, fields: Sequence[str], read: Sequence[tuple[Any, bool]]
    ) -> dict[str, Any]:
        data = dict(event["data"])
        said = event.get("filled")
        filled = dict(said) if isinstance(said, Mapping) else {}
        for field, (value, is_there) in zip(fields, read, strict=True):
            if value is _NOTHING:
                continue
            if is_there and isinstance(data[field], str):
                filled[field] = data[field]
            if is_there or self.on_missing == "mask":
                data[field] = value
        return {**event, "data": data, "filled": filled}

    def _source(self, reference: str, field: str | None) -> Loader | StreamReader:
        frames = None if field is None else self._streamed.get(field)
        return frames if frames is not None and frames.knows(reference) else self._datums

    def _more(self, rows: int, last: Iterable[tuple[str, Any, Any]]) -> int:
        """Return how many rows to read together after so many: never what takes much memory.

        `last` has the fields of the last row, each with what refers to its value, and that.
        """
        sizes = (0 if self._comes(*each) else getattr(each[-1], "nbytes", 0) for each in last)
        return min(2 * rows, rows_ahead(sum(sizes)))

    def _comes(self, field: str, reference: Any, value: Any) -> bool:
        """Tell whether a value comes while it is looped over, so that none is kept."""
        is_text = isinstance(reference, str) and not isinstance(value, str)
        return is_text and self._source(reference, field).is_served(reference, field)

    def _try(self, reference: Any, field: str) -> tuple[Any, bool]:
        """Return a value and whether it is there; what is no reference is a value."""
        try:
            if reference is None and field in self._streamed:
                raise self._streamed[field].uncovered()
            value = self.value(reference, field) if isinstance(reference, str) else reference
            return value, True
        except UNREADABLE as error:
            if self.on_missing == "raise":
                raise
            self.warn(field, error)
            return None, False


_NOTHING = object()


def _held(event: Doc, field: str) -> Any:
    """Return what an event refers to by a field, unless there is nothing to fill."""
    filled = event.get("filled")
    done = isinstance(filled, Mapping) and filled.get(field) is True
    return _NOTHING if done else event["data"].get(field, _NOTHING)
