"""``databroker table``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._util.suggestions import did_you_mean
from ..errors import NoSuchStream
from .common import RunCommand, open_run, say, width

if TYPE_CHECKING:
    from ..runs.run import Run

__all__ = ["command"]

_EXAMPLES = """\b
Examples:
  databroker table -1
  databroker table example 8 --fields det,motor
  databroker table example bb805845 --stream baseline
"""


@click.command("table", cls=RunCommand, epilog=_EXAMPLES)
@click.option("--stream", "-s", default="primary", show_default=True, help="Which stream.")
@click.option("--fields", "-f", help="Only these columns, with commas between them.")
def command(words: tuple[str, ...], stream: str, fields: str | None) -> None:
    """Print the data of one run as a table.

    Of a long one, the first and the last rows; in a terminal, the columns that fit.
    """
    from .frames import frame_text

    wanted = None if fields is None else list(filter(None, map(str.strip, fields.split(","))))
    with open_run(words) as header:
        _check_stream(header, stream)
        frame = header.table(stream, fields=wanted, timezone=header.session.zone)
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
