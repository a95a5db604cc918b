"""Runs as mappings of streams, and streams as datasets: the second face of databroker 1.x.

Everything here stands on what a `Broker` offers; ``db.v2`` is the way in.

Examples
--------
>>> catalog = temp()
>>> catalog.v1.insert("start", {"uid": "b2c1", "time": 1.0, "plan_name": "scan"})
>>> list(catalog.search({"plan_name": "scan"}))
['b2c1']
>>> catalog["b2c1"]
<BlueskyRun uid='b2c1'>
"""

from __future__ import annotations

from ..errors import DuplicateHandler
from .names import Catalogs, catalog, load_combo_catalog
from .run import BlueskyRun
from .runs import Catalog
from .stream import BlueskyEventStream

__all__ = [
    "BlueskyEventStream",
    "BlueskyRun",
    "Broker",
    "Catalog",
    "Catalogs",
    "DuplicateHandler",
    "catalog",
    "load_combo_catalog",
    "temp",
]

Broker = Catalog
"""The name that catalogs had here; `databroker.Broker` is another class."""


def temp() -> Catalog:
    """Make a new, empty catalog whose files are removed when it is no longer used.

    Examples
    --------
    >>> len(temp())
    0
    """
    from ..broker import temporary

    return temporary.temp().v2
