"""``databroker indexes``."""

from __future__ import annotations

import click

from .command import BrokerCommand
from .opening import open_broker
from .output import say


@click.command(
    "indexes",
    cls=BrokerCommand,
    examples=[
        "databroker indexes -b beamline",
        "databroker indexes --kept",
        "databroker indexes --remove-gone",
    ],
)
@click.option("--kept", is_flag=True, help="List the indexes of folders of files instead.")
@click.option("--remove-gone", is_flag=True, help="Remove those of them whose folders are gone.")
def indexes(names: tuple[str, ...], kept: bool, remove_gone: bool) -> None:
    """Make the indexes in a MongoDB database that are not there, and list all.

    With them runs are found fast, and two programs that write the same document at once store it
    once. They are never made without being asked for.

    Indexes of folders of files are kept in your cache folder, and are made by themselves. Those
    whose folders are gone stay until you remove them.
    """
    if kept or remove_gone:
        _say_kept(remove_gone)
        return
    with open_broker(*names) as db:
        for each in db.store.create_indexes():
            say(each)


def _say_kept(remove_gone: bool) -> None:
    from ..display.summary import size
    from ..stores.registry import store_class

    kept = [each for driver in ("jsonl", "msgpack") for each in store_class(driver).kept_indexes()]
    for each in kept:
        takes = size(each.size)
        what = "gone" if each.is_gone else "there"
        if remove_gone and each.is_gone:
            what = "removed" if each.remove() else "in use"
        say(f"{what:8}{takes:>9}  {', '.join(each.folders) or f'no files: {each.path}'}")
    if not kept:
        say("No index of files is kept.")
