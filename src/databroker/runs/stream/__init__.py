"""Streams of a run: rows in order, as documents and as tables."""

from .stream import Stream

__all__ = ["Stream"]
