"""A configuration that has been read, checked and made plain.

It is made from databroker's own form (``driver: ...``); the older ones are turned into that first
(see `databroker.config.forms`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import times
from .._util.printable import shown
from .._util.secrets import hide_passwords, hide_passwords_in
from .._util.suggestions import nearest
from ..errors import InvalidConfiguration
from ..stores.registry import Driver, find_driver, open_store
from .source_map import Section

if TYPE_CHECKING:
    from ..stores.base import Store

COMMON_KEYS = (
    "description",
    "timezone",
    "stale_after",
    "root_map",
    "handlers",
    "allowed_roots",
    "transforms",
)
"""The keys that every configuration takes, whatever its driver."""

_TRANSFORMED = ("start", "stop", "resource", "descriptor")
_HOUR = 3600.0
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Configuration(NamedTuple):
    """What a broker needs to know, with every path absolute and every value checked.

    What the keys of a file mean is told in docs/configuration.md. Handlers and transforms are
    'module:name' or the object itself.

    Examples
    --------
    >>> Configuration("sqlite", {"path": "/data/runs.db"}, name="lab", timezone="UTC")
    <Configuration 'lab': sqlite, path='/data/runs.db'>
    """

    driver: str
    options: Mapping[str, Any] = _NOTHING
    name: str | None = None
    description: str | None = None
    timezone: str | None = None
    stale_after: float | None = _HOUR  # None for what each of several sources says
    root_map: Mapping[str, str] = _NOTHING
    handlers: Mapping[str, Any] = _NOTHING
    discover_handlers: bool = True  # those that installed packages offer
    allowed_roots: tuple[str, ...] = ()
    transforms: Mapping[str, Any] = _NOTHING
    members: Mapping[str, Configuration] = _NOTHING  # of several sources
    source: Path | None = None
    original: Mapping[str, Any] = _NOTHING  # as it was written
    where: str = "The configuration"  # file and line in which the place of the runs is said

    def open(self) -> Store:
        """Open the store that this configuration describes."""
        try:
            store = open_store(self.driver, **self._store_options())
        except InvalidConfiguration as error:
            raise InvalidConfiguration(f"{self.where}: {hide_passwords(str(error))}") from None
        self._set_stale_after(store)
        return store

    def without_spill(self) -> Configuration:
        """Return it so that no document waits on this machine: a store takes it, or is away."""
        never = {"spill": False} if find_driver(self.driver).behind_server else {}
        members = {name: member.without_spill() for name, member in self.members.items()}
        return self._replace(options={**self.options, **never}, members=members)

    def _store_options(self) -> dict[str, Any]:
        members = {
            name: {"driver": member.driver, **member._store_options()}
            for name, member in self.members.items()
        }
        return {**self.options, **({"members": members} if members else {})}

    def _set_stale_after(self, store: Store) -> None:
        if self.stale_after is not None:
            store.stale_after = self.stale_after
            return
        for name, behind in store.members.items():
            self.members[name]._set_stale_after(behind)

    def __repr__(self) -> str:
        options = {**self.options, **({"members": list(self.members)} if self.members else {})}
        shown = "".join(f", {key}={hide_passwords_in(options[key])!r}" for key in options)
        return f"<Configuration {self.name!r}: {self.driver}{shown}>"


def from_flat(
    flat: Section,
    name: str | None,
    original: Mapping[str, Any],
    *,
    discover_handlers: bool = True,
    members: Mapping[str, Configuration] | None = None,
) -> Configuration:
    """Check a mapping in databroker's own form, and make its paths absolute."""
    driver = _driver(flat)
    flat.check_keys(("driver", *driver.accepted, *COMMON_KEYS), f"the driver {driver.name!r}")
    return Configuration(
        name=name,
        driver=driver.name,
        options=_options(flat, driver),
        description=None if flat.get("description") is None else str(flat["description"]),
        timezone=_timezone(flat),
        stale_after=_stale_after(flat, None if "members" in flat else _HOUR),
        root_map=_root_map(flat),
        handlers=_importable(flat.section("handlers")),
        discover_handlers=discover_handlers,
        allowed_roots=_allowed_roots(flat),
        transforms=_transforms(flat),
        members=members or {},
        source=flat.file,
        original=dict(original),
        where=flat.describe(
            next((key for keys in driver.needs for key in keys if key in flat), "driver")
        ),
    )


