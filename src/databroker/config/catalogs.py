"""Catalog files of databroker 1.x: ``sources:`` with the bluesky drivers.

Only the names of drivers and arguments differ from databroker's own form; what
a source means is the same.
"""

from __future__ import annotations

import os
import re
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
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*(?:\(\s*['\"]?(.*?)['\"]?\s*\))?\s*\}\}")


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
            flat[names[key]] = _expand(value, args, key)
            origins[names[key]] = ("args", key)
    return source.moved(flat, origins)


def _expand(value: Any, args: Section, key: str) -> Any:
    if isinstance(value, str):
        return _TEMPLATE.sub(lambda template: _template(template, args, key), value)
    if isinstance(value, list | tuple):
        return [_expand(item, args, key) for item in value]
    if isinstance(value, Mapping):
        return {name: _expand(item, args, key) for name, item in value.items()}
    return value


def _template(template: re.Match[str], args: Section, key: str) -> str:
    word, argument = template.groups()
    if word == "CATALOG_DIR":
        return str(args.folder)
    if word == "env" and argument:
        if argument not in os.environ:
            raise args.error(f"the environment variable {argument!r} is not set.", key)
        return os.environ[argument]
    # shell(...) among them: reading a configuration must not run commands.
    raise args.error(f"the template {word!r} is not supported; CATALOG_DIR and env(NAME) are.", key)
