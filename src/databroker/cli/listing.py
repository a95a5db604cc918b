"""``databroker list``."""

from __future__ import annotations

from itertools import islice

import click

from .common import open_broker, say, width
from .names import BrokerCommand, Name

_EXAMPLES = """\b
Examples:
  databroker list
  databroker list example
  databroker list example --limit 100
"""


@click.command("list", cls=BrokerCommand, epilog=_EXAMPLES)
@click.argument("name", cls=Name, required=False)
@click.option(
    *("--limit", "-n"),
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many runs.",
)
def list_runs(names: tuple[str, ...], limit: int) -> None:
    """List the configurations or, given the NAME of one, its newest runs.

    NAME may be a path, too (home.db, ./runs): of an SQLite file, of a folder of JSON lines or
    MessagePack, of a packed catalog.
    """
    if names:
        _list_newest(names, limit)
    else:
        _list_configurations()


def _list_configurations() -> None:
    from ..config import survey_configs
    from .tables import configurations_table

    surveyed = survey_configs()
    if surveyed:
        say(configurations_table(surveyed, width()), styled=True)
    else:
        say("There are no configurations yet. 'databroker demo' makes one: 'example'.")


def _list_newest(names: tuple[str, ...], limit: int) -> None:
    from ..display.summary import list_of_runs
    from .tables import runs_table

    with open_broker(*names) as db:
        headers = iter(db())
        rows = [(header.start, header.status) for header in islice(headers, limit)]
        columns = list_of_runs(rows, db.zone)
        more = next(headers, None) is not None
    if not rows:
        say(f"There are no runs yet in {', '.join(map(repr, names))}.")
        return
    say(runs_table(columns, width()), styled=True)
    if more:
        say(f"There are more: these are the newest {len(rows)}. See --limit.")
