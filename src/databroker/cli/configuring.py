"""``databroker config``: the configurations that there are."""

from __future__ import annotations

import click

from .command import Command
from .output import say, width


@click.group("config")
def config() -> None:
    """Look at configurations, each of which tells how a broker is made."""


@config.command("list", cls=Command, examples=["databroker config list"])
def list_configurations() -> None:
    """List the configurations, with their description or what is wrong with them."""
    from ..config import survey_configs
    from .tables import configurations_table

    surveyed = survey_configs()
    if surveyed:
        say(configurations_table(surveyed, width()), styled=True)
    else:
        say("There are no configurations yet. 'databroker demo' makes one: 'example'.")
