"""Documents that are inserted one by one, stored together: those that arrive while others are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, NamedTuple

from .._util.signals import not_from_signal
from ..errors import StoreAway
from ..stores.base import Store


class Insert(NamedTuple):
    """A document to be stored, and the future that its caller waits for."""

    store: Store
    kind: str
    document: dict[str, Any]
    done: asyncio.Future[None]


class Inserts:
    """Stores what clients insert, in a thread of its own: what comes at once, at once.

    A store takes one write after the other, so nobody waits longer for it; and they share the
    turns of threads, and the transaction, which is most of what it takes to store a document.
    It is for the one event loop that answers.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="databroker-inserts")
        self._waiting: list[Insert] = []
        self._storing: asyncio.Task[None] | None = None

    async def insert(self, store: Store, kind: str, document: dict[str, Any]) -> None:
        """Have a store keep a document; see `Store.insert`."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append(Insert(store, kind, document, done))
        if self._storing is None:
            self._storing = loop.create_task(self._store())
        await done

    async def _store(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                errors = await loop.run_in_executor(self._thread, _stored, group)
                for each, error in zip(group, errors, strict=True):
                    _tell(each.done, error)
        finally:
            self._storing = None


def _tell(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():  # the client went away
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _stored(group: Sequence[Insert]) -> list[Exception | None]:
    """Store documents, and return for each what it was refused for."""
    errors: list[Exception | None] = []
    for _, several in groupby(group, key=lambda each: id(each.store)):
        errors += _stored_in_one(list(several))
    return errors


def _stored_in_one(group: Sequence[Insert]) -> list[Exception | None]:
    if len(group) > 1:
        try:
            group[0].store.insert_many((each.kind, each.document) for each in group)
            return [None] * len(group)
        except not_from_signal(StoreAway) as error:
            return [error] * len(group)  # each would wait for it again, one after the other
        except not_from_signal(Exception):
            pass  # of one of them: each finds out alone
    return [_stored_alone(each) for each in group]


def _stored_alone(each: Insert) -> Exception | None:
    try:
        each.store.insert(each.kind, each.document)
    except not_from_signal(Exception) as error:
        return error
    return None
