"""The stores there are: each named once, imported when it is opened.

A driver says where the class of a store is, and which options it takes. Ours are a table here,
so that to open one looks through no installed packages, and works without installation; those
of other packages are entry points of the group 'databroker.stores'.

Examples
--------
>>> store = open_store("memory")
>>> type(store).__name__
'MemoryStore'
>>> store.close()
"""

from __future__ import annotations

import functools
import importlib
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .._util.printable import shown
from .._util.secrets import has_password
from .._util.signals import not_from_signal
from .._util.suggestions import did_you_mean
from ..errors import InvalidConfiguration, MissingExtra

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from .base import Store


class Option(NamedTuple):
    """One option of a driver, and which values it takes.

    Parameters
    ----------
    name
        The key in a configuration, and the argument of the store's class.
    takes
        'path' (one file), 'paths' (one or several files, folders or globs), 'folder' (or a flag),
        'text', 'flag', 'seconds' or 'members' (other stores).
    choices
        The only texts allowed, where there are few.
    """

    name: str
    takes: Literal["path", "paths", "folder", "text", "flag", "seconds", "members"] = "text"
    choices: tuple[str, ...] = ()

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value, or None. The value itself is not quoted.

        Examples
        --------
        >>> Option("durability", choices=("normal", "full")).fault("ful")
        "must be 'normal' or 'full'. Did you mean 'full'?"
        >>> Option("path", "path").fault(5)
        'must be the path of a file'
        """
        if self.choices:
            if value in self.choices:
                return None
            return f"must be {_either(self.choices)}.{did_you_mean(value, self.choices)}"
        if self.takes == "flag":
            return None if isinstance(value, bool) else "must be true or false"
        if self.takes == "seconds":
            is_one = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            return None if is_one else "must be a number of seconds above 0"
        if self.takes == "folder":
            wanted = "must be a folder, or false"
            return None if isinstance(value, bool) else _fault_of_path(value, wanted)
        if self.takes == "members":
            return None if value and isinstance(value, Mapping | list) else "must be a list"
        if self.takes == "text":
            return None if isinstance(value, str) and value else "must be text"
        if self.takes == "path":
            if value == ":memory:":
                return "must be the path of a file; documents in memory need the driver 'memory'"
            return _fault_of_path(value, "must be the path of a file")
        several = value if isinstance(value, list | tuple) and value else [value]
        faults = (_fault_of_path(each, "must be a path or a list of paths") for each in several)
        return next(filter(None, faults), None)


class Driver(NamedTuple):
    """A kind of store: what it is called, where its class is, what it takes.

    Parameters
    ----------
    name
        The word after ``driver:`` in a configuration.
    target
        'module:Class', the module relative to this package, or absolute in another package.
    options
        Every option that its class takes.
    needs
        Sets of option names, one of which must be given whole.
    extra
        The extra of the ``databroker`` package that installs what the store imports.
    behind_server
        Whether the store asks a server, which may be away: then documents can wait on this
        machine. Its class takes ``connect=False``, to be opened without a look at the server.
    """

    name: str
    target: str
    options: tuple[Option, ...] = ()
    needs: tuple[tuple[str, ...], ...] = ((),)
    extra: str | None = None
    behind_server: bool = False

    @property
    def accepted(self) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(option.name for option in self.options)

    def missing(self, given: Iterable[str]) -> str | None:
        """Return what must still be given, as words for a person, or None.

        Examples
        --------
        >>> find_driver("mongo-normalized").missing(["metadatastore_db"])
        "'uri', or 'metadatastore_db' and 'asset_registry_db'"
        """
        known = set(given)
        if any(known.issuperset(names) for names in self.needs):
            return None
        return ", or ".join(" and ".join(map(repr, names)) for names in self.needs)


_GROUP = "databroker.stores"
"""The entry points by which other packages add drivers."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")

