"""What goes wrong in databases, as exceptions of ours."""

from __future__ import annotations

from ....errors import StoreDamaged, StoreIsReadOnly, StoreUnavailable


class RowExists(StoreUnavailable):
    """A table has a row already with something of which each row must have its own."""


FAILURES = (StoreUnavailable, StoreIsReadOnly, StoreDamaged)
"""What a statement raises that cannot be carried out."""

PATIENCE = 120.0
"""Seconds to wait for another writer before giving up."""
