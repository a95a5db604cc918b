"""How the frames of a file are grouped into the values of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import HandlerFailed
from ..readers.base import Array, Declared, FrameReader, Region
from ..references import Problem
from .reader import CHUNK_BYTES, Look, apart

Inner = tuple[slice, ...]

_APART = 2**15  # bytes of a value, above which reading many by themselves beats copying them


@dataclass(frozen=True)
class Grouping:
    """Which frames are one value; values are counted from 0."""

    each: int | None = 1  # how many frames a value has; None for all that there are
    own_axis: bool = True  # whether a value has an axis for its frames
    cut_short: bool = False  # whether the last value may have fewer frames

    def span(self, frames: FrameReader, number: int) -> tuple[int, int]:
        """Return which frames a value has: a half-open range."""
        if self.each is None:
            return 0, frames.length() or 0
        first = number * self.each
        if first < 0:
            raise Problem(HandlerFailed, f"its datum asks for frame {first}, which cannot be")
        stop = first + self.each
        length = frames.length(stop) if self.cut_short else None
        if length is not None and length < stop:
            stop = max(length, first + 1)
        return first, stop

    def look(self, frames: FrameReader, number: int | None = None) -> Look | None:
        """Return what a value is like, or all of them; None if only reading it tells."""
        first, stop = (0, self.each or 0) if number is None else self.span(frames, number)
        count, form = stop - first, (frames.frame_shape, frames.dtype)
        known = form if number is None or not count else frames.form(stop - 1)
        if known is None:
            return None
        shape, dtype = known
        rows, inner = (frames.chunks[0], frames.chunks[1:]) if frames.chunks else (1, None)
        if self.own_axis:
            shape = (count, *shape)
            inner = (min(rows, count), *inner) if inner is not None else None
            rows = max(rows // max(count, 1), 1)
        return Look(shape, dtype, rows, inner, frames.keeps)

    def value(self, frames: FrameReader, number: int) -> Array:
        """Return one value."""
        first, stop = self.span(frames, number)
        values = frames.read(first, stop, ())
        return values if self.own_axis else values[0]

    def values(self, frames: FrameReader, numbers: range) -> list[Any]:
        """Return values that follow each other, each an array of its own."""
        look = None if frames.apart or self.each is None else self.look(frames, numbers[-1])
        if look is None or self._is_better_single(frames, look, len(numbers)):
            return [self.value(frames, number) for number in numbers]
        assert self.each is not None
        values = frames.read(numbers.start * self.each, numbers.stop * self.each, ())
        if self.own_axis:
            values = values.reshape(-1, self.each, *values.shape[1:])
        return apart(values)

    def region(self, frames: FrameReader, numbers: range) -> Region | None:
        """Return where values that follow each other are; None if that is no HDF5 file."""
        start, stop = self.span(frames, numbers[0])[0], self.span(frames, numbers[-1])[1]
        whole = (stop - start) == len(numbers) * (self.each or stop - start)
        return frames.region(start, stop) if whole else None

    def read_into(self, frames: FrameReader, first: int, inner: Inner, out: Array) -> None:
        """Put what `inner` selects of values that follow each other into the rows of an array."""
        if not self.own_axis:
            _read_blocks(frames, first, inner, out)
            return
        start, stop = self.span(frames, first)
        each = stop - start
        chosen = range(each)[inner[0]] if inner else range(each)
        if len(chosen) == each:
            flat = out.reshape(-1, *out.shape[2:])
            _read_blocks(frames, start, inner[1:], flat)
            if not np.may_share_memory(flat, out):
                out[:] = flat.reshape(out.shape)
            return
        for row in range(len(out) if chosen else 0):
            low = start + row * each
            if chosen.step == 1:
                frames.read_into(low + chosen.start, low + chosen.stop, inner[1:], out[row])
            else:
                values = frames.read(low + chosen.start, low + chosen[-1] + 1, inner[1:])
                out[row] = values[:: chosen.step]

    def _is_better_single(self, frames: FrameReader, look: Look, several: int) -> bool:
        short = self.own_axis and look.shape[0] != self.each
        return short or several == 1 or (look.bytes >= _APART and (look.kept or look.rows == 1))


def grouping_of_events(declared: Declared, multiplier: Any, join: str, ndim: int) -> Grouping:
    """Return which frames an event of a stream resource has.

    How many dimensions a frame has in the file (`ndim`) settles what is declared loosely.
    """
    shape = declared.shape or ()
    if join == "stack":
        return Grouping(1, False)
    if multiplier and int(multiplier) > 1:
        return Grouping(int(multiplier), True)
    if len(shape) != ndim + 1:
        return Grouping(1, False)
    # A number that is declared as an array of one is a number.
    return Grouping(shape[0], not (declared.number and shape == (1,)))


def runs(numbers: Sequence[int]) -> Iterator[range]:
    """Yield numbers as stretches that follow each other."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield range(numbers[start], numbers[place - 1] + 1)
            start = place


def _read_blocks(frames: FrameReader, first: int, inner: Inner, out: Array) -> None:
    """Read frames in blocks: a large slice must not take twice its size."""
    size = max(1, CHUNK_BYTES // max(out[:1].nbytes, 1))
    if frames.chunks:
        size = -(-size // frames.chunks[0]) * frames.chunks[0]
    for start in range(0, len(out), size):
        stop = min(start + size, len(out))
        frames.read_into(first + start, first + stop, inner, out[start:stop])
