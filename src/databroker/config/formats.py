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
from .source_map import Section

__all__ = ["from_mapping", "read_form"]


def from_mapping(mapping: Mapping[str, Any], *, name: str | None = None) -> Configuration:
    """Make a configuration from a mapping, in any of the forms that a file may have.

    Relative paths are relative to the folder in which Python runs now.
    """
    return read_form(plain(mapping), name)


def read_form(section: Section, name: str | None) -> Configuration:
    """Recognise the form of what a file holds, and make a configuration from it."""
    if catalogs.is_catalog(section):
        return read_form(catalogs.only_source(section), name)
    if mds_assets.is_pair(section):
        return from_flat(mds_assets.translate(section), name, section)
    if catalogs.is_source(section):
        flat = catalogs.translate(section)
        return from_flat(flat, name, section, discover_handlers="handlers" not in flat)
    return from_flat(section, name, section)
