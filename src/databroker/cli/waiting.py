"""``databroker status`` and ``databroker replay``: what a store has, and what waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .command import BrokerCommand
from .opening import open_broker
from .outcome import NO
from .output import say
from .records import Form, json_option, say_json

if TYPE_CHECKING:
    from ..stores.waiting import Waiting


@click.command(
    "status",
    cls=BrokerCommand,
    examples=["databroker status", "databroker status -b beamline", "databroker status --json"],
)
@json_option
def status(names: tuple[str, ...], form: Form | None) -> None:
    """Say what a store has, and what waits on this machine for its server."""
    from ..broker.statistics import statistics
    from ..display.summary import size

    with open_broker(*names, tells_of_waiting=True) as db:
        found, waiting = statistics(db), db.store.waiting()
    if form:
        more = ("reason", "files", "kept", "elsewhere")
        say_json({**found, **{name: getattr(waiting, name) for name in more}})
        return
    say(f"{'store':10}{found['store']}")
    say(f"{'runs':10}{_known(found['runs'])}")
    say(f"{'size':10}{'not known' if found['bytes'] is None else size(found['bytes'])}")
    say(f"{'waiting':10}{waiting}")
    for heading, lines in (
        ("Files in which documents wait", waiting.files),
        ("Refused by the server", waiting.refused),
        ("Files that are kept until you remove them", waiting.kept),
    ):
        if lines:
            say("\n  ".join([f"\n{heading}:", *lines]))
    _say_elsewhere(waiting)


@click.command(
    "replay",
    cls=BrokerCommand,
    examples=["databroker replay", "databroker replay -b beamline --json"],
)
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Send what waits in this folder for another address, as when the server has moved.",
)
@json_option
def replay(names: tuple[str, ...], folder: Path | None, form: Form | None) -> int | None:
    """Send documents that wait on this machine to the server of their store.

    A program that waits for its server sends what it inserted by itself; this is for what programs
    left behind that have ended.

    Ends with the exit code 1 if something waits still, or was refused.
    """
    from ..stores.spill.store import send_left
    from ..stores.spill.survey import survey

    with open_broker(*names, tells_of_waiting=True) as db:
        sent = send_left(folder, db.store) if folder else db.store.send_waiting()
        waiting = survey(folder, None) if folder else db.store.waiting()
    if form:
        left = {"waiting": waiting.documents, "refused": waiting.refused, "kept": waiting.kept}
        say_json({"sent": sent, **left})
        return NO if waiting else None
    if sent or waiting:
        say(f"Sent: {_known(sent)} document{'s' * (sent != 1)}.")
    else:
        say("Nothing waits to be sent.")
        _say_elsewhere(waiting)
    if waiting.files:
        say(f"Programs that are still running have {waiting.documents:,} more, and send them.")
    if waiting.kept:
        say("\n  ".join(["Refused, or damaged, and kept:", *waiting.refused, *waiting.kept]))
    return NO if waiting else None


def _say_elsewhere(waiting: Waiting) -> None:
    """Tell of what waits for other addresses: for none, once a server has moved."""
    if not waiting.elsewhere:
        return
    say("\n  ".join(["\nFiles in which documents wait for other addresses:", *waiting.elsewhere]))
    say("If it is this server that had the other address: databroker replay --from FOLDER")


def _known(number: Any) -> str:
    return "not known" if number is None else f"{number:,}"
