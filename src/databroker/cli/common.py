"""What the commands share: a broker by name, a run by what was typed, where to print."""

from __future__ import annotations

import inspect
import os
import re
import sys
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .._util.printable import printable
from .._util.suggestions import did_you_mean
from ..errors import NoSuchRun, UnknownBrokerName

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..runs.run import Run

__all__ = [
    "RunCommand",
    "complain",
    "default_name",
    "open_broker",
    "open_run",
    "say",
    "split_target",
    "warnings_as_lines",
    "width",
]

_RUN_HELP = (
    "RUN is a uid, its beginning, a scan_id, or -1 for the newest run, which is meant where only "
    "NAME is given. NAME is the configuration; where it is left out, the only one or 'example' is "
    "meant."
)


class RunCommand(click.Command):
    """A command that takes ``[NAME] [RUN]``, of which one must be given, as ``words``."""

    def __init__(self, name: str, *, help: str, params: list[click.Parameter], **more: Any) -> None:
        words = click.Argument(["words"], nargs=-1, required=True, metavar="RUN")
        super().__init__(
            name,
            help=f"{inspect.cleandoc(help)}\n\n{_RUN_HELP}",
            params=[words, *params],
            # A run may be named by a negative number, which would otherwise be an option.
            context_settings={"ignore_unknown_options": True},
            **more,
        )

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words of the usage line, of which no argument parser knows the order."""
        return ["[OPTIONS]", "[NAME]", "[RUN]"]


_PIPED_WIDTH = 10_000
_NEGATIVE = re.compile(r"-\d+\Z")


def width() -> int:
    """Return how wide the terminal is; a pipe is so wide that nothing is cut in it."""
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        return _PIPED_WIDTH
    import shutil

    return shutil.get_terminal_size().columns


def say(text: str, *, styled: bool = False) -> None:
    """Print a text of lines; what is styled holds nothing else that commands the terminal."""
    plain = os.environ.get("NO_COLOR")
    click.echo(text if styled else printable(text), color=False if plain else None)


def complain(message: str) -> None:
    """Print an error as one line, where errors go."""
    click.echo(f"databroker: {printable(' '.join(message.split()))}", err=True)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print warnings as errors are, not as Python would: where it stands in the code is no help."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(f"warning: {message}")
        yield


def known_names() -> list[str]:
    """Return the names of the configurations; ``databroker list`` says what is wrong with them."""
    from ..config import list_configs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list_configs()


def default_name() -> str:
    """Return the configuration that is meant where none is named."""
    from ..config import load

    known = known_names()
    if len(known) == 1:
        return known[0]
    if "example" in known or not known:
        return "example" if known else str(load("example").name)
    raise UnknownBrokerName(f"Say which configuration is meant. There are: {', '.join(known)}.")


def open_broker(name: str | None) -> Broker:
    """Open a configuration, or the default one."""
    from ..broker.broker import Broker

    return Broker.named(default_name() if name is None else name)


@contextmanager
def open_run(words: Sequence[str]) -> Iterator[Run]:
    """Open the broker and find the run that ``[NAME] [RUN]`` stands for.

    Where there is none, a name of a configuration that is nearly what was typed is suggested.
    """
    known = known_names()
    name, run = split_target(words, known)
    with open_broker(name) as db:
        try:
            header = db[run]
        except NoSuchRun as error:
            near = did_you_mean(run, known) if name is None else ""
            raise NoSuchRun(f"{error}{near}") from None
        yield header


def split_target(words: Sequence[str], known: Collection[str]) -> tuple[str | None, str]:
    """Take ``[NAME] [RUN]`` apart: the name of a known configuration alone means its newest run.

    Examples
    --------
    >>> split_target(["-1"], ["example"]), split_target(["example", "bb805845"], ["example"])
    ((None, '-1'), ('example', 'bb805845'))
    >>> split_target(["example"], ["example"])
    ('example', '-1')
    """
    for word in words:
        # Unknown options come here too, since '-1' looks like one.
        if word.startswith("-") and not _NEGATIVE.match(word):
            raise click.BadParameter(f"there is no option {word}")
    if len(words) > 2:
        raise click.BadParameter(f"expected [NAME] [RUN], got {len(words)} words")
    if len(words) == 2:
        return words[0], words[1]
    return (words[0], "-1") if words[0] in known else (None, words[0])
