"""A header as a small mapping of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Parts"]

_PARTS = ("start", "descriptors", "stop", "ext")


class Parts:
    """Gives an object the face of a mapping from the names of some attributes to them.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
    >>> list(db[-1]), db[-1]["stop"]
    (['start', 'descriptors', 'stop', 'ext'], {})
    """

    def __iter__(self) -> Iterator[str]:
        return iter(_PARTS)

    def __getitem__(self, name: str) -> Any:
        if name not in _PARTS:
            raise KeyError(name)
        return getattr(self, name)

    def keys(self) -> list[str]:
        """Return the names of the parts.

        Examples
        --------
        >>> Parts().keys()
        ['start', 'descriptors', 'stop', 'ext']
        """
        return list(self)

    def values(self) -> list[Any]:
        """Return the parts."""
        return [self[name] for name in self]

    def items(self) -> list[tuple[str, Any]]:
        """Return the parts with their names."""
        return [(name, self[name]) for name in self]

    def get(self, name: str, *default: Any) -> Any:
        """Return any attribute by its name; the default, where one is given, if there is none.

        Examples
        --------
        >>> Parts().get("anything", 5)
        5
        """
        return getattr(self, name, *default)

    def _ipython_key_completions_(self) -> list[str]:
        return list(_PARTS)
