"""Scan_ids that several runs have, as counters start again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..query.nodes import Equals, Path

if TYPE_CHECKING:
    from .session import StoreView

_SHOWN = 10
"""Other runs that are named."""


def repeated_scan_id(view: StoreView, start: Mapping[str, Any]) -> str | None:
    """Say which other runs have the scan_id of a run, if there are some."""
    scan_id = start.get("scan_id")
    if type(scan_id) is not int:
        return None
    alike = list(view.find(Equals(Path("scan_id"), scan_id), limit=_SHOWN + 1))
    others = [run.uid[:8] for run in alike if run.uid != start["uid"]][:_SHOWN]
    if not others:
        return None
    more = ", …" if len(alike) > _SHOWN else ""
    newest = "this" if alike[0].uid == start["uid"] else f"db[{scan_id}]"
    listed = ", ".join(others) + more
    return f"scan_id {scan_id} was given to other runs too ({newest} is the newest): {listed}"
