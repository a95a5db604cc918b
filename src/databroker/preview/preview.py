"""What ``header.preview()`` gives: pictures beside the metadata, for a notebook or for files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._util.printable import printable
from ..display.summary import one_line
from ..errors import InvalidQuery
from ..extras import require
from .choose import Choice, Fields, choose, streams_to_show
from .draw import titled
from .page import Picture, pictures_html, pictures_text
from .pictures import array_picture, scalar_picture
from .rows import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..runs.run import Run

Doc = Mapping[str, Any]

_FORMATS = (".png", ".svg", ".jpg", ".jpeg")
_HOW = "A notebook shows them; save('folder') or save('file.pdf') writes them."


class Preview:
    """Pictures of a run's data, as they were when it was made.

    Obtained as ``header.preview()``. In a notebook it shows them; the header
    itself shows the metadata. It holds what is drawn, not the data.

    Parameters
    ----------
    header
        Of the run.
    pictures
        Those of a stream together.
    notes
        What is not among them, and why.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
    >>> db[-1].preview()
    Preview of run b2c1: 0 pictures
    The run has no streams.
    """

    def __init__(self, header: Run, pictures: Sequence[Picture], notes: Sequence[str]) -> None:
        self.header = header
        self.pictures = list(pictures)
        self.notes = list(notes)

    def __repr__(self) -> str:
        count = sum(picture.draw is not None for picture in self.pictures)
        title = f"Preview of run {self.header.uid[:8]}: {count} picture{'' if count == 1 else 's'}"
        notes = [*self.notes, _HOW] if count else self.notes
        return printable("\n".join(filter(None, [title, pictures_text(self.pictures, notes)])))

    def _repr_html_(self) -> str:
        return pictures_html(self.pictures, self.notes, title=f"Preview of {self._run}")

    @property
    def _run(self) -> str:
        run, scan_id = f"run {self.header.uid[:8]}", self.header.start.get("scan_id")
        return run if scan_id is None else f"scan {one_line(scan_id, 12)} ({run})"

    @cached_property
    def figures(self) -> dict[tuple[str, str], Figure]:
        """The figures by stream and field, to be changed or saved as you like."""
        run = self._run
        return {
            (each.stream, each.field): titled(each.draw(), f"{each.field}: {each.said} · {run}")
            for each in self.pictures
            if each.draw is not None
        }

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the pictures as files, and return their paths.

        Parameters
        ----------
        path
            A folder for PNG files, which is made if need be; or a PDF file,
            with a page for each picture. A single picture may be any image
            file. Files of the same name are replaced.

        Raises
        ------
        InvalidQuery
            A file is named that holds one picture, and there are others.
        """
        target = Path(path).expanduser()
        form = target.suffix.lower()
        if not self.figures:
            return []
        if form == ".pdf":
            with require("matplotlib.backends.backend_pdf", "plot").PdfPages(target) as pages:
                for figure in self.figures.values():
                    pages.savefig(figure)
            return [target]
        if form in _FORMATS:
            if len(self.figures) != 1:
                raise InvalidQuery(
                    f"{target.name} holds one picture, and there are {len(self.figures)}: "
                    "name a folder or a .pdf file."
                )
            files = [target]
        else:
            target.mkdir(parents=True, exist_ok=True)
            files = list(_files(target, self.figures))
        for file, figure in zip(files, self.figures.values(), strict=True):
            figure.savefig(file, dpi=150)
        return files


def _files(folder: Path, keys: Iterable[tuple[str, str]]) -> Iterator[Path]:
    """Yield a file for each picture. Names come from documents: they lead nowhere else."""
    taken: set[str] = set()
    for stream, field in keys:
        name = whole = re.sub(r"[^\w-]+", "_", f"{stream}-{field}")[:60]
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{whole}-{number}"
        taken.add(name.lower())
        yield folder / f"{name}.png"


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
