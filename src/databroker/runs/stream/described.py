"""A stream as its descriptors tell it: nothing here reads an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._util.printable import printable
from .fields import FieldSelection, data_keys, mapping, select

if TYPE_CHECKING:
    from ...external import LazyArray
    from ..session import Session

Doc = Mapping[str, Any]
Fields = str | Iterable[str] | None


class Described:
    """What is known of a stream, and what it is made from.

    Parameters
    ----------
    session
        Where the events are, and what opens the files that they refer to.
    name
        'primary', 'baseline', ...
    descriptors
        The stream's descriptors, oldest first.
    start, stop
        The run's documents, from which `fields` may ask for values.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        descriptors: Sequence[Doc],
        start: Doc,
        stop: Doc,
    ) -> None:
        self._session = session
        self.name = name
        self._descriptors = descriptors
        self._start = start
        self._stop = stop
        # By field and on_missing, with the rows that they were made for.
        self._arrays: dict[tuple[str, str], tuple[LazyArray, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": {}}

    def __repr__(self) -> str:
        return printable(
            f"<Stream {self.name!r} of run {str(self._start['uid'])[:8]}>", lines=False
        )

    @property
    def descriptors(self) -> list[Doc]:
        """The stream's descriptors, oldest first."""
        return list(self._descriptors)

    @property
    def fields(self) -> list[str]:
        """The names of the data keys, in the order of the descriptors."""
        return data_keys(self._descriptors)

    @property
    def devices(self) -> list[str]:
        """The names of the devices that were read, in the order of the descriptors."""
        found = (mapping(doc.get("object_keys")) for doc in self._descriptors)
        return list(dict.fromkeys(name for keys in found for name in keys))

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __contains__(self, field: object) -> bool:
        return field in self.fields

    def _ipython_key_completions_(self) -> list[str]:
        return self.fields

    def select(self, fields: Fields) -> FieldSelection:
        """Return what `fields` means in this stream."""
        return select(fields, self._descriptors, self._start, self._stop)
