"""A table as text, fitted to the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_text"]

_ROWS = 60


def frame_text(frame: pd.DataFrame, width: int) -> str:
    """Return a table as text; of a long one the first and last rows.

    Examples
    --------
    >>> import pandas as pd
    >>> print(frame_text(pd.DataFrame({"det": [0.5, 0.25]}, index=[1, 2]), 80))
        det
    1  0.50
    2  0.25
    """
    import pandas as pd

    with (
        pd.option_context("display.width", width, "display.max_columns", None),
        pd.option_context("display.max_rows", _ROWS, "display.min_rows", 20),
        pd.option_context("display.show_dimensions", "truncate"),
    ):
        return repr(frame)
