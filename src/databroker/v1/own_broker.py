"""The broker that databroker 1.x made by itself, and functions that use it.

``from databroker import db, get_table`` works where a configuration ``_legacy_config``
exists, or a single one. Nothing is looked for before one of these names is used.
"""

from __future__ import annotations

import functools
from typing import Any

from .._util.user_warnings import warn_user
from ..errors import UnknownBrokerName

METHODS = (
    "get_events",
    "get_fields",
    "get_images",
    "get_table",
    "process",
    "restream",
    "stream",
)
"""Methods of that broker that are functions of the package, and warn."""

NAMES = ("DataBroker", "db", *METHODS)
"""Every name that stands for that broker, or for one of its methods."""


def find(name: str) -> Any:
    """Return what the package has under one of `NAMES`: the broker, or a function that uses it."""
    if name not in NAMES:
        raise AttributeError(f"module 'databroker' has no attribute {name!r}")
    if name not in METHODS:
        return _broker()

    from .broker import Broker

    @functools.wraps(getattr(Broker, name))
    def function(*args: Any, **kwargs: Any) -> Any:
        warn_user(f"databroker.{name} is deprecated: use db.{name} of a Broker instead.")
        return getattr(_broker(), name)(*args, **kwargs)

    return function


@functools.cache
def _broker() -> Any:
    from ..config.names import from_file, list_configs
    from ..config.search import config_folders
    from .broker import Broker
    from .helpers import special_name

    for folder in config_folders():
        file = folder / f"{special_name()}.yml"
        if file.exists():
            broker = Broker.opened(from_file(file, special_name()))
            break
    else:
        names = list_configs()
        if len(names) != 1:
            raise UnknownBrokerName(
                "databroker has a broker of its own only where a configuration "
                f"{special_name()!r} exists, or a single one, and here are {len(names)}; "
                "make one: db = databroker.Broker.named(name)."
            )
        broker = Broker.named(names[0])
    warn_user(
        "databroker.db, and functions such as databroker.get_table, use the configuration "
        f"{broker.name!r}. Better make a broker: db = databroker.Broker.named(name)."
    )
    return broker
