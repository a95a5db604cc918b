"""What things are called in Tiled."""

from __future__ import annotations

from collections.abc import Iterable

SPEC = "DatabrokerRun"
"""What runs are besides a BlueskyRun, so that their documents are written here, exactly."""

INTERNAL = "internal"
"""The name of the table in a stream."""

SEQ_NUM, TIME = "seq_num", "time"
STAMP = "ts_"
"""Before the name of a field: the column of its timestamps."""


def entry_names(fields: Iterable[str]) -> dict[str, str]:
    """Return the name of the entry or column of each field; nearly always it is the same.

    A slash would be a step further in, and an underscore at the beginning Tiled keeps to itself.

    Examples
    --------
    >>> entry_names(["det", "time", "_hidden", "a/b"])
    {'det': 'det', 'time': 'time_data', '_hidden': 'hidden', 'a/b': 'a_b'}
    """
    fields = list(fields)
    taken = {INTERNAL, SEQ_NUM, TIME, *(STAMP + field for field in fields)}
    found: dict[str, str] = {}
    for field in fields:
        plain = field.encode(errors="backslashreplace").decode()
        name = plain.replace("/", "_").lstrip("_") or "field"
        while name in taken or (name != field and name in fields):
            name += "_data"
        taken.add(name)
        found[field] = name
    return found
