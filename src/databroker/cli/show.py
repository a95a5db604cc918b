"""``databroker show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import Target

if TYPE_CHECKING:
    from rich.table import Table

    from ..runs import Header

__all__ = ["EXAMPLES", "show"]

EXAMPLES = """\b
Examples:
  databroker show -1
  databroker show example 8
  databroker show example bb805845
"""
_TOLD = ("uid", "time", "scan_id", "plan_name", "detectors", "motors")
"""What stands among the facts already."""


def show(
    target: Target,
) -> None:
    """Show one run: how it went, its streams, its metadata."""
    from ..display import document_text
    from ..display.summary import by_people, by_programs
    from .common import console, open_run

    out = console()
    with open_run(target) as header:
        facts, streams = _facts(header), _streams(header)
        said, recorded = by_people(header.start), by_programs(header.start)
        recorded = {key: value for key, value in recorded.items() if key not in _TOLD}
        blocks = [document_text("Metadata", said, header.db.zone)] if said else []
        # What programs write is long and seldom read: a line each is enough.
        if recorded:
            blocks.append(document_text("Recorded by programs", recorded, width=out.width))
    out.print(facts)
    out.print()
    out.print(streams if streams else "No streams yet.")
    for block in blocks:
        out.print()
        out.print(block, soft_wrap=True)


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
