"""The catalogs of databroker 1.x: those of this machine by name, others by class, and one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from .._util.printable import printable
from .._util.secrets import hide_passwords
from ..config import list_configs, load, survey_configs
from ..errors import InvalidDocument, UnknownBrokerName
from ..external.registry import Registry
from ..stores.registry import open_store
from ..v2.run import BlueskyRun
from ..v2.runs import Catalog
from .broker import Broker

Doc = dict[str, Any]

_WITHOUT_EFFECT = (
    *("auth", "entry", "filler_class", "find_kwargs", "get_filler", "getenv", "getshell"),
    "storage_options",
)
"""Arguments of databroker 1.x that have no meaning here."""


class Catalogs(Mapping[str, Catalog]):
    """Every catalog by its name; each access opens it anew.

    Examples
    --------
    >>> "no-such-lab" in catalog
    False
    """

    def __getitem__(self, name: str) -> Catalog:
        try:
            load(name)
        except UnknownBrokerName as error:
            # As of any mapping, but what was given may be a URI.
            raise KeyError(hide_passwords(str(name))) from error
        return Broker.named(name).v2

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        return iter(list_configs())

    def __len__(self) -> int:
        return len(list_configs())

    def __getattr__(self, name: str) -> Catalog:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(str(error.__cause__)) from error

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in self if name.isidentifier())})

    def __repr__(self) -> str:
        return printable(f"<Catalogs: {', '.join(self) or 'none'}>", lines=False)

    def _repr_html_(self) -> str:
        from ..display.html import catalogs_html

        rows = survey_configs().items()
        return catalogs_html([(name, each.description, each.fault) for name, each in rows])

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def force_reload(self) -> None:
        """Do nothing: files are looked for whenever a name is."""


catalog = Catalogs()
"""The catalogs of this machine."""


def load_combo_catalog() -> Catalogs:
    """Return `databroker.catalog`: its old name."""
    return catalog


def temp() -> Catalog:
    """Make a new, empty catalog whose files are removed when it is no longer used.

    Examples
    --------
    >>> len(temp())
    0
    """
    return Broker.named("temp").v2


class _AnyCatalog(type):
    """Makes every catalog an instance of the classes here, but of none that users derive."""

    def __instancecheck__(cls, thing: object) -> bool:
        if cls.__module__ == __name__:
            return isinstance(thing, Catalog)
        return super().__instancecheck__(thing)


class DriverCatalog(Catalog, metaclass=_AnyCatalog):
    """A catalog that is opened by its class, as programs for databroker 1.x do.

    Parameters
    ----------
    *places, **settings
        Where the runs are, as `arguments` names it; and any of the following.
    handler_registry
        The only handlers, by spec: classes, or where they are; None for those on offer.
    root_map
        The folder in which files are now, by the root under which they were recorded.
    transforms
        Functions that change documents as they are read, by kind.
    query
        Which of the runs; None for all.
    name, metadata
        What the catalog is called, and what is said of it.

    Attributes
    ----------
    driver
        The driver of the store.
    arguments
        The names of the driver's options, by the names that the arguments had.

    Raises
    ------
    InvalidConfiguration
        The store is one that this version of databroker does not have yet.
    TypeError
        There is no such argument.
    """

    driver: ClassVar[str]
    arguments: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *places: Any, **settings: Any) -> None:
        given = dict(zip(self.arguments, places, strict=False), **settings)
        options = {
            option: given.pop(name) for name, option in self.arguments.items() if name in given
        }
        handlers = given.pop("handler_registry", None)
        registry = Registry(handlers, given.pop("root_map", None), discover=handlers is None)
        db = Broker(
            open_store(self.driver, **options),
            name=given.pop("name", None),
            registry=registry,
            transforms=given.pop("transforms", None),
        )
        query = given.pop("query", None)
        super().__init__(db.v2.search(query).v1 if query else db)
        self.metadata = dict(given.pop("metadata", None) or {})
        unknown = [name for name in given if name not in _WITHOUT_EFFECT]
        if unknown:
            raise TypeError(f"{type(self).__name__} takes no argument {unknown[0]!r}.")


class BlueskyMongoCatalog(DriverCatalog):
    """Runs in MongoDB, each document by itself."""

    driver = "mongo-normalized"
    arguments: ClassVar = {
        "metadatastore_db": "metadatastore_db",
        "asset_registry_db": "asset_registry_db",
    }


class BlueskyMongoEmbeddedCatalog(DriverCatalog):
    """Runs in MongoDB, events in pages."""

    driver = "mongo-embedded"
    arguments: ClassVar = {"datastore_db": "uri"}


class BlueskyMsgpackCatalog(DriverCatalog):
    """Runs in files of MessagePack, one a run."""

    driver = "msgpack"
    arguments: ClassVar = {"paths": "paths"}


class BlueskyJSONLCatalog(DriverCatalog):
    """Runs in files of JSON, one a run, each line a document."""

    driver = "jsonl"
    arguments: ClassVar = {"paths": "paths"}


class BlueskyInMemoryCatalog(DriverCatalog):
    """Runs in the memory of this process.

    A class derived from it may define ``_load``, which puts the runs there with `upsert`
    when the catalog is made, and whenever `force_reload` is called.

    Examples
    --------
    >>> catalog = BlueskyInMemoryCatalog()
    >>> start, stop = {"uid": "a", "time": 1.0}, {"uid": "z", "run_start": "a", "time": 2.0}
    >>> catalog.upsert(start, stop, lambda: [("start", start), ("stop", stop)], (), {})
    >>> catalog[-1], isinstance(catalog.search({"uid": "a"}), BlueskyInMemoryCatalog)
    (<BlueskyRun uid='a'>, True)
    """

    driver = "memory"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._load()

    def upsert(
        self,
        start_doc: Doc,
        stop_doc: Doc | None,
        gen_func: Callable[..., Iterable[tuple[str, Doc]]],
        gen_args: Iterable[Any],
        gen_kwargs: Mapping[str, Any],
    ) -> None:
        """Put a run into the catalog; one that is there, and has ended, stays as it is.

        Parameters
        ----------
        start_doc, stop_doc
            Of the run. The stop document is None while there is none.
        gen_func, gen_args, gen_kwargs
            A function that gives all documents of the run, and its arguments. It may make
            up the run anew each time: its documents are taken as those of `start_doc`.
        """
        uid = start_doc["uid"]
        known = self.v1.store.record(uid)
        if known is not None and known.stop is not None:
            return
        self.v1.insert("start", start_doc)
        for kind, document in gen_func(*gen_args, **gen_kwargs):
            if kind not in ("start", "stop"):
                self.v1.insert(kind, _of_run(document, uid))
        if stop_doc is not None:
            self.v1.insert("stop", _of_run(stop_doc, uid))

    def force_reload(self) -> None:
        """Put runs into the catalog that have come since, where ``_load`` is defined."""
        self._load()

    def _load(self) -> None:
        """Do nothing; derived classes put their runs here."""


def _of_run(document: Doc, uid: str) -> Doc:
    """Return a document as one of the run of this uid, if it says of which run it is."""
    return {**document, "run_start": uid} if "run_start" in document else document


class SingleRunCache:
    """Collects the documents of one run, and gives the run when it has ended.

    Parameters
    ----------
    **settings
        `handler_registry`, `root_map` and `transforms`, as in `DriverCatalog`.

    Examples
    --------
    Subscribe its `callback` to a RunEngine, or inside of a plan.

    >>> cache = SingleRunCache()
    >>> cache.callback("start", {"uid": "a", "time": 1.0})
    >>> cache.retrieve(), cache
    (None, <SingleRunCache in progress>)
    >>> cache.callback("stop", {"uid": "z", "run_start": "a", "time": 2.0})
    >>> cache.retrieve(), cache
    (<BlueskyRun uid='a'>, <SingleRunCache uid='a'>)
    """

    def __init__(self, **settings: Any) -> None:
        self._catalog = BlueskyInMemoryCatalog(**settings)
        self._ended: str | None = None

    def callback(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document.

        Raises
        ------
        InvalidDocument
            The run has ended; there is one only (a ValueError, as in databroker 1.x).
        """
        if self._ended is not None:
            raise InvalidDocument(
                f"The run {self._ended!r} has ended, and a SingleRunCache takes one run only."
            )
        self._catalog.v1.insert(name, doc)
        if name == "stop":
            self._ended = doc["run_start"]

    def retrieve(self) -> BlueskyRun | None:
        """Return the run; None while it has not ended."""
        if self._ended is None:
            return None
        run: BlueskyRun = self._catalog[self._ended]
        return run

    def __repr__(self) -> str:
        state = "in progress" if self._ended is None else f"uid={self._ended!r}"
        return f"<SingleRunCache {state}>"


def run_from_generator(
    gen_func: Callable[..., Iterable[tuple[str, Doc]]],
    gen_args: Iterable[Any] = (),
    gen_kwargs: Mapping[str, Any] | None = None,
    **settings: Any,
) -> BlueskyRun:
    """Return the run whose documents a function gives.

    Parameters
    ----------
    gen_func, gen_args, gen_kwargs
        The function, and its arguments.
    **settings
        As in `SingleRunCache`.

    Examples
    --------
    >>> run_from_generator(lambda: [("start", {"uid": "a", "time": 1.0})])
    <BlueskyRun uid='a'>
    """
    catalog = BlueskyInMemoryCatalog(**settings)
    for name, document in gen_func(*gen_args, **(gen_kwargs or {})):
        catalog.v1.insert(name, document)
    run: BlueskyRun = catalog[-1]
    return run
