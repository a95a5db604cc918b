"""Runs copied from one broker to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .documents import encode
from .errors import NotSupported
from .header import Header
from .several import each_header

__all__ = ["Copying"]


class Copying:
    """The part of a broker that copies runs elsewhere.

    Examples
    --------
    >>> import databroker
    >>> db, other = databroker.temp(), databroker.temp()
    >>> db.insert("start", {"uid": "a", "time": 1.0})
    >>> db.export(db[-1], other)
    []
    >>> other[-1].uid
    'a'
    """

    def export(
        self,
        headers: Header | Iterable[Header],
        db: Any,
        new_root: str | None = None,
        copy_kwargs: Mapping[str, Any] | None = None,
    ) -> list[tuple[str, str]]:
        """Insert all documents of some headers elsewhere, as they are stored.

        Parameters
        ----------
        headers
            A header, or several.
        db
            A broker, or anything else with an `insert` method.
        new_root
            A folder to copy external files to (not in this version).
        copy_kwargs
            How to copy them.

        Returns
        -------
        list
            The old and the new path of each file that was copied.
        """
        if new_root is not None:
            raise NotSupported(
                "Copying external files (new_root) comes with a later version; without it, the "
                "documents are copied and go on pointing to the files."
            )
        for header in each_header(headers):
            for name, document in header.stored_documents():
                db.insert(name, document)
        return []

    def export_size(self, headers: Header | Iterable[Header]) -> float:
        """Return how large some headers are, in units of 10**9 bytes.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> 0 < db.export_size(db[-1]) < 1e-6
        True
        """
        size = 0
        for header in each_header(headers):
            for name, document in header.stored_documents():
                if name in ("resource", "stream_resource"):
                    raise NotSupported(
                        "The size of external files comes with a later version; this run has some."
                    )
                size += len(encode(document))
        return size / 1e9
