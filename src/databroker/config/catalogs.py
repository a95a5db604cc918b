"""Catalog files of databroker 1.x: ``sources:`` with the bluesky drivers.

Only the names of drivers and arguments differ from databroker's own form; what
a source means is the same.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from typing import Any

from .._util.printable import shown
from .._util.suggestions import did_you_mean
from .._util.user_warnings import warn_user
from .source_map import KeyPath, Section

_DRIVERS: dict[str, tuple[str, dict[str, str]]] = {
    "bluesky-mongo-normalized-catalog": (
        "mongo-normalized",
        {"metadatastore_db": "metadatastore_db", "asset_registry_db": "asset_registry_db"},
    ),
    "bluesky-mongo-embedded-catalog": ("mongo-embedded", {"datastore_db": "uri"}),
    "bluesky-jsonl-catalog": ("jsonl", {"paths": "paths"}),
    "bluesky-msgpack-catalog": ("msgpack", {"paths": "paths"}),
}
"""Each old driver: the driver that takes its place, and its arguments' new names."""

_COMMON = {"root_map": "root_map", "transforms": "transforms", "handler_registry": "handlers"}
_WITHOUT_MEANING = ("name", "metadata", "filler_class")


def is_catalog(mapping: Mapping[str, Any]) -> bool:
    """Tell whether a mapping is a whole catalog file."""
    return "sources" in mapping and "driver" not in mapping


def is_source(mapping: Mapping[str, Any]) -> bool:
    """Tell whether a mapping is one source of a catalog."""
    driver = mapping.get("driver")
    return "driver" in mapping and (
        "args" in mapping or (isinstance(driver, str) and driver in _DRIVERS)
    )


def offers(mapping: object) -> list[str]:
    """Return the names of a catalog's sources that hold runs.

    Catalog folders are shared with other libraries, whose sources are none of ours.
    """
    sources = mapping.get("sources") if isinstance(mapping, Mapping) else None
    if not isinstance(sources, Mapping):
        return []
    return [
        str(name)
        for name, source in sources.items()
        if isinstance(source, Mapping) and str(source.get("driver")) in _DRIVERS
    ]


def only_source(catalog: Section) -> Section:
    """Return the one source of a catalog."""
    sources = catalog.section("sources")
    if len(sources) != 1:
        raise catalog.error(
            f"it must have exactly one source to be a configuration; it has {len(sources)}.",
            "sources",
        )
    return sources.section(*sources)


def translate(source: Section) -> Section:
    """Turn a source into databroker's own form."""
    old = source["driver"]
    if not isinstance(old, str) or old not in _DRIVERS:
        raise source.error(
            f"the driver {shown(old)} holds no runs.{did_you_mean(old, _DRIVERS)} "
            f"Those of databroker 1.x are: {', '.join(_DRIVERS)}.",
            "driver",
        )
    driver, renamed = _DRIVERS[old]
    names = {**renamed, **_COMMON}
    args = source.section("args")
    args.check_keys((*names, *_WITHOUT_MEANING), "'args'")
    if "filler_class" in args:
        ignored = f"{args.describe('filler_class')}: 'filler_class' is ignored."
        warn_user(ignored)
    flat: dict[str, Any] = {"driver": driver}
    origins: dict[str, KeyPath] = {"driver": ("driver",), "description": ("description",)}
    if source.get("description") is not None:
        flat["description"] = source["description"]
    for key, value in args.items():
        if key in names and value is not None:
            flat[names[key]] = _moved_with_it(value, source) if key == "paths" else value
            origins[names[key]] = ("args", key)
    return source.moved(flat, origins)


def _moved_with_it(paths: Any, source: Section) -> Any:
    """Return where the documents of a packed catalog are now.

    It says where they were when it was packed, and where they are beside it.
    """
    beside = source.section("metadata").get("relative_paths")
    if not isinstance(beside, list) or not all(isinstance(path, str) for path in beside):
        return paths
    several = paths if isinstance(paths, list | tuple) else [paths]
    if any(isinstance(path, str) and glob.glob(path) for path in several):
        return paths
    return [str(source.folder / path) for path in beside]
