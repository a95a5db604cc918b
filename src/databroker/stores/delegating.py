"""A store that has another one answer: one before a server, or a member of several."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .base import Store

M = TypeVar("M", bound=Callable[..., Any])


def _passed_on(method: M) -> M:
    """Return a method that asks the other store."""
    name = method.__name__

    @functools.wraps(method, updated=())
    def ask(self: DelegatingStore, *args: Any, **kwargs: Any) -> Any:
        return self.ask(name, *args, **kwargs)

    return cast(M, ask)


class DelegatingStore(Store):
    """Has another store answer whatever is read; how documents are put, a subclass says."""

    @abstractmethod
    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return what a method of the other store gives."""

    reach = _passed_on(Store.reach)
    prepare = _passed_on(Store.prepare)
    find = _passed_on(Store.find)
    count = _passed_on(Store.count)
    record = _passed_on(Store.record)
    resolve = _passed_on(Store.resolve)
    select = _passed_on(Store.select)
    distinct = _passed_on(Store.distinct)
    keys = _passed_on(Store.keys)
    documents = _passed_on(Store.documents)
    activity = _passed_on(Store.activity)
    extents = _passed_on(Store.extents)
    read = _passed_on(Store.read)
    read_array = _passed_on(Store.read_array)
    see_external = _passed_on(Store.see_external)
    count_external = _passed_on(Store.count_external)
    list_external = _passed_on(Store.list_external)
    read_external = _passed_on(Store.read_external)
    datum = _passed_on(Store.datum)
    resource = _passed_on(Store.resource)
    run_of = _passed_on(Store.run_of)
    backup = _passed_on(Store.backup)
    check = _passed_on(Store.check)
    create_indexes = _passed_on(Store.create_indexes)
    state = _passed_on(Store.state)
    newest_mark = _passed_on(Store.newest_mark)
    uids_since = _passed_on(Store.uids_since)
    wait_for_changes = _passed_on(Store.wait_for_changes)
    expect_changes = _passed_on(Store.expect_changes)
    read_extents = _passed_on(Store.read_extents)
    read_many = _passed_on(Store.read_many)
    read_runs = _passed_on(Store.read_runs)
    size = _passed_on(Store.size)
    outlines = _passed_on(Store.outlines)
