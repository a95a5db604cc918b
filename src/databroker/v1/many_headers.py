"""The data of several headers at once: what is asked of each, and their tables as one.

Headers are one, or anything to loop over that gives some, such as search results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..documents.readonly import ALL
from ..runs.run import Run, each_run
from ..runs.stream.fields import Fields
from ..runs.stream.many import Wanted

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


def stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
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
