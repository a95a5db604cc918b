"""``databroker show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .common import Target

if TYPE_CHECKING:
    from rich.table import Table

    from ..header import Header

__all__ = ["EXAMPLES", "show"]

EXAMPLES = """\b
Examples:
  databroker show -1
  databroker show example 8
  databroker show example bb805845
"""

_TOLD = ("uid", "time", "scan_id", "plan_name")
_BY_PROGRAMS = (
    *("detectors", "motors", "num_points", "num_intervals", "shape", "extents", "snaking"),
    *("hints", "plan_type", "plan_args", "versions"),
    *("plan_pattern", "plan_pattern_module", "plan_pattern_args"),
)


def show(
    target: Target,
) -> None:
    """Show one run: how it went, its streams, its metadata."""
    from ..display import document_text
    from .common import console, open_broker, split_target

    name, run = split_target(target)
    with open_broker(name) as db:
        header = db[run]
        facts, streams = _facts(header), _streams(header)
        metadata = document_text("Metadata", _metadata(header), db.zone)
    out = console()
    out.print(facts)
    out.print()
    out.print(streams if streams else "No streams yet.")
    out.print()
    out.print(metadata, soft_wrap=True)


def _metadata(header: Header) -> dict[str, Any]:
    """Return what people have said about the run, then what programs have."""
    start = header.start
    said = {key: start[key] for key in start if key not in (*_TOLD, *_BY_PROGRAMS)}
    return said | {key: start[key] for key in start if key in _BY_PROGRAMS}


def _facts(header: Header) -> Table:
    from rich.table import Table
    from rich.text import Text

    from ..display.summary import devices, duration, one_line, plan, when
    from .common import status_text

    start, stop = header.start, header.stop
    status = status_text(header.status)
    if stop.get("reason"):
        status.append(f": {one_line(stop['reason'])}", style="default")
    facts: dict[str, str | Text] = {
        "uid": one_line(header.uid),
        "status": status,
        "scan_id": one_line(start.get("scan_id", "")),
        "plan": plan(start),
        "devices": devices(start),
        "started": when(start.get("time"), header.db.zone),
        "took": duration(start, stop),
    }
    table = Table.grid(padding=(0, 2))
    for fact, value in facts.items():
        if value:
            table.add_row(
                Text(fact, style="bold"), value if isinstance(value, Text) else Text(value)
            )
    return table


def _streams(header: Header) -> Table | None:
    from rich.table import Table
    from rich.text import Text

    from ..display.summary import one_line

    table = Table(box=None, pad_edge=False)
    table.add_column("stream")
    table.add_column("events", justify="right")
    table.add_column("fields")
    for name, stream in header.streams.items():
        table.add_row(
            Text(one_line(name)),
            Text(f"{stream.num_events:,}"),
            Text(one_line(", ".join(stream.fields), 1000)),
        )
    return table if table.row_count else None
