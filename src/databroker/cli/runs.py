"""The commands about one run: ``databroker show``, ``streams``, ``table`` and ``files``."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import click

from .choosing import RunCommand, fields_option, opened_run, stream_of, stream_option
from .outcome import NO
from .output import say, say_styled, width
from .queries import listed
from .records import Form, json_option, record_options, say_json, say_records

if TYPE_CHECKING:
    from ..runs.run import Run

_AMONG_FACTS = ("uid", "time", "scan_id", "plan_name", "detectors", "motors")
_ROWS = click.IntRange(min=1)


@click.command(
    "show",
    cls=RunCommand,
    examples=[
        "databroker show",
        "databroker show 8",
        "databroker show -b example bb805845",
        "databroker show 8 --json",
    ],
)
@json_option
def show(names: tuple[str, ...], key: str, form: Form | None) -> None:
    """Show one run: how it went, its streams, its metadata."""
    with opened_run(names, key) as run:
        if form:
            from .streams import streams_of

            known = {"uid": run.uid, "status": run.status, "start": run.start}
            say_json({**known, "stop": run.stop or None, "streams": streams_of(run)})
        else:
            _show(run)


def _show(run: Run) -> None:
    from ..display.summary import by_people, by_programs
    from ..display.text import document_text
    from .tables import facts_table, streams_table

    columns = width()
    facts = facts_table(run, columns)
    streams = streams_table(run, columns) if run.streams else "No streams yet."
    said, recorded = by_people(run.start), by_programs(run.start)
    zone = run.session.zone
    recorded = {key: value for key, value in recorded.items() if key not in _AMONG_FACTS}
    blocks = [document_text("Metadata", said, zone)] if said else []
    # What programs write is long and seldom read: a line each is enough.
    if recorded:
        blocks.append(document_text("Recorded by programs", recorded, width=columns))
    say_styled(f"{facts}\n\n{streams}")
    for block in blocks:
        say(f"\n{block}")


@click.command(
    "streams",
    cls=RunCommand,
    examples=["databroker streams", "databroker streams 3 --csv"],
)
@record_options
def streams(names: tuple[str, ...], key: str, form: Form | None) -> None:
    """List the streams of one run: how many events they have, and what their fields are.

    With --csv there is a row for each field; with --json, an object for each stream.
    """
    from .streams import COLUMNS, by_field, fields_table, streams_of

    with opened_run(names, key) as run:
        found = streams_of(run)
    if form == "json":
        say_records(form, ("stream", "num_events", "fields"), found)
    elif form:
        say_records(form, COLUMNS, by_field(found))
    elif not found:
        say("No streams yet.")
    else:
        from .tables import columns_table

        say_styled(columns_table(fields_table(found), width()))


@click.command(
    "table",
    cls=RunCommand,
    examples=[
        "databroker table",
        "databroker table 8 --fields det,motor",
        "databroker table -b example bb805845 --stream baseline",
        "databroker table 2 --head 3 --tail 3",
        "databroker table 8 --csv",
    ],
)
@stream_option
@fields_option
@click.option("--head", metavar="N", type=_ROWS, help="Only the first N rows.")
@click.option("--tail", metavar="N", type=_ROWS, help="Only the last N rows; with --head, both.")
@record_options
def table(
    names: tuple[str, ...],
    key: str,
    stream: str,
    fields: str | None,
    head: int | None,
    tail: int | None,
    form: Form | None,
) -> None:
    """Print the data of one run as a table.

    Of a long one, the first and the last rows; in a terminal, the columns that fit. With --json or
    --csv, all rows and columns, as they were recorded; 'databroker export' writes files for
    spreadsheets and other programs. With --head or --tail, no other rows are read.
    """
    ends = None if head is None and tail is None else (head or 0, tail or 0)
    with opened_run(names, key) as run:
        of_run = stream_of(run, stream)
        chosen = listed(fields)
        if form:
            from .rows import columns_of, parts_of

            parts = parts_of(of_run.num_events, ends)
            rows = chain.from_iterable(of_run.records(chosen, part) for part in parts)
            say_records(form, columns_of(of_run, chosen), rows)
        elif of_run.num_events:
            from .frames import stream_text

            say(stream_text(of_run, chosen, run.session.zone, width(), ends))
        else:
            say(f"The stream {stream!r} has no events.")


@click.command(
    "files",
    cls=RunCommand,
    examples=[
        "databroker files",
        "databroker files 4 --csv",
        "databroker files -b example 4 --missing",
    ],
)
@click.option("--missing", "-m", is_flag=True, help="Only the files that are not there.")
@record_options
def files(names: tuple[str, ...], key: str, missing: bool, form: Form | None) -> int | None:
    """List the external files of one run, and whether they are there.

    Ends with the exit code 1 if a file is missing.
    """
    with opened_run(names, key) as run:
        all_files = run.files()
    lost = all_files.missing
    found = lost if missing else all_files
    if form:
        from ..runs.files import COLUMNS

        say_records(form, COLUMNS, map(vars, found))
    elif all_files and not found:
        say(f"None of {len(all_files):,} files is missing.")
    else:
        from ..external.files.table import files_text

        # A pipe may count on every file.
        say(files_text(found, most=len(found)))
    return NO if lost else None
