"""The data of several headers at once, as databroker 1.x gave it.

Headers are one, or anything to loop over that gives some, such as search results. They are taken
in the order given. A plain name in `fields`, or one in `fill`, need be in one of them only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..documents.readonly import ALL
from ..runs.run import Run, each_run
from ..runs.stream.many import Wanted

if TYPE_CHECKING:
    import pandas as pd

    from ..runs.stream.stream import Stream
    from .images import Images

__all__ = ["documents_of", "events_of", "images_of", "table_of"]

Document = dict[str, Any]
Headers = Run | Iterable[Run]
Fields = str | Iterable[str] | None


def documents_of(
    headers: Headers, stream_name: Any, fields: Fields, fill: Any
) -> Iterator[tuple[str, Document]]:
    """Yield (name, document) for all documents of some headers."""
    wanted = Wanted(fields, fill)
    for header in each_run(headers):
        fields = wanted.of(_streams(header, stream_name))
        yield from header.documents(stream_name, fields, wanted.filling)
    wanted.check()


def events_of(headers: Headers, stream_name: Any, fields: Fields, fill: Any) -> Iterator[Document]:
    """Yield the events of a stream of some headers."""
    wanted = Wanted(fields, fill)
    for header in _that_have(headers, stream_name):
        fields = wanted.of(_streams(header, stream_name))
        yield from header.events(stream_name, fields, wanted.filling)
    wanted.check()


def table_of(
    headers: Headers,
    stream_name: Any,
    fields: Fields,
    fill: Any,
    timezone: str | None,
    convert_times: bool,
) -> pd.DataFrame:
    """Load a stream of some headers as one table, one below the other."""
    wanted = Wanted(fields, fill)
    tables = [
        # As a run loads it: a header has an old argument more.
        Run.table(
            header,
            stream_name,
            wanted.of(_streams(header, stream_name)),
            wanted.filling,
            timezone,
            convert_times,
        )
        for header in _that_have(headers, stream_name)
    ]
    wanted.check()
    return _stacked(tables)


def images_of(headers: Headers, name: str, stream_name: str) -> Images:
    """Return the images of one field, those of several headers merged by their time."""
    from .images import Images

    return Images([header.streams[stream_name] for header in each_run(headers)], name)


def _that_have(headers: Headers, stream_name: Any) -> Iterator[Run]:
    """Yield the headers that have a stream; with none, the last, which says what it has instead."""
    passed, any_has = None, False
    for header in each_run(headers):
        if isinstance(stream_name, str) and stream_name not in header.stream_names:
            passed = header
        else:
            any_has = True
            yield header
    if passed is not None and not any_has:
        yield passed


def _streams(header: Run, stream_name: Any) -> list[Stream]:
    streams = header.streams.items()
    return [stream for name, stream in streams if stream_name is ALL or name == stream_name]


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one below the other; a column that some lack is empty there."""
    import pandas as pd

    from ..runs.stream.table import no_table

    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    # A table without rows has something to say about columns, but not about their types.
    filled = [table for table in tables if len(table)] or [t for t in tables if len(t.columns)][:1]
    if not filled:
        return no_table()
    together = pd.concat(filled) if len(filled) > 1 else filled[0]
    return together if list(together.columns) == columns else together.reindex(columns=columns)
