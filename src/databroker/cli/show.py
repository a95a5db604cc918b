"""``databroker show``."""

from __future__ import annotations

import click

from .common import RunCommand, console, open_run

__all__ = ["command"]

_EXAMPLES = """\b
Examples:
  databroker show -1
  databroker show example 8
  databroker show example bb805845
"""
_AMONG_FACTS = ("uid", "time", "scan_id", "plan_name", "detectors", "motors")


@click.command("show", cls=RunCommand, epilog=_EXAMPLES)
def command(words: tuple[str, ...]) -> None:
    """Show one run: how it went, its streams, its metadata."""
    from ..display.summary import by_people, by_programs
    from ..display.text import document_text
    from .tables import facts_table, streams_table

    out = console()
    with open_run(words) as header:
        facts, streams = facts_table(header), streams_table(header)
        said, recorded = by_people(header.start), by_programs(header.start)
        zone = header.session.zone
    recorded = {key: value for key, value in recorded.items() if key not in _AMONG_FACTS}
    blocks = [document_text("Metadata", said, zone)] if said else []
    # What programs write is long and seldom read: a line each is enough.
    if recorded:
        blocks.append(document_text("Recorded by programs", recorded, width=out.width))
    out.print(facts)
    out.print()
    out.print(streams if streams.row_count else "No streams yet.")
    for block in blocks:
        out.print()
        out.print(block, soft_wrap=True)
