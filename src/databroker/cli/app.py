"""The commands there are: the module of each is imported when it is called or explained."""

from __future__ import annotations

from importlib import import_module

import click

from .. import __version__
from .._util.suggestions import did_you_mean

_COMMANDS = {
    "demo": "demo:demo",
    "list": "listing:list_runs",
    "show": "runs:show",
    "table": "runs:table",
    "files": "runs:files",
    "copy": "copying:copy",
    "export": "exporting:export",
    "status": "waiting:status",
    "replay": "waiting:replay",
    "indexes": "indexing:indexes",
}
"""Where each command is, in the order of the help."""


class _Commands(click.Group):
    """The commands, each from its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in _COMMANDS:
            ctx.fail(f"No such command {cmd_name!r}.{did_you_mean(cmd_name, _COMMANDS)}")
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__package__}.{module}"), name)
        return command


@click.group(
    cls=_Commands,
    epilog="Begin with 'databroker demo'; each command explains itself with --help.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def app() -> None:
    """Find and look at the data of experimental runs."""
