"""Runs as stores hold them: what each consists of, and where its rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..documents.kinds import ROWS

if TYPE_CHECKING:
    import pyarrow as pa

    from .rows import Extent

Doc = dict[str, Any]

Documents = Iterator[tuple[str, Doc]]

Owner = tuple[str, str]
"""A kind of rows, and the uid of the document that some of these belong to."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a run consists of at one moment, without what is in it.

    Attributes
    ----------
    start, stop
        Its documents; None for a stop that is not there.
    rows
        How many rows each of its descriptors, resources and stream resources has. So a document
        that is not there is told from one without rows.
    """

    start: Doc
    stop: Doc | None
    rows: Mapping[Owner, int]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as a store holds it at one moment.

    Attributes
    ----------
    start, stop
        Its documents; None for a stop that is not there.
    linked
        Its descriptors, resources and stream resources, each after its kind.
    extents
        Where the rows of each of those are.
    batches
        The rows themselves, of a run that has few: they were read with all the rest.
    """

    start: Doc
    stop: Doc | None
    linked: Sequence[tuple[str, Doc]]
    extents: Mapping[Owner, Sequence[Extent]]
    batches: Mapping[Owner, Sequence[pa.RecordBatch]] | None = field(default=None, repr=False)

    @property
    def uid(self) -> str:
        """The uid of the run."""
        uid: str = self.start["uid"]
        return uid

    @property
    def outline(self) -> Outline:
        """What the run consists of."""
        rows = {owner: sum(one.rows for one in found) for owner, found in self.extents.items()}
        return Outline(self.start, self.stop, rows)

    def documents(self, batches: Callable[[Owner], Iterable[pa.RecordBatch]]) -> Documents:
        """Yield its documents, each after those that it refers to; the stop comes last.

        Its rows are those of the batches that a function gives for each owner.
        """
        from ..columns import to_rows

        yield "start", self.start
        yield from self.linked
        for kind, uid in owners_of(self.linked):
            for batch in batches((kind, uid)):
                for row in to_rows(kind, uid, batch):
                    yield kind, row
        if self.stop is not None:
            yield "stop", self.stop


def owners_of(linked: Iterable[tuple[str, Doc]]) -> list[Owner]:
    """Return what may have rows in a run; those whose rows others refer to come first."""
    owners = [(ROWS[kind], doc["uid"]) for kind, doc in linked]
    return sorted(owners, key=lambda owner: owner[0] == "event")
