"""The forms in which a configuration may be written, and which of them one is.

Three are understood: databroker's own (``driver: ...``), the one of the first
databrokers (``metadatastore:`` and ``assets:``), and a source of a catalog
(``sources: {name: {driver, args}}``). The two old ones are turned into the
first, which alone is checked and opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import catalogs, mds_assets
from .configuration import Configuration, from_flat
from .plain import plain
from .source_map import SourceMap

__all__ = ["from_mapping", "read_form"]


def from_mapping(mapping: Mapping[str, Any], *, name: str | None = None) -> Configuration:
    """Make a configuration from a mapping, in any of the forms that a file may have.

    Relative paths are relative to the folder in which Python runs now.
    """
    where = SourceMap()
    return read_form(plain(mapping, where), where, name)


def read_form(mapping: object, where: SourceMap, name: str | None) -> Configuration:
    """Recognise the form of what a file holds, and make a configuration from it."""
    whole = where.mapping(mapping)
    if catalogs.is_catalog(whole):
        source, where = catalogs.only_source(whole, where)
        return read_form(source, where, name)
    if mds_assets.is_pair(whole):
        flat, moved = mds_assets.translate(whole, where)
        return from_flat(flat, moved, name, whole)
    if catalogs.is_source(whole):
        flat, moved = catalogs.translate(whole, where)
        discover = "handlers" not in flat
        return from_flat(flat, moved, name, whole, discover_handlers=discover)
    return from_flat(whole, where, name, whole)
