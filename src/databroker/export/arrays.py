"""Streams as xarray has them, in files: NetCDF and Zarr."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._util.whole_files import remove
from ..errors import ShapesDiffer
from ..extras import require
from ..runs.stream.many import share_fields
from . import losses
from .columns import Texts, as_json, as_texts, plain_text
from .format import Choice, Format, Losses, OnMissing, Part, check_on_missing

if TYPE_CHECKING:
    import xarray as xr
    from dask.delayed import Delayed

    from ..runs.run import Run
    from ..runs.stream.fields import Fields
    from ..runs.stream.stream import Stream

_UNWANTED = re.compile(r"^\.|[\x00-\x1f\x7f/\\:]")
_NUMBERS = "biufcM"
_TIMES = {"units": "nanoseconds since 1970-01-01", "dtype": "int64"}
_LOST = (losses.TIMES, "the uids of events")


class _Datasets(Format):
    """A stream as one dataset, as `Run.xarray` returns it, with its documents as attributes.

    Parameters
    ----------
    on_missing
        Where external data cannot be had: 'raise' the error, or 'mask' them with NaN.
    """

    def __init__(self, on_missing: OnMissing = "raise") -> None:
        check_on_missing(on_missing)
        self._on_missing = on_missing

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return a file for each stream."""
        for stream, fields in share_fields(list(choice.streams_of(run)), choice.fields):
            yield Part(self._writer(run, stream, fields), {"stream": stream.name})

    def _writer(self, run: Run, stream: Stream, fields: Fields) -> Callable[[Path], Losses]:
        def write(path: Path) -> Losses:
            dataset = stream.to_dask(fields, on_missing=self._on_missing)
            dataset.attrs |= _documents(run, stream)
            unlike: list[str] = []
            while True:
                lost = [*_LOST]
                try:
                    self._write(_plain(dataset, lost), path)
                    return [*lost, *losses.of_fields(losses.UNLIKE, unlike)]
                except ShapesDiffer as error:  # as is known when all values have been read
                    names = _variables(dataset, error.field)
                    if not names:
                        raise
                    unlike.append(str(error.field))
                remove(path)
                dataset = dataset.drop_vars(names)

        return write

    @abstractmethod
    def _write(self, dataset: xr.Dataset, path: Path) -> None:
        """Write a dataset, some chunks at a time."""


class NetCDF(_Datasets):
    """A stream as one file of NetCDF 4."""

    suffix = ".nc"
    about = "NetCDF 4, a file for each stream, for xarray, MATLAB, IDL, Igor"

    def _write(self, dataset: xr.Dataset, path: Path) -> None:
        require("h5netcdf", "arrays")
        _compute(dataset.to_netcdf(path, engine="h5netcdf", compute=False))


class Zarr(_Datasets):
    """A stream as one folder of Zarr, in the format of version 2, which most programs read."""

    suffix = ".zarr"
    about = "Zarr, a folder for each stream, for xarray and dask"

    def _write(self, dataset: xr.Dataset, path: Path) -> None:
        require("zarr", "images")
        for variable in dataset.variables.values():
            if variable.chunks:  # Zarr has chunks of one size only
                sizes = dict(zip(variable.dims, map(max, variable.chunks), strict=True))
                variable.data = variable.chunk(sizes).data
        _compute(dataset.to_zarr(path, mode="w-", zarr_format=2, compute=False))


def _compute(writing: Delayed) -> None:
    """Write what is to be written; even after an error, no thread writes on when this returns."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        writing.compute(scheduler="threads", pool=pool)  # type: ignore[no-untyped-call]


def _plain(dataset: xr.Dataset, lost: list[str]) -> xr.Dataset:
    """Return a dataset with values, names and attributes that these files can have."""
    dataset = dataset.copy()
    for name in list(dataset):
        variable = dataset[name].variable
        if variable.dtype.kind not in _NUMBERS:
            texts = as_texts(str(name), np.asarray(variable.data))
            lost += texts.losses
            dataset[name] = (variable.dims, texts.values, {**variable.attrs, **_form(texts)})
    for variable in dataset.variables.values():
        variable.attrs = _attributes(variable.attrs)
    dataset["time"].encoding = dict(_TIMES)
    dataset.attrs = _attributes(dataset.attrs)
    return _with_good_names(dataset)


def _form(texts: Texts) -> dict[str, str]:
    return {"encoding": "json"} if texts.is_json else {}


def _attributes(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return attributes that any file has: numbers and texts, of which some are JSON."""
    return {
        str(name): plain_text(value) if isinstance(value, str) else _number_or_json(value)
        for name, value in attrs.items()
    }


def _number_or_json(value: Any) -> Any:
    is_plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_plain and abs(value) < 2**63 else as_json(value)


def _with_good_names(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset with names that files and folders can have."""
    taken = {*map(str, dataset.variables), *map(str, dataset.dims)}
    renamed: dict[Any, str] = {}
    for name in [*dataset.variables, *dataset.dims]:
        if name not in renamed and (good := _good(str(name))) != name:
            while good in taken:
                good += "_"
            taken.add(good)
            renamed[name] = good
    for name in filter(dataset.variables.__contains__, renamed):
        dataset[name].attrs.setdefault("data_key", plain_text(name))
    return dataset.rename(renamed)


def _variables(dataset: xr.Dataset, field: str | None) -> list[Any]:
    """Return the names of what was made of a field."""
    return [name for name in dataset if dataset[name].attrs.get("data_key", name) == field]


def _good(name: str) -> str:
    """Return a name without what is a folder, or cannot be written; none begins with a dot.

    Examples
    --------
    >>> _good("a/b"), _good(".zattrs"), _good("")
    ('a_b', '_zattrs', '_')
    """
    return _UNWANTED.sub("_", plain_text(name).strip()) or "_"


def _documents(run: Run, stream: Stream) -> dict[str, str]:
    """Return the documents of a run that say what its data are, as attributes."""
    documents = {"start": run.start, "stop": run.stop, "descriptors": stream.descriptors}
    return {name: as_json(document) for name, document in documents.items() if document}
