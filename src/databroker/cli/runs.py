"""The commands about one run: ``databroker show``, ``table`` and ``files``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._util.suggestions import did_you_mean
from ..errors import NoSuchStream
from .choosing import RunCommand, opened_run
from .outcome import NO
from .output import say, width
from .queries import listed

if TYPE_CHECKING:
    from ..runs.run import Run

_AMONG_FACTS = ("uid", "time", "scan_id", "plan_name", "detectors", "motors")


@click.command(
    "show",
    cls=RunCommand,
    examples=["databroker show", "databroker show 8", "databroker show -b example bb805845"],
)
def show(names: tuple[str, ...], key: str) -> None:
    """Show one run: how it went, its streams, its metadata."""
    from ..display.summary import by_people, by_programs
    from ..display.text import document_text
    from .tables import facts_table, streams_table

    columns = width()
    with opened_run(names, key) as run:
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


@click.command(
    "table",
    cls=RunCommand,
    examples=[
        "databroker table",
        "databroker table 8 --fields det,motor",
        "databroker table -b example bb805845 --stream baseline",
    ],
)
@click.option("--stream", "-s", default="primary", show_default=True, help="Which stream.")
@click.option("--fields", "-f", help="Only these columns, with commas between them.")
def table(names: tuple[str, ...], key: str, stream: str, fields: str | None) -> None:
    """Print the data of one run as a table.

    Of a long one, the first and the last rows; in a terminal, the columns that fit.
    """
    from .frames import frame_text

    with opened_run(names, key) as run:
        _check_stream(run, stream)
        frame = run.table(stream, fields=listed(fields), timezone=run.session.zone)
    if frame.empty:
        say(f"The stream {stream!r} has no events.")
    else:
        say(frame_text(frame, width()))


def _check_stream(run: Run, stream: str) -> None:
    names = run.stream_names
    if stream not in names:
        raise NoSuchStream(
            f"Run {run.uid[:8]} has no stream {stream!r}.{did_you_mean(stream, names)} "
            f"Its streams: {', '.join(names) or 'none yet'}."
        )


@click.command(
    "files",
    cls=RunCommand,
    examples=["databroker files", "databroker files 4", "databroker files -b example 4 --missing"],
)
@click.option("--missing", "-m", is_flag=True, help="Only the files that are not there.")
def files(names: tuple[str, ...], key: str, missing: bool) -> int | None:
    """List the external files of one run, and whether they are there.

    Ends with the exit code 1 if a file is missing.
    """
    from ..external.files.table import files_text

    with opened_run(names, key) as run:
        all_files = run.files()
    lost = all_files.missing
    listed = lost if missing else all_files
    if all_files and not listed:
        say(f"None of {len(all_files):,} files is missing.")
    else:
        # A pipe may count on every file.
        say(files_text(listed, most=len(listed)))
    return NO if lost else None
