"""Flows of documents, merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from typing import Any

__all__ = ["interlace_gens"]


def interlace_gens(*gens: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the documents of several flows in the order of their times.

    Parameters
    ----------
    *gens
        Flows of documents that have a ``time``, each in order.

    Examples
    --------
    >>> list(interlace_gens([{"time": 1}, {"time": 4}], [{"time": 2}]))
    [{'time': 1}, {'time': 2}, {'time': 4}]
    """
    return merge(*gens, key=lambda document: document["time"])
