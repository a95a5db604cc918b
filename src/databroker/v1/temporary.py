"""Brokers for a while."""

from __future__ import annotations

from .broker import Broker

__all__ = ["temp"]


def temp() -> Broker:
    """Make a new, empty broker whose files are removed when it is no longer used.

    Examples
    --------
    >>> temp().name
    'temp'
    """
    return Broker.named("temp")
