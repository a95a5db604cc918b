"""A list of runs, for terminals and notebooks alike: its columns, and what is in them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..documents.kinds import Document
from ..times import clock_time, zone_names
from .summary import devices, is_number, one_line, plan, sample

__all__ = ["RunList", "list_of_runs"]

CAPTIONS = ("scan_id", "uid", "started", "plan", "devices", "sample", "status")

RunList = dict[str, list[str]]
"""The texts of each column, by its caption."""


def list_of_runs(rows: Sequence[tuple[Document, str]], zone: datetime.tzinfo) -> RunList:
    """Return what a list of runs has room for; columns that would be empty are left out.

    The caption of times names the zone of all of them.
    """
    facts = [_facts(start, status, zone) for start, status in rows]
    zones = zone_names([start["time"] for start, _ in rows if is_number(start.get("time"))], zone)
    columns = {}
    for caption, texts in zip(CAPTIONS, zip(*facts, strict=True), strict=False):
        if any(texts):
            named = f"started ({zones})" if caption == "started" and zones else caption
            columns[named] = list(texts)
    return columns


def _facts(start: Document, status: str, zone: datetime.tzinfo) -> tuple[str, ...]:
    """Return the facts of a run in the order of `CAPTIONS`."""
    scan_id, time = start.get("scan_id"), start.get("time")
    return (
        "" if scan_id is None else one_line(scan_id, 12),
        one_line(start.get("uid", ""))[:8],
        clock_time(time, zone) if is_number(time) else one_line(time or "", 19),
        plan(start),
        devices(start),
        sample(start),
        one_line(status, 12),
    )
