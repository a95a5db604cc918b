"""What changed from one document to another: a key, with the old value and the new one."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...documents.encode import same

_DEEPEST = 8


class Absent(enum.Enum):
    """Stands for a value that is not there, which None may be."""

    ABSENT = "(none)"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class Change:
    """Something that is different in two runs.

    Attributes
    ----------
    kind
        What it belongs to: 'metadata', 'configuration', 'baseline', 'fields', 'end' or 'versions'.
    key
        Which one it is, nested keys with dots: of the configuration, the device and its field; of
        fields, the stream, the field, and what its data key says.
    old, new
        The values. `ABSENT` stands for none; a tuple for those that followed each other during
        the run.
    """

    kind: str
    key: str
    old: Any
    new: Any


def changes(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what changed, in the order of the keys; within dictionaries, key by key.

    Examples
    --------
    >>> for change in changes("metadata", {"a": {"b": 1, "c": 2}}, {"a": {"b": 1}, "d": None}):
    ...     print(change)
    Change(kind='metadata', key='a.c', old=2, new=ABSENT)
    Change(kind='metadata', key='d', old=ABSENT, new=None)
    """
    return _changes(kind, "", old, new, 0)


def in_order(values: Sequence[Any]) -> Any:
    """Return a value that stayed the same, or a tuple of those that followed each other.

    Examples
    --------
    >>> in_order([5, 5]), in_order([5, 6, 6, 5])
    (5, (5, 6, 5))
    """
    found = [*values[:1]]
    found += [value for before, value in pairwise(values) if not same(before, value)]
    return found[0] if len(found) == 1 else tuple(found)


def _changes(
    kind: str, prefix: str, old: Mapping[str, Any], new: Mapping[str, Any], depth: int
) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key, ABSENT), new.get(key, ABSENT)
        path = f"{prefix}{key}"
        if isinstance(one, Mapping) and isinstance(other, Mapping) and depth < _DEEPEST:
            yield from _changes(kind, f"{path}.", one, other, depth + 1)
        elif not same(one, other):
            yield Change(kind, path, one, other)
