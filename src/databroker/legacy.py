"""The broker that databroker 1.x made by itself, where a configuration ``_legacy_config`` exists.

``from databroker import db, get_table`` works on machines that are set up so.
Nothing is looked for before one of these names is used.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

__all__ = ["METHODS", "NAMES", "find"]

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
"""Every name that the package has only where that configuration exists."""


def find(name: str) -> Any:
    """Return what the package has under one of `NAMES`.

    Raises
    ------
    AttributeError
        There is no such configuration.
    """
    broker = _broker()
    if name not in METHODS:
        return broker
    method = getattr(broker, name)

    @functools.wraps(method)
    def function(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            f"databroker.{name} is deprecated: use db.{name} of a Broker instead.",
            UserWarning,
            stacklevel=2,
        )
        return method(*args, **kwargs)

    return function


@functools.cache
def _broker() -> Any:
    from .broker import Broker
    from .config.forms import read_form
    from .config.place import read_yaml
    from .config.search import config_folders
    from .utils import SPECIAL_NAME

    for folder in config_folders():
        file = folder / f"{SPECIAL_NAME}.yml"
        if file.exists():
            return Broker.opened(read_form(*read_yaml(file), SPECIAL_NAME))
    raise AttributeError(
        f"databroker has a broker of its own only where a configuration {SPECIAL_NAME!r} exists; "
        "make one: db = databroker.Broker.named(name)."
    )
