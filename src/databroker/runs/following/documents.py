"""The documents of a run as they come."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ...columns import ALL as ALL_COLUMNS
from ...columns import Selection
from ...columns.batches import to_rows  # Arrow is loaded now, and not when an event comes
from ...documents.kinds import ROWS, stream_name
from ...documents.readonly import ALL
from ...external.fields.filling import external_fields, flag
from ..stream.fields import Fields, FieldSelection
from ..stream.many import Wanted
from ..stream.stream import Stream
from .run_follower import Doc, RunFollower

if TYPE_CHECKING:
    from ...stores.contents import Outline, Owner
    from ..session import Session


class DocumentFollower(RunFollower[tuple[str, Doc]]):
    """Yields (name, document) for each document of a run, after those that it refers to.

    Obtained as ``header.follow()``.
    """

    def __init__(
        self,
        session: Session,
        start: Mapping[str, Any],
        stream_name: object = ALL,
        fields: Fields = None,
        hand_out: Callable[[str, Doc], Doc] = lambda _, document: document,
        **options: Any,
    ) -> None:
        super().__init__(session, start, **options)
        self._stream_name = stream_name
        self._wanted = Wanted(fields)
        self._hand_out = hand_out
        self._chosen: dict[Owner, FieldSelection] = {}
        self._external: dict[Owner, Iterable[str]] = {}

    def _news(self, outline: Outline) -> Iterator[tuple[str, Doc]]:
        for kind, document in self._stored(outline):
            yield kind, self._hand_out(kind, document)

    def _stored(self, outline: Outline) -> Iterator[tuple[str, Doc]]:
        progress = self._progress
        if not progress.started:
            progress.started = True
            yield "start", deepcopy(dict(self._start))
        # Events may refer to what was stored while rows were counted.
        rows = self._outline().rows if _has_more(outline, progress.rows) else outline.rows
        yield from self._new_linked(rows)
        for owner, count in rows.items():
            if owner in progress.rows and owner[0] != "event":
                for row, ordinal in self._rows(owner, ALL_COLUMNS, count):
                    progress.rows[owner] = ordinal + 1
                    yield owner[0], row
        yield from self._events(outline)
        if outline.stop is not None and not progress.ended:
            self._wanted.check()
            progress.ended = True
            yield "stop", self._session.transforms("stop", deepcopy(outline.stop))

    def _new_linked(self, rows: Iterable[Owner]) -> Iterator[tuple[str, Doc]]:
        for kind, document in self._linked(rows):
            owner = (ROWS[kind], document["uid"])
            if kind == "descriptor" and not self._choose(owner, document):
                continue
            if owner not in self._progress.rows:
                self._progress.rows[owner] = 0
                yield kind, document

    def _choose(self, owner: Owner, descriptor: Doc) -> bool:
        """Choose what is wanted of a descriptor's events; tell whether its stream is."""
        name = stream_name(descriptor)
        if self._stream_name not in (ALL, name):
            return False
        stream = Stream(self._session, name, [descriptor], self._start, {})
        self._chosen[owner] = stream.select(self._wanted.of([stream]))
        self._external[owner] = external_fields([descriptor])
        if self._stream_name is not ALL:
            self._wanted.check(strict=True)
        return True

    def _events(self, outline: Outline) -> Iterator[tuple[str, Doc]]:
        flows = [
            self._rows(owner, _columns(fields), outline.rows.get(owner, 0))
            for owner, fields in self._chosen.items()
        ]
        for event, ordinal in heapq.merge(*flows, key=_order):
            owner = ("event", event["descriptor"])
            self._progress.rows[owner] = ordinal + 1
            flag(event, self._external[owner])
            fields = self._chosen[owner]
            for name, source in fields.extras.items():
                source.add_to(event, name)
            if fields.data is None or event["data"]:
                yield "event", event

    def _rows(self, owner: Owner, columns: Selection, stop: int) -> Iterator[tuple[Doc, int]]:
        """Yield new rows in the order of their arrival, each with its ordinal."""
        ordinal = self._progress.rows[owner]
        if ordinal < stop:
            for batch in self._reads.rows(*owner, columns, ordinal, stop):
                for row in to_rows(*owner, batch):
                    yield row, ordinal
                    ordinal += 1


def _has_more(outline: Outline, given: dict[Owner, int]) -> bool:
    """Tell whether there are events that were not given."""
    return any(
        kind == "event" and count > given.get((kind, uid), 0)
        for (kind, uid), count in outline.rows.items()
    )


def _columns(fields: FieldSelection) -> Selection:
    wanted = fields.data
    if wanted is None:
        return ALL_COLUMNS
    return Selection(frozenset(wanted), frozenset(wanted), others=True)


def _order(each: tuple[Doc, int]) -> tuple[float, str]:
    return each[0]["time"], each[0]["uid"]