def _driver(flat: Section) -> Driver:
    if "driver" not in flat:
        near = [key for key in flat if nearest(key, ("driver",))]
        hint = f" Is {near[0]!r} meant to be it?" if near else ""
        raise flat.error(
            f"it says no 'driver'.{hint} "
            "Two lines are enough: 'driver: sqlite' and 'path: runs.db'.",
            *near[:1],
        )
    try:
        return find_driver(flat["driver"])
    except InvalidConfiguration as error:
        raise flat.error(str(error), "driver") from None


def _options(flat: Section, driver: Driver) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option in driver.options:
        if option.name not in flat:
            continue
        value = flat[option.name]
        if fault := option.fault(value):
            raise flat.error(f"{option.name!r} {fault}", option.name)
        if option.takes == "path" or (option.takes == "folder" and not isinstance(value, bool)):
            value = _absolute(value, flat.folder)
        elif option.takes == "members":  # which were made configurations
            continue
        elif option.takes == "paths":
            value = [_absolute(path, flat.folder) for path in _listed(value)]
        options[option.name] = value
    if missing := driver.missing([*options, *(["members"] if "members" in flat else [])]):
        raise flat.error(f"the driver {driver.name!r} needs {missing}.", "driver")
    return options


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _absolute(path: str | os.PathLike[str], folder: Path) -> str:
    """Return a path as it was meant: '~' is the home folder, relative is beside the file."""
    text = os.fspath(path)
    if "://" in text:
        return text
    return os.path.normpath(os.path.join(folder.absolute(), os.path.expanduser(text)))


def _timezone(flat: Section) -> str | None:
    if flat.get("timezone") is None:
        return None
    name = str(flat["timezone"])
    try:
        times.resolve_zone(name)
    except InvalidConfiguration as error:
        raise flat.error(f"{error}.", "timezone") from None
    return name


def _stale_after(flat: Section, default: float | None) -> float | None:
    value = flat.get("stale_after", default)
    if value is None and default is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise flat.error("'stale_after' must be a number of seconds above 0.", "stale_after")
    return float(value)


def _root_map(flat: Section) -> dict[str, str]:
    root_map = flat.section("root_map")
    for old, new in root_map.items():
        if not isinstance(new, str | os.PathLike):
            raise root_map.error(f"the new place of {shown(old)} must be a path.", old)
    # The old root is a name that documents carry: it is compared, never opened.
    return {old: _absolute(new, flat.folder) for old, new in root_map.items()}


def _allowed_roots(flat: Section) -> tuple[str, ...]:
    value = flat.get("allowed_roots")
    roots = [] if value is None else _listed(value)
    if not all(isinstance(root, str | os.PathLike) for root in roots):
        raise flat.error("'allowed_roots' must be a list of folders.", "allowed_roots")
    return tuple(_absolute(root, flat.folder) for root in roots)


def _transforms(flat: Section) -> dict[str, Any]:
    transforms = flat.section("transforms")
    transforms.check_keys(_TRANSFORMED, "'transforms'")
    return _importable(transforms)


def _importable(targets: Section) -> dict[str, Any]:
    """Return what is to be imported as 'module:name'; what is already an object stays as it is."""
    return {name: _target(targets, name) for name in targets}


def _target(targets: Section, key: str) -> Any:
    target = targets[key]
    if callable(target):
        return target
    if isinstance(target, Mapping):
        parts = targets.section(key)
        parts.check_keys(("module", "class"), repr(key))
        target = f"{parts.get('module', '')}:{parts.get('class', '')}"
    text = target if isinstance(target, str) else ""
    module, _, name = text.partition(":") if ":" in text else text.rpartition(".")
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise targets.error(f"{shown(key)} must be 'module:Class'.", key)
    return f"{module}:{name}"
