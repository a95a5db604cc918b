"""Comma-separated values: a file a stream."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import losses
from .format import Choice, Losses, Part
from .tabular import StreamTable, Tabular

if TYPE_CHECKING:
    import pyarrow as pa

    from ..runs.run import Run


class CSV(Tabular):
    """A text file for each stream, with a line for each event.

    Parameters
    ----------
    units
        Whether a second line has the units of the columns.
    **options
        Those of `Tabular`.
    """

    suffix = ".csv"
    about = "a table for each stream, which any program reads"

    def __init__(self, *, units: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return a file for each stream."""
        for table in self.tables(run, choice):
            yield Part(partial(self._write, table), {"stream": table.name})

    def _write(self, table: StreamTable, path: Path) -> Losses:
        reader = table.read()
        second = [table.units] if self.units else []
        yield losses.METADATA
        if table.units and not self.units:
            yield losses.UNITS
        yield from table.losses(reader)
        yield from write_csv(reader, path, second)


def write_csv(
    reader: pa.RecordBatchReader, path: Path, second: Sequence[Mapping[str, str]] = ()
) -> Losses:
    """Write batches as lines below the names of the columns, and what else stands at the top.

    Lines end as RFC 4180 says, so that one within a text is told from the end of a row.
    """
    from .cells import Cells

    cells = Cells()
    names = reader.schema.names
    heads = [names, *([each.get(name) for name in names] for each in second)]
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        lines = csv.writer(file)
        lines.writerows(cells.header(head) for head in heads)
        for batch in reader:
            lines.writerows(zip(*map(cells.of, batch.columns), strict=True))
    return list(cells.losses)
