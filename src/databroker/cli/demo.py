"""``databroker demo``."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

import click

from .command import Command
from .opening import open_broker
from .output import progress_bar, say, width


@click.command("demo", cls=Command, examples=["databroker demo"])
def demo() -> None:
    """Make a configuration 'example' with runs of simulated devices.

    Real plans are run, one of each kind: a count, scans, a grid, images in files, one that fails,
    one that is aborted, one that never ends. A second call adds nothing twice.
    """
    from ..demo import install

    with progress_bar(f"{'looking':<32}") as update:

        def report(title: str, done: int, of: int) -> None:
            update(description=f"{title:<32}", completed=done, total=of)

        done = install(report)
    made = "created" if done.created else "kept"
    say(f"Configuration 'example' {made}: {done.config_file}")
    say(f"Runs are in {done.data_file}")
    if not done.added:
        say(f"Nothing was added: all {len(done.present)} runs are there already.")
    else:
        others = f"; the other {len(done.present)} were there already" if done.present else ""
        say(f"{len(done.added)} runs added{others}.")
    _show_newest()


def _show_newest() -> None:
    from .frames import stream_text

    with open_broker("example") as db:
        header = next(iter(db(plan_name="scan")))
        text = stream_text(header.streams["primary"], None, db.zone, width())
    say(f"\nThe newest scan, {header.uid[:8]}:\n")
    say(text)
    say(
        "\nType next:\n\n"
        f"    {what_starts_python()}\n"
        "    from databroker import Broker\n"
        "    db = Broker.named('example')\n"
        "    db[-1].table()\n"
    )


def what_starts_python() -> str:
    """Return what to type, in this folder and this shell, for the Python that has databroker."""
    name = os.path.basename(sys.executable)
    # Not whether it is the same file: each environment links to the one interpreter.
    if shutil.which(name) == sys.executable:
        return name
    here = os.path.relpath(sys.executable)
    if here.startswith(os.pardir):
        return shlex.quote(sys.executable)
    return shlex.quote(here if os.sep in here else os.path.join(os.curdir, here))
