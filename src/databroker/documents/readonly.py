"""Documents as users get them: dictionaries that refuse to be changed."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

from ..errors import DocumentIsReadOnly
from .kinds import LABELS


class ALL:
    """Stands for all streams; compared by identity.

    Examples
    --------
    >>> ALL is ALL
    True
    """


class ReadOnly(dict[str, Any]):
    """A document handed out: equal to the plain dictionary, and read-only.

    Values can also be reached as attributes, which is deprecated. ``copy()``
    gives a plain dictionary that can be changed.

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

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        warnings.warn(
            f"Dot access to documents is deprecated: use doc[{name!r}] instead of doc.{name}.",
            UserWarning,
            stacklevel=2,
        )
        return self[name]

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

    def copy(self) -> dict[str, Any]:
        """Return a plain dictionary."""
        return dict(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        from copy import deepcopy

        return {key: deepcopy(value, memo) for key, value in self.items()}

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)


def wrapped(kind: str, document: dict[str, Any]) -> ReadOnly:
    """Return a document as users get it."""
    return _CLASSES[kind](document)


def _printable(kind: str) -> type[ReadOnly]:
    """Make the class whose ``str()`` is a text block headed by the kind of document."""

    def __str__(self: ReadOnly) -> str:
        lines = [LABELS[kind], "=" * len(LABELS[kind])]
        width = max(map(len, self), default=0)
        lines += [f"{key:<{width}} : {value}" for key, value in self.items()]
        return "\n".join(lines)

    name = LABELS[kind].replace(" ", "")
    return type(name, (ReadOnly,), {"__slots__": (), "__str__": __str__, "__module__": __name__})


_CLASSES = {kind: _printable(kind) for kind in LABELS}
globals().update({cls.__name__: cls for cls in _CLASSES.values()})  # so that they can be pickled
