"""The streams of a run by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import NoSuchStream

if TYPE_CHECKING:
    from .stream import Stream


class Streams(dict[str, "Stream"]):
    """Streams by name, with an error that says which there are."""

    def __missing__(self, name: str) -> Stream:
        names = ", ".join(map(repr, self)) or "none"
        raise NoSuchStream(f"This run has no stream {name!r}; it has: {names}.")

    def _repr_html_(self) -> str:
        from ...display.html import streams_html

        return streams_html((name, each.num_events, each.fields) for name, each in self.items())
