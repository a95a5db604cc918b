"""Streams as xarray datasets: in memory, and lazily."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._util.printable import shown
from ..._util.user_warnings import warn_user
from ...external.fields.lazy_array import LazyArray
from ...extras import require
from ...stores.store_ref import StoreRef
from .event_reader import ConstantReader, EventReader, SharedFields
from .fields import Doc
from .layout import Array, Layout
from .schema import Constant, Request, Variable, gather, infer_schema
from .times import SECONDS, to_datetime64

if TYPE_CHECKING:
    import xarray as xr

    from .external_fields import ExternalFields


_COORDINATES = ("time", "seq_num")


def read(request: Request, convert_times: bool = True) -> xr.Dataset:
    """Return a dataset in memory."""
    require("xarray", "arrays")
    gathered = gather(request)
    builder = Builder(request.names)
    for variable, values in gathered.values:
        if isinstance(variable, Variable) and (each := request.external_of(variable, values.dtype)):
            values = each.load(
                variable.name, variable.key, values, gathered.layout, gathered.seq_num
            )
        builder.add(variable, values)
    return builder.dataset(gathered.time, gathered.seq_num, request.attrs, convert_times)


def lazy(request: Request, convert_times: bool = True) -> xr.Dataset:
    """Return a dataset of dask arrays, which hold where the data are; only times are read now."""
    require("dask.array", "arrays")
    require("xarray", "arrays")
    fields = LazyFields(request, Layout.of(request.store, request.owners))
    builder = Builder(request.names)
    for field in request.fields:
        builder.add(field, fields.in_chunks(field))
    return builder.dataset(*fields.index, request.attrs, convert_times)


class LazyFields:
    """The fields of a request as arrays that are read when they are sliced."""

    def __init__(self, request: Request, layout: Layout) -> None:
        self._request = request
        self._layout = layout
        self._store_ref = StoreRef(request.store)
        self._schemas = infer_schema(request.store, layout, request.variables)
        self._shared = SharedFields.among(layout, request.variables, self._schemas)

    @cached_property
    def index(self) -> tuple[Array, Array]:
        """Time and seq_num of all rows."""
        return self._layout.index(self._request.store)

    def array(self, field: Variable | Constant) -> LazyArray:
        """Return one of the fields."""
        if isinstance(field, Constant):
            values = field.table(self._layout.owners)
            constant = ConstantReader(self._store_ref, self._layout, values)
            return LazyArray(field.name, constant, warn=False)
        schema, shared = self._schemas[field.name], self._shared.get(field)
        events = EventReader(self._store_ref, self._layout, field, schema, shared)
        stored = LazyArray(field.name, events, field.key, warn=False)
        outside = self._external(field)
        if outside is None:
            return stored
        return outside.array(field.name, field.key, stored, self._layout, self.index[1])

    def in_chunks(self, field: Variable | Constant) -> Any:
        """Return one of the fields for dask; what events hold is cut where all of it is."""
        array = self.array(field)
        if self._external(field) is not None:
            return array.to_dask()
        return array.to_dask((self._chunks, *array.shape[1:])) if len(array) else np.asarray(array)

    @cached_property
    def _chunks(self) -> tuple[int, ...]:
        widest = max([schema.row_bytes for schema in self._schemas.values()], default=8)
        return self._layout.chunks(widest)

    def _external(self, field: Variable | Constant) -> ExternalFields | None:
        """Return what loads a field; None if it is all there."""
        if isinstance(field, Constant):
            return None
        return self._request.external_of(field, self._schemas[field.name].dtype)


class Builder:
    """Makes a dataset of variables, and finds names for them and their dimensions."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = variable_names(names)
        self._dimensions = Dimensions({*self._names.values(), *_COORDINATES})
        self._variables: dict[str, xr.Variable] = {}
        self._mismatches: list[str] = []

    def add(self, variable: Variable | Constant, values: Any) -> None:
        """Add a variable: a NumPy or dask array along the events."""
        attrs = dict(variable.attrs)
        name = self._names[variable.name]
        if name != variable.name:
            attrs["data_key"] = variable.name
        if isinstance(variable, Variable) and values.shape[0]:
            self._compare(variable, values)
        dims = variable.keys[0].get("dims") if variable.keys else None
        named = self._dimensions.names(variable.name, dims, values.shape[1:])
        xarray = require("xarray", "arrays")
        # Without fastpath, objects would pass through pandas, which makes None a NaN.
        self._variables[name] = xarray.Variable(("time", *named), values, attrs, fastpath=True)

    def dataset(self, time: Array, seq_num: Array, attrs: Doc, convert_times: bool) -> xr.Dataset:
        """Return the dataset; warn once if shapes are not as declared."""
        if self._mismatches:
            warn_user(
                "Some data have other shapes than their descriptors say; they are given as they "
                f"are: {'; '.join(self._mismatches)}.",
                UserWarning,
            )
        xarray = require("xarray", "arrays")
        # An attribute `units` of stamps is one that xarray writes itself.
        stamps = (to_datetime64(time), {"timezone": "UTC"})
        dataset: xr.Dataset = xarray.Dataset(
            self._variables,
            coords={
                "time": ("time", *(stamps if convert_times else (time, {"units": SECONDS}))),
                "seq_num": ("time", seq_num),
            },
            attrs=dict(attrs),
        )
        return dataset

    def _compare(self, variable: Variable, values: Any) -> None:
        declared, actual = variable.shape, tuple(values.shape[1:])
        if declared is None or declared == actual:
            return
        if variable.key.get("external"):  # a reference, or an array that says so itself
            return
        ragged = values.dtype == np.dtype(object) and actual == ()
        has = "values of varying shape or type" if ragged else f"shape {list(actual)}"
        self._mismatches.append(f"{variable.name!r} has {has}, declared {shown(list(declared))}")


class Dimensions:
    """Names dimensions: as declared where that can be, else ``dim_0``, ``dim_1``, ...

    Examples
    --------
    >>> dimensions = Dimensions({"time", "x"})
    >>> dimensions.names("img", ["y", "x"], (4, 5))
    ['y', 'img_x']
    >>> dimensions.names("other", ["y"], (7,)), dimensions.names("wave", None, (7,))
    (['other_y'], ['dim_0'])
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._sizes: dict[str, int] = {}
        self._count = 0

    def names(self, field: str, declared: Any, shape: Sequence[int]) -> list[str]:
        """Return a name for each dimension of a field."""
        given = list(declared) if isinstance(declared, list | tuple) else []
        if len(given) != len(shape) or not all(isinstance(name, str) for name in given):
            given = [None] * len(shape)
        names: list[str] = []
        for name, size in zip(given, shape, strict=True):
            chosen = self._numbered() if name is None else self._free(field, name, size, names)
            self._sizes[chosen] = size
            names.append(chosen)
        return names

    def _free(self, field: str, name: str, size: int, used: Sequence[str]) -> str:
        while name in self._taken or name in used or self._sizes.get(name, size) != size:
            name = f"{field}_{name}"
        return name

    def _numbered(self) -> str:
        while True:
            name = f"dim_{self._count}"
            self._count += 1
            if name not in self._taken and name not in self._sizes:
                return name


def variable_names(names: Iterable[str]) -> dict[str, str]:
    """Return the names of variables: those of the fields, but for the names of coordinates.

    Examples
    --------
    >>> variable_names(["det", "time"])
    {'det': 'det', 'time': 'time_data'}
    """
    names = list(names)
    by_field: dict[str, str] = {}
    for name in names:
        free = name
        while free in _COORDINATES or (free != name and free in names):
            free += "_data"
        by_field[name] = free
    return by_field
