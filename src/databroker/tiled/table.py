"""The events of a stream as a table of Tiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from tiled.server.core import NoEntry
from tiled.structures.core import StructureFamily
from tiled.structures.table import TableStructure

from .array import ArrayEntry
from .columns import Columns
from .container import Entry, http_errors, in_thread


class TableEntry(Entry):
    """A table, whose partitions are ranges of rows.

    Parameters
    ----------
    columns
        What it is made of.
    """

    structure_family = StructureFamily.table

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def metadata(self) -> dict[str, Any]:
        """Return nothing: what is known of columns is said of the stream."""
        return {}

    def structure(self) -> TableStructure:
        """Return the columns, their types, and how many partitions there are."""
        with http_errors():
            schema, partitions = self._columns.schema, self._columns.partitions
            return TableStructure.from_schema(schema, len(partitions))

    def read(self, fields: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all rows.

        Raises
        ------
        KeyError
            There is no such column.
        """
        return self._rows(0, self._columns.rows, fields)

    def read_partition(self, partition: int, fields: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a partition.

        Raises
        ------
        IndexError, KeyError
            There is no such partition, or no such column.
        """
        if partition < 0:
            raise IndexError(partition)
        return self._rows(*self._columns.partitions[partition], fields)

    async def lookup_adapter(self, segments: Sequence[str]) -> ArrayEntry:
        """Return a column as an array.

        Raises
        ------
        NoEntry
            There is no such column.
        """
        name, *rest = segments
        if rest or name not in self._columns.schema.names:
            raise NoEntry(list(segments))
        return ArrayEntry(await in_thread(self._columns.values, name), {})

    def _rows(self, first: int, stop: int, fields: Sequence[str] | None) -> pd.DataFrame:
        with http_errors():
            known = self._columns.schema.names
            names = known if fields is None else list(fields)
            for name in names:
                if name not in known:
                    raise KeyError(name)
            found: pd.DataFrame = self._columns.table(first, stop, names).to_pandas()
            return found
