"""The external fields of a stream: what stands for them in its rows, and their data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import assemble
from ..columns.names import nested
from ..errors import ShapesDiffer
from ..external.reading.filling import (
    UNREADABLE,
    Filler,
    Filling,
    OnMissing,
    check_on_missing,
    external_fields,
)
from .layout import Layout
from .lazy import codes_of
from .locator import Locator
from .rows import Columns, EventSource

if TYPE_CHECKING:
    import pandas as pd

    from ..external import ExternalArray, Registry
    from ..external.reading.streamed import StreamReader
    from ..stores.contract import Store
    from .streamed import Streamed

__all__ = ["Outside"]

Array = np.ndarray[Any, Any]
Doc = Mapping[str, Any]


class Outside:
    """Loads what the rows of a stream only refer to.

    Parameters
    ----------
    store, registry, run
        Where the documents are, how files are opened, and of which run they are.
    descriptors
        Of the stream.
    filling
        Which external fields are wanted, and how.
    on_missing
        'raise', 'mask' or 'skip' what cannot be had; see `Filler` and `ExternalArray`.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        run: str,
        descriptors: Sequence[Doc],
        filling: Filling,
        on_missing: OnMissing = "raise",
    ) -> None:
        check_on_missing(on_missing)
        self._store = store
        self._registry = registry
        self._run = run
        self._descriptors = descriptors
        self._on_missing = on_missing
        self._kinds = external_fields(descriptors)
        self.filled = filling.fields(self._kinds)
        self.delayed = filling.delayed

    @cached_property
    def streamed(self) -> Streamed | None:
        """The streamed fields; None if there are none."""
        if "stream" not in self._kinds.values():
            return None
        from .streamed import Streamed

        return Streamed.of(self._store, self._run, self._descriptors)

    @cached_property
    def rows(self) -> EventSource:
        """The events of the stream, with the references of streamed fields among them."""
        if self.streamed is None:
            return self._store
        from .streamed import StreamedRows

        return StreamedRows(self._store, self.streamed)

    def is_streamed(self, field: str) -> bool:
        """Tell whether the values of a field are in stream resources."""
        return self._kinds.get(field) == "stream"

    @cached_property
    def filler(self) -> Filler:
        """What loads single values."""
        from ..external.reading.paged import Paged

        if self.delayed:
            return self._delayed_filler()
        paged = {name: Paged(reader) for name, reader in self._readers().items()}
        return Filler(self._store, self._registry, self._run, self._on_missing, paged)

    def _delayed_filler(self) -> Filler:
        """Return what gives single values that are loaded later."""
        from ..external.reading.delayed import DelayedDatums, DelayedFrames

        keys: dict[str, Doc] = {}
        for descriptor in self._descriptors:
            keys = {**descriptor["data_keys"], **keys}
        frames = {
            name: DelayedFrames(reader, name, keys[name], self._on_missing)
            for name, reader in self._readers().items()
        }
        locator = Locator(self._store)
        datums = DelayedDatums(locator, self._registry, self._run, keys, self._on_missing)
        return Filler(self._store, self._registry, self._run, self._on_missing, frames, datums)

    def _readers(self) -> dict[str, StreamReader]:
        """Return what reads each streamed field."""
        fields = {} if self.streamed is None else self.streamed.fields
        return {name: each.reader(self._registry, self._run) for name, each in fields.items()}

    def referring(self, event: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Return an event with the references of some of its streamed fields."""
        fields = {} if self.streamed is None else self.streamed.fields
        owner = event["descriptor"]
        found = {
            name: fields[name].references(owner, np.array([event["seq_num"]]))[0].as_py()
            for name in names
            if name in fields and owner in fields[name].spans and name not in event["data"]
        }
        return {**event, "data": {**event["data"], **found}} if found else event

    def references(self, field: str) -> Iterator[Any]:
        """Yield what the rows have in the place of a field's data, in order."""
        column = nested("data", field)
        holders = [doc["uid"] for doc in self._descriptors if field in doc["data_keys"]]
        for chunk in Layout.of(self.rows, holders).pieces(self.rows, Columns({field})):
            cells = assemble(chunk.batches, [column])[column]
            yield from cells if chunk.order is None else cells[chunk.order]

    def fill_table(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table of a stream with data in the place of references."""
        import pandas as pd

        for name in filter(table.__contains__, self.filled):
            absent = self.absent(name)
            rows = list(range(len(table))) if absent is None else np.flatnonzero(~absent).tolist()
            cells = pd.Series([None] * len(table), table.index, dtype=object)
            with _advice():
                values = self.filler.column(table[name].iloc[rows], name)
            for row, value in zip(rows, values, strict=True):
                cells.iat[row] = value
            table[name] = cells
        return table

    def absent(self, field: str) -> Array | None:
        """Tell which rows belong to a descriptor without a field; None if none do."""
        layout = Layout.of(self.rows, [doc["uid"] for doc in self._descriptors])
        holders = [doc["uid"] for doc in self._descriptors if field in doc["data_keys"]]
        lacks = {owner: int(owner not in holders) for owner in layout.owners}
        if not any(lacks.values()):
            return None
        chunks = (layout.read(self.rows, window, Columns(())) for window in layout.windows())
        return np.concatenate([codes_of(chunk, lacks) for chunk in chunks]).astype(bool)

    def array(self, field: str, data_key: Doc, references: Any, seq_nums: Array) -> ExternalArray:
        """Return a field as an array that reads what is asked of it.

        Parameters
        ----------
        data_key
            What is declared of it.
        references, seq_nums
            What the rows have in its place, and their numbers.
        """
        from ..external.reading.datum_reader import DatumReader
        from ..external.reading.lazy import ExternalArray
        from ..external.reading.reader import Reader

        reader: Reader
        if self.streamed is not None and field in self.streamed.fields:
            streamed = self.streamed.fields[field]
            reader = streamed.reader(self._registry, self._run, seq_nums, self.absent(field))
        else:
            locator = Locator(self._store)
            reader = DatumReader(locator, self._registry, self._run, field, references)
        return ExternalArray(field, reader, data_key, self._on_missing)

    def load(self, field: str, data_key: Doc, references: Array, seq_nums: Array) -> Any:
        """Return a field in memory; as objects where its values differ in shape."""
        if self.delayed:
            return self.array(field, data_key, references, seq_nums).to_dask()
        with _advice():
            try:
                return np.asarray(self.array(field, data_key, references, seq_nums))
            except ShapesDiffer:
                cells = np.empty(len(references), object)
                for row, value in enumerate(self.filler.column(references, field)):
                    cells[row] = value
                return cells


@contextlib.contextmanager
def _advice() -> Iterator[None]:
    """Say of data that cannot be had how to have the rest."""
    try:
        yield
    except UNREADABLE as error:
        error.add_note("The rest can be had: on_missing='mask', or fill=False.")
        raise
