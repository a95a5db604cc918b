"""``databroker files``."""

from __future__ import annotations

import click

from .common import RunCommand, open_run, say

__all__ = ["command"]

_EXAMPLES = """\b
Examples:
  databroker files -1
  databroker files example 4
  databroker files example bb805845 --missing
"""


@click.command("files", cls=RunCommand, epilog=_EXAMPLES)
@click.option("--missing", "-m", is_flag=True, help="Only the files that are not there.")
def command(words: tuple[str, ...], missing: bool) -> None:
    """List the external files of one run, and whether they are there.

    Ends with the exit code 1 if a file is missing.
    """
    from ..external.files.table import files_text

    with open_run(words) as run:
        all_files = run.files()
    lost = all_files.missing
    listed = lost if missing else all_files
    if all_files and not listed:
        say(f"None of {len(all_files):,} files is missing.")
    else:
        # A pipe may count on every file.
        say(files_text(listed, most=len(listed)))
    if lost:
        raise click.exceptions.Exit(1)
