"""Documents as users get them: read-only, and good to look at.

Whatever a broker hands out goes through its `prepare_hook`, which is
`wrap_in_deprecated_doct` unless it was set to something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._util.user_warnings import warn_user
from ..documents.kinds import LABELS
from ..documents.readonly import ReadOnly


class Doct(ReadOnly):
    """A document handed out: its values are also attributes, and ``print`` shows a block of text.

    Parameters
    ----------
    name
        What kind of document it is, in words: 'Run Start'.
    document
        Its content.

    Examples
    --------
    >>> start = Doct("Run Start", {"uid": "a", "time": 1.0})
    >>> start.uid, start == {"uid": "a", "time": 1.0}
    ('a', True)
    >>> print(start)
    Run Start
    =========
    uid             : a
    time            : 1.0
    """

    __slots__ = ("_name",)

    def __init__(self, name: str, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self:
            raise AttributeError(f"This document has no key {name!r}.")
        return self[name]

    def __dir__(self) -> list[str]:
        keys = (key for key in self if isinstance(key, str) and key.isidentifier())
        return sorted({*super().__dir__(), *keys})

    def __str__(self) -> str:
        from ..display.text import document_text

        return document_text(self._name, self)

    def _repr_html_(self) -> str:
        from ..display.html import document_html
        from ..times import resolve_zone

        return document_html(self, resolve_zone())

    def __reduce__(self) -> Any:
        return type(self), (self._name, dict(self))

    def to_name_dict_pair(self) -> tuple[str, dict[str, Any]]:
        """Return the kind of document in words, and a plain dictionary.

        Examples
        --------
        >>> Doct("Run Start", {"uid": "a"}).to_name_dict_pair()
        ('Run Start', {'uid': 'a'})
        """
        return self._name, dict(self)


class DeprecatedDoct(Doct):
    """A document whose values are attributes, too; using them so is deprecated and warns.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     uid = DeprecatedDoct("Run Start", {"uid": "a"}).uid
    >>> print(uid, "-", caught[0].message)
    a - Dot access to documents is deprecated: use doc['uid'] instead of doc.uid.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        warn_user(
            f"Dot access to documents is deprecated: use doc[{name!r}] instead of doc.{name}."
        )
        return value


def wrap_in_doct(name: str, doc: Mapping[str, Any]) -> Doct:
    """Return a document whose values can be reached as attributes.

    Parameters
    ----------
    name
        The kind of document: 'start', 'stop', 'descriptor', 'event', ...
    doc
        The document.

    Raises
    ------
    KeyError
        There is no such kind.

    Examples
    --------
    >>> wrap_in_doct("start", {"uid": "a"}).uid
    'a'
    """
    return Doct(LABELS[name], doc)


def wrap_in_deprecated_doct(name: str, doc: Mapping[str, Any]) -> DeprecatedDoct:
    """Return a document as brokers hand it out, unless told otherwise; see `wrap_in_doct`.

    Examples
    --------
    >>> wrap_in_deprecated_doct("start", {"uid": "a"})
    {'uid': 'a'}
    """
    return DeprecatedDoct(LABELS[name], doc)
