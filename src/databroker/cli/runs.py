"""The commands about one run: ``databroker show``, ``table`` and ``files``."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .._util.suggestions import did_you_mean
from ..broker.naming import is_path
from ..errors import NoSuchRun, NoSuchStream
from .common import known_names, open_broker, say, width
from .names import BrokerCommand
from .queries import listed

if TYPE_CHECKING:
    from ..runs.run import Run

_RUN_HELP = (
    "RUN is a uid, its beginning, a scan_id, or -1 for the newest run, which is meant where only "
    "NAME is given. NAME is the configuration, or a path (./runs, home.db); where it is left out, "
    "the only one or 'example' is meant. With -b, RUN is looked for in "
    "all that are named so."
)

_NEGATIVE = re.compile(r"-\d+\Z")
_AMONG_FACTS = ("uid", "time", "scan_id", "plan_name", "detectors", "motors")

_SHOW_EXAMPLES = """\b
Examples:
  databroker show -1
  databroker show example 8
  databroker show example bb805845
"""

_TABLE_EXAMPLES = """\b
Examples:
  databroker table -1
  databroker table example 8 --fields det,motor
  databroker table example bb805845 --stream baseline
"""

_FILES_EXAMPLES = """\b
Examples:
  databroker files -1
  databroker files example 4
  databroker files example bb805845 --missing
"""


class _RunCommand(BrokerCommand):
    """A command that takes ``[NAME] [RUN]`` as ``words``, or ``[RUN]`` after ``-b``."""

    def __init__(self, name: str, *, help: str, params: list[click.Parameter], **more: Any) -> None:
        words = click.Argument(["words"], nargs=-1, metavar="RUN")
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


@click.command(cls=_RunCommand, epilog=_SHOW_EXAMPLES)
def show(names: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Show one run: how it went, its streams, its metadata."""
    from ..display.summary import by_people, by_programs
    from ..display.text import document_text
    from .tables import facts_table, streams_table

    columns = width()
    with _open_run(names, words) as run:
        facts = facts_table(run, columns)
        streams = streams_table(run, columns) if run.streams else "No streams yet."
        said, recorded = by_people(run.start), by_programs(run.start)
        zone = run.session.zone
    recorded = {key: value for key, value in recorded.items() if key not in _AMONG_FACTS}
    blocks = [document_text("Metadata", said, zone)] if said else []
    # What programs write is long and seldom read: a line each is enough.
    if recorded:
        blocks.append(document_text("Recorded by programs", recorded, width=columns))
    say(f"{facts}\n\n{streams}", styled=True)
    for block in blocks:
        say(f"\n{block}")


@click.command(cls=_RunCommand, epilog=_TABLE_EXAMPLES)
@click.option("--stream", "-s", default="primary", show_default=True, help="Which stream.")
@click.option("--fields", "-f", help="Only these columns, with commas between them.")
def table(names: tuple[str, ...], words: tuple[str, ...], stream: str, fields: str | None) -> None:
    """Print the data of one run as a table.

    Of a long one, the first and the last rows; in a terminal, the columns that fit.
    """
    from .frames import frame_text

    with _open_run(names, words) as header:
        _check_stream(header, stream)
        frame = header.table(stream, fields=listed(fields), timezone=header.session.zone)
    if frame.empty:
        say(f"The stream {stream!r} has no events.")
    else:
        say(frame_text(frame, width()))


def _check_stream(header: Run, stream: str) -> None:
    names = header.stream_names
    if stream not in names:
        raise NoSuchStream(
            f"Run {header.uid[:8]} has no stream {stream!r}.{did_you_mean(stream, names)} "
            f"Its streams: {', '.join(names) or 'none yet'}."
        )


@click.command(cls=_RunCommand, epilog=_FILES_EXAMPLES)
@click.option("--missing", "-m", is_flag=True, help="Only the files that are not there.")
def files(names: tuple[str, ...], words: tuple[str, ...], missing: bool) -> None:
    """List the external files of one run, and whether they are there.

    Ends with the exit code 1 if a file is missing.
    """
    from ..external.files.table import files_text

    with _open_run(names, words) as run:
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


@contextmanager
def _open_run(names: Sequence[str], words: Sequence[str]) -> Iterator[Run]:
    """Open the broker and find the run that ``[NAME] [RUN]`` stands for, or RUN where -b names."""
    known = known_names()
    names, run = _split_target(names, words, known)
    with open_broker(*names) as db:
        try:
            header = db[run]
        except NoSuchRun as error:
            near = "" if names else did_you_mean(run, known)
            raise NoSuchRun(f"{error}{near}") from None
        yield header


def _split_target(
    names: Sequence[str], words: Sequence[str], known: Collection[str]
) -> tuple[Sequence[str], str]:
    """Take ``[NAME] [RUN]`` apart: the name of a known configuration alone means its newest run.

    Examples
    --------
    >>> _split_target([], ["-1"], ["example"]), _split_target([], ["example", "bb"], ["example"])
    (([], '-1'), (['example'], 'bb'))
    >>> _split_target([], ["example"], ["example"]), _split_target(["a", "b"], [], ["example"])
    ((['example'], '-1'), (['a', 'b'], '-1'))
    """
    for word in words:
        # Unknown options come here too, since '-1' looks like one.
        if word.startswith("-") and not _NEGATIVE.match(word):
            raise click.BadParameter(f"there is no option {word}")
    if not (names or words):
        raise click.MissingParameter(param_type="argument", param_hint="'RUN'")
    if len(words) > (1 if names else 2):
        expected = "[RUN]" if names else "[NAME] [RUN]"
        raise click.BadParameter(f"expected {expected}, got {len(words)} words")
    if names:
        return names, words[0] if words else "-1"
    if len(words) == 2:
        return words[:1], words[1]
    is_name = words[0] in known or (is_path(words[0]) and os.path.exists(words[0]))
    return (words, "-1") if is_name else ([], words[0])
