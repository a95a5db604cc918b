"""Events and their like as columns: to Arrow and back, stored as segments, joined again."""

from .assemble import assemble
from .batches import concatenate, from_page, from_rows, from_series, select, to_rows
from .selection import ALL, Selection

__all__ = [
    "ALL",
    "Selection",
    "assemble",
    "concatenate",
    "from_page",
    "from_rows",
    "from_series",
    "select",
    "to_rows",
]
