"""Single values as dask arrays, which read their files when they are computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .datum_field import DatumReader, HasStore
from .external_array import ExternalArray
from .filling import UNREADABLE, OnMissing
from .loading import Loader
from .reader import Look, Reader
from .streamed_field import StreamReader

if TYPE_CHECKING:
    import dask.array as da

    from ..registry import Registry

__all__ = ["DelayedDatums", "DelayedFrames"]

Doc = Mapping[str, Any]


class DelayedDatums:
    """Gives what datum ids stand for; takes the place of a `Loader`.

    A handler that can say what its values are like is asked; of the values of
    others, the first of each field is read, to tell what they are like.

    Parameters
    ----------
    source
        Leads to the store; goes with each value.
    registry, run, on_missing
        As for `Filler`.
    data_keys
        What is declared of the fields.
    """

    def __init__(
        self,
        source: HasStore,
        registry: Registry,
        run: str | None,
        data_keys: Mapping[str, Doc],
        on_missing: OnMissing,
    ) -> None:
        self._source = source
        self._registry = registry
        self._run = run
        self._data_keys = data_keys
        self._on_missing = on_missing
        self._loader = Loader(source.store, registry, run)
        self._looks: dict[str, Look] = {}

    def prefetch(self, references: Iterable[Any], field: str | None = None) -> Iterator[Any]:
        """Yield what may be ids of datums; nothing is read ahead."""
        yield from references

    def value(self, datum_id: str, field: str | None = None) -> da.Array:
        """Return the data of a datum."""
        name = field or ""
        reader = DatumReader(self._source, self._registry, self._run, name, [datum_id])
        key = self._data_keys.get(name, {})
        return _only(reader, name, key, self._on_missing, self._look(datum_id, name))

    def _look(self, datum_id: str, field: str) -> Look | None:
        try:
            found = self._loader.form(datum_id, field) or self._looks.get(field)
            if found is None:
                found = self._looks[field] = self._loader.look(datum_id, field)
        except UNREADABLE:  # computing the value says why
            return self._looks.get(field)
        return found


class DelayedFrames:
    """Gives what the references of a streamed field stand for; takes the place of `Paged`."""

    def __init__(
        self, reader: StreamReader, field: str, data_key: Doc, on_missing: OnMissing
    ) -> None:
        self._reader = reader
        self._field = field
        self._data_key = data_key
        self._on_missing = on_missing

    def value(self, reference: str) -> da.Array:
        """Return what '<stream resource>/<index>' stands for."""
        single = self._reader.single(reference)
        return _only(single, self._field, self._data_key, self._on_missing)

    def knows(self, reference: str) -> bool:
        """Tell whether a reference is to one of the field's stream resources."""
        return self._reader.knows(reference)

    def uncovered(self) -> Exception:
        """Return the error for an event of which nothing says where its value is."""
        return self._reader.uncovered()


def _only(
    reader: Reader, field: str, data_key: Doc, on_missing: OnMissing, look: Look | None = None
) -> da.Array:
    """Return the one value of a reader."""
    array = ExternalArray(field, reader, data_key, on_missing, warn=False, look=look)
    value: da.Array = array.to_dask()[0]
    return value
