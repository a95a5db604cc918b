"""``databroker pack``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .choosing import Chosen, RunsCommand
from .completing import complete_file
from .opening import open_broker
from .outcome import NO
from .output import amount, progress_bar
from .records import Form, json_option, say_report

if TYPE_CHECKING:
    from ..broker.moving.progress import Progress

_EXAMPLES = (
    "databroker pack -1 --to scan.zip",
    "databroker pack -5: --to beamtime --format jsonl",
    "databroker pack --where plan_name=scan --since 2024 --to scans.zip --skip-missing",
    "databroker pack -b lab -b archive --text 'good sample' --to good.zip",
)


@click.command("pack", cls=RunsCommand, examples=_EXAMPLES)
@click.option(
    "--to",
    "path",
    required=True,
    metavar="PATH",
    shell_complete=complete_file,
    help="What is made: a zip if the name ends with .zip, else a folder.",
)
@click.option(
    *("--format", "-F"),
    type=click.Choice(["msgpack", "jsonl"]),
    default="msgpack",
    show_default=True,
    help="What the files of documents are.",
)
@click.option("--no-files", is_flag=True, help="Leave external files where they are.")
@click.option("--skip-missing", is_flag=True, help="Leave out external files that are not there.")
@click.option("--overwrite", is_flag=True, help="Take the place of a pack that is there.")
@json_option
def pack(
    names: tuple[str, ...],
    chosen: Chosen,
    path: str,
    format: str,
    no_files: bool,
    skip_missing: bool,
    overwrite: bool,
    form: Form | None,
) -> int | None:
    """Write runs and their external files into one folder or zip, to be opened anywhere.

    There, 'databroker list -b ./scan.zip' lists its runs, and 'databroker import scan.zip' or
    'databroker copy scan.zip home.db' copies them. It has a checksum of each file. It gets its
    name when it is whole.

    Ends with the exit code 1 if an external file is missing.
    """
    from ..packing import pack as packed

    if not chosen:
        raise click.UsageError("Say which runs, or what to search for.")
    with open_broker(*names) as db, progress_bar("runs") as update:

        def report(progress: Progress) -> None:
            update(completed=progress.runs, total=progress.of, more=amount(progress))

        done = packed(
            chosen.of(db),
            path,
            format=format,  # type: ignore[arg-type]
            files=not no_files,
            on_missing="skip" if skip_missing else "raise",
            overwrite=overwrite,
            progress=report,
        )
    say_report(form, done)
    return None if done else NO
