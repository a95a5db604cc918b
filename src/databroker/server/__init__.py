"""Runs served over HTTP: an ASGI application that answers what the contract of stores asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from .application import app as app
    from .limits import Limits as Limits

__all__ = ["Limits", "app"]

__getattr__ = lazy_names(__name__, {"app": ".application", "Limits": ".limits"})
