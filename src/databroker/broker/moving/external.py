"""The external files of runs that are copied, and the resources that old runs do not name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...documents.encode import same
from ...errors import ConflictingDocument, CopyRefused
from ...external.fields.filling import external_fields
from ...stores.contents import StoredRun, owners_of

if TYPE_CHECKING:
    from ...external.files.copying import Copied, Progress
    from ...external.files.listing import RunResources
    from ...runs.session import Session
    from ...stores.base import Store

Doc = Mapping[str, Any]

RESOURCES = ("resource", "stream_resource")


class Files:
    """Copies the files of runs below a folder, and makes their documents point there."""

    def __init__(
        self, session: Session, target: Store, folder: str | os.PathLike[str], verify: bool = True
    ) -> None:
        self.copied: list[tuple[str, str]] = []
        self._session, self._target = session, target
        self._folder, self._verify = folder, verify

    def carry(self, run: StoredRun) -> StoredRun:
        """Copy the files of a run, and return it with documents that point to the copies."""
        if not any(kind in RESOURCES for kind, _ in run.linked):
            return run
        session = self._session.of_run(run.uid)
        copied = copy_files(session, run.uid, self._target, self._folder, self._verify)
        self.copied += copied.files
        return replace(run, linked=list(pointing(run.linked, copied.documents)))


def copy_files(
    session: Session,
    uid: str,
    target: Store | None,
    folder: str | os.PathLike[str],
    verify: bool = True,
    on_missing: str = "raise",
    progress: Progress | None = None,
) -> Copied:
    """Copy the files of a run, unless its documents could not be inserted into the target."""
    from ...external.files.copying import CopyPlan
    from ...external.files.listing import run_files

    plan = CopyPlan(session.registry, folder, on_missing)
    plan.add(run_files(session.store, session.registry, uid, referred(session, uid)))
    if target is not None:
        _check_target(uid, target, plan.documents)
    return plan.carry_out(verify, progress)


def pointing(
    flow: Iterable[tuple[str, dict[str, Any]]], documents: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield documents of a run, with others in the place of some resources."""
    for kind, doc in flow:
        yield kind, documents.get(doc["uid"], doc) if kind in RESOURCES else doc


def referred(session: Session, uid: str) -> RunResources:
    """Return what the documents of a run refer to."""
    from ...external.files.listing import run_resources

    return run_resources(session.store, uid, session.transforms)


def with_adopted(store: Store, run: StoredRun, like: StoredRun | None = None) -> StoredRun:
    """Return a run with the old resources that its events refer to, though they do not name it.

    They are looked for in its events, or are those of a run that is like this one.
    """
    own = {doc["uid"] for kind, doc in run.linked if kind == "resource"}
    if like is None:
        uids = _adopted(store, run)
    else:
        uids = [doc["uid"] for kind, doc in like.linked if kind == "resource"]
    documents = [doc for uid in uids if uid not in own and (doc := store.resource(uid)) is not None]
    if not documents:
        return run
    linked: list[tuple[str, dict[str, Any]]] = [("resource", doc) for doc in documents]
    extents = {owner: store.extents(*owner) for owner in owners_of(linked)}
    # Their rows are read when it is time: there may be many.
    return replace(
        run, linked=[*run.linked, *linked], extents={**run.extents, **extents}, batches=None
    )


def _adopted(store: Store, run: StoredRun) -> list[str]:
    descriptors = [doc for kind, doc in run.linked if kind == "descriptor"]
    if not external_fields(descriptors):
        return []
    from ...external.files.listing import run_resources

    return [str(doc["uid"]) for doc in run_resources(store, run.uid).adopted]


def folder_beside(store: Store) -> str:
    """Return a folder for external files beside the file of a store."""
    path = getattr(store, "path", None)
    if path is None:
        raise CopyRefused(
            f"Where should external files go? {store} is no file beside which a folder could be. "
            "Name one: files='/some/folder'."
        )
    return f"{os.path.splitext(path)[0]}-files"


def _check_target(run: str, store: Store, documents: Mapping[str, Any]) -> None:
    """Raise, before anything is copied, if the documents could not be inserted afterwards."""
    if not documents:
        return
    there = {doc["uid"]: doc for _, doc in store.documents(run)}
    for uid, document in documents.items():
        known = there.get(uid) or store.resource(uid)
        if known is not None and not same(known, document):
            raise ConflictingDocument(
                f"Run {run[:8]} is there already, and its resource {uid!r} points to other "
                "files. Documents are never changed; to tell a broker that files moved, use its "
                "root map."
            )
