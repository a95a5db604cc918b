"""``databroker indexes``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from .command import BrokerCommand
from .opening import open_broker
from .output import say
from .records import Form, json_option, say_json


@click.command(
    "indexes",
    cls=BrokerCommand,
    examples=[
        "databroker indexes -b beamline",
        "databroker indexes --kept",
        "databroker indexes --kept --json",
        "databroker indexes --remove-gone",
    ],
)
@click.option("--kept", is_flag=True, help="List the indexes of folders of files instead.")
@click.option("--remove-gone", is_flag=True, help="Remove those of them whose folders are gone.")
@json_option
def indexes(names: tuple[str, ...], kept: bool, remove_gone: bool, form: Form | None) -> None:
    """Make the indexes in a MongoDB database that are not there, and list all.

    With them runs are found fast, and two programs that write the same document at once store it
    once. They are never made without being asked for.

    Indexes of folders of files are kept in your cache folder, and are made by themselves. Those
    whose folders are gone stay until you remove them.
    """
    if kept or remove_gone:
        _say_kept(list(_kept(remove_gone)), form)
        return
    with open_broker(*names) as db:
        found = db.store.create_indexes()
    if form:
        say_json(found)
    else:
        say("\n".join(found))


def _kept(remove_gone: bool) -> Iterator[dict[str, Any]]:
    """Yield what there is to say of each index that is kept."""
    from ..stores.registry import store_class

    for driver in ("jsonl", "msgpack"):
        for each in store_class(driver).kept_indexes():
            takes, state = each.size, "gone" if each.is_gone else "there"
            if remove_gone and each.is_gone:
                state = "removed" if each.remove() else "in use"
            yield {"state": state, "bytes": takes, "folders": each.folders, "path": each.path}


def _say_kept(kept: list[dict[str, Any]], form: Form | None) -> None:
    from ..display.summary import size

    if form:
        say_json(kept)
        return
    for each in kept:
        files = ", ".join(each["folders"]) or f"no files: {each['path']}"
        say(f"{each['state']:8}{size(each['bytes']):>9}  {files}")
    if not kept:
        say("No index of files is kept.")
