"""Runs copied from one broker to another, with their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ..runs.run import Run, each_run
from ..stores.base import Store
from ..stores.rows import rows_of
from .moving.external import copy_files, pointing, referred, with_adopted
from .moving.sending import send

if TYPE_CHECKING:
    from ..external.files.copying import Progress


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
    pairs: list[tuple[str, str]] = []
    store = db if isinstance(db, Store) else getattr(db, "store", None)
    store = store if isinstance(store, Store) else None
    for run in each_run(runs):
        documents: Mapping[str, Any] = {}
        if new_root is not None:
            files = copy_files(run.session, run.uid, store, new_root, verify, on_missing, progress)
            documents = files.documents
            pairs += files.files
        if store is not None:
            _send(run, store, documents)
            continue
        for name, document in pointing(all_documents(run), documents):
            db.insert(name, document)
    return pairs


def _send(run: Run, target: Store, documents: Mapping[str, Any]) -> None:
    """Send a run to a store: as it is stored, but for what its session changes."""
    source, transform = run.session.store, run.session.transforms
    for stored in source.read_runs([run.uid]):
        whole = with_adopted(source, stored)
        linked = [(kind, transform(kind, doc)) for kind, doc in whole.linked]
        changed = replace(
            whole,
            start=transform("start", whole.start),
            stop=None if whole.stop is None else transform("stop", whole.stop),
            linked=list(pointing(linked, documents)),
        )
        send(source, changed, target)


def all_documents(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all documents of a run, and the old resources that do not say that they are its own."""
    resources = referred(run.session, run.uid)
    own = any(name == "resource" for name, _ in resources.documents)
    for name, document in run.stored_documents():
        yield name, document
        if name == "start" and own:  # else they are among its documents
            for resource in resources.adopted:
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
    resources = referred(session, run.uid)
    for found in run_files(session.store, session.registry, run.uid, resources):
        for path in found.paths:
            reference = DataReference(run.uid, spec=found.spec)
            session.registry.guard.check(path, reference)
            size = size_of(path)
            if size is None or (found.error is not None and os.path.isdir(path)):
                problem = f"there is no file {path}"
                raise found.error or failure(FileMissing, reference, found.place, problem)
            sizes[path] = size
    return sum(sizes.values())
