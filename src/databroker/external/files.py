"""The external files of a run: which there are, where they are, and whether they are there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..columns import assemble, to_rows
from ..columns.names import nested
from ..errors import DatabrokerError
from .failures import FileRefused, Reference
from .filling import external_fields
from .paths import Place, place_of
from .spans import read_spans
from .streamed import StreamReader, StreamSource

if TYPE_CHECKING:
    from ..stores.contract import Store
    from .registry import Registry

__all__ = ["ExternalFile", "Found", "external_files", "find_files"]

Doc = Mapping[str, Any]


@dataclass(frozen=True)
class ExternalFile:
    """A file that a run refers to.

    Attributes
    ----------
    path
        Where it is sought; a folder, where that is one array.
    exists
        Whether it is there.
    size
        In bytes; None where it is not there.
    fields
        The fields that it belongs to.
    resource
        The uid of its resource or stream resource.
    spec
        Its spec or mimetype.
    recorded
        Where the resource was when it was written.
    problem
        Why not more is known: no handler, a damaged file, ...
    """

    path: str
    exists: bool
    size: int | None
    fields: tuple[str, ...]
    resource: str
    spec: str
    recorded: str
    problem: str | None = None


@dataclass(frozen=True)
class Found:
    """The files of one resource.

    Attributes
    ----------
    document
        The resource or stream resource.
    place
        Where it is now.
    paths
        Its files, or the one path there is to tell where they cannot be found out.
    problem
        Why they cannot.
    """

    document: Doc
    place: Place
    paths: list[str]
    problem: str | None = None

    @property
    def spec(self) -> str:
        """The spec, or the mimetype."""
        return str(self.document.get("spec") or self.document.get("mimetype"))


def external_files(store: Store, registry: Registry, run: str) -> Iterator[ExternalFile]:
    """Yield the external files of a run, each once, in the order of its documents.

    Nothing is raised for files that are missing, or that nothing can open:
    `exists` and `problem` tell.

    Parameters
    ----------
    store, registry
        Where the documents are, and what opens files.
    run
        The uid of the run.
    """
    documents = store.documents(run)
    fields = _fields_of_resources(store, documents)
    seen: set[str] = set()
    for document in (doc for kind, doc in documents if kind in ("resource", "stream_resource")):
        found = find_files(store, registry, document, documents, run)
        uid = str(document["uid"])
        for path in found.paths:
            if path not in seen:
                seen.add(path)
                size = _size(path) if registry.guard.allows(path) else None
                yield ExternalFile(
                    path,
                    size is not None,
                    size,
                    tuple(fields.get(uid, ())),
                    uid,
                    found.spec,
                    found.place.recorded,
                    found.problem,
                )


def find_files(
    store: Store | None,
    registry: Registry,
    document: Doc,
    documents: Sequence[tuple[str, Doc]] = (),
    run: str | None = None,
) -> Found:
    """Return the files of one resource or stream resource.

    Parameters
    ----------
    documents
        Of the run: its descriptors tell what is declared of streamed fields.
    """
    place = place_of(document, registry.root_map)
    try:
        registry.guard.check(place.path)
        if "resource_kwargs" in document and not _is_streamed(documents, document):
            paths, problem = _of_handler(store, registry, document, run), None
        else:
            paths, problem = _of_stream(store, registry, document, documents, run), None
    except FileRefused as error:
        return Found(document, place, [place.path], str(error))
    except DatabrokerError as error:
        paths, problem = [place.path], str(error)
    return Found(document, place, paths or [place.path], problem)


def _of_handler(
    store: Store | None, registry: Registry, resource: Doc, run: str | None
) -> list[str]:
    uid = str(resource["uid"])
    reference = Reference(run, None, None, str(resource.get("spec")))
    with registry.opened(resource, reference) as handler:
        listed = getattr(handler, "get_file_list", None)
        if listed is None:
            return []
        kwargs = [] if store is None else _datum_kwargs(store, uid)
        try:
            return list(dict.fromkeys(os.fspath(path) for path in listed(kwargs)))
        except DatabrokerError:
            raise
        except Exception as error:  # whatever somebody else's handler raises
            raise DatabrokerError(f"{reference}: get_file_list raised {error!r}.") from error


def _of_stream(
    store: Store | None,
    registry: Registry,
    document: Doc,
    documents: Sequence[tuple[str, Doc]],
    run: str | None,
) -> list[str]:
    if store is None:
        return []
    source = StreamSource.of(document)
    descriptors = [doc for kind, doc in documents if kind == "descriptor"]
    keys = (doc["data_keys"].get(source.data_key) for doc in descriptors)
    spans = read_spans(store, [str(document["uid"])], {doc["uid"] for doc in descriptors})
    key: Doc = next(filter(None, keys), {})
    reader = StreamReader(registry, run, source.data_key, key, [source], spans)
    return [path for _, path in reader.files()]


def _datum_kwargs(store: Store, uid: str) -> Iterator[dict[str, Any]]:
    for extent in store.extents("datum", uid):
        for batch in store.read("datum", uid, extent.first, extent.stop, None):
            for row in to_rows("datum", uid, batch):
                yield row.get("datum_kwargs") or {}


def _fields_of_resources(
    store: Store, documents: Sequence[tuple[str, Doc]]
) -> dict[str, dict[str, None]]:
    """Return the fields that refer to each resource."""
    uids = {str(doc["uid"]) for kind, doc in documents if kind == "resource"}
    found: dict[str, dict[str, None]] = {}
    for kind, doc in documents:
        if kind == "stream_resource":
            found.setdefault(str(doc["uid"]), {})[StreamSource.of(doc).data_key] = None
        if kind != "descriptor":
            continue
        for field, held in external_fields([doc]).items():
            if held == "datum":
                for uid in _referred(store, str(doc["uid"]), field, uids):
                    found.setdefault(uid, {})[field] = None
    return found


def _referred(store: Store, descriptor: str, field: str, uids: set[str]) -> Iterable[str]:
    column = nested("data", field)
    found: dict[str, None] = {}
    for extent in store.extents("event", descriptor):
        for batch in store.read("event", descriptor, extent.first, extent.stop, [column]):
            for datum_id in assemble([batch], [column])[column]:
                if isinstance(datum_id, str):
                    uid = datum_id.rpartition("/")[0]
                    # Some producers' ids say nothing of the resource.
                    if uid not in uids:
                        uid = str((store.datum(datum_id) or {}).get("resource"))
                    found[uid] = None
    return found


def _is_streamed(documents: Iterable[tuple[str, Doc]], document: Doc) -> bool:
    uid = document.get("uid")
    return any(kind == "stream_resource" and doc.get("uid") == uid for kind, doc in documents)


def _size(path: str) -> int | None:
    try:
        if os.path.isdir(path):
            return sum(
                os.path.getsize(os.path.join(folder, name))
                for folder, _, names in os.walk(path)
                for name in names
            )
        return os.path.getsize(path)
    except OSError:
        return None
