"""``databroker show``."""

from __future__ import annotations

import click

from .common import RunCommand, open_run, say, width

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

    columns = width()
    with open_run(words) as run:
        facts = facts_table(run, columns)
        streams = streams_table(run, columns) if run.streams else "No streams yet."
        said, recorded = by_people(run.start), by_programs(run.start)
        zone = run.session.zone
    recorded = {key: value for key, value in recorded.items() if key not in _AMONG_FACTS}
    blocks = [document_text("Metadata", said, zone)] if said else []
    # What programs write is long and seldom read: a line each is enough.
    if recorded:
        blocks.append(document_text("Recorded by programs", recorded, width=columns))
    say(f"{facts}\n\n{streams}", styled=True)
    for block in blocks:
        say(f"\n{block}")
