"""Reads what is to be seen of a run, and tells what is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..display.summary import one_line
from ..errors import InvalidQuery
from ..extras import require
from .arrays import array_picture
from .choose import Choice, Fields, choose, streams_to_show
from .page import Picture
from .preview import Preview
from .rows import Rows
from .scalars import scalar_picture

if TYPE_CHECKING:
    from ..runs.run import Run

__all__ = ["make_preview"]

Doc = Mapping[str, Any]


def make_preview(
    header: Run,
    fields: Fields = None,
    streams: str | Iterable[str] | None = None,
    frames: int = 5,
) -> Preview:
    """Read what is to be seen of a run; see `Header.preview`."""
    require("matplotlib", "plot")
    if type(frames) is not int or frames < 1:
        raise InvalidQuery(f"frames={frames!r}: how many, as an integer, 1 or more.")
    start, all_streams = header.start, header.streams
    chosen = streams_to_show(all_streams, streams, fields)
    pictures: list[Picture] = []
    notes: list[str] = []
    for stream, wanted in chosen:
        rows = Rows(stream, start)
        if len(rows):
            choice = choose(start, stream, wanted)
            pictures += _pictures(start, rows, choice, frames)
            notes += _left_out(stream.name, choice)
        else:
            notes.append(f"{one_line(stream.name, 40)}: no events{'' if header.stop else ' yet'}.")
    if streams is None and fields is None:
        drawn = {stream.name for stream, _ in chosen}
        notes += [
            f"{name}: not drawn unless asked for, with preview(streams={name!r})."
            for name in all_streams
            if name not in drawn
        ]
    if not pictures and not notes:
        notes.append("There is nothing to draw." if all_streams else "The run has no streams.")
    return Preview(header, pictures, notes)


def _pictures(start: Doc, rows: Rows, choice: Choice, frames: int) -> Iterator[Picture]:
    for field in (*choice.scalars, *choice.arrays):
        # What a field is, its values tell better than its descriptor.
        picture = array_picture(rows, field, choice.axes, frames)
        if picture is None or (picture.draw is None and field in choice.scalars):
            picture = scalar_picture(start, rows, field, choice.axes)
        yield picture


def _left_out(stream: str, choice: Choice) -> Iterator[str]:
    if choice.left_out:
        more = f"{len(choice.left_out)} more, with preview(fields=[...])"
        yield f"{one_line(stream, 40)}: {more}: {one_line(', '.join(choice.left_out), 200)}"
