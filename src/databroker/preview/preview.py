"""What ``header.preview()`` gives: pictures for a notebook, a terminal, or files.

As in `display.html`, everything that comes from a document is escaped, and colours
are left to the notebook.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .._util.printable import printable
from ..display.markup import QUIET, block, escape, folded, quiet
from ..display.summary import one_line
from ..display.text import aligned
from ..errors import InvalidQuery
from ..extras import require
from ..plot.choose import Choice, Doc, Fields, choose, streams_to_show
from ..plot.rows import Rows
from ..plot.seeing import field_seen
from .draw import PIXELS, as_png, titled
from .pictures import Picture, picture_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..runs.run import Run


_FORMATS = (".png", ".svg", ".jpg", ".jpeg")
_GROUP = "display:inline-block;vertical-align:top;max-width:100%"
_CARD = f"{_GROUP};margin:4px 12px 8px 0"
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
        found = field_seen(start, rows, field, choice, frames)
        yield picture_of(rows.stream.name, field, found)


def _left_out(stream: str, choice: Choice) -> Iterator[str]:
    if choice.left_out:
        more = f"{len(choice.left_out)} more, with preview(fields=[...])"
        yield f"{one_line(stream, 40)}: {more}: {one_line(', '.join(choice.left_out), 200)}"


def pictures_html(
    pictures: Sequence[Picture], notes: Iterable[str] = (), title: str = "Preview"
) -> str:
    """Return pictures as HTML, stream by stream, and notes below them."""
    parts = []
    for stream in dict.fromkeys(picture.stream for picture in pictures):
        cards = "".join(_card(each) for each in pictures if each.stream == stream)
        name = f'<div style="font-weight:600;margin-top:6px">{escape(one_line(stream))}</div>'
        parts.append(f'<div style="{_GROUP}">{name}{cards}</div>')
    return block(one_line(title), *parts, *map(quiet, notes))


def _card(picture: Picture) -> str:
    figure = None if picture.draw is None else picture.draw()
    style = _CARD
    if figure is not None:  # so that a long caption pushes no neighbour aside
        style += f";width:{_width(figure)}px"
    said = f'<span style="{QUIET}">{escape(picture.said)}</span>'
    parts = [f"<div><b>{escape(one_line(picture.field, 60))}</b> {said}</div>"]
    if figure is not None:
        parts.append(_image(figure, f"{picture.field}: {picture.said}"))
    parts += [_explained(text, unfolded=figure is None) for text in picture.missing]
    return f'<div style="{style}">{"".join(parts)}</div>'


def _width(figure: Figure) -> int:
    return round(figure.get_figwidth() * PIXELS)


def _image(figure: Figure, alt: str) -> str:
    data = base64.b64encode(as_png(figure)).decode()
    return (
        f'<img alt="{escape(one_line(alt, 300))}" width="{_width(figure)}" '
        'style="max-width:100%;height:auto;margin-top:4px;background:none" '
        f'src="data:image/png;base64,{data}">'
    )


def _explained(text: str, unfolded: bool) -> str:
    """Return what is wrong, with what to do about it folded away if there is something to see."""
    sentence, rest = first_sentence(text)
    sentence = one_line(sentence, 400)
    html = folded(sentence, quiet(one_line(rest, 1000)), unfolded) if rest else escape(sentence)
    return f'<div style="max-width:60em;overflow-wrap:anywhere">{html}</div>'


def pictures_text(pictures: Sequence[Picture], notes: Iterable[str] = ()) -> str:
    """Return a list of pictures for a terminal.

    Examples
    --------
    >>> print(pictures_text([Picture("primary", "det", "5 events"),
    ...                      Picture("primary", "img", "", missing=("No file. Is it there?",))]))
      primary  det  5 events
      primary  img
               No file.
    """
    rows = [
        ("", one_line(each.stream, 30), one_line(each.field, 40), each.said) for each in pictures
    ]
    margin = " " * (4 + max((len(stream) for _, stream, _, _ in rows), default=0))
    lines = []
    for picture, line in zip(pictures, aligned(rows), strict=True):
        lines.append(line)
        lines += [margin + one_line(first_sentence(text)[0], 200) for text in picture.missing]
    return "\n".join([*lines, *notes])


def first_sentence(text: str) -> tuple[str, str]:
    """Return the first sentence of a text, and the rest."""
    sentence, *rest = re.split(r"(?<=[.?!])\s+(?=[A-Z])", text.strip(), maxsplit=1)
    return sentence, "".join(rest)
