"""Saying, once a run, that values in its documents were kept in another form."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from .._util.user_warnings import warn_user
from ..documents.kinds import OWNER, PAGES, Document
from ..documents.pages import owner_of
from ..errors import LossyDocumentWarning

_REMEMBERED = 1024  # owners of rows, whose run is known
_NAMED = 3  # changes in a warning
_OWNERS = frozenset(OWNER.values())


class ChangeNotices:
    """Warns of what had to be changed in documents; which run they are of is seen on the way."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._runs: OrderedDict[str, str | None] = OrderedDict()  # by the owners of rows

    def saw(self, kind: str, doc: Document, changes: Sequence[str]) -> None:
        """Take note of a document that was kept, and of what was changed in it."""
        if kind in _OWNERS:
            self._runs[doc["uid"]] = doc.get("run_start")
            if len(self._runs) > _REMEMBERED:
                self._runs.popitem(last=False)
        if changes:
            self._tell(self.run_of(kind, doc), changes)

    def run_of(self, kind: str, doc: Document) -> str | None:
        """Return the run that a document belongs to, if that was seen."""
        if kind == "start":
            return str(doc["uid"])
        if PAGES.get(kind, kind) in OWNER:
            return self._runs.get(owner_of(kind, doc) or "")
        return doc.get("run_start")

    def _tell(self, uid: str | None, changes: Sequence[str]) -> None:
        run = uid or ""
        if run in self._told:
            return
        self._told.add(run)
        more = f"; and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
        warn_user(
            f"Run {run[:8] or '(unknown)'}: values in its documents were kept in another form: "
            f"{'; '.join(changes[:_NAMED])}{more}. This is said once a run.",
            LossyDocumentWarning,
        )
