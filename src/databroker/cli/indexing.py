"""``databroker indexes``."""

from __future__ import annotations

import click

from .command import BrokerCommand
from .opening import open_broker
from .output import say


@click.command("indexes", cls=BrokerCommand, examples=["databroker indexes -b beamline"])
def indexes(names: tuple[str, ...]) -> None:
    """Make the indexes in a MongoDB database that are not there, and list all.

    With them runs are found fast, and two programs that write the same document at once store it
    once. They are never made without being asked for.
    """
    with open_broker(*names) as db:
        for each in db.store.create_indexes():
            say(each)
