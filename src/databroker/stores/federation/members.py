"""The stores that are asked as one, and what is done while one of them is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from ..._util.user_warnings import warn_user
from ...errors import ForeignStore, StoreUnavailable, UnavailableWarning
from ..base import Store
from .member import MemberStore

T = TypeVar("T")


class Members(Sequence[MemberStore]):
    """Stores in the order of their configuration.

    Parameters
    ----------
    stores
        Stores, or what opens them, by name.
    skips
        Whether one that is away is left out, with a warning, or is an error.
    """

    def __init__(self, stores: Mapping[str, Store | Callable[[], Store]], skips: bool) -> None:
        self.skips = skips
        self._members = [
            MemberStore(name, place, store) for place, (name, store) in enumerate(stores.items())
        ]

    def __getitem__(self, place: int) -> MemberStore:  # type: ignore[override]
        return self._members[place]

    def __len__(self) -> int:
        return len(self._members)

    def asked(self) -> Iterator[MemberStore]:
        """Yield those that are asked now."""
        return (one for one in self._members if not (self.skips and one.is_resting))

    def left_out(self) -> Iterator[str]:
        """Yield the names of those that are not asked now, also of those within others."""
        for one in self._members:
            if self.skips and one.is_resting:
                yield one.name
            else:
                yield from (f"{one.name}/{inner}" for inner in one.left_out)

    def answers(self, question: Callable[[Store], T]) -> Iterator[tuple[MemberStore, T]]:
        """Yield what each store answers."""
        for member in self.asked():
            for answer in self.answer(member, question):
                yield member, answer

    def answer(self, member: MemberStore, question: Callable[[Store], T]) -> list[T]:
        """Return what a store answers in a list, which is empty if it is away."""
        return list(self.stream(member, lambda store: iter([question(store)])))

    def stream(self, member: MemberStore, question: Callable[[Store], Iterator[T]]) -> Iterator[T]:
        """Yield what a store answers bit by bit; nothing more once it is away."""
        asked = time.monotonic()
        try:
            for answer in question(member):
                yield answer
                asked = time.monotonic()
        except ForeignStore:
            raise
        except StoreUnavailable as error:
            if not self.skips:
                raise
            if member.rest(time.monotonic() - asked):
                warn_user(f"{error} Its runs are left out until it is back.", UnavailableWarning)
        else:
            member.is_back()
