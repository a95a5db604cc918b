"""``databroker export``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .choosing import Chosen, RunsCommand
from .command import Command
from .opening import open_broker
from .outcome import NO
from .output import progress_bar, say
from .queries import listed, options_of

if TYPE_CHECKING:
    from ..broker.broker import Broker

_EXAMPLES = (
    "databroker export -1 --format jsonl --folder out",
    "databroker export -5: --fields det,motor --name '{date:%Y-%m-%d}/{scan_id:05}'",
    "databroker export --where plan_name=scan --since 2024 --table scans.parquet",
    "databroker export -b lab -b archive --text 'good sample' --table runs.csv -m sample.name",
)


@click.command("export", cls=RunsCommand, examples=_EXAMPLES)
@click.option(
    *("--format", "-F"),
    default="csv",
    show_default=True,
    help="What the files are: see 'databroker formats'.",
)
@click.option(
    *("--folder", "-o"), default=".", show_default=True, help="Where they go; made if need be."
)
@click.option("--name", help="How they are named: see below.  [default: {scan_id}_{uid:.8}]")
@click.option("--streams", "-s", help="Only these streams, with commas between them.")
@click.option("--fields", "-f", help="Only these fields, with commas between them.")
@click.option("--table", metavar="FILE", help="Write one table of the events of all runs instead.")
@click.option("--metadata", "-m", help="What a table says of each run besides uid and scan_id.")
@click.option(
    *("--option", "-O", "options"),
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the format, such as units=true.",
)
@click.option("--overwrite", is_flag=True, help="Write files anew that are there.")
def export(
    names: tuple[str, ...],
    chosen: Chosen,
    folder: str,
    format: str,
    name: str | None,
    streams: str | None,
    fields: str | None,
    table: str | None,
    metadata: str | None,
    options: tuple[str, ...],
    overwrite: bool,
) -> int | None:
    """Write runs into files: each run into its own, or one table of all.

    Names of files are made from the metadata of the run: {scan_id}, {uid}, {date:%Y-%m-%d},
    {sample[name]} ... A file that is there already is left as it is, so an export that was broken
    off goes on when it is repeated.

    Ends with the exit code 1 if a run could not be exported.
    """
    if not chosen:
        raise click.UsageError("Say which runs, or what to search for.")
    with open_broker(*names) as db:
        if table is not None:
            _write_table(db, chosen, table, listed(fields), listed(streams), listed(metadata))
            return None
        return _write_files(
            db,
            chosen,
            folder=folder,
            format=format,
            streams=listed(streams),
            fields=listed(fields),
            overwrite=overwrite,
            **({} if name is None else {"name": name}),
            **options_of(options),
        )


def _write_files(db: Broker, chosen: Chosen, **more: Any) -> int | None:
    from ..export import ExportReport
    from ..export import export as exported

    runs = chosen.of(db)
    count = getattr(runs, "count", None)
    with progress_bar("runs") as update:
        total = len(runs) if isinstance(runs, list) else count() if count else None

        def report(done: int, found: ExportReport) -> None:
            update(completed=done, total=total, more=f"{len(found.written):,} files")

        found = exported(runs, progress=report, **more)
    say(repr(found))
    return None if found else NO


def _write_table(
    db: Broker,
    chosen: Chosen,
    file: str,
    fields: list[str] | None,
    streams: list[str] | None,
    metadata: list[str] | None,
) -> None:
    from ..runs.arrow_tables import file_writer

    write = file_writer(file)
    if streams is not None and len(streams) > 1:
        raise click.UsageError("A table is of one stream.")
    stream = streams[0] if streams else "primary"
    runs = chosen.results(db)
    write(runs.tables(fields, stream, metadata=metadata or ()).reader())
    say(f"Written: {file}")


@click.command("formats", cls=Command, examples=["databroker formats"])
def formats() -> None:
    """List the formats that runs are exported to."""
    from ..export import formats as known

    found = known()
    widest = max(map(len, found))
    for name, about in found.items():
        say(f"{name:{widest}}  {about}")
