"""The commands there are."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from . import demo, files, listing, show, table
from .common import TARGET_HELP, TargetCommand

__all__ = ["app"]

app = typer.Typer(
    help="Find and look at the data of experimental runs.",
    no_args_is_help=True,
    add_completion=False,
    # Documents and names are other people's text: no part of it is markup.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# A run may be named by a negative number, which would otherwise be an option.
_TAKES_RUN = {"ignore_unknown_options": True}

app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.command("list", epilog=listing.EXAMPLES)(listing.list_runs)
for _name, _command, _examples in (
    ("show", show.show, show.EXAMPLES),
    ("table", table.table, table.EXAMPLES),
    ("files", files.files, files.EXAMPLES),
):
    app.command(
        _name,
        help=f"{inspect.getdoc(_command)}\n\n{TARGET_HELP}",
        epilog=_examples,
        cls=TargetCommand,
        context_settings=_TAKES_RUN,
    )(_command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"databroker {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Begin with 'databroker demo'; each command explains itself with --help.",
)
def _databroker(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """Find and look at the data of experimental runs."""
