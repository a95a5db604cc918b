"""How far a run is: told by the shapes of its arrays and the lengths of its tables alone."""

from __future__ import annotations

from collections.abc import Hashable

from .server import Server
from .streams import Stream, parts_of, streams_of
from .tables import row_count


def progress_of(server: Server, key: str) -> Hashable:
    """Return what is another value once a run has more descriptors or rows."""
    return tuple(_of_stream(server, stream) for stream in streams_of(server, key, key))


def _of_stream(server: Server, stream: Stream) -> Hashable:
    parts = parts_of(server, stream.data_path)
    tables = tuple(row_count(server, table) for table in parts.tables)
    arrays = tuple((name, array.shape) for name, array in parts.arrays.items())
    return stream.name, len(stream.descriptors()), tables, arrays
