"""``databroker export``."""

from __future__ import annotations

import click

from .._util.signals import not_from_signal
from .common import open_broker, say
from .names import BrokerCommand, Name
from .queries import listed, words_and_keys

_EXAMPLES = """\b
Examples:
  databroker export example runs.parquet
  databroker export example scans.csv plan_name=scan since=2024 --fields det,motor
  databroker export example baseline.arrow 'good sample' --stream baseline --metadata sample.name
  databroker export -b lab -b archive runs.parquet sample=Ni
"""


@click.command("export", cls=BrokerCommand, epilog=_EXAMPLES)
@click.argument("name", cls=Name)
@click.argument("file")
@click.argument("query", nargs=-1)
@click.option("--stream", "-s", default="primary", show_default=True, help="Which stream.")
@click.option("--fields", "-f", help="Only these columns, with commas between them.")
@click.option("--metadata", "-m", help="What each row says of its run besides uid and scan_id.")
def export(
    names: tuple[str, ...],
    file: str,
    query: tuple[str, ...],
    stream: str,
    fields: str | None,
    metadata: str | None,
) -> None:
    """Write the events of many runs into one FILE: .parquet, .arrow or .csv.

    NAME is the configuration. Words of QUERY must occur in the metadata of a run; key=value must
    be so. What fields refer to in other files is not loaded.
    """
    from ..runs.arrow_tables import file_writer

    write = file_writer(file)
    words, keys = words_and_keys(query)
    with open_broker(*names) as db:
        tables = db(words, **keys).tables(listed(fields), stream, metadata=listed(metadata) or ())
        try:
            write(tables.reader())
        except not_from_signal(OSError) as error:
            raise click.FileError(file, hint=error.strerror) from error
    say(f"Written: {file}")
