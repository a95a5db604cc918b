"""Runs as mappings of streams, and streams as datasets: the second face of databroker 1.x.

``db.v2`` is the way in. The names below are loaded when they are first used.

Examples
--------
>>> from databroker.v2 import temp
>>> catalog = temp()
>>> catalog.v1.insert("start", {"uid": "b2c1", "time": 1.0, "plan_name": "scan"})
>>> list(catalog.search({"plan_name": "scan"}))
['b2c1']
>>> catalog["b2c1"]
<BlueskyRun uid='b2c1'>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from ..errors import DuplicateHandler
    from ..v1.catalogs import Catalogs, catalog, load_combo_catalog, temp
    from .run import BlueskyRun
    from .runs import Catalog
    from .runs import Catalog as Broker
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

__getattr__ = lazy_names(
    __name__,
    {
        "BlueskyEventStream": ".stream",
        "BlueskyRun": ".run",
        "Broker": ".runs:Catalog",  # as it was called here; databroker.Broker is another class
        "Catalog": ".runs",
        "Catalogs": "..v1.catalogs",
        "DuplicateHandler": "..errors",
        "catalog": "..v1.catalogs",
        "load_combo_catalog": "..v1.catalogs",
        "temp": "..v1.catalogs",
    },
)
