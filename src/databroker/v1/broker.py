"""The broker of databroker 1.x: the core's, with filters, aliases, hooks and many headers."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Self

from .._util.user_warnings import warn_user
from ..broker import broker as core
from ..documents.readonly import ALL
from ..errors import NotSupported
from .doct import wrap_in_deprecated_doct

if TYPE_CHECKING:
    import pandas as pd

    from ..broker.export import Receiver
    from ..external import registry as external
    from ..query.nodes import Node
    from ..runs.session import Source
    from ..runs.stream.fields import Fields
    from ..stores.base import RunRecord, Store
    from ..v2.runs import Catalog
    from .header import Header, Results
    from .images import Images
    from .registry import Registry

    Headers = Header | Iterable[Header]

Document = dict[str, Any]

Hook = Callable[[str, Document], Any]
"""Is given the kind of a document and the document; returns what the user gets."""

Fetcher = Callable[[Any, Any], Any]
"""Is given the start and the stop document of a run; returns what belongs to it elsewhere."""

Keywords = Mapping[str, Any]


class Broker(core.Broker):
    """Saves runs, finds them again and hands them over.

    Made by `Broker.named`, `Broker.from_config` or `databroker.temp`.

    Parameters
    ----------
    store
        Where the documents live.
    name
        What the broker is called.
    timezone
        In which zone times are read and shown: an IANA name; None for the
        machine's own.
    stale_after
        Seconds after which a run that has fallen silent no longer counts as running; None
        leaves what the store says.
    config
        The mapping that it was made from.
    registry
        Its handlers, and where files are now.
    transforms
        Functions, or where to import them from, that change documents as they are
        read, by kind: 'start', 'stop', 'resource', 'descriptor'.
    sources
        Of a store over several, how the runs of each are read, by its name.
    external_fetchers
        Functions of a run's start and stop document, by name.

    Attributes
    ----------
    filters
        Keywords, as in a search, that apply to each search beside its own.
    aliases
        By name: the keywords of a search, or a function that returns them.
    prepare_hook
        Is called with the kind of each document that is handed out, and the
        document; what it returns is what the user gets.
    external_fetchers
        Functions by name. Each is called with the start and the stop document of
        a run when its header is made; ``header.ext.<name>`` is what it returned.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "scan_id": 42, "operator": "Dan"})
    >>> db[42].uid, db["b2"].uid, db[-1].uid
    ('b2c1', 'b2c1', 'b2c1')
    >>> [header.uid for header in db(operator="Dan")]
    ['b2c1']
    >>> db.prepare_hook = lambda kind, doc: {**doc, "seen": True}
    >>> db[-1].start["seen"]
    True
    >>> db.external_fetchers["title"] = lambda start, stop: f"By {start['operator']}"
    >>> db[-1].ext.title
    'By Dan'
    """

    prepare_hook: Hook = staticmethod(wrap_in_deprecated_doct)

    def __init__(
        self,
        store: Store,
        *,
        name: str | None = None,
        timezone: str | datetime.tzinfo | None = None,
        stale_after: float | None = None,
        config: Mapping[str, Any] | None = None,
        registry: external.Registry | None = None,
        transforms: Mapping[str, Any] | None = None,
        sources: Mapping[str, Source] | None = None,
        external_fetchers: Mapping[str, Fetcher] | None = None,
    ) -> None:
        from ..external import registry as external
        from .registry import Registry

        bound = Registry.bound(external.Registry() if registry is None else registry, store)
        super().__init__(
            store,
            name=name,
            timezone=timezone,
            stale_after=stale_after,
            config=config,
            registry=bound,
            transforms=transforms,
            sources=sources,
        )
        self.reg = bound
        self.external_fetchers = dict(external_fetchers or {})
        self.filters: dict[str, Any] = {}
        self.aliases: dict[str, Keywords | Callable[[], Keywords]] = {}

    def run(self, record: RunRecord) -> Header:
        """Return a run that was found in the store, as a header."""
        from .header import Header

        return Header(self, record)

    def narrowed(self, query: Node, limit: int | None = None) -> Self:
        """Return the core's broker of some runs, which begins with this one's filters and hooks."""
        broker = super().narrowed(query, limit)
        broker.filters = dict(self.filters)
        broker.aliases = dict(self.aliases)
        broker.external_fetchers = dict(self.external_fetchers)
        return broker

    def get_config(self) -> dict[str, Any] | None:
        """Return a copy of the mapping that the broker was made from, or None."""
        return None if self.config is None else dict(self.config)

    # -- searches that are remembered ------------------------------------

    def __call__(self, text_search: Any = None, **kwargs: Any) -> Results:
        """Search for runs.

        Parameters
        ----------
        text_search
            Words that must all occur in the run's metadata, in any order;
            ``"quoted"`` ones next to each other, ``-word`` not at all. Or a
            query of `databroker.queries`, or a Mongo-style dictionary.
        **kwargs
            ``key=value`` for any key of the RunStart; ``since=`` and
            ``until=`` for its time; ``data_key=`` for the name of a field;
            ``motor=`` and ``detector=`` for runs that involve one. A value may be a
            dictionary with operators: ``scan_id={'$gt': 40}``.

        Returns
        -------
        Results
            To loop over, newest first.

        Raises
        ------
        InvalidQuery
            The search makes no sense; the message says what would.
        """
        from ..query.parse import from_keywords
        from .header import Results

        filters = from_keywords(None, self.filters, self.zone)
        query = from_keywords(text_search, kwargs, self.zone) & filters
        return Results(self.session, query, self.run)

    def add_filter(self, **kwargs: Any) -> None:
        """Add keywords that every search must match; a key given before is replaced.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> for uid, operator in (("a", "Dan"), ("b", "Ana")):
        ...     db.insert("start", {"uid": uid, "time": 1.0, "operator": operator})
        >>> db.add_filter(operator="Dan")
        >>> [header.uid for header in db()]
        ['a']
        >>> db.clear_filters()
        >>> len(list(db()))
        2
        """
        self.filters.update(kwargs)

    def clear_filters(self, **kwargs: Any) -> None:
        """Remove all filters."""
        self.filters.clear()

    def alias(self, key: str, **query: Any) -> None:
        """Name a search: ``db.alias('scans', plan_name='scan')``, then ``db.scans``.

        Raises
        ------
        ValueError
            A broker has an attribute of this name.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0, "plan_name": "scan"})
        >>> db.alias("scans", plan_name="scan")
        >>> [header.uid for header in db.scans]
        ['a']
        """
        self._check_free(key)
        self.aliases[key] = query

    def dynamic_alias(self, key: str, query: Callable[[], Keywords]) -> None:
        """Name a search whose keywords a function returns, anew each time.

        Raises
        ------
        ValueError
            A broker has an attribute of this name.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> db.dynamic_alias("today", lambda: {"since": "today"})
        >>> list(db.today)
        []
        """
        self._check_free(key)
        self.aliases[key] = query

    def __getattr__(self, name: str) -> Any:
        # Looked up with care: while an object is unpickled, there is nothing in it yet.
        query = self.__dict__.get("aliases", {}).get(name)
        if query is None:
            raise AttributeError(name)
        return self(**(query() if callable(query) else query))

    def _check_free(self, key: str) -> None:
        if hasattr(type(self), key) or key in self.__dict__:
            raise ValueError(f"{key!r} is an attribute of a broker; choose another name.")

    def fetch_external(self, start: Any, stop: Any) -> dict[str, Any]:
        """Return what each of `external_fetchers` gives for a run.

        Whatever they raise is not caught.

        Examples
        --------
        >>> import databroker
        >>> databroker.temp().fetch_external({"uid": "a"}, {})
        {}
        """
        return {name: fetch(start, stop) for name, fetch in self.external_fetchers.items()}

    # -- the data of one header or of several ----------------------------

    def get_documents(
        self,
        headers: Headers,
        stream_name: Any = ALL,
        fields: Fields = None,
        fill: Any = False,
        handler_registry: None = None,
    ) -> Iterator[tuple[str, Document]]:
        """Yield (name, document) for all documents of some headers; see `Header.documents`.

        Everywhere, `headers` is a header or anything to loop over that gives
        headers, such as search results. They are taken in the order given.

        Raises
        ------
        NoSuchField
            A plain name in `fields` or `fill` that is in none of them, when all have been seen.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> for uid in ("a", "b"):
        ...     db.insert("start", {"uid": uid, "time": 1.0})
        >>> [name for name, document in db.get_documents(db())]
        ['start', 'start']
        """
        from .many_headers import shares

        _no_registry(handler_registry)
        for header, names, filling in shares(headers, stream_name, fields, fill, every=True):
            yield from header.documents(stream_name, names, filling)

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
        from .many_headers import shares

        _no_registry(handler_registry)
        for header, names, filling in shares(headers, stream_name, fields, fill):
            yield from header.events(stream_name, names, filling)

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
        from .many_headers import table_of

        _no_registry(handler_registry)
        convert = convert_times or localize_times
        return table_of(headers, stream_name, fields, fill, convert, timezone)

    def restream(
        self, headers: Headers, fields: Fields = None, fill: Any = False
    ) -> Iterator[tuple[str, Document]]:
        """Yield (name, document) for all documents of some headers; see `get_documents`."""
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

        Parameters
        ----------
        headers, fields, fill
            As for `get_documents`.
        func
            Is given the kind of each document, and the document.

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

        Parameters
        ----------
        headers
            A header, or several.
        name, stream_name
            Which field of which stream.
        handler_registry
            Must be None: handlers are registered with ``db.reg``.

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
        warn_user(
            "get_images is deprecated: use header.data(name) to loop over images, or "
            "header.streams[...].to_dask() for an array of them."
        )
        from ..runs.run import each_run
        from .images import Images

        _no_registry(handler_registry)
        return Images([header.streams[stream_name] for header in each_run(headers)], name)

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

    def export(
        self,
        headers: Headers,
        db: Receiver,
        new_root: str | os.PathLike[str] | None = None,
        copy_kwargs: Mapping[str, Any] | None = None,
    ) -> list[tuple[str, str]]:
        """Insert all documents of some headers elsewhere, as they are stored.

        With `new_root`, their files are copied first, and the documents point to the
        copies. Exporting again goes on where an export was broken off.

        Parameters
        ----------
        headers
            A header, or several.
        db
            A broker, or anything else with an `insert` method.
        new_root
            A folder to copy external files to. There, they keep their path relative to the
            root of their resource.
        copy_kwargs
            How to copy them: `verify` (whether to compare checksums; True), `on_missing`
            ('raise', or 'skip' files that are not there), `progress` or, as in databroker 1.x,
            `file_rename_hook` (a function, called before each file of a run with its number,
            how many there are, the old and the new path).

        Returns
        -------
        list
            The old and the new path of each file, those that were there already included.

        Raises
        ------
        ExternalDataMissing
            A file is not there. Of its run, nothing was copied or inserted.
        CopyRefused, CopyFailed
            Another file is where a copy should be; or the disk is full, say.
        ConflictingDocument
            The run is there already, and points to other files. Nothing was copied.
        TypeError
            Something else is in `copy_kwargs`.
        """
        from ..broker.export import export

        options = dict(copy_kwargs or {})
        known = ("verify", "on_missing", "progress", "file_rename_hook")
        if unknown := ", ".join(repr(key) for key in options if key not in known):
            raise TypeError(f"copy_kwargs has {unknown}; it may have {', '.join(known)}.")
        hook = options.pop("file_rename_hook", None)
        if hook is not None and options.setdefault("progress", hook) is not hook:
            raise TypeError("progress and file_rename_hook are the same: give one of them.")
        return export(headers, db, new_root, **options)

    def export_size(self, headers: Headers) -> float:
        """Return how large the external files of some headers are, in units of 10**9 bytes.

        Raises
        ------
        ExternalDataMissing
            A file is not there.
        NoHandler
            It is not known which files there are.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> db.export_size(db[-1])
        0.0
        """
        from ..broker.export import size_of_files
        from ..runs.run import each_run

        return sum(map(size_of_files, each_run(headers))) / 1e9

    # -- other names, other faces ----------------------------------------

    @property
    def v1(self) -> Broker:
        """The broker itself."""
        return self

    @property
    def v2(self) -> Catalog:
        """The same runs as a mapping from uids to runs, whose streams are datasets."""
        from ..v2.runs import Catalog

        return Catalog(self)

    @property
    def _catalog(self) -> Catalog:
        """The name by which old programs reach `v2`."""
        return self.v2

    @property
    def _serializer(self) -> Any:
        """The name by which old programs reach `insert`, and files of runs in progress to close."""
        insert: Any = partial(self.insert)
        insert._factory_cbs_by_start = {}  # here, none is open
        return insert

    @property
    def fs(self) -> Registry:
        """The old name of `reg`."""
        warn_user("Broker.fs is now called Broker.reg.")
        return self.reg

    def stats(self) -> dict[str, Any]:
        """Return what is known of the store: what it is, how many runs it has, and what waits.

        'runs' and 'bytes' are None if they are not known, as when the store's server is away.
        'waiting' counts documents that wait on this machine until it is back; 'refused' says
        which of them it did not take, and why.

        Examples
        --------
        >>> Broker.from_config({"driver": "memory"}).stats()
        {'store': 'memory of this process', 'runs': 0, 'bytes': None, 'waiting': 0, 'refused': []}
        """
        from ..broker.statistics import statistics

        return statistics(self)


def temp() -> Broker:
    """Make a new, empty broker whose files are removed when it is no longer used.

    Examples
    --------
    >>> temp().name
    'temp'
    """
    return Broker.named("temp")


def _no_registry(handler_registry: object) -> None:
    if handler_registry is not None:
        raise NotSupported(
            "Handlers for one call are not supported; register them with "
            "db.reg.register_handler(spec, handler)."
        )


# Users and their tools know the class under this name.
Broker.__module__ = "databroker.v1"
