"""How a run that has not ended stands."""

from __future__ import annotations

import time

from ..documents.kinds import Document
from ..stores.contract import Activity, Store
from ..stores.writer import writer_lives


def run_status(store: Store, uid: str, stop: Document | None, stale_after: float) -> str:
    """Return how a run stands: 'success', 'abort', 'fail', 'running' or 'unknown'.

    Parameters
    ----------
    store
        Where the run is.
    uid
        Of the run.
    stop
        Its stop document, if it has one.
    stale_after
        As in `status_of`.
    """
    if stop:
        return str(stop.get("exit_status", "unknown"))
    return status_of(store.activity(uid), stale_after, time.time())


def status_of(activity: Activity, stale_after: float, now: float) -> str:
    """Return 'running' or 'unknown' for a run without a stop document.

    It is running while its newest document is younger than ``stale_after``
    seconds and its writer lives, as far as that can be known: a process on
    another machine is believed to.

    Examples
    --------
    >>> status_of(Activity(last_time=100.0), stale_after=3600.0, now=200.0)
    'running'
    >>> status_of(Activity(last_time=100.0), stale_after=3600.0, now=9999.0)
    'unknown'
    """
    if now - activity.last_time > stale_after:
        return "unknown"
    return "unknown" if writer_lives(activity) is False else "running"
