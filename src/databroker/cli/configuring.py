"""``databroker config``: which configurations there are, what they say, and new ones."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from .command import Command
from .completing import complete_file, complete_folder, complete_name
from .output import say, say_styled, width
from .queries import options_of
from .records import Form, json_option, say_json, say_records

if TYPE_CHECKING:
    from pathlib import Path


@click.group("config")
def config() -> None:
    """Look at configurations, each of which tells how a broker is made, and make new ones."""


@config.command(
    "list", cls=Command, examples=["databroker config list", "databroker config list --json"]
)
@json_option
def list_configurations(form: Form | None) -> None:
    """List the configurations, with their description or what is wrong with them."""
    from ..config import survey_configs
    from .tables import configurations_table

    surveyed = survey_configs()
    if form:
        records = [
            {"name": name, "description": each.description, "fault": each.fault}
            for name, each in surveyed.items()
        ]
        say_records(form, ("name", "description", "fault"), records)
    elif surveyed:
        say_styled(configurations_table(surveyed, width()))
    else:
        say("There are no configurations yet. 'databroker demo' makes one: 'example'.")


@config.command(
    "show",
    cls=Command,
    examples=["databroker config show example", "databroker config show example --json"],
)
@click.argument("name", shell_complete=complete_name)
@json_option
def show(name: str, form: Form | None) -> None:
    """Print what the configuration NAME says, where it is, and what it stands before.

    Passwords are not shown.
    """
    import yaml

    from .._util.secrets import hide_passwords_in
    from ..config import lookup_config
    from ..config.names import files_of

    said = hide_passwords_in(lookup_config(name))
    used, *others = files_of(name)
    if form:
        say_json({"name": name, "file": used, "not_used": others, "configuration": said})
        return
    say(f"# {used}")
    for other in others:
        say(f"# not used, as it comes later: {other}")
    say(yaml.safe_dump(said, sort_keys=False, allow_unicode=True).rstrip())


@config.command(
    "where", cls=Command, examples=["databroker config where", "databroker config where --json"]
)
@json_option
def where(form: Form | None) -> None:
    """List the folders in which configurations are looked for: the first to have a name wins."""
    from ..config.names import names_in
    from ..config.search import catalog_folders, config_folders

    own = config_folders()
    folders = dict.fromkeys([*own, *catalog_folders()])
    found = {folder: names_in(folder, own=folder in own) for folder in folders}
    if form:
        records = [
            {"folder": folder, "exists": folder.is_dir(), "names": names}
            for folder, names in found.items()
        ]
        say_records(form, ("folder", "exists", "names"), records)
        return
    for number, (folder, names) in enumerate(found.items(), 1):
        nothing = "nothing" if folder.is_dir() else "there is no such folder"
        say(f"{number}. {folder}: {', '.join(names) or nothing}")


@config.command(
    "make",
    cls=Command,
    examples=[
        "databroker config make lab ~/lab.db",
        "databroker config make archive postgresql://me@server/beamline --description 'All runs'",
        "databroker config make student --set driver=jsonl --set paths=~/runs",
    ],
)
@click.argument("name", required=False)
@click.argument("place", required=False, shell_complete=complete_file)
@click.option("--description", help="What 'databroker config list' says of it.")
@click.option(
    *("--set", "options"),
    multiple=True,
    metavar="KEY=VALUE",
    help="Anything else that the file is to say.",
)
@click.option(
    "--folder",
    shell_complete=complete_folder,
    help="Where the file goes, instead of your folder for configurations.",
)
@click.option("--overwrite", is_flag=True, help="Write the file anew if it is there.")
def make(
    name: str | None,
    place: str | None,
    description: str | None,
    options: tuple[str, ...],
    folder: str | None,
    overwrite: bool,
) -> None:
    """Make the configuration NAME, of runs at PLACE.

    PLACE is the path of an SQLite file, which is made when it is first used, or the URI of a
    PostgreSQL or MongoDB database, or the address that 'databroker serve' prints. In a terminal,
    what is left out is asked for.
    """
    from ..config.making import check_name, make_config

    more = options_of(options)
    name = name or _asked("The name of the configuration", "NAME, how it is called")
    check_name(name)
    if place is None and "driver" not in more:
        where = "Where are the runs? An SQLite file (made when it is first used), or a URI"
        lacking = "PLACE, where the runs are: the path of an SQLite file, or a URI"
        place = _asked(where, lacking, str(_default_place(name)))
    values: dict[str, Any] = {} if place is None else _of_place(place)
    if description:
        values["description"] = description
    path = make_config(name, values | more, folder, overwrite=overwrite)
    say(f"Written: {path}")
    say(f"Try it: databroker list -b {name}")


def _of_place(place: str) -> dict[str, Any]:
    from ..broker.naming import driver_of_address

    driver = driver_of_address(place)
    if driver is not None:
        return {"driver": driver, "uri": place}
    # A path in a file is relative to the file; one that is typed, to where it is typed.
    return {"driver": "sqlite", "path": os.path.abspath(os.path.expanduser(place))}


def _asked(question: str, lacking: str, default: str | None = None) -> str:
    """Return what somebody at a terminal answers; elsewhere, say what is lacking."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is nobody to be asked: say {lacking}.")
    answer: str = click.prompt(question, default=default, err=True)
    return answer


def _default_place(name: str) -> Path:
    from ..config import user_data_dir

    return user_data_dir() / f"{name}.db"
