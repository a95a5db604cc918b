"""What a search gives, as headers."""

from __future__ import annotations

from ..runs import results
from .header import Header

__all__ = ["Results"]


class Results(results.Results[Header]):
    """The runs that match a search, newest first.

    Loop over it, as often as you like: each loop is a fresh search, and only a
    few runs are in memory at a time. There may be any number of runs, so there
    is no indexing; use ``list(results)`` where they are few.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> for n in range(3):
    ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "sample": "Ni"})
    >>> results = db(sample="Ni")
    >>> [header.uid for header in results], results.count()
    (['run 2', 'run 1', 'run 0'], 3)
    >>> [header.uid for header in results.sort("uid").limit(2)]
    ['run 0', 'run 1']
    """


# Users and their tools know the class under this name.
Results.__module__ = "databroker.v1"
