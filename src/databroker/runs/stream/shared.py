"""Several narrow fields of a stream, read together: thousands of columns cost one look."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...columns.to_numpy import cast_lossless, dense, fits, value_kinds
from .layout import PAGE_BYTES, Layout, Window
from .rows import Chunk, EventSource
from .schema import FieldSchema, Variable, columns_of

Array = np.ndarray[Any, Any]

_NARROW = 64  # bytes a row


class SharedFields:
    """The values of several fields in the window that was read last.

    The fields of a lazy dataset are computed one by one, though they are stored together.
    Without this, each of them would unpack the rows of all.
    """

    def __init__(
        self, layout: Layout, variables: Sequence[Variable], known: Mapping[str, FieldSchema]
    ) -> None:
        self._layout = layout
        self._variables = variables
        self._known = known
        self._kept: tuple[Window, dict[str, Array | None]] | None = None
        self._lock = threading.Lock()

    @classmethod
    def among(
        cls, layout: Layout, variables: Sequence[Variable], known: Mapping[str, FieldSchema]
    ) -> SharedFields | None:
        """Return those of some fields that are narrow; None if together they are too large."""
        narrow = [each for each in variables if known[each.name].row_bytes <= _NARROW]
        size = layout.rows * sum(known[each.name].row_bytes for each in narrow)
        return cls(layout, narrow, known) if len(narrow) > 1 and size <= PAGE_BYTES else None

    def __contains__(self, variable: object) -> bool:
        return variable in self._variables

    def read(self, store: EventSource, window: Window) -> dict[str, Array | None]:
        """Return the values of each field in a window; None if they are not as was known."""
        with self._lock:
            if self._kept is None or self._kept[0] != window:
                names = [variable.name for variable in self._variables]
                columns = columns_of(self._variables[0].section, names)
                chunk = self._layout.read(store, window, columns)
                self._kept = window, formed(chunk, self._variables, self._known)
            return self._kept[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def formed(
    chunk: Chunk, variables: Sequence[Variable], known: Mapping[str, FieldSchema]
) -> dict[str, Array | None]:
    """Return fields of a chunk as promised; None for one whose values do not allow that."""
    kinds = value_kinds(chunk.batches, [variable.column for variable in variables])
    forms = {variable.column: known[variable.name].form for variable in variables}
    fitting = {column: form for column, form in forms.items() if fits(kinds[column], form)}
    arrays = dense(chunk.batches, fitting)
    values: dict[str, Array | None] = {}
    for variable in variables:
        array = arrays.get(variable.column)
        if array is not None:
            ordered = array if chunk.order is None else array[chunk.order]
            array = cast_lossless(ordered, known[variable.name].dtype)
        values[variable.name] = array
    return values
