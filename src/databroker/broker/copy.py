"""Copying runs between stores, whichever they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..query.nodes import Path
from .moving.copying import Copying
from .moving.external import Files, folder_beside
from .moving.opening import Named, opened, query_of

if TYPE_CHECKING:
    from ..query.nodes import Node
    from .moving.progress import Report
    from .moving.report import CopyReport

_UID = Path("uid")


def copy(
    source: Named,
    target: Named,
    query: Node | Mapping[str, Any] | str | None = None,
    files: bool | str | os.PathLike[str] = False,
    *,
    verify: bool = True,
    progress: Report | None = None,
) -> CopyReport:
    """Copy runs into another store, whichever both are, exactly as they are stored.

    A run that is there already is known by one look, and left alone. One that is there in part,
    as after a copy that was broken off, or that has grown since, is continued; nothing is ever
    doubled. One that differs is refused and named in the report, and the others still go. Each
    run ends with its stop, so that one that has a stop there is whole.

    Parameters
    ----------
    source, target
        A broker; the name of a configuration; the path of an SQLite file or of whatever else
        `databroker.open` takes, or the URI of a PostgreSQL or MongoDB database; a configuration
        as a mapping. What is named is opened, and closed again.
    query
        Which runs: words, a query of `databroker.queries` or a Mongo-style dictionary. None for
        all that the source sees.
    files
        A folder to which external files are copied, too, as `Broker.export` does: the documents
        at the target point to the copies. True for a folder beside the SQLite file that is the
        target, and of its name. False leaves files, and documents, as they are.
    verify
        Whether what was written is read again, and compared with the source.
    progress
        Is called a few times a second with a `Progress`: runs, rows, bytes, rate, time left.

    Returns
    -------
    CopyReport
        True if all runs are there. Print it; `runs` has each with its digest, and `failed` those
        that are not there, with the reason.

    Raises
    ------
    UnknownBrokerName, InvalidConfiguration
        A source or target that there is not.
    InvalidQuery
        The query makes no sense.
    StoreUnavailable, StoreIsReadOnly
        A store cannot be reached, or not written to. What was copied before is there; copy again
        to go on.

    Examples
    --------
    >>> import databroker
    >>> here, there = databroker.temp(), databroker.temp()
    >>> here.insert("start", {"uid": "a", "time": 1.0})
    >>> databroker.copy(here, there).copied[0].uid
    'a'
    >>> databroker.copy(here, there).copied
    []
    """
    with opened(source, reading=True) as one, opened(target) as other:
        found = one.view.select(query_of(one, query), [_UID])
        uids = [uid for (uid,) in found][::-1]  # so that of runs of one time each keeps its place
        carried = None
        if files is not False:
            folder = folder_beside(other.store) if files is True else files
            carried = Files(one.session, other.store, folder, verify)
        return Copying(one.store, other.store, carried, verify, progress).all(uids)
