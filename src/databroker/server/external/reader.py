"""External values: the server reads them as it would for itself, and sends them in pieces.

Whoever asks names a run, a field and what refers to its values. Which files these are in is said by
documents that they may see, and by the root map, handlers and `allowed_roots` of the server.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...documents.encode import encode
from ...documents.normalise import normalise_column
from ...errors import FileRefused, InvalidRequest, NoSuchRun
from ...external.fields.datum_field import Loader
from ...external.fields.reader import LARGEST, PAGE_BYTES, rows_ahead, whole
from ...external.fields.referred import Referred, ReferredDatums, ReferredStretches
from ...external.fields.resource_values import Opener, StreamSource
from ...external.registry import Registry
from ...query.time_limit import check_time
from ...stores.external import Buffer, ExternalValues, Head, Part, Seen, Stretch
from ...stores.store_ref import StoreRef
from .errors import without_paths

if TYPE_CHECKING:
    from ...runs.session import Session

_PIECE = 2**20
"""How many bytes are sent at once."""

_HUGE = 2**31
"""More bytes are not read at once, whatever shape is asked for."""

_COUNTED = 4096
"""How many values are counted at once: documents may speak of more than there will ever be."""


class ExternalReader:
    """External values of a field as a caller may read them.

    Parameters
    ----------
    session
        The runs that the caller may see, and how these and their files are read.
    allow_writing
        Whether documents can be inserted, by whomever.
    values
        What is asked for.
    """

    def __init__(self, session: Session, allow_writing: bool, values: ExternalValues) -> None:
        self._session = session if values.run is None else session_of(session, values.run)
        self._allow_writing = allow_writing
        self._values = values

    def see(self, cheaply: bool = False) -> Seen | None:
        """Return what the values are like; see `Store.see_external`."""
        with without_paths():
            look = self._referred().look(cheaply)
            return None if look is None else Seen(*look)

    def count(self) -> int:
        """Return how many of the values are there; see `Store.count_external`."""
        found = 0
        with without_paths():
            for page in self._referred().pages(_COUNTED):
                check_time()
                found += page.count()
        return found

    def read(self, part: Part | None) -> Iterator[Head | Buffer]:
        """Yield the bytes of the values; see `Store.read_external`."""
        with without_paths():
            referred = self._referred()
            yield from each(referred) if part is None else alike(referred, part)

    def _referred(self) -> Referred:
        """Return the values as documents that the caller may see have them."""
        asked, session = self._values, self._session
        check_opens(session.registry, self._allow_writing)
        store, registry = session.store, session.registry
        if not asked.references or isinstance(asked.references[0], str):
            loader = Loader(store, registry, asked.run, session.transforms)
            return ReferredDatums(loader, cast("list[str]", asked.references), asked.field)
        documents = list(store.documents(asked.run or "", ["descriptor", "stream_resource"]))
        data_key = _data_key(documents, asked)
        opener = Opener(
            registry,
            asked.run,
            asked.field or "",
            data_key,
            asked.descriptor,
            StoreRef(store),
        )
        stretches = cast("list[Stretch]", asked.references)
        uids = {uid for uid, _, _ in stretches}
        sources = {
            doc["uid"]: StreamSource.of(doc)
            for kind, doc in documents
            if kind == "stream_resource" and doc["uid"] in uids
        }
        return ReferredStretches(opener, sources, stretches)


def session_of(session: Session, run: str) -> Session:
    """Return how a run is read: of one of several sources, as that is.

    Raises
    ------
    NoSuchRun
        It is none that the caller may see.
    """
    record = session.store.record(run)
    if record is None:
        raise NoSuchRun(f"No run has the uid {run!r}.")
    return session.of(record)


def check_opens(registry: Registry, allow_writing: bool) -> None:
    """See that files may be opened.

    Raises
    ------
    FileRefused
        They may not.
    """
    if is_too_open(registry, allow_writing):
        raise FileRefused(
            "This server lets documents be inserted, so it opens files only below folders that "
            "its configuration names: it needs 'allowed_roots'."
        )


def is_too_open(registry: Registry, allow_writing: bool) -> bool:
    """Tell whether whoever may insert a document could have any file read that it points to."""
    return allow_writing and not registry.guard


def _data_key(documents: list[tuple[str, dict[str, Any]]], asked: ExternalValues) -> dict[str, Any]:
    """Return what the descriptor that was named says of the field."""
    declaring = (
        doc for kind, doc in documents if kind == "descriptor" and doc["uid"] == asked.descriptor
    )
    data_keys: dict[str, Any] = next(declaring, {"data_keys": {}})["data_keys"]
    found = data_keys.get(asked.field or "")
    if not isinstance(found, dict):
        raise InvalidRequest(f"No descriptor of the run says what {asked.field!r:.80} is.")
    return found


def alike(referred: Referred, part: Part) -> Iterator[Buffer]:
    """Yield the bytes of what is wanted of values that are alike."""
    slices = [*part.inner, *[slice(None)] * (len(part.shape) - len(part.inner))]
    inner = tuple(slice(*each.indices(n)) for each, n in zip(slices, part.shape, strict=True))
    shape = tuple(len(range(*each.indices(n))) for each, n in zip(inner, part.shape, strict=True))
    row_bytes = math.prod(shape) * part.dtype.itemsize
    if not row_bytes:
        return
    rows = max(PAGE_BYTES // row_bytes, 1)
    if referred.number > rows and (look := referred.look(cheaply=True)) is not None:
        together = whole(rows, look.rows)
        rows = together if together * row_bytes <= LARGEST else rows
    for page in referred.pages(rows):
        for slab, sizes in _slabs(inner, shape, part.dtype.itemsize):
            out = np.empty((page.number, *sizes), part.dtype)
            page.read(part.shape, slab, out)
            yield from _pieces(out)


def each(referred: Referred) -> Iterator[Head | Buffer]:
    """Yield each value as it is: what it is like, and its bytes."""
    look = referred.look(cheaply=True)
    for page in referred.pages(1 if look is None else rows_ahead(look.bytes)):
        large = page.look(cheaply=True) if look is not None and look.bytes > LARGEST else None
        if large is not None:
            yield Head(large.shape, large.dtype, True)
            yield from alike(page, Part(large.shape, large.dtype, ()))
            continue
        for value in page.values():
            array = np.asarray(value, object if isinstance(value, str) else None)
            yield Head(array.shape, array.dtype, isinstance(value, np.ndarray))
            yield from _pieces(array)


def _slabs(
    inner: tuple[slice, ...], shape: tuple[int, ...], itemsize: int
) -> Iterator[tuple[tuple[slice, ...], tuple[int, ...]]]:
    """Yield parts of a value along its first axis, none of them too large, and their shapes."""
    row_bytes = math.prod(shape) * itemsize
    line = row_bytes // shape[0] if shape else row_bytes
    if line > _HUGE:
        raise InvalidRequest(f"A part of {line} bytes is more than is read at once.")
    if row_bytes <= LARGEST or not shape:
        yield inner, shape
        return
    step = max(LARGEST // line, 1)
    for first in range(0, shape[0], step):
        chosen = range(inner[0].start, inner[0].stop, inner[0].step)[first : first + step]
        slab = slice(chosen[0], chosen[-1] + 1, chosen.step)
        yield (slab, *inner[1:]), (len(chosen), *shape[1:])


def _pieces(array: np.ndarray[Any, Any]) -> Iterator[Buffer]:
    """Yield the bytes of an array; of objects, what documents keep of them."""
    if not array.size:
        return
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype.hasobject:
        yield encode(list(normalise_column(flat.tolist(), "", [])))
        return
    data = flat.view(np.uint8).data
    for first in range(0, len(data), _PIECE):
        yield data[first : first + _PIECE]
