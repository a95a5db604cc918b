"""A configuration that has been read, checked and made plain."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import times
from .._util.printable import shown
from .._util.secrets import hide_passwords, hide_passwords_in
from .._util.suggestions import nearest
from ..errors import InvalidConfiguration
from ..stores.base import Store
from ..stores.registry import Driver, find_driver, open_store
from .source_map import SourceMap

__all__ = ["COMMON_KEYS", "Configuration", "from_flat"]

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


@dataclass(frozen=True, repr=False)
class Configuration:
    """What a broker needs to know, with every path absolute and every value checked.

    What the keys of a file mean is told in docs/configuration.md. Handlers and transforms are
    'module:name' or the object itself.

    Examples
    --------
    >>> Configuration("sqlite", {"path": "/data/runs.db"}, name="lab", timezone="UTC")
    <Configuration 'lab': sqlite, path='/data/runs.db'>
    """

    driver: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    description: str | None = None
    timezone: str | None = None
    stale_after: float = _HOUR
    root_map: Mapping[str, str] = field(default_factory=dict)
    handlers: Mapping[str, Any] = field(default_factory=dict)
    discover_handlers: bool = True  # those that installed packages offer
    allowed_roots: tuple[str, ...] = ()
    transforms: Mapping[str, Any] = field(default_factory=dict)
    source: Path | None = None
    original: Mapping[str, Any] = field(default_factory=dict)  # as it was written

    def open(self) -> Store:
        """Open the store that this configuration describes."""
        try:
            return open_store(self.driver, **self.options)
        except InvalidConfiguration as error:
            where = self.source or "The configuration"
            raise InvalidConfiguration(f"{where}: {hide_passwords(str(error))}") from None

    def __repr__(self) -> str:
        shown = "".join(f", {key}={hide_passwords_in(self.options[key])!r}" for key in self.options)
        return f"<Configuration {self.name!r}: {self.driver}{shown}>"


def from_flat(
    flat: Mapping[str, Any],
    where: SourceMap,
    name: str | None,
    original: Mapping[str, Any],
    *,
    discover_handlers: bool = True,
) -> Configuration:
    """Check a mapping in databroker's own form, and make its paths absolute."""
    driver = _driver(flat, where)
    where.check_keys(
        flat, ("driver", *driver.accepted, *COMMON_KEYS), f"the driver {driver.name!r}"
    )
    return Configuration(
        name=name,
        driver=driver.name,
        options=_options(flat, driver, where),
        description=None if flat.get("description") is None else str(flat["description"]),
        timezone=_timezone(flat.get("timezone"), where),
        stale_after=_stale_after(flat.get("stale_after", _HOUR), where),
        root_map=_root_map(flat.get("root_map"), where),
        handlers=_importable(flat.get("handlers"), where, "handlers"),
        discover_handlers=discover_handlers,
        allowed_roots=_allowed_roots(flat.get("allowed_roots"), where),
        transforms=_transforms(flat.get("transforms"), where),
        source=where.file,
        original=dict(original),
    )


def _driver(flat: Mapping[str, Any], where: SourceMap) -> Driver:
    if "driver" not in flat:
        near = [key for key in flat if nearest(key, ("driver",))]
        hint = f" Is {near[0]!r} meant to be it?" if near else ""
        raise where.error(
            f"it says no 'driver'.{hint} "
            "Two lines are enough: 'driver: sqlite' and 'path: runs.db'.",
            *near[:1],
        )
    try:
        return find_driver(flat["driver"])
    except InvalidConfiguration as error:
        raise where.error(str(error), "driver") from None


def _options(flat: Mapping[str, Any], driver: Driver, where: SourceMap) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option in driver.options:
        if option.name not in flat:
            continue
        value = flat[option.name]
        fault = option.fault(value)
        if fault:
            raise where.error(f"{option.name!r} {fault}", option.name)
        if option.takes == "path":
            value = absolute(value, where)
        elif option.takes == "paths":
            many = value if isinstance(value, list | tuple) else [value]
            value = [absolute(each, where) for each in many]
        options[option.name] = value
    missing = driver.missing(options)
    if missing:
        raise where.error(f"the driver {driver.name!r} needs {missing}.", "driver")
    return options


def absolute(path: str | os.PathLike[str], where: SourceMap) -> str:
    """Return a path as it was meant: '~' is the home folder, relative is beside the file."""
    text = os.fspath(path)
    if "://" in text:
        return text
    return os.path.normpath(os.path.join(where.folder.absolute(), os.path.expanduser(text)))


def _timezone(value: object, where: SourceMap) -> str | None:
    if value is None:
        return None
    try:
        times.resolve_zone(str(value))
    except InvalidConfiguration as error:
        raise where.error(f"{error}.", "timezone") from None
    return str(value)


def _stale_after(value: object, where: SourceMap) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise where.error("'stale_after' must be a number of seconds above 0.", "stale_after")
    return float(value)


def _root_map(value: object, where: SourceMap) -> dict[str, str]:
    mapped = {}
    for old, new in where.mapping(value, "root_map").items():
        if not isinstance(new, str | os.PathLike):
            raise where.error(f"the new place of {shown(old)} must be a path.", "root_map", old)
        # The old root is a name that documents carry: it is compared, never opened.
        mapped[old] = absolute(new, where)
    return mapped


def _allowed_roots(value: object, where: SourceMap) -> tuple[str, ...]:
    several = isinstance(value, list | tuple)
    roots: Any = value if several else [] if value is None else [value]
    if not all(isinstance(root, str | os.PathLike) for root in roots):
        raise where.error("'allowed_roots' must be a list of folders.", "allowed_roots")
    return tuple(absolute(root, where) for root in roots)


def _transforms(value: object, where: SourceMap) -> dict[str, Any]:
    transforms = where.mapping(value, "transforms")
    where.inner("transforms").check_keys(transforms, _TRANSFORMED, "'transforms'")
    return _importable(value, where, "transforms")


def _importable(value: object, where: SourceMap, key: str) -> dict[str, Any]:
    return {
        name: importable(target, where.inner(key), name)
        for name, target in where.mapping(value, key).items()
    }


def importable(target: object, where: SourceMap, *keys: str) -> Any:
    """Return something to import as 'module:name'; what is already an object stays as it is."""
    if callable(target):
        return target
    if isinstance(target, Mapping):
        where.inner(*keys).check_keys(target, ("module", "class"), repr(keys[-1] if keys else "it"))
        target = f"{target.get('module', '')}:{target.get('class', '')}"
    text = target if isinstance(target, str) else ""
    module, _, name = text.partition(":") if ":" in text else text.rpartition(".")
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise where.error(f"{shown(keys[-1] if keys else 'it')} must be 'module:Class'.", *keys)
    return f"{module}:{name}"
