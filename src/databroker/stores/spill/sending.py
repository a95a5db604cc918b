"""Sending what waits in a file to a store: in its order, once, past what the store refuses."""

from __future__ import annotations

from typing import Any

from ..._util.signals import not_from_signal
from ...documents.kinds import IDENTITY, OWNER, PAGES
from ...errors import StoreDamaged, StoreIsReadOnly, StoreUnavailable
from ..base import Store
from .journal import Journal, Record

TROUBLE = (StoreUnavailable, StoreIsReadOnly, StoreDamaged)
"""What a store raises that says nothing against a document: it is sent again later."""

REFUSED = ".refused"
DAMAGED = ".damaged"
"""What the names of files end with that are kept: of documents refused, and with wrong bytes."""


class Sender:
    """Sends the records of one file.

    Attributes
    ----------
    refused
        What was refused, and why, in words.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.refused: list[str] = []
        self._aside: Journal | None = None

    def next_batch(self) -> list[Record]:
        """Return what is to be sent next; if there is nothing more, the file is gone."""
        try:
            if batch := self.journal.batch():
                return batch
            self.journal.remove()
        except StoreDamaged:
            self.journal.set_aside(DAMAGED)
        self.close()
        return []

    def send(self, store: Store, batch: list[Record]) -> None:
        """Send some records; each that was sent, or refused for good, is done with.

        Raises
        ------
        StoreUnavailable, StoreIsReadOnly, StoreDamaged
            The store takes nothing now.
        """
        try:
            store.put_many([pair for pair, _ in batch])
        except TROUBLE:
            raise
        except not_from_signal(Exception):  # one of them is refused
            for pair, end in batch:
                self._send_one(store, *pair)
                self.journal.place = end
        else:
            self.journal.place = batch[-1][1]

    def _send_one(self, store: Store, kind: str, doc: dict[str, Any]) -> None:
        try:
            store.put(kind, doc)
        except TROUBLE:
            raise
        except not_from_signal(Exception) as error:  # it must not hold up others
            self._keep(kind, doc, f"{type(error).__name__}: {error}")

    def _keep(self, kind: str, doc: dict[str, Any], reason: str) -> None:
        if self._aside is None:
            path = self.journal.path.with_suffix(REFUSED)
            path.unlink(missing_ok=True)  # from when this file was sent before, in part
            self._aside = Journal.create(path, self.journal.about, sync=True)
        self._aside.append([[kind, doc, reason]])
        self.refused.append(f"{named(kind, doc)}: {reason}")

    def send_all(self, store: Store) -> int:
        """Send the whole file, after which it is gone; return how many records it had.

        Raises
        ------
        StoreUnavailable, StoreIsReadOnly, StoreDamaged
            The store takes nothing now.
        """
        sent = 0
        while batch := self.next_batch():
            self.send(store, batch)
            sent += len(batch)
        return sent

    def close(self) -> None:
        """Leave the file to others."""
        self.journal.close()
        if self._aside is not None:
            self._aside.close()


def named(kind: str, doc: dict[str, Any]) -> str:
    """Return what a person is told about which document it is.

    Examples
    --------
    >>> named("start", {"uid": "a"}), named("event_page", {"descriptor": "d"})
    ("start 'a'", "event_page of 'd'")
    """
    if kind in IDENTITY:
        return f"{kind} {doc[IDENTITY[kind]]!r}"
    return f"{kind} of {doc.get(OWNER[PAGES[kind]])!r}"
