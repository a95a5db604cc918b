"""What is known of a run beyond its documents: who writes it, how it stands, how many events."""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._util.signals import not_from_signal
from ..documents.kinds import Document, stream_name
from .activity import Activity
from .base import Store
from .rows import rows_of


def run_fact(store: Store, uid: str, stop: Document | None, name: str) -> Any:
    """Return a fact of a run, one of `query.paths.FACTS`; None where it is not known."""
    return run_status(store, uid, stop) if name == "status" else _num_events(store, uid, stop)


def run_status(store: Store, uid: str, stop: Document | None) -> str:
    """Return how a run stands: 'success', 'abort', 'fail', 'running', 'waiting' or 'unknown'."""
    if store.is_waiting(uid):
        return "waiting"
    if stop:
        found = stop.get("exit_status")
        return found if isinstance(found, str) else "unknown"
    return status_of(store.activity(uid), store.stale_after, time.time())


def status_of(activity: Activity, stale_after: float, now: float) -> str:
    """Return 'running' or 'unknown' for a run without a stop document.

    It is running while its newest document is younger than ``stale_after``
    seconds and its writer lives, as far as that can be known: a process on
    another machine is believed to.
    """
    if now - activity.last_time > stale_after:
        return "unknown"
    return "unknown" if writer_lives(activity) is False else "running"


def main_count(counts: Any) -> int | None:
    """Return how many events the main stream has; all streams, if none has its name."""
    if not isinstance(counts, Mapping):
        return None
    if "primary" in counts:
        counts = {"primary": counts["primary"]}
    numbers = [count for count in counts.values() if type(count) is int]
    return sum(numbers) if len(numbers) == len(counts) else None


def _num_events(store: Store, uid: str, stop: Document | None) -> int | None:
    """Return how many events a run has, counted where its stop document does not say so."""
    counts = (stop or {}).get("num_events")
    return main_count(_counted(store, uid) if counts is None else counts)


def _counted(store: Store, uid: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, descriptor in store.documents(uid, ["descriptor"]):
        extents = store.extents("event", descriptor["uid"])
        rows = sum(extent.rows for extent in extents)
        name = stream_name(descriptor)
        counts[name] = counts.get(name, 0) + (rows or _streamed(store, uid, descriptor))
    return counts


def _streamed(store: Store, uid: str, descriptor: Document) -> int:
    """Return how many seq_nums have a value in stream resources: of a stream without events."""
    stretches = sorted(
        (row["seq_nums"]["start"], row["seq_nums"]["stop"])
        for _, resource in store.documents(uid, ["stream_resource"])
        for row in rows_of(store, "stream_datum", resource["uid"])
        if row["descriptor"] == descriptor["uid"]
    )
    count = end = 0
    for first, stop in stretches:
        count += max(0, stop - max(first, end))
        end = max(end, stop)
    return count


def writer_here(last_time: float) -> Activity:
    """Return an activity whose writer is this process."""
    return Activity(last_time, host(), os.getpid(), boot_id())


def writer_lives(writer: Activity) -> bool | None:
    """Tell whether the process that writes a run lives; None where that cannot be known."""
    if writer.pid is None or writer.host != host():
        return None
    if writer.boot_id != boot_id():
        return False
    try:
        os.kill(writer.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and somebody else's
        return True
    return True


@functools.cache
def boot_id() -> str | None:
    """Return what tells one run of this machine from the next, where that is known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except not_from_signal(OSError):
        return None


@functools.cache
def host() -> str:
    """Return the name of this machine."""
    return platform.node()
