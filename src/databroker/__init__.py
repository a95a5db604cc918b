"""Save, find and load the data of experimental runs.

The names of the public interface are loaded when they are first used, so that
``import databroker`` costs next to nothing.

Examples
--------
>>> import databroker
>>> db = databroker.temp()
>>> db.insert("start", {"uid": "b2c1", "time": 1.0, "sample": "good sample"})
>>> [header.uid for header in db("good")]
['b2c1']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import assets, pivot, projector, queries, utils, v1, v2
    from .broker.copy import copy
    from .config import describe_configs, list_configs, lookup_config
    from .documents.readonly import ALL
    from .packing.pack import pack
    from .relocation.search import relocate
    from .v1.broker import Broker, temp
    from .v1.catalogs import catalog, load_combo_catalog
    from .v1.doct import DeprecatedDoct, wrap_in_deprecated_doct, wrap_in_doct
    from .v1.header import Header, Results
    from .v1.helpers import catalog_search_path, temp_config
    from .v1.opening import open

__version__ = "3.0.0.dev0"

_HOMES = {
    "ALL": ".documents.readonly",
    "Broker": ".v1.broker",
    "DeprecatedDoct": ".v1.doct",
    "Header": ".v1.header",
    "Results": ".v1.header",
    "catalog": ".v1.catalogs",
    "catalog_search_path": ".v1.helpers",
    "copy": ".broker.copy",
    "describe_configs": ".config",
    "list_configs": ".config",
    "load_combo_catalog": ".v1.catalogs",
    "lookup_config": ".config",
    "open": ".v1.opening",
    "pack": ".packing.pack",
    "relocate": ".relocation.search",
    "temp": ".v1.broker",
    "temp_config": ".v1.helpers",
    "wrap_in_deprecated_doct": ".v1.doct",
    "wrap_in_doct": ".v1.doct",
}
"""The module of each public name."""

_MODULES = (
    *("assets", "errors", "eventsource", "pivot", "projector", "queries", "utils", "v1", "v2"),
)
"""Modules that are there after ``import databroker`` alone, once they are used."""

_GONE = {
    "EntrypointsCatalog": "databroker.catalog",
    "MergedCatalog": "databroker.catalog",
    "V0Catalog": "databroker.catalog",
    "discovery": "databroker.catalog",
    "headersource": "Broker.insert and Broker.__call__",
    "yaml_catalogs": "databroker.catalog",
}
"""Names of databroker 1.x that are no more, and what to use instead."""

__all__ = [
    "ALL",
    "Broker",
    "DeprecatedDoct",
    "Header",
    "Results",
    "__version__",
    "assets",
    "catalog",
    "catalog_search_path",
    "copy",
    "describe_configs",
    "list_configs",
    "load_combo_catalog",
    "lookup_config",
    "open",
    "pack",
    "pivot",
    "projector",
    "queries",
    "relocate",
    "temp",
    "temp_config",
    "utils",
    "v1",
    "v2",
    "wrap_in_deprecated_doct",
    "wrap_in_doct",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name], __name__), name)
        globals()[name] = value
        return value
    if name in _GONE:
        raise AttributeError(
            f"databroker.{name} of databroker 1.x is gone: use {_GONE[name]} instead."
        )
    if not name.startswith("_"):
        return importlib.import_module(".v1.own_broker", __name__).find(name)
    raise AttributeError(f"module 'databroker' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
