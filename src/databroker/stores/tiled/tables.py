"""Columns of the tables of a Tiled server, and how many rows these have.

A server gives columns as a whole: it knows no ranges of rows. But it tells the length of a column
without sending it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa

from ...errors import StoreUnavailable
from .server import Server
from .streams import Parts, Table

_ARROW = ("format", "application/vnd.apache.arrow.file")
_MOST_NAMES = 50  # of columns in one address


def fetched(server: Server, parts: Parts, names: Sequence[str]) -> dict[str, pa.Array]:
    """Return those of some columns that tables have."""
    found: dict[str, pa.Array] = {}
    for table in parts.tables:
        wanted = [name for name in names if name in table.schema.names]
        for some in _questions(wanted, len(table.schema.names)):
            found |= _columns(server, table, some)
    return found


def row_count(server: Server, table: Table) -> int:
    """Return how many rows a table has; they stay on the server."""
    entry = server.entry(*table.path, table.counted)
    return 0 if entry is None else int(entry["attributes"]["structure"]["shape"][0])


def there(content: bytes | None, path: tuple[str, ...], server: Server) -> bytes:
    """Return what a server gave; it is an error if there is nothing at a path any more."""
    if content is None:
        raise StoreUnavailable(f"{server.name} has no {'/'.join(path)} any more.")
    return content


def _questions(wanted: list[str], width: int) -> list[list[str]]:
    """Return columns by the questions they are asked in: of most of a wide table, in one."""
    if len(wanted) > _MOST_NAMES and 2 * len(wanted) > width:
        return [wanted]
    return [wanted[first : first + _MOST_NAMES] for first in range(0, len(wanted), _MOST_NAMES)]


def _columns(server: Server, table: Table, names: list[str]) -> dict[str, pa.Array]:
    some = [("column", name) for name in names] if len(names) <= _MOST_NAMES else []
    partitions = [_partition(server, table, number, some) for number in range(table.partitions)]
    whole = pa.concat_tables(
        [each.select(names) for each in partitions], promote_options="permissive"
    )
    columns = {name: whole.column(name).combine_chunks() for name in names}
    return {name: _cast(column, table.schema.field(name).type) for name, column in columns.items()}


def _partition(
    server: Server, table: Table, number: int, params: Sequence[tuple[str, str]]
) -> pa.Table:
    asked = [("partition", str(number)), _ARROW, *params]
    content = there(server.data("table/partition", *table.path, params=asked), table.path, server)
    return pa.ipc.open_file(io.BytesIO(content)).read_all()


def _cast(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Return a column in the type that it was written in; on its way it may get a wider one."""
    if column.type == wanted:
        return column
    try:
        return column.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return column
