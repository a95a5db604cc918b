"""Ending a run whose writer died."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..documents.identity import CLOSED_BY
from ..errors import ConflictingDocument, NoSuchRun, RunIsRunning
from ..runs import Header

if TYPE_CHECKING:
    from .broker import Broker

__all__ = ["close_run"]


def close_run(db: Broker, uid: Any, reason: str, force: bool) -> Header:
    """End a run with a stop document that says so; see `Broker.close_run`."""
    header = db[uid]
    if not isinstance(header, Header):
        raise NoSuchRun(f"{uid!r} is not one run.")
    stop = header.stored_stop()
    if stop:
        raise ConflictingDocument(
            f"Run {header.uid[:8]!r} has ended already: {stop.get('exit_status')}."
        )
    if header.status == "running" and not force:
        raise RunIsRunning(
            f"Run {header.uid[:8]!r} is still being written. Wait until it ends; if you are "
            "sure that it never will, use force=True."
        )
    document = {
        "uid": str(uuid.uuid4()),
        "run_start": header.uid,
        "time": db.store.activity(header.uid).last_time,
        "exit_status": "fail",
        "reason": reason or "The run never ended; its writer is gone.",
        "num_events": {name: stream.num_events for name, stream in header.streams.items()},
        CLOSED_BY: "databroker.close_run",
    }
    db.store.insert("stop", document)
    # Not looked up again: it may be none of a search for runs that have not ended.
    record = db.store.record(header.uid)
    return header if record is None else Header(db, record)
