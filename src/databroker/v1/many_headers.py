"""The data of several headers at once: what is asked of each, and their tables as one.

Headers are one, or anything to loop over that gives some, such as search results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..documents.readonly import ALL
from ..runs.run import Run, each_run
from ..runs.stream.fields import Fields
from ..runs.stream.many import Wanted
from ..stores.many import PAGE_RUNS

if TYPE_CHECKING:
    import pandas as pd

    from ..external.fields.filling import Filling


def shares(
    headers: Run | Iterable[Run], stream_name: Any, fields: Fields, fill: Any, every: bool = False
) -> Iterator[tuple[Run, list[str] | None, Filling]]:
    """Yield the headers that have a stream (or every one), with those of the fields that each has.

    A plain name in `fields`, or one in `fill`, need be in one of them only: it is when all
    have been seen that one is said to be nowhere.
    """
    wanted = Wanted(fields, fill)
    for header in each_run(headers) if every else _that_have(headers, stream_name):
        named = header.streams.items()
        streams = [stream for name, stream in named if stream_name is ALL or name == stream_name]
        yield header, wanted.of(streams), wanted.filling
    wanted.check()


def _that_have(headers: Run | Iterable[Run], stream_name: Any) -> Iterator[Run]:
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


def table_of(
    headers: Run | Iterable[Run],
    stream_name: Any,
    fields: Fields,
    fill: Any,
    convert_times: bool,
    timezone: str | None,
) -> pd.DataFrame:
    """Return the tables of a stream of headers, one below the other, in the order given."""
    from ..runs.stream.run_tables import Options, RunTables, TablePage, in_one

    options, wanted = Options(stream_name, "raise", convert_times, timezone), Wanted(fields, fill)
    pages: list[TablePage] = []
    reader = None
    before, any_has = 0, False
    for chunk in _chunks(each_run(headers)):
        session = next(iter(chunk.values())).session.whole
        reader = RunTables(session, chunk.__getitem__, wanted, options, any_has)
        pages += reader.pages(chunk, before)
        before, any_has = before + len(chunk), reader.has_any
    if reader is not None:
        reader.check()
    return in_one(pages)[0]


def _chunks(headers: Iterable[Run]) -> Iterator[dict[str, Run]]:
    """Yield different headers of one store by their uids, as many as are read together."""
    chunk: dict[str, Run] = {}
    for header in headers:
        first = next(iter(chunk.values()), header)
        alike = header.session.whole.store is first.session.whole.store
        if header.uid in chunk or len(chunk) == PAGE_RUNS or not alike:
            yield chunk
            chunk = {}
        chunk[header.uid] = header
    if chunk:
        yield chunk
