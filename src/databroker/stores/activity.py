"""Who writes a run, and since when nothing has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Activity:
    """Who writes a run, and how old its newest document is.

    Attributes
    ----------
    last_time
        The time of the newest start, descriptor or event of the run, in seconds since the epoch.
    host, pid, boot_id
        The process that inserted the start document, where that is known.
    """

    last_time: float
    host: str | None = None
    pid: int | None = None
    boot_id: str | None = None
