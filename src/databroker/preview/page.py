"""Pictures of a run's data as a notebook shows them: drawn, captioned, and what is missing told.

As in `display.html`, everything that comes from a document is escaped, and colours
are left to the notebook.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._util.printable import printable
from ..display.markup import QUIET, block, escape, folded, quiet
from ..display.summary import one_line
from .draw import PIXELS, as_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GROUP = "display:inline-block;vertical-align:top;max-width:100%"
_CARD = "display:inline-block;vertical-align:top;margin:4px 12px 8px 0;max-width:100%"


@dataclass(frozen=True)
class Picture:
    """One picture of a preview.

    Without `draw`, there is nothing to be seen; `missing` says what could not be had, and why.
    """

    stream: str
    field: str
    said: str
    draw: Callable[[], Figure] | None = None
    missing: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return printable(f"<Picture {self.field!r} of {self.stream!r}: {self.said}>", lines=False)


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
        (one_line(each.stream, 30), one_line(each.field, 40), each.said, each.missing)
        for each in pictures
    ]
    first, second = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    lines = []
    for stream, field, said, missing in rows:
        lines.append(f"  {stream:<{first}}  {field:<{second}}  {said}".rstrip())
        for text in missing:
            lines.append(" " * (first + 4) + one_line(first_sentence(text)[0], 200))
    return "\n".join([*lines, *notes])


def first_sentence(text: str) -> tuple[str, str]:
    """Return the first sentence of a text, and the rest."""
    sentence, *rest = re.split(r"(?<=[.?!])\s+(?=[A-Z])", text.strip(), maxsplit=1)
    return sentence, "".join(rest)
