"""Dictionaries that refuse to be changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NoReturn

from .._util.printable import pformat_of_tree, repr_of_tree
from ..errors import DocumentIsReadOnly


class ALL:
    """Stands for all streams; compared by identity.

    Examples
    --------
    >>> ALL is ALL
    True
    """


class ReadOnly(dict[str, Any]):
    """A dictionary that refuses to be changed, and is equal to the plain one.

    ``copy()`` gives a plain dictionary that can be changed. What is nested
    inside is left as it was.

    Examples
    --------
    >>> start = ReadOnly({"uid": "a", "time": 1.0})
    >>> start == {"uid": "a", "time": 1.0}
    True
    >>> start["uid"] = "b"
    Traceback (most recent call last):
    databroker.errors.DocumentIsReadOnly: This document is read-only; ...
    """

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise DocumentIsReadOnly(
            "This document is read-only; doc.copy() gives a plain dictionary that can be changed."
        )

    __setitem__ = _refuse
    __delitem__ = _refuse
    __setattr__ = _refuse
    __delattr__ = _refuse
    __ior__ = _refuse
    clear = _refuse
    pop = _refuse
    popitem = _refuse
    setdefault = _refuse
    update = _refuse

    def __repr__(self) -> str:
        return repr_of_tree(dict(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show it in IPython as the dictionary that it is, one key a line."""
        printer.text(pformat_of_tree(dict(self)))

    def copy(self) -> dict[str, Any]:
        """Return a plain dictionary."""
        return dict(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: deepcopy(value, memo) for key, value in self.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary that shares nothing with the document."""
        return deepcopy(dict(self))

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)
