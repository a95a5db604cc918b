"""Both sides of a fork are right: what must be seen to before and after is seen to.

A process is copied with all its memory, but with only the one thread that
asks for it. What other threads held is held for ever in the copy; what the
process had locked, the copy has not. So whoever has such things is told of a
fork just before, and on both sides just afterwards.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from typing import Protocol

FileId = tuple[int, int]
"""The numbers of a device and of a file on it."""


class Forkable(Protocol):
    """What may be told of forks."""

    def before_fork(self) -> None:
        """Let go of what cannot be copied, and keep others from taking it up again."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Go on, without any other thread."""


def tell_of_forks(member: Forkable) -> None:
    """Tell something of all forks from now on, for as long as it lives."""
    forks = _forks()
    with forks.lock:
        forks.members.add(member)


def leave_open(file: FileId, what: object) -> None:
    """Keep what a fork could not close; this process can never use the file."""
    _forks().left_open.setdefault(file, []).append(what)


def is_left_open(file: FileId) -> bool:
    """Tell whether a fork left a file open in this process."""
    return file in _forks().left_open


class _Forks:
    """Who is told of forks of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.members: weakref.WeakSet[Forkable] = weakref.WeakSet()
        self.left_open: dict[FileId, list[object]] = {}
        self._notified: list[Forkable] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before,
                after_in_parent=self._after_in_parent,
                after_in_child=self._after_in_child,
            )

    def _before(self) -> None:
        self.lock.acquire()
        self._notified = []
        for member in list(self.members):
            self._notified.append(member)
            member.before_fork()

    def _after_in_parent(self) -> None:
        notified, self._notified = self._notified, []
        for member in notified:
            member.after_fork_in_parent()
        self.lock.release()

    def _after_in_child(self) -> None:
        notified, self._notified = self._notified, []
        self.lock = threading.RLock()
        for member in notified:
            member.after_fork_in_child()


@functools.cache
def _forks() -> _Forks:
    """Return those of this process; made, and registered, when the first store is opened."""
    return _Forks()
