"""``databroker import``."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from ..broker.naming import is_path
from .command import BrokerCommand
from .completing import complete_folder
from .left import tell_of_files_left
from .opening import open_broker
from .outcome import NO
from .output import amount, progress_bar
from .records import Form, json_option, say_report

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..broker.moving.progress import Progress

_EXAMPLES = (
    "databroker import scan.jsonl",
    "databroker import -b ./home.db july/*.jsonl.gz old.msgpack list.json",
    "databroker import -b lab beamtime.zip --files ~/take/files",
    "zcat runs.jsonl.gz | databroker import -b lab -",
)


@click.command("import", cls=BrokerCommand, examples=_EXAMPLES)
@click.argument("paths", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option(
    "--files",
    metavar="FOLDER",
    shell_complete=complete_folder,
    help="Copy external files of packs into this folder. Without it, they stay in the pack, and "
    "are looked for where they were when they were recorded.",
)
@json_option
def import_files(
    names: tuple[str, ...], paths: tuple[str, ...], files: str | None, form: Form | None
) -> int | None:
    """Save the documents of files: JSON lines, MessagePack, JSON, gzip of each, packs.

    FILE is a file, a folder of such files, a pack (a folder or zip that 'databroker pack' made),
    an SQLite file of databroker, or - for what comes through a pipe. Where -b names an SQLite
    file that is not there, it is made. What is there already changes nothing: after Ctrl-C, the
    same command goes on. What cannot be read is told by file and line, and does not hold up the
    rest.

    Ends with the exit code 1 if something was refused.
    """
    from ..broker.importing import import_files as imported

    with _target(names) as db, progress_bar("runs") as update:

        def report(progress: Progress) -> None:
            update(completed=progress.runs, more=amount(progress))

        done = imported(db, paths, files=files or False, progress=report)
        root_map = db.session.registry.roots
    say_report(form, done)
    if not files:
        tell_of_files_left(paths, root_map)
    return None if done else NO


def _target(names: tuple[str, ...]) -> AbstractContextManager[Broker]:
    """Return what is imported into: a new SQLite file, too, where there is nothing yet."""
    if len(names) == 1 and is_path(names[0]) and not os.path.exists(os.path.expanduser(names[0])):
        from ..broker.moving.opening import opened

        return opened(names[0])
    return open_broker(*names)
