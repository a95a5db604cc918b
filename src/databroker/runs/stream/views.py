"""Something that each event of a stream has: as a dataset, lazily, or as a table."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..._util.printable import printable
from .event_reader import ConstantReader, EventReader
from .fields import no_such_field, select
from .gather import Request
from .layout import Layout
from .schema import infer_schema
from .store_ref import StoreRef

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ...external.fields.lazy_array import LazyArray

Fields = str | Iterable[str] | None


class View:
    """Timestamps, or the configuration of a device, with one value an event.

    Obtained as ``stream.timestamps`` and ``stream.config['motor']``.
    """

    def __init__(self, title: str, request: Request, times: Request | None = None) -> None:
        self._title = title
        self._request = request
        self._times = times

    def __repr__(self) -> str:
        return printable(f"<{self._title}: {', '.join(self.fields) or 'no fields'}>", lines=False)

    @property
    def fields(self) -> list[str]:
        """The names of the fields."""
        return self._request.names

    @property
    def timestamps(self) -> View:
        """When the values were read, in seconds since 1970."""
        if self._times is None:
            raise AttributeError("Timestamps have no timestamps.")
        return View(f"Timestamps of {self._title.lower()}", self._times)

    def read(self, fields: Fields = None, *, convert_times: bool = True) -> xr.Dataset:
        """Return a dataset in memory; see `Stream.read`. Values that are times stay seconds."""
        from .dataset import read

        return read(self._chosen(fields), convert_times)

    def to_dask(self, fields: Fields = None, *, convert_times: bool = True) -> xr.Dataset:
        """Return a lazy dataset; see `Stream.to_dask`. Values that are times stay seconds."""
        from .dataset import lazy

        return lazy(self._chosen(fields), convert_times)

    def table(
        self,
        fields: Fields = None,
        *,
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
    ) -> pd.DataFrame:
        """Return a table; see `Stream.table`. Timestamps are converted as `time` is."""
        from .table import frame_of

        return frame_of(self._chosen(fields), convert_times=convert_times, timezone=timezone)

    def __getitem__(self, field: str) -> LazyArray:
        if field not in self.fields:
            raise no_such_field(field, self.fields)
        layout = Layout.of(self._request.store, self._request.owners)
        return lazy_array(narrowed(self._request, [field]), layout)

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __contains__(self, field: object) -> bool:
        return field in self.fields

    def _ipython_key_completions_(self) -> list[str]:
        return self.fields

    def _chosen(self, fields: Fields) -> Request:
        if fields is None:
            return self._request
        names = self.fields
        holder = {"uid": "", "data_keys": dict.fromkeys(names)}
        wanted = set(select(fields, [holder], {}, {}).data or ())
        return narrowed(self._request, wanted)


def narrowed(request: Request, names: Iterable[str]) -> Request:
    """Return a request for only some of its fields."""
    wanted = set(names)
    return replace(
        request,
        variables=[each for each in request.variables if each.name in wanted],
        constants=[each for each in request.constants if each.name in wanted],
    )


def lazy_array(request: Request, layout: Layout) -> LazyArray:
    """Return the one field of a request as an array that is read when it is sliced."""
    from ...external.fields.lazy_array import LazyArray

    store_ref = StoreRef(request.store)
    if not request.variables:
        (constant,) = request.constants
        reader = ConstantReader(store_ref, layout, constant.table(layout.owners))
        return LazyArray(constant.name, reader, warn=False)
    (variable,) = request.variables
    known = infer_schema(request.store, layout, [variable])[variable.name]
    events = EventReader(store_ref, layout, variable, known)
    field = LazyArray(variable.name, events, variable.key, warn=False)
    outside = request.external_of(variable, known.dtype)
    if outside is None:
        return field
    _, seq_nums = layout.index(request.store)
    return outside.array(variable.name, variable.key, field, layout, seq_nums)