_URI = Option("uri")
_SPILL = (Option("spill", "folder"), Option("spill_after", "seconds"), Option("spill_sync", "flag"))

_FILES = (Option("paths", "paths"), Option("read_only", "flag"), Option("index", "folder"))

_DRIVERS = (
    Driver("memory", ".memory:MemoryStore"),
    Driver(
        "sqlite",
        ".sql:SQLiteStore",
        (
            Option("path", "path"),
            Option("durability", choices=("normal", "full")),
            Option("read_only", "flag"),
        ),
        needs=(("path",),),
    ),
    Driver("jsonl", ".files:JSONLStore", _FILES, needs=(("paths",),)),
    Driver("msgpack", ".files:MsgpackStore", _FILES, needs=(("paths",),)),
    Driver(
        "postgresql",
        ".sql.postgresql:PostgreSQLStore",
        (_URI, Option("schema"), Option("read_only", "flag"), *_SPILL),
        needs=(("uri",),),
        extra="postgresql",
        behind_server=True,
    ),
    Driver(
        "mongo-normalized",
        ".mongo.normalized:MongoNormalizedStore",
        (
            _URI,
            Option("metadatastore_db"),
            Option("asset_registry_db"),
            Option("read_only", "flag"),
            *_SPILL,
        ),
        needs=(("uri",), ("metadatastore_db", "asset_registry_db")),
        extra="mongo",
        behind_server=True,
    ),
    Driver(
        "mongo-embedded",
        ".mongo.embedded:MongoEmbeddedStore",
        (_URI,),
        needs=(("uri",),),
        extra="mongo",
    ),
    Driver(
        "tiled",
        ".tiled:TiledStore",
        (_URI, Option("api_key"), Option("timeout", "seconds")),
        needs=(("uri",),),
        extra="tiled",
    ),
    Driver(
        "http",
        ".http:HTTPStore",
        (
            _URI,
            Option("token"),
            Option("timeout", "seconds"),
            Option("compression", "flag"),
            Option("read_only", "flag"),
            *_SPILL,
        ),
        needs=(("uri",),),
        behind_server=True,
    ),
    Driver(
        "federation",
        ".federation:FederatedStore",
        (Option("members", "members"), Option("write_to"), Option("skip_unavailable", "flag")),
        needs=(("members",),),
    ),
)

DRIVERS: Mapping[str, Driver] = {driver.name: driver for driver in _DRIVERS}
"""Our own drivers by their names."""


def find_driver(name: object) -> Driver:
    """Return the driver of this name.

    Raises
    ------
    InvalidConfiguration
        There is none; the nearest name is suggested.

    Examples
    --------
    >>> find_driver("sqlite").accepted
    ('path', 'durability', 'read_only')
    >>> find_driver("sqlit")
    Traceback (most recent call last):
    databroker.errors.InvalidConfiguration: There is no driver 'sqlit'. Did you mean 'sqlite'? ...
    """
    if isinstance(name, str):
        driver = DRIVERS.get(name) or _of_another_package(name)
        if driver is not None:
            return driver
    known = _available()
    raise InvalidConfiguration(
        f"There is no driver {shown(name)}.{did_you_mean(name, known)} "
        f"The drivers are: {', '.join(known)}."
    )


def _available() -> list[str]:
    """Return the names of our drivers, and of those of other packages."""
    return [*DRIVERS, *sorted({entry.name for entry in _entry_points()})]


def _entry_points() -> Iterable[EntryPoint]:
    # Imported where a driver is not ours: it takes longer than all of this package's own modules.
    from importlib.metadata import entry_points

    return entry_points(group=_GROUP)


def _of_another_package(name: str) -> Driver | None:
    """Return the driver of this name that an installed package brings, if one does."""
    for entry in _entry_points():
        if entry.name != name:
            continue
        try:
            driver = entry.load()
        except not_from_signal(Exception) as error:  # whatever happens in somebody else's package
            raise InvalidConfiguration(
                f"The driver {name!r} cannot be loaded from {entry.value!r}: {error!r}"
            ) from error
        if not isinstance(driver, Driver):
            raise InvalidConfiguration(
                f"The driver {name!r} must be a databroker.stores.registry.Driver, but "
                f"{entry.value!r} is {shown(driver)}"
            )
        return driver
    return None


