"""What may be written into runs that match a query, and into no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...documents.kinds import OWNER, PAGES, ROWS
from ...documents.pages import unpack
from ...errors import ConflictingDocument, NotPermitted
from ...query.evaluate import RunView, compile
from ...query.nodes import And, DataKey, Not, Or, PathNode

if TYPE_CHECKING:
    from ...query.nodes import Node

Doc = dict[str, Any]


def is_of_start(query: Node) -> bool:
    """Tell whether the start of a run alone decides whether the run matches.

    Examples
    --------
    >>> from databroker.query.nodes import Equals, Path
    >>> is_of_start(Equals(Path("proposal"), "1234")), is_of_start(DataKey("det"))
    (True, False)
    """
    match query:
        case And(nodes) | Or(nodes):
            return all(map(is_of_start, nodes))
        case Not(node):
            return is_of_start(node)
        case PathNode(path):
            return path.document == "start"
    return not isinstance(query, DataKey)


class Admission:
    """Refuses documents that are not of runs which match.

    Parameters
    ----------
    query
        What runs must match.
    sees
        Tells whether a run is there and does.
    hides
        Tells whether a run is there and does not.
    run_of
        Says to which run an owner of rows belongs; see `Store.run_of`.
    """

    def __init__(
        self,
        query: Node,
        sees: Callable[[Any], bool],
        hides: Callable[[str], bool],
        run_of: Callable[[str, str], str | None],
    ) -> None:
        self._query, self._sees, self._hides, self._run_of = query, sees, hides, run_of

    def check(self, documents: Sequence[tuple[str, Doc]]) -> None:
        """See that each document is of a run that matches: one that is there, or begins here.

        Raises
        ------
        NotPermitted
            One is not.
        ConflictingDocument
            Another run has its uid, be it in a store that is not the one written to.
        """
        known, runs = set[Any](), dict[tuple[str, str], Any]()
        for kind, doc in documents:
            if kind == "start":
                self._check_start(doc)
                known.add(doc["uid"])
            elif kind in OWNER or kind in PAGES:
                rows = PAGES.get(kind, kind)
                for owner in _owners(kind, doc):
                    if (rows, owner) not in runs:
                        runs[rows, owner] = self._run_of(rows, owner)
                    self._check_run(runs[rows, owner], known, f"{OWNER[rows]} {owner!r:.200}")
            else:
                run = doc.get("run_start")
                self._check_run(run, known, f"run {run!r:.200}")
                if kind in ROWS:
                    self._check_owner_is_new(ROWS[kind], doc["uid"], run)
                    runs.setdefault((ROWS[kind], doc["uid"]), run)

    def check_owner(self, kind: str, owner: str) -> None:
        """See that rows may be added to an owner of some; see `check`."""
        self._check_run(self._run_of(kind, owner), set(), f"{OWNER[kind]} {owner!r:.200}")

    def _check_start(self, doc: Doc) -> None:
        if not compile(self._query)(RunView(doc)):
            raise NotPermitted(
                f"Run {doc['uid']!r:.200} does not match what runs must that are written with this "
                f"key: {self._query!r}."
            )
        if self._hides(doc["uid"]):
            raise _conflict()

    def _check_owner_is_new(self, kind: str, owner: str, run: Any) -> None:
        """See that what rows will belong to is in no other run."""
        if self._run_of(kind, owner) not in (None, run):
            raise _conflict()

    def _check_run(self, run: Any, known: set[Any], what: str) -> None:
        """See that a run is one of those that are known to match, or is there and does."""
        if isinstance(run, str) and run in known:
            return
        if not self._sees(run):
            raise NotPermitted(
                f"There is no {what} among the runs that may be written with this key. (The start "
                "of a run comes first, then what describes its rows.)"
            )
        known.add(run)


def _owners(kind: str, doc: Doc) -> set[str]:
    """Return the uids of what the rows of a document belong to."""
    if kind == "bulk_events":
        return {row["descriptor"] for row in unpack(kind, doc)}
    return {doc[OWNER[PAGES.get(kind, kind)]]}


@contextmanager
def admitted() -> Iterator[None]:
    """Let a conflict not tell what is stored: it may be another run's."""
    try:
        yield
    except ConflictingDocument:
        raise _conflict() from None


def _conflict() -> ConflictingDocument:
    return ConflictingDocument(
        "A different document with the identity of this one is stored already."
    )
