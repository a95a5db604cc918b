"""A run as a search finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as a search finds it.

    Attributes
    ----------
    cursor
        Where it stands in the order of its store: `Store.find` goes on after it. JSON can hold
        it; what is in it is the store's own affair.
    source
        Where several stores are asked: the name of the one that the run is in; and where that
        asks several itself, the name among these, and so on.
    """

    uid: str
    start: dict[str, Any]
    stop: dict[str, Any] | None
    cursor: Any = field(default=None, compare=False)
    source: tuple[str, ...] = field(default=(), compare=False)
