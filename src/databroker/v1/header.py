"""What databroker 1.x hands out: a run as a header, and what a search gives, as headers."""

from __future__ import annotations

import datetime
from abc import ABCMeta
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from .._util.user_warnings import warn_user
from ..runs import results
from ..runs.run import Run
from ..runs.stream.fields import Fields

if TYPE_CHECKING:
    import pandas as pd

    from ..external.fields.filling import Fill, OnMissing
    from ..preview import Preview
    from ..stores.base import RunRecord

_PARTS = ("start", "descriptors", "stop", "ext")


class Header(Run, metaclass=ABCMeta):
    """One run: its metadata, and ways to load its data.

    Obtained from a broker: ``db[-1]``, ``db['uid prefix']``, or by looping
    over a search. Loading is a separate step, so a header costs little.
    While the run goes on, a header is current: each call sees what is stored.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "plan_name": "count"})
    >>> header = db[-1]
    >>> header.start["plan_name"], header.stop, header.stream_names
    ('count', {}, [])
    >>> list(header), header["stop"]
    (['start', 'descriptors', 'stop', 'ext'], {})
    """

    # Any: the module of brokers imports this one.
    def __init__(self, db: Any, record: RunRecord) -> None:
        super().__init__(db.session, record)
        self.db = db
        self.ext = SimpleNamespace()
        if db.external_fetchers:
            self.ext = SimpleNamespace(**db.fetch_external(self.start, self.stop))

    @classmethod
    def __subclasshook__(cls, kind: type) -> bool:
        # Programs for both faces ask whether a thing is a Header before they take its start and
        # its documents (apstools' `replay` does). A run of a catalog has both.
        from ..v2.run import BlueskyRun

        return True if cls is Header and issubclass(kind, BlueskyRun) else NotImplemented

    def _handed_out(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        prepared: dict[str, Any] = self.db.prepare_hook(kind, document)
        return prepared

    # -- data ------------------------------------------------------------

    def table(
        self,
        stream_name: Any = "primary",
        fields: Fields = None,
        fill: Fill = False,
        timezone: str | datetime.tzinfo | None = None,
        convert_times: bool = True,
        localize_times: bool = True,
        *,
        on_missing: OnMissing = "raise",
    ) -> pd.DataFrame:
        """Load a stream as a table.

        Parameters
        ----------
        stream_name
            Which stream. One that the run does not have gives an empty table.
        fields
            A name, or names and patterns, of the wanted columns; None for all.
            Names of values in the configuration, start or stop work too. Names that are
            nowhere are left out, with a warning.
        fill
            Whether to load external data into the cells: True or 'yes', False or 'no', or the
            names of fields; 'delayed' for dask arrays, which read when they are computed.
        timezone
            Makes the column `time` aware, in this zone; by default it is naive UTC.
        convert_times
            Whether `time` holds stamps rather than seconds since 1970.
        localize_times
            With ``convert_times=False``, must be False too (as in databroker 1.x).
        on_missing
            Where what is to be filled cannot be had: 'raise' the error; 'mask' the cell with
            None; or 'skip' it, which leaves the reference. But for 'raise', each field warns
            once.

        Returns
        -------
        pandas.DataFrame
            One row an event; the index is ``seq_num``, the first column ``time``.

        Raises
        ------
        NoSuchField
            Nothing in `fields` is there, or a name in `fill` is none of a field.
        NoHandler, ExternalDataMissing
            What is to be filled cannot be had; the message says how to mend it.
        """
        convert = convert_times or localize_times
        return super().table(stream_name, fields, fill, timezone, convert, on_missing=on_missing)

    def data(
        self,
        field: str,
        stream_name: str = "primary",
        fill: Fill = True,
        *,
        on_missing: OnMissing = "raise",
    ) -> Iterator[Any]:
        """Yield the values of one field, event by event.

        Good for images and for long runs: little is in memory at a time.

        Parameters
        ----------
        field, stream_name
            Which field of which stream; one that the run does not have yields nothing, with
            a warning.
        fill
            As in `table`; where external data are not loaded, what refers to them is yielded.
        on_missing
            Where such data cannot be had: 'raise' the error; 'mask' the value with None; or
            'skip' it. But for 'raise', there is one warning.

        Raises
        ------
        NoSuchField
            A name in `fill` that no field has.
        NoHandler, ExternalDataMissing
            A value cannot be had; the message says how to mend it.
        """
        # A generator of its own: IPython prints its name, as it did.
        yield from super().data(field, stream_name, fill, on_missing=on_missing)

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what `documents` yields: its old name."""
        warn_user("Header.stream is now called Header.documents.")
        yield from self.documents(*args, **kwargs)

    def preview(self, fields: Fields = None, streams: Fields = None, frames: int = 5) -> Preview:
        """Return pictures of the data, which a notebook shows.

        Numbers are drawn against what was scanned, as the run's hints say, or
        against the time; of images and waveforms, a few are read.

        Parameters
        ----------
        fields
            A name, or names and patterns, as in `table`; None for those that
            the devices hint at, and for images and waveforms.
        streams
            A name or names; None for all but the baseline.
        frames
            How many images or waveforms of a field are read.

        Raises
        ------
        NoSuchStream, NoSuchField
        MissingExtra
            matplotlib is not installed.
        """
        from ..preview import make_preview

        return make_preview(self, fields, streams, frames)

    def plot(
        self,
        x: str | Sequence[str] | None = None,
        y: Fields = None,
        norm: str | None = None,
        stream: str | None = None,
        ax: Any = None,
        frames: int = 5,
    ) -> Any:
        """Draw the data on matplotlib's axes.

        Numbers are lines against what was scanned, as the run's hints say, or against the time;
        a scan of two motors is a map, on its grid or as points. Of images, some are drawn
        beside each other, of waveforms over each other.

        Parameters
        ----------
        x
            A field, ``'time'`` or ``'seq_num'``; two for a map, across and upwards.
        y
            A name, or names and patterns, as in `table`; None for those that the devices hint
            at, and for images and waveforms. Each has a panel, unless `ax` is one and all of
            them are lines.
        norm
            A field that numbers are divided by, event by event; those where it is 0 are left
            out, with a warning.
        stream
            The name of the stream; by default 'primary', or the first that is not the
            baseline, or for `y`, any that has it.
        ax
            Axes to draw on, as many as there are panels; they keep their title. Without it, a
            new figure of pyplot is made, which a notebook shows.
        frames
            How many images or waveforms of a field are drawn.

        Returns
        -------
        matplotlib.axes.Axes or numpy.ndarray
            The axes; an array where there are several panels. Images of a field are
            `child_axes` of theirs.

        Raises
        ------
        NoSuchStream, NoSuchField
        InvalidQuery
            What was asked for as an axis holds no numbers, or `ax` does not fit.
        MissingExtra
            matplotlib is not installed.

        Warns
        -----
        UserWarning
            Something is left out: it cannot be read, `norm` is 0, or there are many fields.
        """
        from ..plot import plot_runs

        return plot_runs([self], x, y, norm, stream, ax, frames)

    # -- a mapping of its parts ------------------------------------------

    def __iter__(self) -> Iterator[str]:
        return iter(_PARTS)

    def __getitem__(self, name: str) -> Any:
        if name not in _PARTS:
            raise KeyError(name)
        return getattr(self, name)

    def keys(self) -> list[str]:
        """Return the names of the parts: 'start', 'descriptors', 'stop' and 'ext'."""
        return list(self)

    def values(self) -> list[Any]:
        """Return the parts."""
        return [self[name] for name in self]

    def items(self) -> list[tuple[str, Any]]:
        """Return the parts with their names."""
        return [(name, self[name]) for name in self]

    def get(self, name: str, *default: Any) -> Any:
        """Return any attribute by its name; the default, where one is given, if there is none."""
        return getattr(self, name, *default)

    def _ipython_key_completions_(self) -> list[str]:
        return list(_PARTS)


class Results(results.Results[Header]):
    """The runs that match a search, newest first.

    Loop over it, as often as you like: each loop is a fresh search, and only a
    few runs are in memory at a time. There may be any number of runs, so there
    is no indexing; use ``list(results)`` where they are few.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> for n in range(3):
    ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "sample": "Ni"})
    >>> results = db(sample="Ni")
    >>> [header.uid for header in results], results.count()
    (['run 2', 'run 1', 'run 0'], 3)
    >>> [header.uid for header in results.sort("uid").limit(2)]
    ['run 0', 'run 1']
    """

    def plot(
        self,
        x: str | Sequence[str] | None = None,
        y: Fields = None,
        norm: str | None = None,
        stream: str | None = None,
        ax: Any = None,
        frames: int = 5,
    ) -> Any:
        """Draw these runs over each other on matplotlib's axes; a legend names them.

        Parameters
        ----------
        x, y, norm, stream, ax, frames
            As in `Header.plot`.

        Returns
        -------
        matplotlib.axes.Axes or numpy.ndarray
            The axes; an array where there are several panels. Lines are over each other; of
            maps and images, each run has its own. The first 50 runs are drawn.

        Raises
        ------
        NoSuchStream, NoSuchField
            None of the runs has what was asked for.
        InvalidQuery
            What was asked for as an axis holds no numbers, or `ax` does not fit.
        MissingExtra
            matplotlib is not installed.
        """
        from ..plot import plot_runs

        return plot_runs(self, x, y, norm, stream, ax, frames)


# Users and their tools know the classes under this name.
Header.__module__ = Results.__module__ = "databroker.v1"
