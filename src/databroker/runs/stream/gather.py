"""Columns of a stream as arrays in the order of its events, whatever they are then made into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...columns import from_rows
from ...columns.to_numpy import array_spec, cast_lossless, dense, value_kinds
from ...external.readers.base import declared_dtype
from .event_reader import codes_of
from .fields import Doc
from .layout import Array, EventSource, Layout, index_of, joint_order
from .schema import Variable, columns_of

if TYPE_CHECKING:
    from .external_fields import ExternalFields


@dataclass(frozen=True)
class Constant:
    """A variable with one value for each descriptor, repeated for its events."""

    name: str
    values: Mapping[str, Any]  # by the uid of the descriptor, if that has one
    keys: tuple[Doc, ...] = ()  # what is declared of it
    attrs: Doc = field(default_factory=dict)
    stamps: bool = False  # whether the values are times

    def table(self, owners: Sequence[str]) -> Array:
        """Return the value of each descriptor, as an array."""
        if not owners:
            return np.empty(0, object)
        batch = from_rows("event", [{"data": {"x": self.values.get(owner)}} for owner in owners])
        form = array_spec(value_kinds([batch], ["data/x"])["data/x"])
        assert form is not None
        return _as_declared(dense([batch], {"data/x": form})["data/x"], self.keys)


@dataclass(frozen=True)
class Request:
    """What a dataset is to be made of: the events of some descriptors, and constants."""

    store: EventSource
    owners: Sequence[str]
    variables: Sequence[Variable]
    constants: Sequence[Constant]
    attrs: Doc
    outside: ExternalFields | None = None  # to load external fields

    def external_of(self, variable: Variable, dtype: np.dtype[Any]) -> ExternalFields | None:
        """Return what loads a variable that is stored as `dtype`; None if it is all there."""
        if self.outside is None or variable.stamps or variable.name not in self.outside.filled:
            return None
        # Filled documents that were inserted again hold arrays, not references.
        return self.outside if dtype == np.dtype(object) else None

    @property
    def fields(self) -> list[Variable | Constant]:
        """All that it is to be made of."""
        return [*self.variables, *self.constants]

    @property
    def names(self) -> list[str]:
        """The names of all fields."""
        return [field.name for field in self.fields]


@dataclass(frozen=True)
class Gathered:
    """Columns in the order of the events."""

    time: Array
    seq_num: Array
    values: list[tuple[Variable | Constant, Array]]
    layout: Layout
    codes: Array  # which of the layout's `owners` each event has


def gather(request: Request) -> Gathered:
    """Read what is requested into memory, once."""
    layout = Layout.of(request.store, request.owners)
    chunks = list(layout.whole(request.store, columns_of(request.variables)))
    order = joint_order(chunks)
    numbers = {owner: number for number, owner in enumerate(layout.owners)}
    codes = np.concatenate([codes_of(c, numbers) for c in chunks] or [np.empty(0, np.intp)])
    time, seq_num = index_of(chunks)
    batches = [batch for chunk in chunks for batch in chunk.batches]
    found = value_kinds(batches, [variable.column for variable in request.variables])
    forms = {
        variable.column: array_spec(found[variable.column]) or variable.declared
        for variable in request.variables
    }
    if batches:
        arrays = dense(batches, forms)
    else:
        arrays = {name: np.empty((0, *form.shape), form.dtype) for name, form in forms.items()}
    values: list[tuple[Variable | Constant, Array]] = []
    for variable in request.variables:
        array = arrays.pop(variable.column)
        if order is not None:
            array = array[order]
        values.append((variable, _as_declared(array, variable.keys)))
    for constant in request.constants:
        values.append((constant, constant.table(layout.owners)[codes]))
    return Gathered(time, seq_num, values, layout, codes)


def _as_declared(values: Array, keys: Sequence[Doc]) -> Array:
    """Return values in the NumPy dtype that is declared for them, if that changes none."""
    dtype = declared_dtype(keys[0]) if keys else None
    cast = None if dtype is None else cast_lossless(values, dtype)
    return values if cast is None else cast
