"""What users hang on to a broker: functions that see the documents on their way out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from .doct import wrap_in_deprecated_doct

__all__ = ["Fetcher", "Hook", "Hooks", "external_of"]

Hook = Callable[[str, dict[str, Any]], Any]
"""Is given the kind of a document and the document; returns what the user gets."""

Fetcher = Callable[[Any, Any], Any]
"""Is given the start and the stop document of a run; returns what belongs to it elsewhere."""


class Hooks:
    """The part of a broker that lets users see, and add to, what it hands out.

    Attributes
    ----------
    prepare_hook
        Is called with the kind of each document that is handed out, and the
        document; what it returns is what the user gets.
    external_fetchers
        Functions by name. Each is called with the start and the stop document of
        a run when its header is made; ``header.ext.<name>`` is what it returned.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "proposal": 7})
    >>> db.prepare_hook = lambda kind, doc: {**doc, "seen": True}
    >>> db[-1].start["seen"]
    True
    >>> db.external_fetchers["title"] = lambda start, stop: f"Proposal {start['proposal']}"
    >>> db[-1].ext.title
    'Proposal 7'
    """

    prepare_hook: Hook = staticmethod(wrap_in_deprecated_doct)
    external_fetchers: dict[str, Fetcher]

    def fetch_external(self, start: Any, stop: Any) -> dict[str, Any]:
        """Return what each of `external_fetchers` gives for a run.

        Whatever they raise is not caught.

        Examples
        --------
        >>> import databroker
        >>> databroker.temp().fetch_external({"uid": "a"}, {})
        {}
        """
        return {name: fetch(start, stop) for name, fetch in self.external_fetchers.items()}


def external_of(db: Hooks, header: Any) -> SimpleNamespace:
    """Return what the external fetchers of a broker give for a header."""
    if not db.external_fetchers:
        return SimpleNamespace()
    return SimpleNamespace(**db.fetch_external(header.start, header.stop))
