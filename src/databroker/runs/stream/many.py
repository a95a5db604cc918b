"""Several streams as one flow of events, and fields that any of them may have."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..._util.user_warnings import warn_user
from ...errors import NothingFoundWarning
from ...external.fields.filling import Filling
from .fields import (
    ALWAYS,
    Fields,
    absent_fields,
    checked_fill,
    is_plain,
    no_field_to_fill,
    no_such_field,
)
from .stream import Stream

if TYPE_CHECKING:
    from ...external.fields.filling import Fill, OnMissing

Doc = dict[str, Any]


def many_streams(
    streams: Iterable[Stream],
    fields: Fields = None,
    fill: Fill = False,
    on_missing: OnMissing = "raise",
) -> Iterator[Doc]:
    """Yield the events of several streams: the smallest (time, uid) head first.

    Each stream keeps its own order. A plain name in `fields` need be in one of
    the streams only; so need one in `fill`. `fill` and `on_missing` are as in `Stream.table`.
    """
    streams = list(streams)
    if not streams:
        return iter(())
    filling = checked_fill(fill, [name for stream in streams for name in stream.fields])
    shares = share_fields(streams, fields)
    flows = [stream.events(chosen, filling, on_missing) for stream, chosen in shares]
    if len(flows) == 1:
        return flows[0]
    return heapq.merge(*flows, key=lambda event: (event["time"], event["uid"]))


class Wanted:
    """Fields that were asked for, where each need be in one of several streams only."""

    def __init__(self, fields: Fields, fill: Fill = False) -> None:
        if isinstance(fields, str):
            fields = [fields]
        self.filling = Filling.of(fill)
        self._names = None if fields is None else list(fields)
        self._unknown: dict[str, None] = {}  # to some streams
        self._known: set[str] = set()
        self._fields: dict[str, None] = {}  # of all streams, in order

    def of(self, streams: Iterable[Stream]) -> list[str] | None:
        """Return those of the fields that one of these streams has; None for all."""
        streams = list(streams)
        self._fields |= dict.fromkeys(name for stream in streams for name in stream.fields)
        if self._names is None:
            return None
        found: set[str] = set()
        for stream in streams:
            keys = set(stream.fields)
            found.update(filter(keys.__contains__, self._names))
            for name in self._names:
                if name in keys:
                    continue
                try:
                    stream.select([name])
                except KeyError:
                    self._unknown[name] = None
                else:
                    found.add(name)
        self._known |= found
        return [name for name in self._names if name in found]

    def among(self, keys: Collection[str], is_nowhere: Callable[[str], bool]) -> list[str] | None:
        """Return those of a stream's data keys that are wanted; None where more may be.

        `is_nowhere` tells that neither configuration nor start or stop have a name.
        """
        self._fields |= dict.fromkeys(keys)
        if self._names is None:
            return list(keys)
        others = [name for name in self._names if name not in keys and name not in ALWAYS]
        if not all(is_plain(name) and is_nowhere(name) for name in others):
            return None
        self._unknown |= dict.fromkeys(others)
        self._known.update(name for name in self._names if name not in others)
        return [key for key in keys if key in self._names]

    @property
    def names(self) -> list[str] | None:
        """The names and patterns that were asked for; None for all fields."""
        return self._names

    def check(self, strict: bool = False) -> None:
        """Say if some stream was asked for a field, and none had it."""
        absent = [name for name in self._unknown if name not in self._known]
        if absent and (strict or not self._known):
            raise no_such_field(absent[0], list(self._fields))
        if absent:
            warn_user(absent_fields(absent, list(self._fields)), NothingFoundWarning)
        for name in self.filling.names or ():
            if self._fields and name not in (known := list(self._fields)):
                raise no_field_to_fill(name, known)


def share_fields(
    streams: Iterable[Stream], fields: Fields, strict: bool = False
) -> list[tuple[Stream, Fields]]:
    """Give each stream those of the fields that it can answer; see `Wanted.check`."""
    wanted = Wanted(fields)
    shares: list[tuple[Stream, Fields]] = [(stream, wanted.of([stream])) for stream in streams]
    wanted.check(strict)
    return shares
