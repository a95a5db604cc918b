"""Which of several stores takes what is inserted, and what it must refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._util.signals import suppressed
from ..._util.suggestions import did_you_mean
from ...errors import InvalidConfiguration, StoreIsReadOnly, StoreUnavailable

if TYPE_CHECKING:
    from .member import MemberStore
    from .ownership import Ownership

Doc = dict[str, Any]


class WriteTo:
    """The member that is written to, if one is named.

    Parameters
    ----------
    name
        Its name; None if none is written to.
    members
        All members, by name.
    ownership
        Knows whose a run is.

    Raises
    ------
    InvalidConfiguration
        No member has the name.
    """

    def __init__(
        self, name: str | None, members: Mapping[str, MemberStore], ownership: Ownership
    ) -> None:
        self.name = name
        self._members = members
        self._ownership = ownership
        if name is not None and name not in members:
            raise InvalidConfiguration(
                f"'write_to' is no source: {name!r}.{did_you_mean(name, members)} "
                f"The sources are {', '.join(map(repr, members))}."
            )

    def __bool__(self) -> bool:
        return self.name is not None

    @property
    def member(self) -> MemberStore:
        """The member that is written to.

        Raises
        ------
        StoreIsReadOnly
            None is.
        """
        if self.name is None:
            names = ", ".join(self._members)
            raise StoreIsReadOnly(
                f"These are several sources ({names}), and none is named to be written to. "
                "Name one with 'write_to' in the configuration, or "
                f"Broker.named(..., write_to={next(iter(self._members), '')!r})."
            )
        return self._members[self.name]

    def taking(self, documents: Sequence[tuple[str, Doc]]) -> MemberStore:
        """Return the member, if these documents belong to no run that only another one has.

        Raises
        ------
        StoreIsReadOnly
            They do, or no member is written to.
        """
        member = self.member
        begun = {doc["uid"] for kind, doc in documents if kind == "start"}
        for uid in {doc.get("run_start") for _, doc in documents} - begun:
            if type(uid) is str:
                self._check_run(member, uid)
        return member

    def _check_run(self, member: MemberStore, uid: str) -> None:
        """Refuse to go on with a run that is elsewhere.

        Nothing is refused because a store is away: an experiment may be going on.
        """
        if member.is_waiting(uid):
            return
        with suppressed(StoreUnavailable):
            if member.record(uid) is not None:
                return
            owner = self._ownership.owners([uid]).get(uid, member)
            if owner is not member:
                raise StoreIsReadOnly(
                    f"Run {uid[:8]!r} is in {owner.name!r}, and what is inserted goes to "
                    f"{member.name!r}. To go on with it, open {owner.name!r} by itself."
                )
