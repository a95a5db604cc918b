"""Runs copied from one broker to another, with their files."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..documents.encode import same
from ..errors import ConflictingDocument
from ..runs import Header
from ..runs.stream.documents import owned_rows
from ..stores.base import Store
from .several import each_header

if TYPE_CHECKING:
    from ..external.files.copying import CopyPlan, Progress
    from ..external.files.listing import RunResources
    from .broker import Broker

__all__ = ["Copying"]

Path = str | os.PathLike[str]

_RESOURCES = ("resource", "stream_resource")


class Copying:
    """The part of a broker that copies runs elsewhere.

    Examples
    --------
    >>> import databroker
    >>> db, other = databroker.temp(), databroker.temp()
    >>> db.insert("start", {"uid": "a", "time": 1.0})
    >>> db.export(db[-1], other)
    []
    >>> other[-1].uid
    'a'
    """

    def export(
        self,
        headers: Header | Iterable[Header],
        db: Any,
        new_root: Path | None = None,
        copy_kwargs: Mapping[str, Any] | None = None,
    ) -> list[tuple[str, str]]:
        """Insert all documents of some headers elsewhere, as they are stored.

        With `new_root`, their files are copied first, and the documents point to the
        copies. Exporting again goes on where an export was broken off.

        Parameters
        ----------
        headers
            A header, or several.
        db
            A broker, or anything else with an `insert` method.
        new_root
            A folder to copy external files to. There, they keep their path relative to the
            root of their resource.
        copy_kwargs
            How to copy them: `verify` (whether to compare checksums; True), `on_missing`
            ('raise', or 'skip' files that are not there), `progress` or, as in databroker 1.x,
            `file_rename_hook` (a function, called before each file of a run with its number,
            how many there are, the old and the new path).

        Returns
        -------
        list
            The old and the new path of each file, those that were there already included.

        Raises
        ------
        ExternalDataMissing
            A file is not there. Of its run, nothing was copied or inserted.
        CopyRefused, CopyFailed
            Another file is where a copy should be; or the disk is full, say.
        ConflictingDocument
            The run is there already, and points to other files. Nothing was copied.
        TypeError
            Something else is in `copy_kwargs`.
        """
        how = _How.of(copy_kwargs or {})
        pairs: list[tuple[str, str]] = []
        for header in each_header(headers):
            referred = _referred(header)
            pointing: Mapping[str, Any] = {}
            if new_root is not None:
                plan = _plan(header, referred, new_root, how)
                _check_target(header, db, plan.documents)
                copied = plan.carry_out(how.verify, how.progress)
                pointing = copied.documents
                pairs += copied.files
            _insert_all(
                db,
                (
                    (name, pointing.get(doc["uid"], doc) if name in _RESOURCES else doc)
                    for name, doc in _documents(header, referred)
                ),
            )
        return pairs

    def export_size(self, headers: Header | Iterable[Header]) -> float:
        """Return how large the external files of some headers are, in units of 10**9 bytes.

        Raises
        ------
        ExternalDataMissing
            A file is not there.
        NoHandler
            It is not known which files there are.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> db.export_size(db[-1])
        0.0
        """
        sizes = (_size_of_files(header, _referred(header)) for header in each_header(headers))
        return sum(sizes) / 1e9

    def backup(
        self,
        path: Path,
        progress: Callable[[int, int], None] | None = None,
    ) -> pathlib.Path:
        """Copy all runs, as they are at this moment, into a new SQLite file.

        Other programs may write meanwhile. The file appears when it is whole.
        Data in external files is not copied; see `export`.

        Parameters
        ----------
        path
            Of the new file.
        progress
            Called again and again with the number of bytes copied, and of all
            (not for stores that are copied run by run, such as the memory store).

        Returns
        -------
        pathlib.Path
            The whole path of the new file.

        Raises
        ------
        CopyRefused
            There is a file of this name.
        StoreUnavailable
            It cannot be written; nothing half is left there.

        Examples
        --------
        >>> import databroker, tempfile
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = db.backup(f"{folder}/copy.db")
        ...     with databroker.Broker.from_config({"driver": "sqlite", "path": path}) as copy:
        ...         print(copy[-1].uid)
        a
        """
        from .backup import back_up

        return back_up(cast("Broker", self), path, progress)


@dataclass(frozen=True)
class _How:
    """How files are copied."""

    verify: bool = True
    on_missing: str = "raise"
    progress: Progress | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> _How:
        known = ("verify", "on_missing", "progress", "file_rename_hook")
        unknown = [key for key in given if key not in known]
        if unknown:
            raise TypeError(
                f"copy_kwargs has {', '.join(map(repr, unknown))}; it may have {', '.join(known)}."
            )
        named = dict(given)
        hook = named.pop("file_rename_hook", None)
        if hook is not None and named.setdefault("progress", hook) is not hook:
            raise TypeError("progress and file_rename_hook are the same: give one of them.")
        return cls(**named)


def _referred(header: Header) -> RunResources:
    from ..external.files.listing import run_resources

    return run_resources(header.db.store, header.uid, header.db.transforms)


def _plan(header: Header, referred: RunResources, new_root: Path, how: _How) -> CopyPlan:
    from ..external.files.copying import CopyPlan
    from ..external.files.listing import run_files

    db = header.db
    plan = CopyPlan(db.reg, new_root, how.on_missing)
    plan.add(run_files(db.store, db.reg, header.uid, referred))
    return plan


def _check_target(header: Header, db: Any, pointing: Mapping[str, Any]) -> None:
    """Raise, before anything is copied, if the documents could not be inserted afterwards."""
    store = getattr(db, "store", None)
    if store is None or not pointing:
        return
    there = {doc["uid"]: doc for _, doc in store.documents(header.uid)}
    for uid, document in pointing.items():
        known = there.get(uid) or store.resource(uid)
        if known is not None and not same(known, document):
            raise ConflictingDocument(
                f"Run {header.uid[:8]} is there already, and its resource {uid!r} points to other "
                "files. Documents are never changed; to tell a broker that files moved, use its "
                "root map."
            )


def _documents(header: Header, referred: RunResources) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all documents of a run, and the old resources that do not say that they are its own."""
    own = any(name == "resource" for name, _ in referred.documents)
    for name, document in header.stored_documents():
        yield name, document
        if name == "start" and own:  # else they are among its documents
            for resource in referred.adopted:
                yield "resource", dict(resource)
                for datum in owned_rows(header.db.store, "datum", resource["uid"]):
                    yield "datum", datum


def _size_of_files(header: Header, referred: RunResources) -> int:
    from ..external.files.listing import run_files, size_of
    from ..external.references import DataReference, FileMissing, failure

    db = header.db
    sizes: dict[str, int] = {}
    for found in run_files(db.store, db.reg, header.uid, referred):
        for path in found.paths:
            reference = DataReference(header.uid, spec=found.spec)
            db.reg.guard.check(path, reference)
            size = size_of(path)
            if size is None or (found.error is not None and os.path.isdir(path)):
                problem = f"there is no file {path}"
                raise found.error or failure(FileMissing, reference, found.place, problem)
            sizes[path] = size
    return sum(sizes.values())


def _insert_all(db: Any, documents: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Insert documents into a broker, or anything else that has `insert`."""
    store = getattr(db, "store", None)
    if isinstance(store, Store):
        store.insert_many(documents)
        return
    for name, document in documents:
        db.insert(name, document)
