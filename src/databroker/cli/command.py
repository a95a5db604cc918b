"""What every command is: it has examples, and ``-b`` says which broker it is about."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import click

from .completing import complete_name

DEBUG = "debug"
"""Where it is noted that errors are to be shown with their traceback."""


BROKER = ("--broker", "-b")
"""The option that says which broker a command is about."""


class Command(click.Command):
    """A command that shows how it is called.

    Parameters
    ----------
    examples
        Whole lines to type; a test runs each of them.
    """

    def __init__(
        self,
        name: str | None,
        *,
        examples: Sequence[str],
        help: str | None = None,
        params: Sequence[click.Parameter] = (),
        **more: Any,
    ) -> None:
        self.examples = tuple(examples)
        lines = "\n".join(f"  {line}" for line in self.examples)
        super().__init__(
            name,
            help=inspect.cleandoc(help or ""),
            params=[*params, debug_option()],
            epilog=f"\b\nExamples:\n{lines}",
            **more,
        )


class BrokerCommand(Command):
    """A command about a broker: it is called with `names`: configurations, paths, addresses."""

    def __init__(
        self, name: str | None, *, params: Sequence[click.Parameter] = (), **more: Any
    ) -> None:
        broker = click.Option(
            [*BROKER, "names"],
            multiple=True,
            metavar="NAME",
            envvar="DATABROKER",
            shell_complete=complete_name,
            help="A configuration, a path (./runs, home.db) or the address of a server; given "
            "again, the runs of all. Without it: what the variable DATABROKER says, or the only "
            "configuration, or 'example'.",
        )
        super().__init__(name, params=[*params, broker], **more)


def debug_option() -> click.Option:
    """Return the option by which errors are shown with their traceback."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_debug,
        help="Show where in the code an error arose.",
    )


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.obj[DEBUG] = True