def open_store(driver: str, **options: Any) -> Store:
    """Open a store.

    Parameters
    ----------
    driver
        The name of a driver: 'sqlite', 'memory', ...
    **options
        What the driver takes, as in a configuration file.

    Raises
    ------
    InvalidConfiguration
        No such driver, or options that do not fit.
    MissingExtra
        The packages that this store needs are not installed.
    StoreUnavailable
        The store says that it cannot be reached or opened.

    Examples
    --------
    >>> open_store("sqlite", path="runs.db", durable=True)
    Traceback (most recent call last):
    databroker.errors.InvalidConfiguration: The driver 'sqlite' has no option 'durable'. ...
    """
    known = find_driver(driver)
    _check(known, options)
    make = _load(known)
    if known.behind_server:
        from .spill.opening import open_behind_server

        return open_behind_server(known.name, make, options)
    if "members" in options:
        options["members"] = {
            name: functools.partial(open_store, **member)
            for name, member in options["members"].items()
        }
    store: Store = make(**options)
    return store


def store_class(driver: str) -> Any:
    """Return what makes the stores of a driver.

    Raises
    ------
    InvalidConfiguration
        There is no such driver.
    MissingExtra
        The packages that this store needs are not installed.

    Examples
    --------
    >>> store_class("memory").__name__
    'MemoryStore'
    """
    return _load(find_driver(driver))


def _check(driver: Driver, options: Mapping[str, object]) -> None:
    for key in options:
        if key not in driver.accepted:
            accepts = ", ".join(driver.accepted) or "no options"
            raise InvalidConfiguration(
                f"The driver {driver.name!r} has no option {key!r}."
                f"{did_you_mean(key, driver.accepted)} It takes {accepts}."
            )
    for option in driver.options:
        fault = option.fault(options[option.name]) if option.name in options else None
        if fault:
            raise InvalidConfiguration(
                f"The option {option.name!r} of the driver {driver.name!r} {fault}"
            )
    missing = driver.missing(options)
    if missing:
        raise InvalidConfiguration(f"The driver {driver.name!r} needs {missing}.")


def _load(driver: Driver) -> Any:
    module, _, name = driver.target.partition(":")
    try:
        home = importlib.import_module(module, __package__)
    except ModuleNotFoundError as error:
        # A package of ours that is not there is a broken installation, which
        # no extra would mend: let that error speak for itself.
        if (error.name or "").partition(".")[0] == "databroker" or driver.extra is None:
            raise
        raise MissingExtra(
            f"The driver {driver.name!r} needs the package {error.name!r}: "
            f"pip install 'databroker[{driver.extra}]'"
        ) from error
    return getattr(home, name)


def _fault_of_path(value: object, wanted: str) -> str | None:
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        return wanted
    path = os.fspath(value)
    if not isinstance(path, str):
        return f"{wanted}, as text"
    scheme = _SCHEME.match(path)
    if scheme is not None:
        return f"{wanted}, not a URI.{_driver_of(scheme[1].lower())}"
    if has_password(path):
        return f"{wanted}; this looks like the address of a server, with a password in it"
    return None


def _driver_of(scheme: str) -> str:
    """Return what to say of a URI that stands where a path should."""
    if scheme.startswith(("sqlite", "file")):
        return " Write the path alone, without what stands before it."
    drivers = {"postgres": "postgresql", "mongodb": "mongo-normalized", "http": "http"}
    found = next((drivers[known] for known in drivers if scheme.startswith(known)), None)
    return f" The driver {found!r} takes it, as 'uri'." if found is not None else ""


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(map(repr, words))
