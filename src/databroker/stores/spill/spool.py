"""The files in which documents wait: that of this process, and those of writers that are gone."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..._util.forks import tell_of_forks
from ..._util.signals import suppressed
from ...errors import StoreDamaged
from ..activity import Activity
from ..facts import boot_id, host, writer_lives
from .journal import Journal, Record, left_behind, new_journal, read_heading
from .sending import Sender

Pairs = Sequence[tuple[str, dict[str, Any]]]


class Spool:
    """Keeps documents of this process while they wait, and hands out what is to be sent next.

    Attributes
    ----------
    runs
        The uids of the runs of which documents of this process wait.
    reason
        Why they do.
    """

    def __init__(self, folder: Path, of: str, sync: bool) -> None:
        self._folder = folder
        self._of = of
        self._sync = sync
        self._begin()
        tell_of_forks(self)

    def _begin(self) -> None:
        self.runs: set[str] = set()
        self.reason: str | None = None
        self._own: Sender | None = None
        self._found: Sender | None = None  # of a writer that is gone
        self._before: set[Path] = set()  # files that must be sent first
        self._told: set[type[BaseException]] = set()  # why documents wait, or would
        self._news: list[str] = []
        self._lock = threading.RLock()

    @property
    def is_keeping(self) -> bool:
        """Whether documents of this process wait, so that later ones must go behind them."""
        return self._own is not None

    def begin(self) -> None:
        """Let what comes go behind what writers left that are gone: it may belong together."""
        # Where no file can be made, nothing waits either.
        with self._lock, suppressed(OSError):
            self._before = set(filter(_is_orphan, left_behind(self._folder)))
            if self._own is None and (self._before or self._oldest() is not None):
                self._own = self._new("what a program left that has ended is sent first.")

    def keep_behind(self, documents: Pairs, runs: set[str]) -> bool:
        """Put documents of some runs behind those that wait; tell whether there are any.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        with self._lock:
            if self._own is None:
                return False
            self._append(self._own, documents, runs)
        return True

    def keep(self, documents: Pairs, runs: set[str], why: Exception) -> None:
        """Let documents of some runs wait, for a reason that is told if it is new.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        with self._lock:
            if self._own is None:
                self._own = self._new(str(why))
            self._append(self._own, documents, runs)
        self.tell_once(why)

    def next_batch(self) -> tuple[Sender, list[Record]] | None:
        """Return what is to be sent next, and by what; None if there is nothing now."""
        with self._lock:
            while (sender := self._oldest()) is not None:
                if batch := sender.next_batch():
                    return sender, batch
                self._forget(sender)
        return None

    def cannot_send(self, why: BaseException) -> None:
        """Note why nothing can be sent now."""
        self.reason = str(why)
        if self._own is not None:
            self.tell_once(why)

    def tell_once(self, why: BaseException) -> None:
        """Have it told that documents wait, and why.

        Not again for a reason of this kind, until the server has taken documents.
        """
        if type(why) not in self._told:
            self._told.add(type(why))
            self._news.append(
                f"{why} Documents wait in {self._folder} from now on, and are sent when the "
                "server takes them again."
            )

    def was_reached(self) -> None:
        """Note that the server takes documents."""
        self._told.clear()

    def was_sent(self, sender: Sender) -> None:
        """Note that something was sent, and what of it was refused."""
        self.reason = None
        refused, sender.refused = sender.refused, []
        self._news += [f"{self._of} refuses a document that waited. {each}" for each in refused]

    def news(self) -> list[str]:
        """Return what a person should be told, each thing once."""
        news = []
        while self._news:
            news.append(self._news.pop(0))
        return news

    def close(self) -> None:
        """Leave the files to others."""
        with self._lock:
            for sender in filter(None, (self._own, self._found)):
                sender.close()
            self._own = self._found = None

    def before_fork(self) -> None:
        """Do nothing: the files stay those of the parent."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Begin anew, without the parent's files, which it still writes and locks."""
        for sender in filter(None, (self._own, self._found)):
            sender.close()
        self._begin()

    def _new(self, reason: str) -> Sender:
        about = {"store": self._of, "host": host(), "pid": os.getpid(), "boot_id": boot_id()}
        self.reason = reason
        return Sender(new_journal(self._folder, about, self._sync))

    def _append(self, sender: Sender, documents: Pairs, runs: set[str]) -> None:
        sender.journal.append(documents)
        self.runs |= runs

    def _oldest(self) -> Sender | None:
        """Return what sends the oldest file that nobody else has, if its turn has come."""
        if self._found is not None:
            return self._found
        for path in left_behind(self._folder):
            if self._own is not None and path == self._own.journal.path:
                break
            with suppressed(OSError, StoreDamaged):  # of which `waiting` tells
                journal = Journal.take(path)
                if journal is not None:
                    self._found = Sender(journal)
                    return self._found
                if path in self._before:  # which another process sends just now
                    return None
        return self._own

    def _forget(self, sender: Sender) -> None:
        """Be done with a file."""
        if sender is self._found:
            self._found = None
        else:
            self._own, self.reason = None, None
            self._told.clear()
            self.runs.clear()


def _is_orphan(path: Path) -> bool:
    """Tell whether the writer of a file is known to be gone."""
    with suppressed(OSError, StoreDamaged):
        about = read_heading(path)
        writer = Activity(0.0, about.get("host"), about.get("pid"), about.get("boot_id"))
        return writer_lives(writer) is False
    return False
