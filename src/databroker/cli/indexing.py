"""``databroker indexes``."""

from __future__ import annotations

import click

from .common import open_broker, say

_EXAMPLES = """\b
Examples:
  databroker indexes beamline
"""


@click.command("indexes", epilog=_EXAMPLES)
@click.argument("name", required=False)
def indexes(name: str | None) -> None:
    """Make the indexes in a MongoDB database that are not there, and list all.

    With them runs are found fast, and two programs that write the same document at once store it
    once. They are never made without being asked for. NAME is the configuration; where it is left
    out, the only one or 'example' is meant.
    """
    with open_broker(name) as db:
        for each in db.store.create_indexes():
            say(each)
