"""What the commands share: a broker by name, a run by what was typed, where to print."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ..errors import UnknownBrokerName

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ..broker import Broker

__all__ = [
    "TARGET_HELP",
    "Target",
    "TargetCommand",
    "complain",
    "console",
    "default_name",
    "open_broker",
    "split_target",
    "status_text",
]

Target = Annotated[list[str], typer.Argument(metavar="RUN", hidden=True)]
"""What was typed for ``[NAME] RUN``; the usage line and the text of the command say what it is."""

TARGET_HELP = (
    "RUN is a uid, its beginning, a scan_id, or -1 for the newest run. NAME is the configuration; "
    "where it is left out, the only one or 'example' is meant."
)


class TargetCommand(TyperCommand):
    """A command that takes ``[NAME] RUN``: an optional word before a required one."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line, of which no argument parser knows the order."""
        return ["[OPTIONS]", "[NAME]", "RUN"]


_PIPED_WIDTH = 160
_COLOURS = {"success": "green", "running": "blue", "abort": "yellow", "fail": "red"}
_NEGATIVE = re.compile(r"-\d+\Z")


def console(*, stderr: bool = False) -> Console:
    """Return a console; one that is not a terminal is wide, so that nothing is cut in a pipe.

    Examples
    --------
    >>> console().is_terminal
    False
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    narrow = stream.isatty() or os.environ.get("COLUMNS")
    return Console(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        width=None if narrow else _PIPED_WIDTH,
    )


def complain(message: str) -> None:
    r"""Print an error as one line, where errors go.

    Examples
    --------
    >>> complain("first\nsecond")
    """
    typer.echo(f"databroker: {' '.join(message.split())}", err=True)


def default_name() -> str:
    """Return the configuration that is meant where none is named.

    Raises
    ------
    UnknownBrokerName
        There is none, or one must be chosen.
    """
    from ..config import list_configs, load

    known = list_configs()
    if len(known) == 1:
        return known[0]
    if "example" in known or not known:
        return "example" if known else str(load("example").name)
    raise UnknownBrokerName(f"Say which configuration is meant. There are: {', '.join(known)}.")


def open_broker(name: str | None) -> Broker:
    """Open a configuration, or the default one."""
    from ..broker import Broker

    return Broker.named(default_name() if name is None else name)


def split_target(words: Sequence[str]) -> tuple[str | None, str]:
    """Take ``[NAME] RUN`` apart.

    Examples
    --------
    >>> split_target(["-1"]), split_target(["example", "bb805845"])
    ((None, '-1'), ('example', 'bb805845'))
    """
    for word in words:
        # Unknown options come here too, since '-1' looks like one.
        if word.startswith("-") and not _NEGATIVE.match(word):
            raise typer.BadParameter(f"there is no option {word}")
    if len(words) > 2:
        raise typer.BadParameter(f"expected [NAME] RUN, got {len(words)} words")
    return (words[0], words[1]) if len(words) == 2 else (None, words[0])


def status_text(status: str) -> Text:
    """Return the word for a status, in its colour.

    Examples
    --------
    >>> status_text("fail").plain, status_text("fail").style
    ('fail', 'red')
    """
    from rich.text import Text

    return Text(status, style=_COLOURS.get(status, ""))
