"""The external fields of a stream: what stands for them in its rows, and their data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._util.user_warnings import warn_user
from ...columns import Selection
from ...columns.assemble import assemble
from ...columns.cells import cells_of
from ...columns.names import nested
from ...errors import ShapesDiffer
from ...external.fields.filler import Filler
from ...external.fields.filling import (
    UNREADABLE,
    Filling,
    OnMissing,
    check_on_missing,
    external_fields,
    flag,
)
from .fields import Doc
from .layout import Array, Chunk, EventSource, Layout

if TYPE_CHECKING:
    import pandas as pd

    from ...external.fields.datum_field import Loader
    from ...external.fields.lazy_array import LazyArray
    from ...external.fields.streamed_field import StreamedField
    from ..session import Session
    from .streamed import StreamedRows


class ExternalFields:
    """Loads what the rows of a stream only refer to."""

    def __init__(
        self,
        session: Session,
        run: str,
        descriptors: Sequence[Doc],
        filling: Filling,
        on_missing: OnMissing = "raise",
        ended: bool = False,
    ) -> None:
        check_on_missing(on_missing)
        self._store = session.store
        self._registry = session.registry
        self._transform = session.transforms
        self._run = run
        self._descriptors = descriptors
        self._on_missing = on_missing
        self._ended = ended
        self._kinds = external_fields(descriptors)
        self.filled = filling.fields(self._kinds)
        self.delayed = filling.delayed

    @cached_property
    def _view(self) -> StreamedRows | None:
        """The events with streamed fields among them; None if there are none."""
        if "stream" not in self._kinds.values():
            return None
        from .streamed import StreamedRows

        return StreamedRows.of(self._store, self._run, self._descriptors)

    @property
    def rows(self) -> EventSource:
        """The rows of the stream, with the references of streamed fields among them."""
        return self._store if self._view is None else self._view

    @property
    def events(self) -> EventSource:
        """Those rows that are events: where there are no events, values make rows of their own."""
        return self._store if self._view is not None and self._view.seq_nums else self.rows

    @property
    def _streamed(self) -> Mapping[str, StreamedField]:
        return {} if self._view is None else self._view.fields

    def is_streamed(self, field: str) -> bool:
        """Tell whether the values of a field are in stream resources."""
        return field in self._streamed

    @cached_property
    def _loader(self) -> Loader:
        from ...external.fields.datum_field import Loader

        return Loader(self._store, self._registry, self._run, self._transform)

    @cached_property
    def filler(self) -> Filler:
        """What loads single values, or gives what is loaded later."""
        from ...external.fields.streamed_field import StreamReader

        for name in filter(self._streamed.__contains__, self.filled):
            self._tell_left_over(name)
        keys: dict[str, Doc] = {}
        for descriptor in self._descriptors:
            keys = {**descriptor["data_keys"], **keys}
        return Filler(
            self._store,
            self._registry,
            self._run,
            self._on_missing,
            {
                name: StreamReader(self._registry, self._run, each, store=self._store)
                for name, each in self._streamed.items()
            },
            self._loader,
            keys if self.delayed else None,
        )

    def referring(self, chunk: Chunk, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the events of a chunk of `rows`, with the references of some streamed fields."""
        fields = [self._streamed[name] for name in names if name in self._streamed]
        columns = [nested("data", field.name) for field in fields]
        cells = assemble(chunk.batches, columns)
        for row, event in enumerate(chunk.documents()):
            place = row if chunk.order is None else chunk.order[row]
            for field, column in zip(fields, columns, strict=True):
                if event["descriptor"] in field.holders:
                    event["data"].setdefault(field.name, cells[column][place])
            flag(event, self._kinds)
            yield event

    def references(self, field: str) -> Iterator[Any]:
        """Yield what the rows have in the place of a field's data, in order."""
        column = nested("data", field)
        holders = [doc["uid"] for doc in self._descriptors if field in doc["data_keys"]]
        for chunk in Layout.of(self.rows, holders).pieces(self.rows, Selection(frozenset({field}))):
            cells = assemble(chunk.batches, [column])[column]
            yield from cells if chunk.order is None else cells[chunk.order]

    def fill_table(self, table: pd.DataFrame, before: int = 0) -> pd.DataFrame:
        """Return the table of a stream, or its rows after so many, with data for references."""
        import pandas as pd

        names = [name for name in self.filled if name in table]
        if not names:
            return table
        layout = Layout.of(self.rows, [doc["uid"] for doc in self._descriptors])
        for name in names:
            absent = self.absent(name, layout)
            lacks = None if absent is None else absent[before : before + len(table)]
            rows = np.arange(len(table)) if lacks is None else np.flatnonzero(~lacks)
            cells = np.full(len(table), None, object)
            with _advice():
                cells[rows] = cells_of(self.filler.column(table[name].iloc[rows], name))
            table[name] = pd.Series(cells, table.index, dtype=object)
        return table

    def absent(self, field: str, layout: Layout) -> Array | None:
        """Tell which rows belong to a descriptor without a field; None if none do."""
        holders = [doc["uid"] for doc in self._descriptors if field in doc["data_keys"]]
        lacks = np.array([owner not in holders for owner in layout.owners], bool)
        return lacks[layout.origins(self.rows)[0]] if lacks.any() else None

    def array(
        self, field: str, data_key: Doc, references: Any, layout: Layout, seq_nums: Array
    ) -> LazyArray:
        """Return a field as an array that reads what is asked of it."""
        from ...external.fields.datum_field import DatumReader
        from ...external.fields.lazy_array import LazyArray
        from ...external.fields.reader import FieldReader
        from ...external.fields.streamed_field import StreamReader

        reader: FieldReader
        if self._view is not None and field in self._streamed:
            places, absent = self._view.places(field, layout), self.absent(field, layout)
            self._tell_left_over(field)
            streamed = self._streamed[field]
            reader = StreamReader(
                self._registry, self._run, streamed, places, seq_nums, absent, self._store
            )
        else:
            reader = DatumReader(self._loader, field, references)
        return LazyArray(field, reader, data_key, self._on_missing)

    def load(
        self, field: str, data_key: Doc, references: Array, layout: Layout, seq_nums: Array
    ) -> Any:
        """Return a field in memory; as objects where its values differ in shape."""
        if self.delayed:
            return self.array(field, data_key, references, layout, seq_nums).to_dask()
        with _advice():
            try:
                return np.asarray(self.array(field, data_key, references, layout, seq_nums))
            except ShapesDiffer:
                return _stacked(cells_of(self.filler.column(references, field)))

    def _tell_left_over(self, field: str) -> None:
        """Warn of values that will never be those of an event."""
        values = self._view.left_over(field) if self._view is not None and self._ended else 0
        if values:
            warn_user(
                f"{values} values of the field {field!r} of run {self._run!r} belong to no event: "
                "more of them were recorded than events. 'databroker files' (in Python, "
                "header.files()) says where they are.",
                UserWarning,
            )


def _stacked(cells: Array) -> Array:
    """Return values as one array with the dtype that they have in common, where there is one."""
    if not all(isinstance(each, np.ndarray | np.generic) for each in cells):
        return cells
    forms = {(each.shape, each.dtype.kind in "biufc") for each in cells}
    if len(forms) != 1 or not next(iter(forms))[1]:
        return cells
    return np.stack(list(cells))


@contextlib.contextmanager
def _advice() -> Iterator[None]:
    """Say of data that cannot be had how to have the rest."""
    try:
        yield
    except UNREADABLE as error:
        error.add_note("The rest can be had: on_missing='mask', or fill=False.")
        raise
