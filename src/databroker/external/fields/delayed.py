"""Single values as dask arrays, which read their files when they are computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...documents.transform import Transform, unchanged
from .datum_field import DatumReader, HasStore
from .filling import UNREADABLE, OnMissing
from .lazy_array import LazyArray
from .loading import Loader
from .reader import FieldReader, Look
from .streamed_field import StreamReader

if TYPE_CHECKING:
    import dask.array as da

    from ..registry import Registry

__all__ = ["DelayedDatums", "DelayedFrames"]

Doc = Mapping[str, Any]


class Delayed:
    """Gives what references stand for; `single` returns a reader of the value of one."""

    def __init__(
        self,
        single: Callable[[str, str], FieldReader],
        data_keys: Mapping[str, Doc],
        on_missing: OnMissing,
    ) -> None:
        self._single = single
        self._data_keys = data_keys
        self._on_missing = on_missing

    def value(self, reference: str, field: str | None = None) -> da.Array:
        """Return what a reference stands for."""
        name = field or ""
        array = LazyArray(
            name,
            self._single(reference, name),
            self._data_keys.get(name, {}),
            self._on_missing,
            warn=False,
            look=self._look(reference, name),
        )
        value: da.Array = array.to_dask()[0]
        return value

    def values(self, references: Sequence[str], field: str | None = None) -> list[Any]:
        """Return what each reference stands for."""
        return [self.value(reference, field) for reference in references]

    def _look(self, reference: str, field: str) -> Look | None:
        return None


class DelayedDatums(Delayed):
    """Gives what datum ids stand for; takes the place of a `Loader`.

    A handler that can say what its values are like is asked; of the values of others, the first
    of each field is read, to tell what they are like.
    """

    def __init__(
        self,
        source: HasStore,
        registry: Registry,
        run: str | None,
        data_keys: Mapping[str, Doc],
        on_missing: OnMissing,
        transform: Transform = unchanged,
    ) -> None:
        def single(datum_id: str, field: str) -> FieldReader:
            return DatumReader(source, registry, run, field, [datum_id], transform)

        super().__init__(single, data_keys, on_missing)
        self._loader = Loader(source.store, registry, run, transform)
        self._looks: dict[str, Look] = {}

    def _look(self, reference: str, field: str) -> Look | None:
        try:
            look = self._loader.look(reference, field, cheaply=True) or self._looks.get(field)
            if look is None:
                look = self._loader.look(reference, field)
                if look is not None:
                    self._looks[field] = look
        except UNREADABLE:  # computing the value says why
            return self._looks.get(field)
        return look


class DelayedFrames(Delayed):
    """Gives what the references of a streamed field stand for; takes the place of its reader."""

    def __init__(
        self, reader: StreamReader, field: str, data_key: Doc, on_missing: OnMissing
    ) -> None:
        super().__init__(
            lambda reference, _: reader.single(reference), {field: data_key}, on_missing
        )
        self.knows = reader.knows
        self.uncovered = reader.uncovered
