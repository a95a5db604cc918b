"""Runs copied from one broker to another, with their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..documents.encode import same
from ..errors import ConflictingDocument
from ..runs.run import Run, each_run
from ..stores.base import Store
from ..stores.rows import rows_of

if TYPE_CHECKING:
    from ..external.files.copying import Progress
    from ..external.files.listing import RunResources

_RESOURCES = ("resource", "stream_resource")


class Receiver(Protocol):
    """What documents are inserted into: a broker, or anything else with this method."""

    def insert(self, name: str, doc: Mapping[str, Any], /) -> object:
        """Take one document."""


def export(
    runs: Run | Iterable[Run],
    db: Receiver,
    new_root: str | os.PathLike[str] | None = None,
    *,
    verify: bool = True,
    on_missing: str = "raise",
    progress: Progress | None = None,
) -> list[tuple[str, str]]:
    """Insert all documents of some runs elsewhere; see `databroker.Broker.export`."""
    from ..external.files.copying import CopyPlan
    from ..external.files.listing import run_files

    pairs: list[tuple[str, str]] = []
    for run in each_run(runs):
        referred = _referred(run)
        pointing: Mapping[str, Any] = {}
        if new_root is not None:
            store, registry = run.session.store, run.session.registry
            plan = CopyPlan(registry, new_root, on_missing)
            plan.add(run_files(store, registry, run.uid, referred))
            _check_target(run, db, plan.documents)
            copied = plan.carry_out(verify, progress)
            pointing = copied.documents
            pairs += copied.files
        documents = (
            (name, pointing.get(doc["uid"], doc) if name in _RESOURCES else doc)
            for name, doc in _documents(run, referred)
        )
        _insert_all(db, documents)
    return pairs


def _referred(run: Run) -> RunResources:
    from ..external.files.listing import run_resources

    return run_resources(run.session.store, run.uid, run.session.transforms)


def _check_target(run: Run, db: Receiver, pointing: Mapping[str, Any]) -> None:
    """Raise, before anything is copied, if the documents could not be inserted afterwards."""
    store = getattr(db, "store", None)
    if store is None or not pointing:
        return
    there = {doc["uid"]: doc for _, doc in store.documents(run.uid)}
    for uid, document in pointing.items():
        known = there.get(uid) or store.resource(uid)
        if known is not None and not same(known, document):
            raise ConflictingDocument(
                f"Run {run.uid[:8]} is there already, and its resource {uid!r} points to other "
                "files. Documents are never changed; to tell a broker that files moved, use its "
                "root map."
            )


def _documents(run: Run, referred: RunResources) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all documents of a run, and the old resources that do not say that they are its own."""
    own = any(name == "resource" for name, _ in referred.documents)
    for name, document in run.stored_documents():
        yield name, document
        if name == "start" and own:  # else they are among its documents
            for resource in referred.adopted:
                yield "resource", dict(resource)
                for datum in rows_of(run.session.store, "datum", resource["uid"]):
                    yield "datum", datum


def size_of_files(run: Run) -> int:
    """Return how large the external files of a run are, in bytes."""
    from ..errors import FileMissing
    from ..external.files.listing import run_files, size_of
    from ..external.references import DataReference, failure

    session = run.session
    sizes: dict[str, int] = {}
    for found in run_files(session.store, session.registry, run.uid, _referred(run)):
        for path in found.paths:
            reference = DataReference(run.uid, spec=found.spec)
            session.registry.guard.check(path, reference)
            size = size_of(path)
            if size is None or (found.error is not None and os.path.isdir(path)):
                problem = f"there is no file {path}"
                raise found.error or failure(FileMissing, reference, found.place, problem)
            sizes[path] = size
    return sum(sizes.values())


def _insert_all(db: Receiver, documents: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Insert documents into a broker, or anything else that has `insert`."""
    store = db if isinstance(db, Store) else getattr(db, "store", None)
    if isinstance(store, Store):
        store.insert_many(documents)
        return
    for name, document in documents:
        db.insert(name, document)
