"""What a NeXus file says is to be plotted: signals and axes, as the hints of a run have them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..plot.choose import choose, hinted
from ..plot.panels import Axis
from ..plot.scans import grid_of
from .columns import Array, Columns
from .hdf5 import describe, names_of, new_group

_NUMBERS = "biuf"

TIME = "elapsed_time"
"""The field that says how long after the start of the run an event was."""


@dataclass(frozen=True)
class Plot:
    """What is drawn of a stream.

    Attributes
    ----------
    signals
        Fields, of which the first is the signal and the others are of its shape.
    axes
        A field along the events, or none for the time.
    scanned
        The fields of all dimensions that were scanned.
    images
        Fields of images, besides.
    """

    signals: Sequence[str]
    axis: str | None = None
    scanned: Sequence[str] = ()
    images: Sequence[str] = ()


def plot_of(start: Mapping[str, Any], columns: Columns) -> Plot | None:
    """Return what is to be drawn of a stream; None if nothing can be."""
    chosen = choose(start, columns.stream)
    good = [name for name, array in columns.arrays.items() if array.dtype.kind in _NUMBERS]
    scanned = [name for name in chosen.axes if name in good and columns.arrays[name].ndim == 1]
    hints = set(hinted(columns.stream))
    drawn = [name for name in (*chosen.scalars, *chosen.arrays) if name in good]
    drawn.sort(key=lambda name: name not in hints)
    drawn = drawn or [name for name in good if name not in scanned] or scanned
    if not drawn or not len(columns.time):
        return None
    shape = columns.arrays[drawn[0]].shape
    alike = [name for name in drawn if columns.arrays[name].shape == shape]
    alike = [name for name in alike if name in hints or name == drawn[0]]
    axis = scanned[0] if len(chosen.axes) == len(scanned) == 1 else None
    images = [name for name in good if columns.arrays[name].ndim > 2 and name not in alike]
    return Plot(alike, axis, scanned, images)


def put_plot(group: Any, plot: Plot, names: Mapping[str, str]) -> None:
    """Say in the group of a stream what is to be drawn of it, by the names of fields there."""
    axis = TIME if plot.axis is None else names[plot.axis]
    dataset = group[names[plot.signals[0]]]
    _say(group, [names[field] for field in plot.signals], [axis, *["."] * (dataset.ndim - 1)])
    for name in dict.fromkeys([axis, *(names[field] for field in plot.scanned)]):
        group.attrs[f"{name}_indices"] = 0
    if dataset.ndim > 1:
        dataset.attrs["interpretation"] = "spectrum" if dataset.ndim == 2 else "image"


def put_images(entry: Any, stream: Any, plot: Plot, names: Mapping[str, str]) -> None:
    """Put a group for each field of images, which has it a second time, by a link."""
    for field in plot.images:
        group = _beside(entry, stream, names[field])
        for name in (names[field], TIME if plot.axis is None else names[plot.axis]):
            group[name] = stream[name]
        put_plot(group, Plot([field], plot.axis), names)


def _beside(entry: Any, stream: Any, name: str) -> Any:
    """Return a new group beside that of a stream, called after it."""
    (free,) = names_of([f"{posixpath.basename(stream.name)}_{name}"], entry).values()
    return new_group(entry, free, "NXdata")


def _say(group: Any, signals: Sequence[str], axes: Sequence[str]) -> None:
    title = group.parent["title"].asstr()[()]
    group.attrs.update(NX_class="NXdata", title=title, signal=signals[0], axes=axes)
    if len(signals) > 1:
        group.attrs["auxiliary_signals"] = signals[1:]


@dataclass(frozen=True)
class Grid:
    """Where the events of a scan lie on a grid.

    Attributes
    ----------
    rows, columns
        The places along the first and the second dimension.
    events
        Which event is where, and -1 where none is.
    """

    rows: Array
    columns: Array
    events: Array

    def of(self, values: Array) -> Array:
        """Return one value for each place: NaN where there is none."""
        if (self.events >= 0).all():
            return np.asarray(values[self.events])
        return np.where(self.events >= 0, values[self.events].astype(np.float64), np.nan)


def grid_of_stream(start: Mapping[str, Any], columns: Columns, plot: Plot) -> Grid | None:
    """Return the grid of a scan of two dimensions; None if it is none, or has no such shape."""
    if len(plot.scanned) != 2 or columns.arrays[plot.signals[0]].ndim != 1:
        return None
    slow, fast = (
        Axis(name, np.asarray(columns.arrays[name][:], np.float64)) for name in plot.scanned
    )
    if not np.isfinite([slow.values, fast.values]).all():
        return None
    events = Axis("", np.arange(len(columns.time), dtype=np.float64))
    grid = grid_of(start, slow, fast, events)
    if grid is None:
        return None
    places = np.where(np.isnan(grid.z.values), -1, grid.z.values).astype(np.intp)
    return Grid(grid.y.values, grid.x.values, places)


def put_grid(
    entry: Any, stream: Any, grid: Grid, plot: Plot, columns: Columns, names: Mapping[str, str]
) -> str:
    """Put a group for what is drawn of a scan on a grid: an image of each signal."""
    group = _beside(entry, stream, "grid")
    slow, fast = plot.scanned
    values = {slow: grid.rows, fast: grid.columns}
    values |= {field: grid.of(columns.arrays[field][:]) for field in plot.signals}
    for field, value in values.items():
        dataset = group.create_dataset(names[field], data=value)
        describe(dataset, names[field], field, columns.attrs[field])
    _say(group, [names[field] for field in plot.signals], [names[slow], names[fast]])
    for index, field in enumerate(plot.scanned):
        group.attrs[f"{names[field]}_indices"] = index
    return str(posixpath.basename(group.name))
