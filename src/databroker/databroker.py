"""The import path of the first databrokers for the broker that they made by themselves."""

from __future__ import annotations

from typing import Any

from . import legacy
from .broker import Broker
from .runs import Header
from .utils import get_fields

__all__ = ["Broker", "Header", "get_fields"]


def __getattr__(name: str) -> Any:
    if name not in legacy.NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return legacy.find(name)
