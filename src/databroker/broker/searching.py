"""Searches that a broker remembers: filters that always apply, and aliases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Aliases", "Filters"]


class Filters:
    """The part of a broker that narrows every search.

    Attributes
    ----------
    filters
        Keywords, as in a search, that apply to each search beside its own.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> for uid, operator in (("a", "Dan"), ("b", "Ana")):
    ...     db.insert("start", {"uid": uid, "time": 1.0, "operator": operator})
    >>> db.add_filter(operator="Dan")
    >>> [header.uid for header in db()]
    ['a']
    >>> db.clear_filters()
    >>> len(list(db()))
    2
    """

    filters: dict[str, Any]

    def add_filter(self, **kwargs: Any) -> None:
        """Add keywords that every search must match; a key given before is replaced."""
        self.filters.update(kwargs)

    def clear_filters(self, **kwargs: Any) -> None:
        """Remove all filters."""
        self.filters.clear()


class Aliases:
    """The part of a broker that knows searches by a name.

    Attributes
    ----------
    aliases
        By name: the keywords of a search, or a function that returns them.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "a", "time": 1.0, "plan_name": "scan"})
    >>> db.alias("scans", plan_name="scan")
    >>> [header.uid for header in db.scans]
    ['a']
    """

    aliases: dict[str, Mapping[str, Any] | Callable[[], Mapping[str, Any]]]

    def alias(self, key: str, **query: Any) -> None:
        """Name a search: ``db.alias('scans', plan_name='scan')``, then ``db.scans``.

        Raises
        ------
        ValueError
            A broker has an attribute of this name.
        """
        self._check_free(key)
        self.aliases[key] = query

    def dynamic_alias(self, key: str, query: Callable[[], Mapping[str, Any]]) -> None:
        """Name a search whose keywords a function returns, anew each time.

        Raises
        ------
        ValueError
            A broker has an attribute of this name.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> db.dynamic_alias("today", lambda: {"since": "today"})
        >>> list(db.today)
        []
        """
        self._check_free(key)
        self.aliases[key] = query

    def __getattr__(self, name: str) -> Any:
        # Looked up with care: while an object is unpickled, there is nothing in it yet.
        query = self.__dict__.get("aliases", {}).get(name)
        if query is None:
            raise AttributeError(name)
        return self(**(query() if callable(query) else query))  # type: ignore[operator]

    def _check_free(self, key: str) -> None:
        if hasattr(type(self), key) or key in self.__dict__:
            raise ValueError(f"{key!r} is an attribute of a broker; choose another name.")
