"""``databroker files``."""

from __future__ import annotations

from typing import Annotated

import typer

from .common import Target, console, open_run

__all__ = ["EXAMPLES", "files"]

EXAMPLES = """\b
Examples:
  databroker files -1
  databroker files example 4
  databroker files example bb805845 --missing
"""


def files(
    target: Target,
    missing: Annotated[
        bool, typer.Option("--missing", "-m", help="Only the files that are not there.")
    ] = False,
) -> None:
    """List the external files of one run, and whether they are there.

    Ends with the exit code 1 if a file is missing.
    """
    from ..display import files_text

    with open_run(target) as header:
        found = header.files()
    lost = found.missing
    shown = lost if missing else found
    if found and not shown:
        console().print(f"None of {len(found):,} files is missing.")
    else:
        # A pipe may count on every file.
        console().print(files_text(shown, most=len(shown)), soft_wrap=True)
    if lost:
        raise typer.Exit(1)
