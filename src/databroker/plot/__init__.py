"""Plots of runs: what is drawn, on matplotlib's axes and in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..extras import require
from .choose import Fields

if TYPE_CHECKING:
    from ..runs.run import Run

__all__ = ["plot_runs"]


def plot_runs(
    runs: Iterable[Run],
    x: str | Sequence[str] | None = None,
    y: Fields = None,
    norm: str | None = None,
    stream: str | None = None,
    ax: Any = None,
    frames: int = 5,
) -> Any:
    """Draw several runs over each other on matplotlib's axes.

    Parameters
    ----------
    runs
        Headers, as a list, say ``db[-3:]``, or a search; the first 50 of them are drawn.
    x, y, norm, stream, ax, frames
        As in `Header.plot`. A run that lacks a field or the stream is passed over, if there is
        another one.

    Returns
    -------
    matplotlib.axes.Axes or numpy.ndarray
        The axes; an array where there are several panels.

    Raises
    ------
    NoSuchStream, NoSuchField
        None of the runs has what was asked for.
    InvalidQuery
        What was asked for as an axis holds no numbers, or `ax` does not fit.
    MissingExtra
        matplotlib is not installed.
    """
    require("matplotlib", "plot")
    from .figures import draw_plot
    from .plotting import Request, plot_of

    return draw_plot(plot_of(runs, Request(x, y, norm, stream, frames)), ax)
