"""Which fields of some streams point to external data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import NotSupported
from .several import share_fields
from .stream import Fields, Stream

__all__ = ["external_fields", "refuse_to_fill"]


def external_fields(stream: Stream, fields: Fields = None) -> list[str]:
    """Return those fields of a stream whose values are elsewhere, among the wanted ones."""
    wanted = stream.select(fields).data
    return [
        name
        for name in (stream.fields if wanted is None else wanted)
        if any(_is_external(doc["data_keys"].get(name)) for doc in stream.descriptors)
    ]


def refuse_to_fill(streams: Sequence[Stream], fields: Fields, fill: bool | Iterable[str]) -> None:
    """Raise if external data is asked for: this version cannot load it.

    Parameters
    ----------
    streams, fields
        What is read.
    fill
        True for all external fields, or the names of some.

    Raises
    ------
    NotSupported
        Names the fields.
    """
    if isinstance(fill, str):
        fill = [fill]
    names = None if isinstance(fill, bool) else set(fill)
    if fill is False or names == set():
        return
    asked = {
        name
        for stream, share in share_fields(streams, fields)
        for name in external_fields(stream, share)
        if names is None or name in names
    }
    if asked:
        raise NotSupported(
            f"Loading external data (here {', '.join(map(repr, sorted(asked)))}) comes with a "
            "later version; with fill=False, such fields hold the ids of their datum documents."
        )


def _is_external(data_key: Any) -> bool:
    return isinstance(data_key, dict) and bool(data_key.get("external"))
