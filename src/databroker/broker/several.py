"""The data of several headers at once, as databroker 1.x gave it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from .._util.printable import shown
from .._util.user_warnings import warn_user
from ..documents.readonly import ALL
from ..errors import NotSupported
from ..runs import Header
from ..runs.stored import StoredRun
from ..runs.stream.documents import Wanted

if TYPE_CHECKING:
    import pandas as pd

    from ..runs.images import Images
    from ..runs.stream import Stream

Document = dict[str, Any]
Headers = Header | Iterable[Header]
Fields = str | Iterable[str] | None

__all__ = ["SeveralHeaders", "each_header"]


class SeveralHeaders:
    """The part of a broker that loads the data of one header or of several.

    Everywhere, `headers` is a header or anything to loop over that gives
    headers, such as search results. They are taken in the order given. A plain
    name in `fields`, or one in `fill`, need be in one of them only.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> for uid in ("a", "b"):
    ...     db.insert("start", {"uid": uid, "time": 1.0})
    >>> [name for name, document in db.get_documents(db())]
    ['start', 'start']
    """

    def get_documents(
        self,
        headers: Headers,
        stream_name: Any = ALL,
        fields: Fields = None,
        fill: Any = False,
        handler_registry: None = None,
    ) -> Iterator[tuple[str, Document]]:
        """Yield (name, document) for all documents of some headers; see `Header.documents`.

        Raises
        ------
        NoSuchField
            A plain name in `fields` or `fill` that is in none of them, when all have been seen.
        """
        _no_registry(handler_registry)
        wanted = Wanted(fields, fill)
        for header in each_header(headers):
            fields = wanted.of(_streams(header, stream_name))
            yield from header.documents(stream_name, fields, wanted.filling)
        wanted.check()

    def get_events(
        self,
        headers: Headers,
        stream_name: Any = "primary",
        fields: Fields = None,
        fill: Any = False,
        handler_registry: None = None,
    ) -> Iterator[Document]:
        """Yield the events of a stream of some headers; see `Header.events`.

        Raises
        ------
        NoSuchField
            A plain name in `fields` or `fill` that is in none of them, when all have been seen.
        """
        _no_registry(handler_registry)
        wanted = Wanted(fields, fill)
        for header in _that_have(headers, stream_name):
            fields = wanted.of(_streams(header, stream_name))
            yield from header.events(stream_name, fields, wanted.filling)
        wanted.check()

    def get_table(
        self,
        headers: Headers,
        stream_name: Any = "primary",
        fields: Fields = None,
        fill: Any = False,
        handler_registry: None = None,
        convert_times: bool = True,
        timezone: str | None = None,
        localize_times: bool = True,
    ) -> pd.DataFrame:
        """Load a stream of some headers as one table, one below the other; see `Header.table`.

        Headers without the stream are passed over; with none left, the table is empty.

        Raises
        ------
        NoSuchField
            A plain name in `fields` or `fill` that is in none of them.
        """
        _no_registry(handler_registry)
        wanted = Wanted(fields, fill)
        tables = [
            header.table(
                stream_name,
                wanted.of(_streams(header, stream_name)),
                wanted.filling,
                timezone,
                convert_times,
                localize_times,
            )
            for header in _that_have(headers, stream_name)
        ]
        wanted.check()
        return _stacked(tables)

    def restream(
        self, headers: Headers, fields: Fields = None, fill: Any = False
    ) -> Iterator[tuple[str, Document]]:
        """Yield (name, document) for all documents of some headers, as they were emitted."""
        return self.get_documents(headers, ALL, fields, fill)

    stream = restream

    def process(
        self,
        headers: Headers,
        func: Callable[[str, Document], object],
        fields: Fields = None,
        fill: Any = False,
    ) -> None:
        """Call a function with (name, document) for all documents of some headers.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> db.process(db[-1], lambda name, document: print(name, repr(document)))
        start {'uid': 'a', 'time': 1.0}
        """
        for name, document in self.get_documents(headers, ALL, fields, fill):
            func(name, document)

    def get_images(
        self,
        headers: Headers,
        name: str,
        stream_name: str = "primary",
        handler_registry: None = None,
    ) -> Images:
        """Return the images of one field as a sequence that loads one when it is asked for.

        Images of several headers are merged by their time.

        Raises
        ------
        NoSuchField
            A header's stream has no such field.
        NoSuchStream
            A header has no such stream.

        Warns
        -----
        UserWarning
            It is an old name for what `Header.data` and `Stream.to_dask` do.
        """
        from ..runs.images import Images

        warn_user(
            "get_images is deprecated: use header.data(name) to loop over images, or "
            "header.streams[...].to_dask() for an array of them."
        )
        _no_registry(handler_registry)
        return Images([header.streams[stream_name] for header in each_header(headers)], name)

    @staticmethod
    def get_fields(header: Header, name: str | None = None) -> set[str]:
        """Return the names of the data keys of a stream, or of all streams."""
        return header.fields(ALL if name is None else name)

    @staticmethod
    def stream_names_given_header(header: Header) -> list[str]:
        """Return `Header.stream_names`."""
        return header.stream_names

    def fill_event(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise: `Header.events` and `Header.documents` fill what they yield."""
        raise NotSupported(
            "Events that were handed out are read-only; ask for filled ones with "
            "header.events(fill=True)."
        )

    fill_events = fill_event


def each_header(headers: Headers) -> Iterator[Header]:
    """Yield headers, and say what else was given."""
    for header in [headers] if isinstance(headers, Header) else headers:
        if not isinstance(header, StoredRun):
            given = headers if isinstance(headers, str) else header
            raise TypeError(f"Give headers, such as db[-1] or db(...), not {shown(given)}.")
        yield header


def _that_have(headers: Headers, stream_name: Any) -> Iterator[Header]:
    """Yield the headers that have a stream; with none, the last, which says what it has instead."""
    passed, found = None, False
    for header in each_header(headers):
        if isinstance(stream_name, str) and stream_name not in header.stream_names:
            passed = header
        else:
            found = True
            yield header
    if passed is not None and not found:
        yield passed


def _streams(header: Header, stream_name: Any) -> list[Stream]:
    streams = header.streams.items()
    return [stream for name, stream in streams if stream_name is ALL or name == stream_name]


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
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


def _no_registry(handler_registry: object) -> None:
    if handler_registry is not None:
        raise NotSupported(
            "Handlers for one call are not supported; register them with "
            "db.reg.register_handler(spec, handler)."
        )
