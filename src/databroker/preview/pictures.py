"""Pictures of fields: what is seen of each, as a figure and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .._util.printable import printable
from ..plot.panels import Found, Lines
from .draw import figure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


def picture_of(stream: str, field: str, found: Found) -> Picture:
    """Return what was found as a picture; what is a single number is told, and not drawn."""
    contents = found.contents
    match contents:
        case Lines(curves=[curve]) if len(curve.x) == 1:
            contents = None
    draw = None if contents is None else partial(figure_of, contents)
    return Picture(stream, field, found.said, draw, found.missing)
