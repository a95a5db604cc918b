"""Handlers as something that gives the data of datums, whoever wrote them and whatever they can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...columns.cells import cells_of
from ..fields.grouping import Inner
from ..fields.reader import Array, Check, Look
from .builtin import FrameHandler
from .specs import Doc


class HandlerSource:
    """A handler of somebody else: called for each datum, and asked for more if it can do more.

    What it may be able to do is in docs/external.md.
    """

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def look(self, datum: Doc, cheaply: bool = False) -> Look | None:
        """Return what its data are like; None if only reading them tells, and that is too much."""
        handler = self._handler
        if hasattr(handler, "form"):
            shape, dtype = handler.form(**datum)[:2]
            blocks = handler.blocks(**datum) if hasattr(handler, "blocks") else None
            rows, *inner = blocks or (1, *shape)
            kept = bool(getattr(handler, "keeps", False))
            return Look(tuple(shape), np.dtype(dtype), rows, tuple(inner) if blocks else None, kept)
        if cheaply:
            return None
        value = as_array(handler(**datum))
        return Look(value.shape, value.dtype)

    def values(self, datums: Sequence[Doc]) -> list[Any]:
        """Return the data of each datum."""
        return [as_array(self._handler(**datum)) for datum in datums]

    def read(self, datums: Sequence[Doc], check: Check, inner: Inner, out: Array) -> None:
        """Put what `inner` selects of each datum into a row of an array."""
        # Of what cannot be read together, one by one may tell which it is.
        if len(datums) > 1 and hasattr(self._handler, "read_into"):
            for datum in datums:
                check(*self._handler.form(**datum)[:2])
            self._handler.read_into(out, inner, datums)
            return
        for row, datum in enumerate(datums):
            out[row] = self._part(datum, check, inner)

    def regions(self, datums: Sequence[Doc]) -> Iterator[tuple[int, None]]:
        """Say that nobody knows where the data are."""
        yield len(datums), None

    def _part(self, datum: Doc, check: Check, inner: Inner) -> Array:
        handler = self._handler
        if hasattr(handler, "part") and hasattr(handler, "form"):
            check(*handler.form(**datum)[:2])
            return as_array(handler.part(inner, **datum))
        whole = as_array(handler(**datum))
        check(whole.shape, whole.dtype)
        return whole[inner]


DatumSource = FrameHandler | HandlerSource
"""What gives the data of datums, each of which stands for some arguments."""


def source_of(handler: Any) -> DatumSource:
    """Return a handler as what gives the data of datums."""
    # A subclass may have been made to give something else.
    if isinstance(handler, FrameHandler) and type(handler).__call__ is FrameHandler.__call__:
        return handler
    return HandlerSource(handler)


def as_array(value: Any) -> Array:
    """Return what a handler gave as an array: computed if it is lazy, objects if it is ragged."""
    if hasattr(value, "__dask_graph__"):
        # In this thread: the file may be closed, or used by another one, afterwards.
        value = value.compute(scheduler="synchronous")
    try:
        return np.asarray(value)
    except ValueError:
        return cells_of(value)
