"""What the rows of a table say of the runs that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .pipeline import Column, Row, frame_of

if TYPE_CHECKING:
    import pandas as pd

    from .stream.run_tables import Options


def run_columns(columns: Sequence[Column], rows: Sequence[Row], options: Options) -> pd.DataFrame:
    """Return a row for each run; times are shown as those of events are."""
    frame = frame_of(columns, rows, options.timezone or "UTC", options.convert_times)
    if options.timezone is None and options.convert_times:
        for each in columns:
            if each.holds_times:
                frame[each.name] = frame[each.name].dt.tz_localize(None)
    return frame


def with_runs(table: pd.DataFrame, runs: pd.DataFrame, index: bool = False) -> pd.DataFrame:
    """Return a table with what is said of the run of each row, before its own columns or index."""
    import pandas as pd

    taken = {*table.columns, table.index.name}
    names = [f"run_{name}" if name in taken else name for name in runs.columns]
    runs = runs.set_axis(pd.Index(names), axis=1).set_axis(table.index, axis=0)
    together = pd.concat([runs, table], axis=1)
    together.attrs = table.attrs
    if not index:
        return together
    together = together.set_index(names, append=True)
    return together.reorder_levels([*range(1, len(names) + 1), 0])
