"""Documents on their way into the database: known ones change nothing, others are refused.

What is there is looked up first, so this holds without unique indexes, too, as long as one
program writes a document. Where two do so at once, a unique index tells the second one that it
is (`indexes`), which then looks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..._util.portable_text import portable
from ...documents.encode import same
from ...documents.identity import conflict, is_provisional, same_row, unknown_descriptor
from ...documents.kinds import IDENTITY, OWNER, PAGES
from ...documents.pages import unpack
from ...errors import StoreUnavailable
from .database import in_questions
from .databases import Databases
from .documents import Doc, Packed, unpack_document, unpack_row
from .ids import Ids
from .layout import ODD, PLACES

Pairs = Sequence[tuple[str, Doc]]

_KINDS = (
    "start",
    "descriptor",
    "resource",
    "stream_resource",
    "datum",
    "stream_datum",
    "event",
    "stop",
)
"""The kinds in the order in which a group of them is stored: what is referred to comes first."""

_TRIES = 8  # each of which found that somebody else was storing the same
_MOST_DESCRIPTORS = 10_000  # of which it is remembered that they are there


class Writer:
    """Stores documents."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._ids = Ids()
        self._descriptors: set[str] = set()
        self._indexed: dict[str, bool] = {}

    def put(self, documents: Pairs) -> None:
        """Store documents, or none of them if one is refused."""
        singles = list(_singles(documents))
        if len(singles) == 1 and self._is_stored_unseen(*singles[0]):
            return
        for _ in range(_TRIES):
            if self._stored(self._fresh(singles)):
                return
        raise StoreUnavailable(
            f"{self._databases.metadata.name} has an index that does not let a document in, and "
            "does not have the document either."
        )

    def _is_stored_unseen(self, kind: str, row: Doc) -> bool:
        """Store a row without a look at what is there, if an index tells; tell whether it is."""
        if kind not in OWNER or not self._has_index(kind):
            return False
        if kind == "event" and row["descriptor"] not in self._descriptors:
            return False
        return self._insert(kind, [row])

    def _has_index(self, kind: str) -> bool:
        """Tell whether an index lets no row in whose identity is there."""
        if kind not in self._indexed:
            place, identity = PLACES[kind], {IDENTITY[kind], OWNER[kind]}
            found = self._databases.of(place).unique_keys(place.collection)
            self._indexed[kind] = any(IDENTITY[kind] in keys <= identity for keys in found)
        return self._indexed[kind]

    # -- what is there already ---------------------------------------------

    def _fresh(self, singles: Pairs) -> dict[str, list[Doc]]:
        """Return the documents that are not there yet, by their kinds."""
        known = self._known(singles)
        self._descriptors |= self._named_descriptors(singles)
        descriptors = set(self._descriptors)
        fresh: dict[str, list[Doc]] = {}
        for kind, doc in singles:
            if kind == "event" and doc["descriptor"] not in descriptors:
                raise unknown_descriptor(doc["descriptor"])
            there = _there(kind, doc, known)
            if there is None:
                fresh.setdefault(kind, []).append(doc)
                known.update(dict.fromkeys(_names(kind, doc), doc))
            elif not (same_row if kind in OWNER else same)(there, doc):
                raise conflict(kind, there, doc)
            if kind == "descriptor":
                descriptors.add(doc["uid"])
        return fresh

    def _known(self, singles: Pairs) -> dict[Any, Doc]:
        """Return what is stored under the names of some documents."""
        questions: dict[tuple[str, str, str], dict[str, None]] = {}
        for kind, doc in singles:
            owner = doc[OWNER[kind]] if kind in OWNER and kind != "datum" else ""
            questions.setdefault((kind, owner, IDENTITY[kind]), {})[doc[IDENTITY[kind]]] = None
            if kind == "stop":
                questions.setdefault((kind, "", "run_start"), {})[doc["run_start"]] = None
        known: dict[Any, Doc] = {}
        for (kind, owner, key), names in questions.items():
            for stored in self._of_these(kind, owner, key, list(names)):
                found = unpack_row(kind, stored) if kind in OWNER else unpack_document(stored)
                for name in _names(kind, found):
                    known.setdefault(name, found)
        return known

    def _of_these(self, kind: str, owner: str, key: str, names: list[str]) -> Iterator[Doc]:
        place = PLACES[kind]
        for part in in_questions(names):
            some = list(map(portable, part))
            query: Doc = {key: some[0] if len(some) == 1 else {"$in": some}}
            if owner:
                query = {OWNER[kind]: portable(owner), **query}
            yield from self._databases.of(place).find(place.collection, query)

    def _named_descriptors(self, singles: Pairs) -> set[str]:
        """Return which descriptors, that events name and nobody remembers, are stored."""
        named = {doc["descriptor"] for kind, doc in singles if kind == "event"}
        asked = list(named - self._descriptors)
        if len(self._descriptors) > _MOST_DESCRIPTORS:
            self._descriptors.clear()
            asked = list(named)
        stored = self._of_these("descriptor", "", "uid", asked)
        return {unpack_document(each)["uid"] for each in stored}

    # -- storing -------------------------------------------------------------

    def _stored(self, fresh: dict[str, list[Doc]]) -> bool:
        """Store documents; tell whether nobody else was storing one of them at once."""
        return all(self._insert(kind, fresh[kind]) for kind in _KINDS if kind in fresh)

    def _insert(self, kind: str, documents: Iterable[Doc]) -> bool:
        place = PLACES[kind]
        packed = [Packed(kind, document) for document in documents]
        if kind in ("start", "stop"):
            run = "uid" if kind == "start" else "run_start"
            self._note_odd(each.document[run] for each in packed if each.is_odd)
        stored = [{"_id": self._ids.next(), **each.document} for each in packed]
        if kind == "stop":
            stored = [each for each in stored if not self._replaces(each)]
        database = self._databases.of(place)
        return not stored or database.insert(place.collection, stored)

    def _note_odd(self, runs: Iterable[str]) -> None:
        for run in runs:  # before the document is there, so that no search misses it
            self._databases.of(ODD).replace(ODD.collection, {"uid": run}, {"uid": run}, upsert=True)

    def _replaces(self, stop: Doc) -> bool:
        """Put a stop in the place of one that closed the run of a dead writer; tell whether."""
        place = PLACES["stop"]
        database = self._databases.of(place)
        for there in database.find(place.collection, {"run_start": stop["run_start"]}):
            if is_provisional(there):
                document = {key: value for key, value in stop.items() if key != "_id"}
                database.replace(place.collection, {"_id": there["_id"]}, document)
                return True
        return False


def _singles(documents: Pairs) -> Iterator[tuple[str, Doc]]:
    for kind, doc in documents:
        if kind in PAGES:
            for row in unpack(kind, doc):
                yield PAGES[kind], row
        else:
            yield kind, doc


def _names(kind: str, doc: Doc) -> list[Any]:
    """Return by what a document is known."""
    if kind == "stop":
        return [(kind, doc["uid"]), ("stop of", doc["run_start"])]
    if kind in OWNER and kind != "datum":
        return [(kind, doc[OWNER[kind]], doc[IDENTITY[kind]])]
    return [(kind, doc[IDENTITY[kind]])]


def _there(kind: str, doc: Doc, known: dict[Any, Doc]) -> Doc | None:
    """Return the document that is there in place of another one."""
    first, *others = _names(kind, doc)
    there = known.get(first)
    if there is None and others:
        there = known.get(others[0])
        return None if there is None or is_provisional(there) else there
    return there
