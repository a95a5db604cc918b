"""The commands there are: the module of each is imported when it is called or explained."""

from __future__ import annotations

from importlib import import_module

import click

from .. import __version__
from .._util.suggestions import did_you_mean
from .command import BROKER, debug_option

SECTIONS = {
    "Look": {
        "list": "listing:list_runs",
        "search": "listing:search",
        "show": "runs:show",
        "streams": "runs:streams",
        "table": "runs:table",
        "plot": "plotting:plot",
        "files": "runs:files",
        "diff": "diffing:diff",
        "watch": "watching:watch",
    },
    "Take away and bring in": {
        "export": "exporting:export",
        "formats": "exporting:formats",
        "pack": "packing:pack",
        "copy": "copying:copy",
        "import": "importing:import_files",
    },
    "Set up and look after": {
        "demo": "demo:demo",
        "config": "configuring:config",
        "doctor": "doctoring:doctor",
        "check": "checking:check",
        "backup": "checking:backup",
        "status": "waiting:status",
        "replay": "waiting:replay",
        "indexes": "indexing:indexes",
        "serve": "serving:serve",
        "keys": "keys:keys",
        "completion": "completion:completion",
    },
}
"""Where each command is, in the order of the help."""

_COMMANDS = {name: place for section in SECTIONS.values() for name, place in section.items()}


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``-b NAME`` before the command, too, as if it were behind it."""
        first = 0
        while first + 2 < len(args) and args[first] in BROKER:
            first += 2
        command = args[first : first + 1]
        return super().parse_args(ctx, [*command, *args[:first], *args[first + 1 :]])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, _COMMANDS))
        for section, names in SECTIONS.items():
            commands = {name: self.get_command(ctx, name) for name in names}
            lines = [(name, each.get_short_help_str(limit)) for name, each in commands.items()]
            with formatter.section(section):
                formatter.write_dl(lines)


@click.group(
    cls=_Commands,
    params=[debug_option()],
    epilog="Begin with 'databroker demo'; each command explains itself with --help.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def app() -> None:
    """Find and look at the data of experimental runs."""
