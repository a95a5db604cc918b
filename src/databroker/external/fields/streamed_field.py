"""Fields whose values are in the files of stream resources."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._util.signals import from_signal
from ...errors import DatabrokerError, ExternalDataMissing
from ..handler_cache import identity
from ..readers.base import Declared, FrameReader, reader_of
from ..references import (
    DataReference,
    FileDamaged,
    FramesMissing,
    data_error,
    failure,
    with_context,
)
from .filling import UNREADABLE
from .reader import Look, apart, common, leave_out, spread
from .stream_index import Claims, FramePlaces
from .stream_resource import StreamSource

if TYPE_CHECKING:
    from ..registry import Registry

__all__ = ["StreamReader"]

Array = np.ndarray[Any, Any]
Doc = Mapping[str, Any]

_BLOCK_BYTES = 16 * 2**20
_APART = 2**15  # bytes of a value, above which reading many by themselves beats copying them


@contextlib.contextmanager
def opened_frames(
    registry: Registry, source: StreamSource, declared: Declared, reference: DataReference
) -> Iterator[FrameReader]:
    """Lend the frames of a stream resource for the length of a ``with`` block.

    Raises
    ------
    NoHandler
        Nothing reads its mimetype.
    ExternalDataMissing
        Its files cannot be opened, or what is done in the block fails.
    """
    opener = reader_of(source.mimetype, registry.mimetypes, reference)
    place = registry.place(source.document, reference)
    key = (str(source.document.get("uid")), opener, place.path, identity(place.path), declared)
    guard = registry.guard

    def make() -> Any:
        return opener(place.path, source.parameters, declared, guard)

    try:
        with registry.acquire(key, make, bool(getattr(opener, "thread_safe", False))) as frames:
            yield frames
    except DatabrokerError as error:
        raise with_context(error, reference) from error.__cause__
    except Exception as error:  # of h5py, tifffile, ...
        if from_signal(error):
            raise
        raise data_error(error, reference, place) from error


class StreamReader:
    """Reads a streamed field by events. It needs no store, and can be pickled.

    Parameters
    ----------
    registry
        Root map and readers.
    run, field
        For errors.
    data_key
        What the descriptor says of the field.
    sources
        The stream resources of the field.
    claims
        What of them the stream datums say to be values of events.
    places
        Where the value of each event is; None to read single values.
    seq_nums
        The numbers of the events, for errors.
    absent
        Which of them are of a descriptor without the field; None if none are.
    """

    def __init__(
        self,
        registry: Registry,
        run: str | None,
        field: str,
        data_key: Doc,
        sources: Sequence[StreamSource],
        claims: Claims,
        places: FramePlaces | None = None,
        seq_nums: Array | None = None,
        absent: Array | None = None,
    ) -> None:
        self._registry = registry
        self._run = run
        self._field = field
        self._declared = Declared.by(data_key)
        self._sources = list(sources)
        self._uids = [str(source.document["uid"]) for source in sources]
        self._claims = claims
        self._places = FramePlaces.nowhere(0) if places is None else places
        self._seq_nums = seq_nums
        self._absent = absent

    @property
    def rows(self) -> int:
        """How many events there are."""
        return len(self._places.part)

    @property
    def gaps(self) -> bool:
        """Whether some events are of a descriptor without the field."""
        return self._absent is not None

    def identity(self) -> tuple[Any, ...]:
        """Return what tells this reader from any other, for dask's names."""
        root_map = sorted(self._registry.root_map.items())
        return ("stream", self._run, self._field, self._uids, root_map, *self._places)

    def uncovered(self, seq_num: int | None = None) -> Exception:
        """Return the error for an event of which nothing says where its value is."""
        event = "an event" if seq_num is None else f"event {seq_num}"
        return failure(
            FramesMissing,
            DataReference(self._run, self._field),
            None,
            f"no stream datum says where the value of {event} is",
            "If the run is going on, try again later.",
        )

    def look(self) -> Look | None:
        """Return what the values are like; None if no file can be opened."""
        found: list[Look] = []
        for part in spread(list(dict.fromkeys(self._claims.part.tolist()))):
            with contextlib.suppress(*UNREADABLE), self._opened(part) as frames:
                found.append(self._look(part, frames))
        return common(found)

    def count(self) -> int:
        """Return how many events have their value in a file by now."""
        there = 0
        for start, stop in self._places.stretches():
            part, first = self._place(start)
            if part < 0:
                continue
            with contextlib.suppress(*UNREADABLE), self._opened(part) as frames:
                each, _ = self._layout(part, frames)
                there += frames.count(first * each, (first + stop - start) * each) // each
        return there

    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put the values of some events, and of each what `inner` selects, into an array."""
        chosen = FramePlaces(*(column[places] for column in self._places))
        for start, stop in chosen.stretches():
            place = int(places[start])
            part, first = self._place(place)
            if part >= 0:
                self.stretch(part, first, shape, inner, out[start:stop])
            elif self._absent is not None and self._absent[place]:
                leave_out(out[start:stop])
            else:
                raise self.uncovered(None if self._seq_nums is None else int(self._seq_nums[place]))

    def stretch(
        self, part: int, first: int, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put values that follow each other in one resource into an array.

        Parameters
        ----------
        part
            The number of the resource.
        first
            The index of the first of them in it.
        shape, inner
            As in `read`.
        """
        with self._reading(part) as frames:
            self._check(self._look(part, frames), shape, out.dtype)
            self._read(part, frames, first, inner, out)

    def values(self, part: int, first: int, stop: int) -> list[Array]:
        """Return whole values that follow each other in one resource, each an array of its own.

        Parameters
        ----------
        part
            The number of the resource.
        first, stop
            Their indices in it.
        """
        with self._reading(part) as frames:
            each, own_axis = self._layout(part, frames)
            whole = tuple(slice(0, size, 1) for size in frames.frame_shape)

            def read(start: int, end: int) -> Array:
                found = frames.read(start * each, end * each, whole)
                return found.reshape(-1, each, *found.shape[1:]) if own_axis else found

            look = self._look(part, frames)
            if look.bytes >= _APART and (look.kept or look.rows == 1):
                return [read(index, index + 1)[0] for index in range(first, stop)]
            return apart(read(first, stop))

    def single(self, reference: str) -> StreamReader:
        """Return a reader of the one value that '<stream resource>/<index>' stands for.

        Raises
        ------
        ExternalDataMissing
            This field has no such resource.
        """
        uid, _, place = reference.rpartition("/")
        found = copy(self)
        found._places = FramePlaces(np.array([self.part(uid)[0]]), np.array([int(place)]))
        found._seq_nums = found._absent = None
        return found

    def knows(self, reference: str) -> bool:
        """Tell whether a reference is to a value of one of the resources."""
        uid, _, place = reference.rpartition("/")
        return place.isdecimal() and uid in self._uids

    def part(self, uid: str) -> tuple[int, int]:
        """Return the number of a resource, and how many values it has by the documents.

        Raises
        ------
        ExternalDataMissing
            This field has no such resource.
        """
        if uid not in self._uids:
            raise failure(
                ExternalDataMissing,
                DataReference(self._run, self._field),
                None,
                f"there is no stream resource {uid!r}",
                "Were all documents of the run inserted?",
            )
        return self._uids.index(uid), self._end(self._uids.index(uid))

    def files(self) -> list[tuple[StreamSource, str]]:
        """Return the files of all events, each with its resource."""
        found: dict[str, StreamSource] = {}
        stretches = [
            (int(part), int(index), int(index + stop - first))
            for first, stop, index, part, _ in zip(*self._claims, strict=True)
        ]
        # Before its first event, a resource may have a file, but no file of a sequence.
        waiting = set(range(len(self._sources))) - {part for part, _, _ in stretches}
        for part, first, stop in [*stretches, *((part, 0, 0) for part in sorted(waiting))]:
            with self._opened(part) as frames:
                each, _ = self._layout(part, frames)
                for path in frames.files(first * each, stop * each):
                    found.setdefault(path, self._sources[part])
        return [(source, path) for path, source in found.items()]

    def _end(self, part: int) -> int:
        """Return how many events a resource has by the documents."""
        claims = self._claims.some(self._claims.part == part)
        return int((claims.place + claims.stop - claims.first).max(initial=0))

    def _place(self, row: int) -> tuple[int, int]:
        """Return the resource of an event's value, and its index there."""
        return int(self._places.part[row]), int(self._places.place[row])

    def _read(
        self, part: int, frames: FrameReader, first: int, inner: tuple[slice, ...], out: Array
    ) -> None:
        each, own_axis = self._layout(part, frames)
        if not own_axis:
            self._blocks(frames, first, inner, out)
            return
        chosen = range(each)[inner[0]] if inner else range(each)
        rest = inner[1:]
        if len(chosen) == each:
            flat = out.reshape(-1, *out.shape[2:])
            self._blocks(frames, first * each, rest, flat)
            if not np.may_share_memory(flat, out):
                out[:] = flat.reshape(out.shape)
            return
        for row in range(len(out) if chosen else 0):
            start = (first + row) * each
            values = frames.read(start + chosen.start, start + chosen[-1] + 1, rest)
            out[row] = values[:: chosen.step]

    def _blocks(
        self, frames: FrameReader, first: int, inner: tuple[slice, ...], out: Array
    ) -> None:
        """Read frames in blocks: a large slice must not take twice its size."""
        size = max(1, _BLOCK_BYTES // max(out[:1].nbytes, 1))
        if frames.chunks:
            size = -(-size // frames.chunks[0]) * frames.chunks[0]
        for start in range(0, len(out), size):
            stop = min(start + size, len(out))
            frames.read_into(first + start, first + stop, inner, out[start:stop])

    def _check(self, found: Look, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        if found.shape != shape:
            differ = f"the shape {list(shape)} was expected, and one has {list(found.shape)}"
        elif not np.can_cast(found.dtype, dtype):
            differ = f"{dtype} was expected, and one has {found.dtype}"
        else:
            return
        reference = DataReference(self._run, self._field)
        raise failure(FileDamaged, reference, None, f"its files do not agree: {differ}")

    def _look(self, part: int, frames: FrameReader) -> Look:
        each, own_axis = self._layout(part, frames)
        shape = (each, *frames.frame_shape) if own_axis else frames.frame_shape
        rows, inner = 1, None
        if frames.chunks:
            rows = max(1, frames.chunks[0] // each)
            inner = ((each,) if own_axis else ()) + tuple(frames.chunks[1:])
        return Look(shape, frames.dtype, rows, inner, frames.keeps)

    def _layout(self, part: int, frames: FrameReader) -> tuple[int, bool]:
        """Return how many frames an event has, and whether its value has an axis for them."""
        parameters = self._sources[part].parameters
        join = parameters.get("join_method") or frames.join
        return frames_of_event(self._declared, parameters.get("multiplier"), str(join), frames.ndim)

    @contextlib.contextmanager
    def _reading(self, part: int) -> Iterator[FrameReader]:
        """Lend the frames of a resource; if some are missing, say how many there should be."""
        try:
            with self._opened(part) as frames:
                yield frames
        except FramesMissing as error:
            announced = f" The documents announce {self._end(part)} events in it."
            told = FramesMissing(f"{error}{announced}")
            told.__dict__.update(error.__dict__, problem=f"{vars(error)['problem']}{announced}")
            raise told from error.__cause__

    @contextlib.contextmanager
    def _opened(self, part: int) -> Iterator[FrameReader]:
        source = self._sources[part]
        uid = str(source.document.get("uid"))
        reference = DataReference(self._run, self._field, uid, source.mimetype)
        with opened_frames(self._registry, source, self._declared, reference) as frames:
            yield frames


def frames_of_event(declared: Declared, multiplier: Any, join: str, ndim: int) -> tuple[int, bool]:
    """Return how many frames an event has, and whether its value has an axis for them.

    Parameters
    ----------
    multiplier, join
        As the stream resource says.
    ndim
        How many dimensions a frame has in the file, which settles what is declared loosely.

    Examples
    --------
    >>> frames_of_event(Declared((1, 480, 640)), None, "concat", 2)
    (1, True)
    >>> frames_of_event(Declared((480, 640)), None, "concat", 2)
    (1, False)
    >>> frames_of_event(Declared((480, 640)), 5, "concat", 2)
    (5, True)
    """
    shape = declared.shape or ()
    if join == "stack":
        return 1, False
    if multiplier and int(multiplier) > 1:
        return int(multiplier), True
    if len(shape) != ndim + 1:
        return 1, False
    # A number that is declared as an array of one is a number.
    return shape[0], not (declared.number and shape == (1,))
