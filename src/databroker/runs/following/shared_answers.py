"""Answers for several who ask the same at the same time: one asks, the others get what it got."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable, Hashable
from itertools import takewhile
from typing import Any, TypeVar

T = TypeVar("T")

HOLDS = 1.0
"""Seconds for which an answer is kept."""


class SharedAnswers:
    """What was answered just now, for those who need it no newer than that.

    Examples
    --------
    >>> answers, before = SharedAnswers(), time.monotonic()
    >>> answers.ask("how many?", lambda: 7, before)[0]
    7
    >>> answers.ask("how many?", lambda: 8, before)[0]
    7
    >>> answers.ask("how many?", lambda: 8, time.monotonic())[0]
    8
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, _Answer] = {}

    def ask(self, question: Hashable, answered: Callable[[], T], since: float) -> tuple[T, float]:
        """Return an answer, and a time at which all was there that it tells of.

        Parameters
        ----------
        question
            Is the same for those who ask the same.
        answered
            Asks it.
        since
            When it was asked at the earliest, by `time.monotonic`.
        """
        answer, is_mine = self._answer(question, since)
        if not is_mine and (found := answer.wait()) is not None:
            return found
        try:
            found = answered(), time.monotonic()
            if is_mine:
                answer.found = found
            return found
        finally:
            if is_mine:
                answer.done.release()

    def forget(self) -> None:
        """Let go of all."""
        self._answers = {}

    def _answer(self, question: Hashable, since: float) -> tuple[_Answer, bool]:
        """Return the answer to a question, and whether who asked now has to get it."""
        with self._lock:
            known = self._answers.get(question)
            if known is not None and known.begun >= since:
                return known, False
            mine = _Answer()
            self._forget(question, before=mine.begun - HOLDS)
            self._answers[question] = mine
            return mine, True

    def _forget(self, question: Hashable, before: float) -> None:
        """Let go of an answer, and of those that are old: the first ones, as new ones come last."""
        self._answers.pop(question, None)
        items = self._answers.items()
        for old, _ in list(takewhile(lambda item: item[1].begun < before, items)):
            del self._answers[old]


class _Answer:
    """An answer that somebody waits for, or has got."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.found: tuple[Any, float] | None = None
        self.done = _thread.allocate_lock()
        self.done.acquire()

    def wait(self) -> tuple[Any, float] | None:
        """Return what was found; None if who asked failed, or takes very long."""
        if self.found is None and self.done.acquire(timeout=HOLDS):
            self.done.release()
        return self.found
