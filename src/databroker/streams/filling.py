"""External data in the place of the references that events hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import NotSupported
from ..external.filling import Filler, external_fields, fields_to_fill
from .several import share_fields
from .stream import Fields, Stream

if TYPE_CHECKING:
    import pandas as pd

    from ..external import Registry
    from ..stores.contract import Store

__all__ = ["Filling", "refuse_to_fill"]

Fill = bool | Iterable[str]


class Filling:
    """Fills some fields of what is read from a run.

    Parameters
    ----------
    store, registry, run
        Where the documents are, how files are opened, and of which run they are.
    streams, fields
        What is read.
    fill
        True for all external fields, or the names of some.

    Raises
    ------
    NotSupported
        A field is asked for whose data are in stream resources.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        run: str,
        streams: Sequence[Stream],
        fields: Fields,
        fill: Fill,
    ) -> None:
        self.names = [] if fill is False else _asked(streams, fields, fill)
        self._filler = Filler(store, registry, run) if self.names else None

    def event(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return an event, filled."""
        return event if self._filler is None else self._filler.fill(event, self.names)

    def events(self, events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield events, filled one at a time."""
        return map(self.event, events)

    def table(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with the data of each row in its cell."""
        if self._filler is None:
            return table
        import pandas as pd

        for name in self.names:
            if name in table:
                cells = pd.Series(index=table.index, dtype=object)
                for row, value in enumerate(self._filler.column(table[name], name)):
                    cells.iat[row] = value
                table[name] = cells
        return table


def refuse_to_fill(streams: Sequence[Stream], fields: Fields, fill: Fill) -> None:
    """Raise if external data is asked for where this version cannot load it.

    Raises
    ------
    NotSupported
        Names the fields.
    """
    asked = [] if fill is False else list(_external(streams, fields, fill))
    if asked:
        raise NotSupported(
            f"Images of the external field {', '.join(map(repr, sorted(asked)))} come with a "
            "later version; header.data(field) yields them one at a time."
        )


def _asked(streams: Sequence[Stream], fields: Fields, fill: Fill) -> list[str]:
    found = _external(streams, fields, fill)
    streamed = sorted(name for name, how in found.items() if how == "stream")
    if streamed:
        raise NotSupported(
            f"The data of {', '.join(map(repr, streamed))} are in stream resources, which comes "
            "with a later version of this call; databroker.external.streamed_array reads them."
        )
    return list(found)


def _external(streams: Sequence[Stream], fields: Fields, fill: Fill) -> dict[str, str]:
    """Return the external fields that are to be filled, and how each is stored."""
    found: dict[str, str] = {}
    for stream, share in share_fields(streams, fields):
        wanted = stream.select(share).data
        for name, how in external_fields(stream.descriptors).items():
            if wanted is None or name in wanted:
                found[name] = how
    return {name: found[name] for name in fields_to_fill(fill, found)}
