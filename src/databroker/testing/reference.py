"""What a store should answer, worked out from the documents alone, and by another store.

`expected` is the simplest possible model of a store: lists of what was
delivered. `answers` asks a store everything that it can be asked about those
documents, in the same form, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..documents.accept import accept
from ..documents.encode import same
from ..documents.kinds import IDENTITY, OWNER, PAGES, Document
from ..documents.pages import unpack
from ..query.nodes import Everything, Node, Path
from ..stores.base import Store
from ..stores.rows import batches_of
from .difference import assert_identical

if TYPE_CHECKING:
    from ..columns import Selection

Delivery = Iterable[tuple[str, Document]]
Row = dict[str, Any]

# Kinds come one after the other, the documents of each in their order of arrival.
LINKED = ("descriptor", "resource", "stream_resource")


def singles(documents: Delivery) -> list[tuple[str, Row]]:
    """Return documents as a store keeps them: plain, and unpacked from their pages."""
    found: list[tuple[str, Row]] = []
    for kind, doc in documents:
        clean, _ = accept(kind, doc)
        if kind in PAGES:
            found += [(PAGES[kind], row) for row in unpack(kind, clean)]
        else:
            found.append((kind, clean))
    return found


def read_rows(
    store: Store,
    kind: str,
    owner: str,
    first: int = 0,
    stop: int | None = None,
    selection: Selection | None = None,
) -> list[Row]:
    """Return rows of one owner as documents; all of them unless told otherwise."""
    from ..columns import ALL, to_rows

    batches = batches_of(store, kind, owner, selection or ALL, first, stop)
    return [row for batch in batches for row in to_rows(kind, owner, batch)]


def expected(documents: Delivery) -> dict[str, Any]:
    """Return what a store must hold after a delivery without conflicts, in any order."""
    kept: dict[tuple[str, str, str], Row] = {}
    for kind, doc in singles(documents):
        owner = doc[OWNER[kind]] if kind in OWNER else ""
        kept.setdefault((kind, owner, doc[IDENTITY[kind]]), doc)
    by_kind = [(kind, doc) for (kind, _, _), doc in kept.items()]
    stops = {doc["run_start"]: doc for kind, doc in by_kind if kind == "stop"}
    starts = [doc for kind, doc in by_kind if kind == "start"][::-1]
    starts.sort(key=lambda doc: doc["time"], reverse=True)
    rows: dict[str, list[Row]] = {}
    for (kind, owner, _), doc in kept.items():
        if kind in OWNER:
            rows.setdefault(f"{kind} {owner}", []).append(doc)
    return {
        "runs": [[doc["uid"], doc, stops.get(doc["uid"])] for doc in starts],
        "documents": _filled(
            {
                uid: [
                    [kind, doc]
                    for linked in LINKED
                    for kind, doc in by_kind
                    if kind == linked and doc.get("run_start") == uid
                ]
                for uid in dict.fromkeys(doc.get("run_start") for _, doc in by_kind)
            }
        ),
        "rows": rows,
        "datums": {doc["datum_id"]: doc for kind, doc in by_kind if kind == "datum"},
        "resources": {doc["uid"]: doc for kind, doc in by_kind if kind == "resource"},
    }


def answers(store: Store, documents: Delivery) -> dict[str, Any]:
    """Return what a store holds of these documents, in the form of `expected`."""
    wanted = expected(documents)
    rows = {name: read_rows(store, *name.split(" ", 1)) for name in wanted["rows"]}
    datums = {name: store.datum(name) for name in wanted["datums"]}
    resources = {name: store.resource(name) for name in wanted["resources"]}
    return {
        "runs": [[run.uid, run.start, run.stop] for run in store.find(Everything())],
        "documents": _filled(
            {
                uid: [[kind, doc] for kind, doc in store.documents(uid)]
                for uid in wanted["documents"]
            }
        ),
        "rows": _filled(rows),
        "datums": _filled(datums),
        "resources": _filled(resources),
    }


def _filled(found: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in found.items() if value}


def assert_same_answers(
    store: Store, oracle: Store, documents: Delivery, queries: Iterable[Node] = ()
) -> None:
    """Fail unless two stores that got the same documents answer every question alike.

    Parameters
    ----------
    store, oracle
        The store to test, and one that is trusted, such as the memory store.
    documents
        What both were given.
    queries
        Searches to try, besides asking for everything.

    Raises
    ------
    AssertionError
        They differ; the message says where.
    """
    documents = list(documents)
    assert_identical(answers(store, documents), answers(oracle, documents))
    starts = [doc for kind, doc in singles(documents) if kind == "start"]
    for start in starts:
        times = [each.activity(start["uid"]).last_time for each in (store, oracle)]
        assert_identical(*times)
    paths = [Path(key) for key in sorted({key for start in starts for key in start})]
    for query in (Everything(), *queries):
        found, wanted = ([run.uid for run in each.find(query)] for each in (store, oracle))
        assert found == wanted, f"{query!r} finds {found} instead of {wanted}"
        assert store.count(query) == len(wanted), f"count of {query!r}"
        for path in paths:
            assert_identical(_distinct(store, path, query), _distinct(oracle, path, query))
        rows, others = ([list(r) for r in each.select(query, paths)] for each in (store, oracle))
        assert same(rows, others), f"{query!r} selects {rows} instead of {others}"


def _distinct(store: Store, path: Path, query: Node) -> list[Any]:
    return [[value, count] for value, count in store.distinct(path, query)]
