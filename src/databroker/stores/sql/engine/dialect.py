"""In what the SQL of databases differs, beyond the types of their columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """How a database writes what others write differently.

    Attributes
    ----------
    joined
        All keys of a group as one text: it is read twice as fast as many rows.
    as_bytes
        The bytes of a text.
    dynamic
        Whether a value keeps its own type, in a column of whatever type: integers among floats,
        and what should not be there.
    longest
        How many bytes a value in an index may have.
    """

    joined: str
    as_bytes: str
    dynamic: bool
    longest: int | None = None


SQLITE = Dialect("group_concat({})", "CAST({} AS BLOB)", dynamic=True)

POSTGRESQL = Dialect(
    "string_agg({}::text, ',')", "convert_to({}, 'UTF8')", dynamic=False, longest=2_000
)
