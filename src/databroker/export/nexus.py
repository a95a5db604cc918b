"""Runs as HDF5 files in NeXus form: what to plot, and how, is said in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._util.printable import shown
from ..display.summary import is_number
from ..documents.files.jsonl import JSONLines
from ..errors import NotSupported
from ..extras import require
from .columns import Columns, columns_of
from .documents import encoded
from .format import Choice, Format, Losses, OnMissing, Part, check_on_missing
from .hdf5 import describe, names_of, new_group, put_column, put_link, say_name
from .nexus_plots import TIME, grid_of_stream, plot_of, put_grid, put_images, put_plot
from .nexus_run import RESERVED, put_configuration, put_documents, put_run, time_text

if TYPE_CHECKING:
    from ..runs.run import Run

_INDEX = ("time", "seq_num", TIME)
_MEANT = ("title", "errors", "scaling_factor", "offset")  # by NeXus, something else
_BASELINE = "baseline"


class NeXus(Format):
    """A run as one HDF5 file in NeXus form.

    Parameters
    ----------
    images
        'copy' to have external data in the file; 'link' to refer to those that are in HDF5 files,
        which have to stay where they are.
    documents
        Whether all documents are in the file, too, as JSON lines.
    compression
        'gzip' or 'lzf' for images and other large values; None for none.
    on_missing
        Where external data cannot be had: 'raise' the error, or 'mask' them with NaN.

    Raises
    ------
    NotSupported
        Another word is given.
    """

    suffix = ".h5"
    about = "HDF5 in NeXus form, which says what to plot, for silx, NeXpy, h5web"

    def __init__(
        self,
        images: Literal["copy", "link"] = "copy",
        documents: bool = True,
        compression: Literal["gzip", "lzf"] | None = None,
        on_missing: OnMissing = "raise",
    ) -> None:
        if images not in ("copy", "link"):
            raise NotSupported(f"images is 'copy' or 'link', not {shown(images)}.")
        if compression not in (None, "gzip", "lzf"):
            raise NotSupported(f"compression is 'gzip' or 'lzf', not {shown(compression)}.")
        check_on_missing(on_missing)
        self._links = images == "link"
        self._documents = documents
        self._compression = compression
        self._on_missing = on_missing

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return the one file of a run."""

        def write(path: Path) -> Losses:
            with require("h5py", "images").File(path, "x") as file:
                return list(self._put_all(file, run, choice))

        yield Part(write)

    def _put_all(self, file: Any, run: Run, choice: Choice) -> Iterator[str]:
        file.attrs.update(NX_class="NXroot", default="entry", creator="databroker")
        entry = new_group(file, "entry", "NXentry")
        put_run(entry, run)
        streams = list(columns_of(run, choice, self._on_missing))
        streams.sort(key=lambda columns: columns.stream.name != "primary")
        yield from put_configuration(entry, [columns.stream for columns in streams])
        groups = names_of((columns.stream.name for columns in streams), RESERVED)
        times = new_group(entry, "timestamps", "NXcollection") if streams else None
        for columns in streams:
            name = groups[columns.stream.name]
            yield from self._put_stream(entry, name, run, columns)
            _put_timestamps(new_group(times, name, "NXcollection"), columns)
        if self._documents:
            put_documents(entry, encoded(JSONLines(), run, choice))
        else:
            yield "documents"

    def _put_stream(self, entry: Any, name: str, run: Run, columns: Columns) -> Iterator[str]:
        """Put a stream into a group, a row an event; a scan on a grid also as that."""
        group = new_group(entry, name, "NXcollection")
        say_name(group, name, columns.stream.name)
        names = names_of(columns.arrays, (*_INDEX, *_MEANT))
        _put_index(group, run, columns)
        for field, array in columns.arrays.items():
            attrs = columns.attrs[field]
            if not (self._links and put_link(group, names[field], field, array, attrs)):
                yield from put_column(group, names[field], field, array, attrs, self._compression)
        there = columns.only(field for field in columns.arrays if names[field] in group)
        plot = None if columns.stream.name == _BASELINE else plot_of(run.start, there)
        if plot is None:
            return
        put_plot(group, plot, names)
        put_images(entry, group, plot, names)
        grid = grid_of_stream(run.start, there, plot)
        shown_first = name if grid is None else put_grid(entry, group, grid, plot, there, names)
        entry.attrs.setdefault("default", shown_first)


def _put_index(group: Any, run: Run, columns: Columns) -> None:
    """Put when events were, and their numbers."""
    began = run.start.get("time")
    began = began if is_number(began) else 0.0
    values = {"time": columns.time, "seq_num": columns.seq_num, TIME: columns.time - began}
    starts = {"time": time_text(run, 0.0), TIME: time_text(run, began)}
    for name in _INDEX:
        dataset = group.create_dataset(name, data=values[name])
        if name in starts:
            dataset.attrs.update(units="s", start=starts[name])


def _put_timestamps(group: Any, columns: Columns) -> None:
    """Put when each field was read, where the events say it."""
    stamps = columns.stream.timestamps.arrays()
    fields = [field for field in columns.arrays if field in stamps]
    names = names_of(fields)
    for field in fields:
        values = np.asarray(stamps[field][:])
        if values.dtype.kind == "f" and not np.isnan(values).all():
            dataset = group.create_dataset(names[field], data=values)
            describe(dataset, names[field], field, {"units": "s"})
