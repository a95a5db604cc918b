"""The store over another broker's store, which its server asks."""

from __future__ import annotations

from .store import HTTPStore as HTTPStore

__all__ = ["HTTPStore"]
