"""The way in: saving runs, finding them, opening configurations."""

from __future__ import annotations

import copy
import datetime
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import external
from .._util.printable import shown
from ..display.prompt import InIPython
from ..query.nodes import Everything, Node
from ..query.parse import from_keywords
from ..runs import Header
from ..runs.hooks import Fetcher, Hooks
from ..runs.lookup import look_up
from ..runs.results import Results
from ..runs.session import Session
from ..runs.store_view import StoreView
from ..runs.transforms import Transforms
from ..stores.base import Store
from ..stores.facts import run_status
from ..v1.registry import Registry
from .checking import Checking
from .copying import Copying
from .searching import Aliases, Filters
from .several import SeveralHeaders

if TYPE_CHECKING:
    from ..config import Configuration
    from ..v2 import Catalog
    from ..v2.serializer import Serializer


class Broker(SeveralHeaders, Copying, Checking, Filters, Aliases, Hooks, InIPython):
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
        Functions, or where to import them from, that mend documents as they are
        read, by kind: 'start', 'stop', 'resource', 'descriptor'.
    external_fetchers
        Functions of a run's start and stop document, by name; see `Hooks`.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "scan_id": 42, "operator": "Dan"})
    >>> db[42].uid, db["b2"].uid, db[-1].uid
    ('b2c1', 'b2c1', 'b2c1')
    >>> [header.uid for header in db(operator="Dan")]
    ['b2c1']
    """

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
        external_fetchers: Mapping[str, Fetcher] | None = None,
    ) -> None:
        if not isinstance(store, Store):
            raise TypeError(
                f"A Broker is made from a store, not from {shown(store)}. Use Broker.named(name), "
                "Broker.from_config({...}), or the `v1` of a catalog."
            )
        self.session = Session(
            StoreView(store),
            Registry.bound(external.Registry() if registry is None else registry, store),
            Transforms(transforms),
            timezone,
        )
        self.name = name
        self._config = config
        if stale_after is not None:
            store.stale_after = stale_after
        self.external_fetchers = dict(external_fetchers or {})
        self.filters = {}
        self.aliases = {}

    @classmethod
    def named(cls, name: str, auto_register: bool = True) -> Broker:
        """Open the configuration of a name, one of `databroker.list_configs`.

        The name 'temp' gives a new, empty broker that is removed at exit.

        Raises
        ------
        UnknownBrokerName
            No configuration has this name (an AttributeError, as in databroker 1.x).
        InvalidConfiguration
            What the file says cannot be carried out.
        """
        if name == "temp":
            from .temporary import temp

            return temp()
        from ..config import load

        return cls.opened(load(name), auto_register)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], auto_register: bool = True, name: str | None = None
    ) -> Broker:
        """Make a broker from a mapping, written as a configuration file is.

        Raises
        ------
        InvalidConfiguration
            Names the key and the accepted ones.

        Examples
        --------
        >>> db = Broker.from_config({"driver": "memory"}, name="scratch")
        >>> db.name
        'scratch'
        """
        from ..config import from_mapping

        return cls.opened(from_mapping(config, name=name), auto_register)

    @classmethod
    def opened(cls, configuration: Configuration, auto_register: bool = True) -> Broker:
        """Make a broker from a configuration that has been read."""
        discover = auto_register and configuration.discover_handlers
        registry = external.Registry(
            configuration.handlers,
            configuration.root_map,
            discover,
            configuration.allowed_roots,
        )
        return cls(
            configuration.open(),
            name=configuration.name,
            timezone=configuration.timezone,
            stale_after=configuration.stale_after,
            config=configuration.original,
            registry=registry,
            transforms=configuration.transforms,
        )

    @property
    def store(self) -> Store:
        """Where the documents are."""
        return self.session.store

    @property
    def view(self) -> StoreView:
        """The runs that the broker sees."""
        return self.session.view

    @property
    def reg(self) -> Registry:
        """Handlers, and where files are now."""
        registry: Registry = self.session.registry  # type: ignore[assignment]
        return registry

    @property
    def transforms(self) -> Transforms:
        """What changes documents as they are read."""
        return self.session.transforms

    @property
    def stale_after(self) -> float:
        """Seconds after which a run that has fallen silent no longer counts as running."""
        return self.session.stale_after

    @stale_after.setter
    def stale_after(self, seconds: float) -> None:
        self.store.stale_after = seconds

    @property
    def zone(self) -> datetime.tzinfo:
        """The time zone in which bounds are read and times are shown."""
        return self.session.zone

    def get_config(self) -> dict[str, Any] | None:
        """Return a copy of the mapping that the broker was made from, or None."""
        return None if self._config is None else dict(self._config)

    # -- saving ----------------------------------------------------------

    def insert(self, name: str, doc: Mapping[str, Any]) -> None:
        """Save one document; subscribe this to a RunEngine: ``RE.subscribe(db.insert)``.

        When it returns, the document survives a crash of this process. The
        same document may come again, at any time, and changes nothing.

        Parameters
        ----------
        name
            The kind of document: 'start', 'descriptor', 'event', ...
        doc
            The document. It is not changed.

        Raises
        ------
        InvalidDocument
            The document cannot be placed; the message says which key and why.
        ConflictingDocument
            A different document with the same uid is stored.

        Warns
        -----
        LossyDocumentWarning
            Once a run, if a value had to be kept in another form.
        """
        self.store.insert(name, doc)

    def close_run(self, uid: Any, reason: str = "", *, force: bool = False) -> Header:
        """End a run whose writer died, with a stop document that says so.

        Its time is that of the run's newest document. Should the writer's own
        stop document arrive later, it takes the place of this one.

        Parameters
        ----------
        uid
            Of the run, or the beginning of it; or its header.
        reason
            For the stop document.
        force
            Close a run even if it seems to be running.

        Raises
        ------
        NoSuchRun
            There is no such run.
        ConflictingDocument
            The run has ended already.
        RunIsRunning
            Its writer lives and was heard lately.
        """
        from .closing import close_run

        return close_run(self, uid, reason, force)

    # -- finding ---------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        """Return the run of a key, as a Header; or a list of them.

        ``db[-1]`` is the newest run, ``db[-5:]`` a list of the five newest,
        ``db[42]`` the newest with scan_id 42, ``db['x39do5']`` the one whose
        uid begins so, ``db[header]`` the run of a header, as this broker has it.

        Raises
        ------
        NoSuchRun
            No run has this uid or scan_id (a KeyError).
        AmbiguousPrefix
            Several runs have a uid that begins so (a ValueError).
        TooFarBack
            There are not so many runs (an IndexError).
        InvalidKey
            The slice or number has no meaning (a ValueError).
        KeyOfWrongType
            It is nothing that could mean a run (a TypeError).
        """
        return self._headers(look_up(self.view, key))

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
        filters = from_keywords(None, self.filters, self.zone)
        return Results(self, from_keywords(text_search, kwargs, self.zone) & filters)

    def narrowed(self, query: Node, limit: int | None = None) -> Broker:
        """Return a broker of some of these runs, which knows of no others.

        Whatever is looked up, searched, counted or listed there is among them.
        It begins with the filters, aliases and hooks of this broker, and has
        the same handlers. What is inserted goes into the same store.

        Parameters
        ----------
        query
            Which runs.
        limit
            How many of them, the newest first; None for all.

        Examples
        --------
        >>> import databroker
        >>> from databroker.queries import PlanName
        >>> db = databroker.temp()
        >>> for n, plan in enumerate(["scan", "count"]):
        ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "plan_name": plan})
        >>> scans = db.narrowed(PlanName("scan"))
        >>> scans[-1].uid, scans().count()
        ('run 0', 1)
        """
        broker = copy.copy(self)
        broker.session = self.session.narrowed(query, limit)
        broker.filters = dict(self.filters)
        broker.aliases = dict(self.aliases)
        broker.external_fetchers = dict(self.external_fetchers)
        return broker

    def _headers(self, found: Any) -> Any:
        if isinstance(found, list):
            return [self._headers(item) for item in found]
        return Header(self, found)

    # -- the rest --------------------------------------------------------

    @property
    def v1(self) -> Broker:
        """The broker itself."""
        return self

    @property
    def v2(self) -> Catalog:
        """The same runs as a mapping from uids to runs, whose streams are datasets."""
        from ..v2 import Catalog

        return Catalog(self)

    @property
    def _catalog(self) -> Catalog:
        """The name by which old programs reach `v2`."""
        return self.v2

    @property
    def _serializer(self) -> Serializer:
        """The name by which old programs reach `insert`."""
        from ..v2.serializer import Serializer

        return Serializer(self.insert)

    @property
    def fs(self) -> Registry:
        """The old name of `reg`."""
        warnings.warn("Broker.fs is now called Broker.reg.", UserWarning, stacklevel=2)
        return self.reg

    def stats(self) -> dict[str, Any]:
        """Return what is known of the store: what it is, and how many runs it has.

        Examples
        --------
        >>> Broker.from_config({"driver": "memory"}).stats()
        {'store': 'memory of this process', 'runs': 0}
        """
        return {"store": str(self.store), "runs": self.view.count(Everything())}

    def close(self) -> None:
        """Let go of files and connections. Closing twice is harmless."""
        self.reg.close()
        self.store.close()

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __str__(self) -> str:
        runs = self.view.count(Everything())
        named = "Broker" if self.name is None else f"Broker {self.name!r}"
        return f"{named}: {runs:,} run{'' if runs == 1 else 's'} ({self.store})"

    def _repr_html_(self) -> str:
        from ..display.html import broker_html

        newest = self.view.find(Everything(), limit=5)
        rows = [(run.start, run_status(self.store, run.uid, run.stop)) for run in newest]
        runs = self.view.count(Everything())
        return broker_html(self.name, str(self.store), runs, rows, self.zone)


# Users and their tools know the class under this name.
Broker.__module__ = "databroker.v1"
