"""``databroker export``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import NotSupported
from .choosing import Chosen, RunsCommand
from .command import Command
from .completing import (
    complete_fields,
    complete_file,
    complete_folder,
    complete_format,
    complete_key,
    complete_streams,
)
from .opening import open_broker
from .outcome import NO
from .output import progress_bar, say, width
from .queries import listed, options_of
from .records import Form, json_option, say_records, say_report

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..export import ExportReport
    from ..runs.results import Results
    from ..runs.run import Run

_ZONE = "UTC"  # files go elsewhere

_EXAMPLES = (
    "databroker export -1 --format jsonl --folder out",
    "databroker export -5: --fields det,motor --name '{date:%Y-%m-%d}/{scan_id:05}'",
    "databroker export -5: --format xlsx --option units=true",
    "databroker export --where plan_name=scan --since 2024 --table scans.parquet",
    "databroker export --since 2024 --runs runs.xlsx -m sample.name",
    "databroker export -b lab -b archive --text 'good sample' --table runs.csv -m sample.name",
)


@click.command("export", cls=RunsCommand, examples=_EXAMPLES)
@click.option(
    *("--format", "-F"),
    default="csv",
    shell_complete=complete_format,
    show_default=True,
    help="What the files are: see 'databroker formats'.",
)
@click.option(
    *("--folder", "-o"),
    default=".",
    show_default=True,
    shell_complete=complete_folder,
    help="Where they go; made if need be.",
)
@click.option("--name", help="How they are named: see below.  [default: {scan_id}_{uid:.8}]")
@click.option(
    "--streams",
    "-s",
    shell_complete=complete_streams,
    help="Only these streams, with commas between them.",
)
@click.option(
    "--fields",
    "-f",
    shell_complete=complete_fields,
    help="Only these fields, with commas between them.",
)
@click.option(
    "--table",
    metavar="FILE",
    shell_complete=complete_file,
    help="Write one table of the events of all runs instead.",
)
@click.option(
    "--runs",
    "listing",
    metavar="FILE",
    shell_complete=complete_file,
    help="Write one table with a row for each run.",
)
@click.option(
    "--metadata",
    "-m",
    shell_complete=complete_key,
    help="What else a table says of each run: keys with dots.",
)
@click.option(
    *("--option", "-O", "options"),
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the format, such as units=true.",
)
@click.option("--overwrite", is_flag=True, help="Write files anew that are there.")
@json_option
def export(
    names: tuple[str, ...],
    chosen: Chosen,
    folder: str,
    format: str,
    name: str | None,
    streams: str | None,
    fields: str | None,
    table: str | None,
    listing: str | None,
    metadata: str | None,
    options: tuple[str, ...],
    overwrite: bool,
    form: Form | None,
) -> int | None:
    """Write runs into files: each run into its own, or one table of all.

    A table is a file that ends with .csv, .xlsx, .parquet or .arrow.

    Names of files are made from the metadata of the run: {scan_id}, {uid}, {date:%Y-%m-%d},
    {sample[name]} ... A file that is there already is left as it is, so an export that was broken
    off goes on when it is repeated.

    A run whose external data cannot be had is not exported, unless these are left out (by
    --fields) or left empty (by --option on_missing=mask).

    Ends with the exit code 1 if a run could not be exported, or none has anything for such files.
    """
    if not chosen:
        raise click.UsageError("Say which runs, or what to search for.")
    if file := table or listing:
        _check_table(file, overwrite)
    if table and listing:
        raise click.UsageError("Write one table at a time: --table or --runs.")
    if options and (table or listing):
        raise click.UsageError("Tables of many runs take no --option.")
    more = listed(metadata) or []
    with open_broker(*names) as db:
        if listing is not None:
            done = _write_listing(chosen.results(db), listing, more, overwrite)
        elif table is not None:
            runs = chosen.results(db)
            done = _write_table(runs, table, listed(fields), listed(streams), more, overwrite)
        else:
            done = _write_files(
                db,
                chosen,
                folder=folder,
                format=format,
                options=options_of(options),
                streams=listed(streams),
                fields=listed(fields),
                overwrite=overwrite,
                **({} if name is None else {"name": name}),
            )
    say_report(form, done)
    return None if done else NO


def _write_files(
    db: Broker, chosen: Chosen, format: str, options: dict[str, Any], **more: Any
) -> ExportReport:
    from ..export import export as exported
    from ..export.registry import format_of

    form = _or_misuse(format_of, format, **options)
    runs = chosen.of(db)
    count = getattr(runs, "count", None)
    with progress_bar("runs") as update:
        total = len(runs) if isinstance(runs, list) else count() if count else None

        def report(done: int, found: ExportReport) -> None:
            update(completed=done, total=total, more=f"{len(found.written):,} written")

        return exported(runs, format=form, progress=report, **more)


def _write_table(
    runs: Results[Run],
    file: str,
    fields: list[str] | None,
    streams: list[str] | None,
    metadata: list[str],
    overwrite: bool,
) -> ExportReport:
    """Write the events of runs, each of which says its run."""
    from ..export import export_table

    if streams is not None and len(streams) > 1:
        raise click.UsageError("A table is of one stream.")
    stream = streams[0] if streams else "primary"
    tables = runs.tables(fields, stream, metadata=metadata, timezone=_ZONE)
    with progress_bar("runs") as update:

        def read() -> Any:
            total = runs.count()
            return tables.reader(lambda done: update(completed=done, total=total))

        losses = export_table(read, file, overwrite=overwrite)
    return _written(file, losses)


def _check_table(file: str, overwrite: bool) -> None:
    from ..export.tables import writer_of

    path = Path(file).expanduser()
    _or_misuse(writer_of, path)
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(f"{file} is there already. With --overwrite, it is replaced.")


def _or_misuse(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a function; what is not supported is misuse of the command."""
    try:
        return function(*args, **options)
    except NotSupported as error:
        raise click.UsageError(str(error)) from None


def _write_listing(
    runs: Results[Run], file: str, metadata: list[str], overwrite: bool
) -> ExportReport:
    """Write the metadata of runs."""
    from ..export import export_table
    from ..runs.pipeline import COLUMNS

    columns = list(dict.fromkeys([*COLUMNS, *metadata]))
    losses = export_table(lambda: runs.to_frame(columns, timezone=_ZONE), file, overwrite=overwrite)
    return _written(file, losses)


def _written(file: str, losses: list[str]) -> ExportReport:
    from ..export import ExportReport

    return ExportReport([Path(file)], losses=dict.fromkeys(losses, 1))


@click.command("formats", cls=Command, examples=["databroker formats", "databroker formats --json"])
@json_option
def formats(form: Form | None) -> None:
    """List the formats that runs are exported to."""
    from ..export import formats as known

    found = known()
    if form:
        records = [{"name": name, "about": about} for name, about in found.items()]
        say_records(form, ("name", "about"), records)
        return
    from .folding import folded

    widest = max(map(len, found))
    for name, about in found.items():
        say("\n".join(folded(f"{name:{widest}}  {about}", width(), " " * (widest + 2))))
