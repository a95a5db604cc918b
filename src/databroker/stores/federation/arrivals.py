"""What is new in some stores that are asked as one: whether something is, and which runs came."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from ...query.nodes import Everything
from .copies import stops_of
from .member import MemberStore
from .members import Members

if TYPE_CHECKING:
    from ..base import Store


def has_changed(members: Members, states: Mapping[str, Hashable]) -> bool:
    """Tell whether one of the stores has more than in a state, or others than then are asked.

    It costs nothing to look at those that are told of changes (`Store.expect_changes`).
    """
    left = set(states)
    for member in members.asked():
        if member.name not in states:  # it was away, and may be back
            return True
        ask = methodcaller("wait_for_changes", states[member.name], 0.0)
        for is_new in members.answer(member, ask):
            if is_new:
                return True
            left.remove(member.name)
    return bool(left)


def newest_mark(members: Members) -> dict[str, Any] | None:
    """Return the marks of all stores; None without runs, or if one of them has none for its own."""
    marks = dict[str, Any]()
    for member, (mark, is_empty) in members.answers(_mark_of):
        if mark is None and not is_empty:
            return None
        marks[member.name] = mark
    return marks if any(mark is not None for mark in marks.values()) else None


def _mark_of(store: Store) -> tuple[Any, bool]:
    mark = store.newest_mark()
    return mark, mark is None and not store.count(Everything())


def uids_since(members: Members, mark: Any) -> tuple[list[str], Any] | None:
    """Return the uids of runs that came since a mark, and a new one.

    None if one of the stores has no marks, or cannot tell. What came to a store that is away is
    told once it is back, if it was there when the mark was given: else all of its runs would be.
    """
    before: Any = {} if mark is None else mark
    if not isinstance(before, dict):
        return None
    if mark is not None and before.keys().isdisjoint(member.name for member in members):
        return None
    marks = dict(before)
    came: dict[MemberStore, set[str]] = {}
    for member in members.asked():
        if mark is not None and member.name not in before:
            marks.update((member.name, new) for new, _ in members.answer(member, _mark_of))
            continue
        ask = methodcaller("uids_since", before.get(member.name))
        for answer in members.answer(member, ask):
            if answer is None or (answer[0] and answer[1] is None):
                return None
            came[member] = set(answer[0])
            marks[member.name] = answer[1]
    uids = set[str]().union(*came.values())
    if mark is None:
        return sorted(uids), marks if uids else None
    return sorted(uids - _known(members, came, uids)), marks


def _known(members: Members, came: Mapping[MemberStore, set[str]], uids: set[str]) -> set[str]:
    """Return which of the runs that came to some stores another one had already."""
    known = set[str]()
    for member in members.asked():
        others = uids - came.get(member, set())
        if others:
            for found in members.answer(member, partial(stops_of, uids=others)):
                known |= found.keys()
    return known
