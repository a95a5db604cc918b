"""Saving runs, finding them, opening configurations."""

from __future__ import annotations

import copy
import datetime
import os
import pathlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from ..errors import ConflictingDocument, NoSuchRun, RunIsRunning, StoreAway

# What opens a broker, and looks for runs, is imported where it is first used: a program that only
# names the class waits for none of it.
if TYPE_CHECKING:
    from ..config import Configuration
    from ..external.registry import Registry
    from ..query.nodes import Node
    from ..runs.following.runs import RunsFollower
    from ..runs.results import Results
    from ..runs.run import Run
    from ..runs.session import Source, StoreView, Transforms
    from ..stores.base import RunRecord, Store
    from ..stores.checking import CheckReport
    from .moving.progress import Progress


class Broker:
    """Saves runs, finds them again and hands them over.

    Made by `Broker.named` or `Broker.from_config`.
    """

    def __init__(
        self,
        store: Store,
        *,
        name: str | None = None,
        timezone: str | datetime.tzinfo | None = None,
        stale_after: float | None = None,
        config: Mapping[str, Any] | None = None,
        registry: Registry | None = None,
        transforms: Mapping[str, Any] | None = None,
        sources: Mapping[str, Source] | None = None,
    ) -> None:
        from .._util.printable import shown
        from ..external.registry import Registry
        from ..runs.session import Session, Source, StoreView, Transforms
        from ..stores.base import Store

        if not isinstance(store, Store):
            raise TypeError(
                f"A Broker is made from a store, not from {shown(store)}. Use Broker.named(name), "
                "Broker.from_config({...}), or the `v1` of a catalog."
            )
        source = Source(
            registry or Registry(),
            Transforms(transforms),
            name,
            None if config is None else name,
            sources or {},
        )
        self.session = Session(StoreView(store), source, timezone)
        self.name = name
        self.config = config
        if stale_after is not None:
            store.stale_after = stale_after

    @classmethod
    def named(
        cls,
        name: str,
        *others: str | bool,
        auto_register: bool = True,
        write_to: str | None = None,
        skip_unavailable: bool = False,
    ) -> Self:
        """Open the configuration of a name, one of `databroker.list_configs`, or of several.

        Parameters
        ----------
        name
            Of the configuration; 'temp' gives a new, empty broker that is removed at exit.
        *others
            More names: the broker then has the runs of all these configurations.
        auto_register
            Whether to use the handlers that installed packages offer, and our own, too. It may
            be the second argument, as in databroker 1.x.
        write_to
            Of several, the one that takes what is inserted; by default none does.
        skip_unavailable
            Of several, whether one that is away is left out with a warning, or is an error.

        Raises
        ------
        UnknownBrokerName
            No configuration has this name (an AttributeError, as in databroker 1.x).
        InvalidConfiguration
            What the file says cannot be carried out.
        StoreUnavailable
            The place where the documents are cannot be reached; of several, it is named.
        """
        if others and isinstance(others[-1], bool):
            *others, auto_register = others  # type: ignore[assignment]
        if name == "temp" and not others:
            from .temporary import temporary_store

            return cls(temporary_store(), name=name)
        from ..config import load, load_together

        if not others and write_to is None:
            return cls.opened(load(name), auto_register)
        together = load_together([name, *others], write_to, skip_unavailable)
        return cls.opened(together, auto_register)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], auto_register: bool = True, name: str | None = None
    ) -> Self:
        """Make a broker from a mapping, written as a configuration file is.

        Parameters
        ----------
        config
            With the keys of a configuration file.
        auto_register
            As for `named`.
        name
            What the broker is called.

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
    def opened(cls, configuration: Configuration, auto_register: bool = True) -> Self:
        """Make a broker from a configuration that has been read."""
        from .sources import registry_of, sources_of

        registry = registry_of(configuration, auto_register)
        return cls(
            configuration.open(),
            name=configuration.name,
            timezone=configuration.timezone,
            stale_after=configuration.stale_after,
            config=configuration.original,
            registry=registry,
            transforms=configuration.transforms,
            sources=sources_of(configuration, auto_register, registry),
        )

    # -- what it stands on -----------------------------------------------

    @property
    def store(self) -> Store:
        """Where the documents are."""
        return self.session.store

    @property
    def view(self) -> StoreView:
        """The runs that the broker sees."""
        return self.session.view

    @property
    def registry(self) -> Registry:
        """Handlers, and where files are now."""
        return self.session.registry

    @property
    def transforms(self) -> Transforms:
        """What changes documents as they are read."""
        return self.session.transforms

    @property
    def stale_after(self) -> float:
        """Seconds after which a run that has fallen silent no longer counts as running."""
        return self.store.stale_after

    @stale_after.setter
    def stale_after(self, seconds: float) -> None:
        self.store.stale_after = seconds

    @property
    def zone(self) -> datetime.tzinfo:
        """The time zone in which bounds are read and times are shown."""
        return self.session.zone

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
        SpillWarning
            The server of the store takes nothing: documents wait on this machine from now on.
        """
        self.store.insert(name, doc)

    def insert_many(
        self,
        documents: Iterable[tuple[str, Mapping[str, Any]]],
        progress: Callable[[Progress], Any] | None = None,
    ) -> None:
        """Save many documents: as `insert` one by one does, but sooner.

        Runs that come whole and one after the other, as from files, are saved fastest.
        Interrupted or refused, call it again with the same documents: what is there already
        changes nothing.

        Parameters
        ----------
        documents
            Pairs of a kind and a document, taken as they come.
        progress
            Is called a few times a second with how many runs, rows and bytes were taken, and
            once at the end.

        Raises
        ------
        InvalidDocument
            As `insert` says; those before it are saved.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert_many([("start", {"uid": f"run {n}", "time": float(n)}) for n in range(3)])
        >>> db().count()
        3
        """
        from .moving.progress import Meter, counted

        meter = Meter(progress)
        self.store.insert_many(counted(documents, meter))
        meter.end()

    def close_run(self, uid: object, reason: str = "", *, force: bool = False) -> Run:
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
        from ..documents.identity import CLOSED_BY
        from ..runs.run import Run

        run = self[uid]
        if not isinstance(run, Run):
            raise NoSuchRun(f"{uid!r} is not one run.")
        if stop := run.stored_stop():
            raise ConflictingDocument(
                f"Run {run.uid[:8]!r} has ended already: {stop.get('exit_status')}."
            )
        if run.status in ("running", "waiting") and not force:
            raise RunIsRunning(
                f"Run {run.uid[:8]!r} is still being written. Wait until it ends; if you are "
                "sure that it never will, use force=True."
            )
        document = {
            "uid": str(uuid.uuid4()),
            "run_start": run.uid,
            "time": self.store.activity(run.uid).last_time,
            "exit_status": "fail",
            "reason": reason or "The run never ended; its writer is gone.",
            "num_events": {name: stream.num_events for name, stream in run.streams.items()},
            CLOSED_BY: "databroker.close_run",
        }
        self.store.insert("stop", document)
        # Past the search that it came from, which may be one for runs that have not ended.
        record = self.store.record(run.uid)
        return run if record is None else self.run(record)

    # -- finding ---------------------------------------------------------

    def __getitem__(self, key: object) -> Any:
        """Return the run of a key, or a list of them.

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
        from ..runs.lookup import look_up

        return self._runs(look_up(self.view, key))

    def __call__(self, text_search: object = None, **kwargs: Any) -> Results[Run]:
        """Search for runs, by words or a query and by the values of keys; the newest come first."""
        from ..query.nodes import Everything
        from ..runs.results import Results

        query: Node = Everything()
        if text_search is not None or kwargs:
            from ..query.parse import from_keywords

            query = from_keywords(text_search, kwargs, self.zone)
        return Results(self.session, query, self.run)

    def watch(self, *, cursor: Any = None, timeout: float | None = None) -> RunsFollower:
        """Return ('start', run) for each run that begins from now on, ('stop', run) as it ends.

        Parameters
        ----------
        cursor
            What the `cursor` of another one was, in whichever process: it goes on behind that.
        timeout
            Seconds after which it ends if nothing comes; None to wait for ever.

        Returns
        -------
        RunsFollower
            An iterator. It has a `cursor`.

        Raises
        ------
        InvalidKey
            The cursor is none.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> news = db.watch(timeout=0)
        >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
        >>> [(name, run.uid) for name, run in news]
        [('start', 'b2c1')]
        """
        from ..runs.following.runs import RunsFollower

        return RunsFollower(self.store, self, cursor, timeout)

    def narrowed(self, query: Node, limit: int | None = None) -> Self:
        """Return a broker of some of these runs, which knows of no others.

        Whatever is looked up, searched, counted or listed there is among them.
        It has the same handlers. What is inserted goes into the same store.

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
        return broker

    def run(self, record: RunRecord) -> Run:
        """Return a run that was found in the store."""
        from ..runs.run import Run

        return Run(self.session, record)

    def _runs(self, found: Any) -> Any:
        return list(map(self._runs, found)) if isinstance(found, list) else self.run(found)

    # -- copies and checks -----------------------------------------------

    def backup(
        self,
        path: str | os.PathLike[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> pathlib.Path:
        """Copy all runs, as they are at this moment, into a new SQLite file.

        Other programs may write meanwhile. The file appears when it is whole.
        Data in external files is not copied; see `export`.

        Parameters
        ----------
        path
            Of the new file.
        progress
            Called again and again with the number of bytes copied, and of all
            (not for stores that are copied run by run, such as the memory store).

        Returns
        -------
        pathlib.Path
            The whole path of the new file.

        Raises
        ------
        CopyRefused
            There is a file of this name.
        StoreUnavailable
            It cannot be written; nothing half is left there.

        Examples
        --------
        >>> import databroker, tempfile
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = db.backup(f"{folder}/copy.db")
        ...     with databroker.Broker.from_config({"driver": "sqlite", "path": path}) as copy:
        ...         print(copy[-1].uid)
        a
        """
        from .backup import back_up

        return back_up(self.session, path, progress)

    def check(
        self,
        progress: Callable[[int, int], None] | None = None,
        *,
        mend_index: bool = False,
    ) -> CheckReport:
        """Read all that is stored once, and say what is not as it was written.

        Documents and rows are compared with their checksums, and the indexes by
        which searches find runs with the documents that they are made of. Others
        may write meanwhile. Data in external files is not looked at.

        Parameters
        ----------
        progress
            Called again and again with how much is checked, and how much there is.
        mend_index
            Whether to set right what differs in the indexes. Nothing else is
            changed: a damaged document or row stays as it is, and so does what
            the index knows of it.

        Returns
        -------
        CheckReport
            True if all is right; print it to see what is not. `findings` has each, with
            the uid of its run.

        Raises
        ------
        StoreIsReadOnly
            There is something to be mended where nothing may be written.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> if not (report := db.check()):
        ...     print(report)
        """
        return self.store.check(progress, mend_index)

    # -- the rest --------------------------------------------------------

    def close(self) -> None:
        """Let go of files and connections. Closing twice is harmless."""
        self.session.source.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        from .._util.secrets import hide_passwords_in

        return {**vars(self), "config": hide_passwords_in(self.config)}

    def _count(self) -> int | None:
        """Return how many runs there are; None while the server is away."""
        from ..query.nodes import Everything

        try:
            return self.view.count(Everything())
        except StoreAway:
            return None

    def __str__(self) -> str:
        from ..display.counting import runs_in_words

        named = "Broker" if self.name is None else f"Broker {self.name!r}"
        waiting = self.store.waiting()
        waits = f"; {waiting}" if waiting.documents else ""
        return f"{named}: {runs_in_words(self._count())} ({self.store}){waits}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from ..display.text import show_in_ipython

        show_in_ipython(self, printer)

    def _repr_html_(self) -> str:
        from ..display.html import broker_html
        from ..query.nodes import Everything

        runs = self._count()
        newest = () if runs is None else self.view.find(Everything(), limit=5)
        rows = [(run.start, self.session.of(run).status(run.uid, run.stop)) for run in newest]
        return broker_html(self.name, str(self.store), runs, rows, self.zone)
