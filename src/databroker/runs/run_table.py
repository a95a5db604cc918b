"""A list of runs as a table: which columns there are, and what is in them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._util.printable import shown
from ..errors import InvalidQuery
from ..query.keys import Key
from ..query.nodes import Path
from ..stores.facts import main_count

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("uid", "scan_id", "time", "plan_name", "status", "num_events")
"""The columns of a list of runs, unless others are asked for."""

FactOf = Callable[[str, str], Any]
"""Gives a fact of a run that its stop document does not say, by its uid and the fact's name."""


@dataclass(frozen=True)
class Column:
    """A column of a list of runs."""

    name: str
    paths: tuple[Path, ...]
    value: Callable[..., Any]

    @property
    def is_plain(self) -> bool:
        """Whether its values are those of one key, as they are."""
        return self.value is _unchanged

    @property
    def holds_times(self) -> bool:
        """Whether its values are seconds since 1970."""
        return len(self.paths) == 1 and self.paths[0].text == "time"


def column(key: Any, fact_of: FactOf) -> Column:
    """Return the column of a name, of a key with dots, or of a `Key`.

    'status' and 'num_events' are drawn from the stop document, or else from what
    is known of the run; any other name is a key of the RunStart, or behind
    ``stop.`` of the RunStop.

    Examples
    --------
    >>> column("sample.name", max).paths
    (Path(text='sample.name', document='start'),)
    >>> column("num_events", max).value("a", {"primary": 5, "baseline": 2})
    5
    """
    if isinstance(key, Key) and key.path.document == "run":
        key = key.path.text
    if isinstance(key, Key):
        path = key.path
        prefix = "stop." if path.document == "stop" else ""
        return Column(prefix + path.text, (path,), _unchanged)
    if not isinstance(key, str):
        raise InvalidQuery(f"a column is a key such as 'sample.name', not {shown(key)}")
    if key == "num_events":

        def num_events(uid: str, counts: Any) -> Any:
            return fact_of(uid, key) if counts is None else main_count(counts)

        return Column(key, (Path("uid"), Path("num_events", "stop")), num_events)
    if key == "status":
        paths = (Path("uid"), Path("uid", "stop"), Path("exit_status", "stop"))

        def status(uid: str, ended: str | None, exit_status: Any) -> str:
            if ended is None:
                return str(fact_of(uid, key))
            return exit_status if isinstance(exit_status, str) else "unknown"

        return Column(key, paths, status)
    return Column(key, (Path.parse(key),), _unchanged)


def frame_of(
    columns: Sequence[Column],
    rows: Iterable[tuple[Any, ...]],
    timezone: str | datetime.tzinfo,
    convert_times: bool,
) -> pd.DataFrame:
    """Return rows, which hold the values at the paths of all columns, as a table."""
    import pandas as pd

    found = list(zip(*rows, strict=True))
    data: dict[str, Any] = {}
    place = 0
    for each in columns:
        end = place + len(each.paths)
        values = list(map(each.value, *found[place:end])) if found else []
        if each.holds_times:
            data[each.name] = _stamps(values, timezone, convert_times)
        else:
            data[each.name] = _series(values)
        place = end
    return pd.DataFrame(data)


def _unchanged(value: Any) -> Any:
    return value


def _stamps(values: list[Any], timezone: str | datetime.tzinfo, convert_times: bool) -> Any:
    import numpy as np
    import pandas as pd

    from .stream.times import to_datetime64

    seconds = np.array([value if _is_real(value) else np.nan for value in values], np.float64)
    if not convert_times:
        return pd.Series(seconds)
    stamps = pd.DatetimeIndex(to_datetime64(seconds), tz="UTC")
    return pd.Series(stamps.tz_convert(timezone))


def _series(values: list[Any]) -> Any:
    """Return values with the plainest type that holds them as they are."""
    import pandas as pd

    types = set(map(type, values))
    missing = type(None) in types
    types.discard(type(None))
    try:
        if types == {int}:  # as floats, scan_ids would be hard to read
            return pd.Series(values, dtype="Int64" if missing else "int64")
        if types in ({float}, {int, float}):
            return pd.Series(values, dtype="float64")
        if types == {bool} and not missing:
            return pd.Series(values, dtype="bool")
    except OverflowError:
        pass  # integers beyond 64 bits stay what they are
    return pd.Series(values, dtype=object)


def _is_real(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300
