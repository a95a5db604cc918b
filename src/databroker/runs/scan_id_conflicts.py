"""Other runs that have the scan_id of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..query.nodes import Equals, Path

if TYPE_CHECKING:
    from .store_view import StoreView

_SHOWN = 10


def repeated_scan_id(runs: StoreView, start: Mapping[str, Any]) -> str | None:
    """Say which other runs have the scan_id of a run; None if there are none.

    Counters start again, and ``db[42]`` is the newest of them.
    """
    scan_id = start.get("scan_id")
    if type(scan_id) is not int:
        return None
    alike = list(runs.find(Equals(Path("scan_id"), scan_id), limit=_SHOWN + 1))
    others = [run.uid[:8] for run in alike if run.uid != start["uid"]][:_SHOWN]
    if not others:
        return None
    more = ", …" if len(alike) > _SHOWN else ""
    which = "this is the newest" if alike[0].uid == start["uid"] else f"db[{scan_id}] is the newest"
    return f"scan_id {scan_id} was given to other runs too ({which}): {', '.join(others)}{more}"
