"""``databroker export``."""

from __future__ import annotations

import click

from .._util.signals import not_from_signal
from .choosing import SearchCommand
from .opening import open_broker
from .output import say
from .queries import Query, listed

_EXAMPLES = (
    "databroker export runs.parquet",
    "databroker export scans.csv --where plan_name=scan --since 2024 --fields det,motor",
    "databroker export -b lab -b archive runs.arrow --text 'good sample' --metadata sample.name",
)


@click.command("export", cls=SearchCommand, examples=_EXAMPLES)
@click.argument("file")
@click.option("--stream", "-s", default="primary", show_default=True, help="Which stream.")
@click.option("--fields", "-f", help="Only these columns, with commas between them.")
@click.option("--metadata", "-m", help="What each row says of its run besides uid and scan_id.")
def export(
    names: tuple[str, ...],
    file: str,
    query: Query,
    stream: str,
    fields: str | None,
    metadata: str | None,
) -> None:
    """Write the events of many runs into one FILE: .parquet, .arrow or .csv.

    What fields refer to in other files is not loaded.
    """
    from ..runs.arrow_tables import file_writer

    write = file_writer(file)
    with open_broker(*names) as db:
        runs = db(query.query, **query.keywords)
        tables = runs.tables(listed(fields), stream, metadata=listed(metadata) or ())
        try:
            write(tables.reader())
        except not_from_signal(OSError) as error:
            raise click.FileError(file, hint=error.strerror) from error
    say(f"Written: {file}")
