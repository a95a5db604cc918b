"""Ending a run whose writer died."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ..documents.identity import CLOSED_BY
from ..errors import ConflictingDocument, RunIsRunning
from ..runs.run import Run

if TYPE_CHECKING:
    from ..stores.base import RunRecord


def close_run(run: Run, reason: str, force: bool) -> RunRecord | None:
    """End a run with a stop document that says so; see `Broker.close_run`."""
    stop = run.stored_stop()
    if stop:
        raise ConflictingDocument(
            f"Run {run.uid[:8]!r} has ended already: {stop.get('exit_status')}."
        )
    if run.status == "running" and not force:
        raise RunIsRunning(
            f"Run {run.uid[:8]!r} is still being written. Wait until it ends; if you are "
            "sure that it never will, use force=True."
        )
    document = {
        "uid": str(uuid.uuid4()),
        "run_start": run.uid,
        "time": run.session.store.activity(run.uid).last_time,
        "exit_status": "fail",
        "reason": reason or "The run never ended; its writer is gone.",
        "num_events": {name: stream.num_events for name, stream in run.streams.items()},
        CLOSED_BY: "databroker.close_run",
    }
    run.session.store.insert("stop", document)
    # Past the search that it came from, which may be one for runs that have not ended.
    return run.session.store.record(run.uid)
