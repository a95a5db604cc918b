"""``databroker list``."""

from __future__ import annotations

from itertools import islice

import click

from .choosing import SearchCommand
from .opening import open_broker
from .output import say, width
from .queries import Query

_EXAMPLES = (
    "databroker list",
    "databroker list --limit 100",
    "databroker list -b example --where plan_name=scan --since 2024",
)


@click.command("list", cls=SearchCommand, examples=_EXAMPLES)
@click.option(
    *("--limit", "-n"),
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many runs.",
)
def list_runs(names: tuple[str, ...], query: Query, limit: int) -> None:
    """List runs, the newest first."""
    from ..display.summary import list_of_runs
    from .tables import runs_table

    with open_broker(*names) as db:
        headers = iter(db(query.query, **query.keywords))
        rows = [(header.start, header.status) for header in islice(headers, limit)]
        columns = list_of_runs(rows, db.zone)
        more = next(headers, None) is not None
        store = str(db.store)
    if not rows:
        say("No run is like that." if query else f"There are no runs yet in {store}.")
        return
    say(runs_table(columns, width()), styled=True)
    if more:
        say(f"There are more: these are the newest {len(rows)}. See --limit.")
