"""Descriptors, resources and stream resources of runs, of one run or of several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._util.portable_text import portable
from .database import Filter, in_questions
from .databases import Databases
from .documents import Doc
from .layout import PLACES

_ORDER = (("run_start", 1), ("_id", 1))
"""That of an index: so servers need not sort, nor walk through the documents of all runs."""


class Linked:
    """Finds the documents that name their run."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def of_runs(
        self, kind: str, uids: Sequence[str], fields: Filter | None = None
    ) -> Iterator[tuple[str, Doc]]:
        """Yield documents of a kind as they are stored, each after the uid of its run.

        Those of one run are in order of arrival; in old databases some resources are twice, of
        which the first is taken. If only some fields are wanted, two of them are the uids of the
        document and of its run.
        """
        seen = set()
        for some in in_questions(uids):
            runs = {portable(uid): uid for uid in some}
            for stored in self._found(kind, list(runs), fields):
                if (identity := (stored["run_start"], stored["uid"])) not in seen:
                    seen.add(identity)
                    yield runs[stored["run_start"]], stored

    def _found(self, kind: str, runs: list[str], fields: Filter | None) -> Iterator[Doc]:
        place = PLACES[kind]
        query = {"run_start": runs[0] if len(runs) == 1 else {"$in": runs}}
        return self._databases.of(place).find(place.collection, query, fields=fields, order=_ORDER)
