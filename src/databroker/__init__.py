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
    from .broker import Broker, temp
    from .config import describe_configs, list_configs, lookup_config
    from .documents.readonly import ALL
    from .header import Header
    from .results import Results

__version__ = "3.0.0.dev0"

_HOMES = {
    "ALL": ".documents.readonly",
    "Broker": ".broker",
    "Header": ".header",
    "Results": ".results",
    "describe_configs": ".config",
    "list_configs": ".config",
    "lookup_config": ".config",
    "temp": ".broker",
}

__all__ = [
    "ALL",
    "Broker",
    "Header",
    "Results",
    "__version__",
    "describe_configs",
    "list_configs",
    "lookup_config",
    "temp",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'databroker' has no attribute {name!r}")
    value = getattr(importlib.import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
