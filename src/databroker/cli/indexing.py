"""``databroker indexes``."""

from __future__ import annotations

import click

from .common import open_broker, say
from .names import BrokerCommand, Name

_EXAMPLES = """\b
Examples:
  databroker indexes beamline
"""


@click.command("indexes", cls=BrokerCommand, epilog=_EXAMPLES)
@click.argument("name", cls=Name, required=False)
def indexes(names: tuple[str, ...]) -> None:
    """Make the indexes in a MongoDB database that are not there, and list all.

    With them runs are found fast, and two programs that write the same document at once store it
    once. They are never made without being asked for. NAME is the configuration; where it is left
    out, the only one or 'example' is meant.
    """
    with open_broker(*names) as db:
        for each in db.store.create_indexes():
            say(each)
