"""``databroker check`` and ``databroker backup``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .choosing import Chosen, RunsCommand
from .command import BrokerCommand
from .completing import complete_file
from .opening import open_broker
from .outcome import NO
from .output import progress_bar, say
from .records import Form, json_option, report_record, say_json

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..packing import PackCheck
    from ..stores.checking import CheckReport


@click.command(
    "check",
    cls=RunsCommand,
    examples=[
        "databroker check",
        "databroker check -5: --no-files",
        "databroker check --since 2024 -b example",
        "databroker check --repair",
        "databroker check --json",
    ],
)
@click.option("--no-files", is_flag=True, help="Do not look whether external files are there.")
@click.option("--repair", is_flag=True, help="Set right in the indexes what differs there.")
@json_option
def check(
    names: tuple[str, ...], chosen: Chosen, no_files: bool, repair: bool, form: Form | None
) -> int | None:
    """Read what is stored, and say what is not as it was written.

    Of each run: whether there are as many events as it says, whether any is left out, whether
    external files are there. If no runs are chosen, all that the store has is compared with its
    checksums, too (-b ./july.zip: all files of a pack), and its indexes with the documents that
    they are made of.

    Nothing is changed without --repair; with it, only the indexes are, from the documents.

    Ends with the exit code 1 if something is found.
    """
    if chosen and repair:
        raise click.UsageError("The indexes are those of all runs: leave out which runs.")
    reports: list[tuple[str, CheckReport | PackCheck]] = []
    if not chosen:
        reports += [("pack", each) for each in _check_packs(names)]
    with open_broker(*names) as db:
        if not chosen:
            reports.append(("store", _check_store(db, repair)))
        reports.append(("runs", _check_runs(db, chosen, not no_files)))
    if form:
        say_json([{"what": what, **report_record(report)} for what, report in reports])
    else:
        say("\n".join(str(report) for _, report in reports))
    return None if all(report for _, report in reports) else NO


def _check_packs(names: tuple[str, ...]) -> list[PackCheck]:
    """Compare those of the sources that are packs with their checksums."""
    from ..packing import is_pack, verify_pack

    with progress_bar("files of the pack") as update:

        def report(done: int, total: int) -> None:
            update(completed=done, total=total)

        return [verify_pack(name, report) for name in names if is_pack(name)]


def _check_store(db: Broker, repair: bool) -> CheckReport:
    with progress_bar("pieces of the store") as update:
        return db.check(lambda done, total: update(completed=done, total=total), mend_index=repair)


def _check_runs(db: Broker, chosen: Chosen, files: bool) -> CheckReport:
    runs = chosen.results(db)
    with progress_bar("runs") as update:
        total = runs.count()
        return runs.check(files=files, progress=lambda done, _: update(completed=done, total=total))


@click.command("backup", cls=BrokerCommand, examples=["databroker backup copy.db"])
@click.argument("path", shell_complete=complete_file)
def backup(names: tuple[str, ...], path: str) -> None:
    """Copy all runs, as they are at this moment, into a new SQLite file at PATH.

    Other programs may write meanwhile. Nothing is overwritten, and the file appears when it is
    whole. External files are not copied: see 'databroker pack'.
    """
    with open_broker(*names) as db, progress_bar("copied", bytes=True) as update:
        made = db.backup(path, lambda done, total: update(completed=done, total=total))
    say(f"Written: {made}")
