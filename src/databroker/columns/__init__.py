"""Events and their like as columns: to Arrow and back, stored as segments, joined again.

A selection is named by many who read no columns, so what needs Arrow is loaded when it is used.
"""

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from .batches import concatenate, from_page, from_rows, from_series, select, to_rows
    from .selection import ALL, Selection

__all__ = [
    "ALL",
    "Selection",
    "concatenate",
    "from_page",
    "from_rows",
    "from_series",
    "select",
    "to_rows",
]

_OF_BATCHES = ("concatenate", "from_page", "from_rows", "from_series", "select", "to_rows")

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("ALL", "Selection"), ".selection"),
        **dict.fromkeys(_OF_BATCHES, ".batches"),
    },
)
