"""The columns of a list of runs: those that people see unless they choose, and any metadata."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..display.summary import CAPTIONS, RunList, devices, is_number, one_line, sample_name
from ..query.nodes import Exists
from ..query.paths import FACTS, Path
from ..query.projection import value_at
from ..runs.absent import explain_nothing
from ..stores.facts import run_fact
from ..times import clock_time, zone_names

if TYPE_CHECKING:
    from ..runs.run import Run
    from ..stores.base import Store

_MOST = 80
"""Where the text of a value is cut."""

_KEYS = {"started": "time", "plan": "plan_name", "events": "num_events"}
"""Captions that stand for a key."""


def value_of(run: Run, name: str) -> Any:
    """Return what a run has in a column; None where it has nothing.

    Parameters
    ----------
    run
        The run.
    name
        A caption of the list; 'events', which is 'num_events'; 'source', the broker that the run
        is in; or a key of the start document, with dots, or behind ``stop.`` of the stop document.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "sample": {"name": "Ni", "nm": 5}})
    >>> [value_of(db[-1], name) for name in ("started", "sample", "sample.nm", "stop.reason")]
    [1.0, 'Ni', 5, None]
    """
    start, name = run.start, _KEYS.get(name, name)
    if name == "sample":
        return sample_name(start)
    if name == "source":
        return run.source
    if name == "devices":
        return devices(start) or None
    stop = run.stored_stop() or None
    if name in FACTS:
        return run_fact(run.session.store, run.uid, stop, name)
    return value_at(start, stop, Path.parse(name))


def texts_of(runs: Sequence[Run], names: Sequence[str], zone: datetime.tzinfo) -> RunList:
    """Return columns of runs as people see them; one that is empty stays, as it was asked for."""
    columns = {}
    for name in names:
        values = [value_of(run, name) for run in runs]
        if name == "started" or Path.parse(name).text == "time":
            times = list(filter(is_number, values))
            zones = zone_names(times, zone)
            texts = [clock_time(each, zone) if is_number(each) else _text(each) for each in values]
            columns[f"{name} ({zones})" if zones else name] = texts
        else:
            most = 8 if name == "uid" else _MOST
            columns[name] = [_text(value)[:most] for value in values]
    return columns


def explain_empty(store: Store, columns: RunList) -> None:
    """Warn of columns that are empty because no run has such a key."""
    for name, texts in columns.items():
        if not any(texts) and name not in CAPTIONS:
            explain_nothing(store, Exists(Path.parse(name)))


def _text(value: Any) -> str:
    return "" if value is None else one_line(value, _MOST)
