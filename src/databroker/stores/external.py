"""What a store is asked of data that its documents only point to.

Most stores have the documents alone: whoever reads opens the files. A store behind a server asks
that for values of a field, by what refers to them in the documents; no path is ever said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..errors import NotSupported
from .arrays import elsewhere

if TYPE_CHECKING:
    import numpy as np

    from ..documents.kinds import Document

Stretch = tuple[str, int, int]
"""Values of a stream resource: its uid, the index of the first, and that after the last."""

Buffer: TypeAlias = "bytes | memoryview"


@dataclass(frozen=True, slots=True)
class ExternalValues:
    """Values of a field, by what refers to them.

    Attributes
    ----------
    references
        The ids of datums, or stretches of stream resources.
    run, field
        The uid of the run, and the name of the field, where they are known.
    descriptor
        The uid of a descriptor that declares the field; stream resources need it.
    """

    references: Sequence[str] | Sequence[Stretch]
    run: str | None = None
    field: str | None = None
    descriptor: str | None = None


class Seen(NamedTuple):
    """What values are like, as some of them were seen.

    Attributes
    ----------
    shape, dtype
        Of one event's value.
    rows
        How many events are stored together.
    inner
        In which blocks a value is stored; None if in one.
    kept
        Whether what is stored together is kept when some of it is read.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: int
    inner: tuple[int, ...] | None
    kept: bool


class Part(NamedTuple):
    """What is wanted of each of several values, all of which must be alike.

    Attributes
    ----------
    shape, dtype
        The shape of each, and the type that is wanted.
    inner
        A slice that goes forwards for each dimension.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    inner: tuple[slice, ...]


class Head(NamedTuple):
    """What stands before the bytes of a value that comes by itself."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_array: bool  # or a number or text by itself


@dataclass(frozen=True)
class ExternalFile:
    """A file that a run refers to.

    Attributes
    ----------
    path
        Where it is sought; a folder, where that is one array. Of one at a server, where it was
        recorded.
    exists
        Whether it is there.
    size
        In bytes; None where it is not there.
    fields
        The fields that it belongs to.
    run
        The uid of the run.
    resource
        The uid of its resource or stream resource; of several, the first.
    spec
        Its spec or mimetype.
    recorded
        Where the resource was when it was written.
    problem
        Why not more is known: no handler, a damaged file, ...
    at_server
        Whether it is there for the server of the runs, which reads it for this machine.
    """

    path: str
    exists: bool
    size: int | None
    fields: tuple[str, ...]
    run: str
    resource: str
    spec: str
    recorded: str
    problem: str | None = None
    at_server: bool = False


class ExternalContract:
    """The part of the contract of stores that is about external data."""

    def read_array(self, document: Document, place: Sequence[slice]) -> np.ndarray[Any, Any]:
        """Return a part of the data of a stream resource that the store has (`stores/arrays.py`).

        `document` is as this store gave it; `place` has a slice that goes forwards for each of
        the first dimensions.

        Raises
        ------
        ExternalDataMissing
            They are not in this store, or cannot be read there.
        """
        raise elsewhere(document)

    def see_external(self, values: ExternalValues, cheaply: bool = False) -> Seen | None:
        """Return what external values are like; None if none can be seen.

        Only a store whose `capabilities` say so has external values opened where they are.

        Parameters
        ----------
        values
            Which.
        cheaply
            Whether none is to be read, where only that would tell.
        """
        raise NotSupported(f"{self} has no external data opened.")

    def count_external(self, values: ExternalValues) -> int:
        """Return how many of some external values are there now; the rest may be still to come."""
        raise NotSupported(f"{self} has no external data opened.")

    def list_external(self, uid: str) -> Iterator[ExternalFile]:
        """Yield the external files of a run, each once, as they are where they are opened.

        Nothing is raised for those that are missing, or that nothing can open.
        """
        raise NotSupported(f"{self} has no external data opened.")

    def read_external(
        self, values: ExternalValues, part: Part | None = None
    ) -> Iterator[Head | Buffer]:
        """Yield the bytes of external values, in order, some at a time.

        Of Python objects, each piece is the encoding of a list of them.

        Parameters
        ----------
        values
            Which.
        part
            What is wanted of each, where all are alike: nothing but bytes is yielded then. Else
            each is whole, as it is, and comes after a `Head`.

        Raises
        ------
        ExternalDataMissing, NoHandler
            One cannot be had. Some of those before it were yielded.
        ShapesDiffer
            One is not like the others.
        """
        raise NotSupported(f"{self} has no external data opened.")
