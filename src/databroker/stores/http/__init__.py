"""The store of a source that a databroker server serves."""

from __future__ import annotations

from .store import HTTPStore as HTTPStore

__all__ = ["HTTPStore"]
