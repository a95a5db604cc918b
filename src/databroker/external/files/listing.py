"""The external files of a run: which there are, where they are, and whether they are there."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ..._util.signals import not_from_signal, suppressed
from ...columns import ALL, Selection
from ...columns.assemble import assemble
from ...columns.batches import values_of
from ...columns.names import nested
from ...documents.transform import Transform, unchanged
from ...errors import DatabrokerError, FileRefused
from ...stores.arrays import MIMETYPE
from ...stores.external import ExternalFile
from ...stores.rows import batches_of, rows_of
from ..fields.filling import external_fields
from ..fields.resource_values import StreamSource
from ..fields.stream_index import read_claims
from ..fields.streamed_field import StreamedField, StreamReader
from ..handler_cache import identity
from ..locate import place_of
from ..references import DataReference, Place

if TYPE_CHECKING:
    from ...stores.base import Store
    from ..registry import Registry

Doc = Mapping[str, Any]


@dataclass(frozen=True)
class ResourceFiles:
    """The files of one resource or stream resource, and where it is now.

    Where its files cannot be found out, there is the one path that there is to tell, and why.
    """

    document: Doc
    place: Place
    paths: list[str]
    error: DatabrokerError | None = None

    @property
    def uid(self) -> str:
        """The uid of the document."""
        return str(self.document["uid"])

    @property
    def spec(self) -> str:
        """The spec, or the mimetype."""
        return str(self.document.get("spec") or self.document.get("mimetype"))

    @property
    def problem(self) -> str | None:
        """Why the files cannot be found out, in words."""
        return None if self.error is None else str(self.error)


@dataclass(frozen=True)
class RunResources:
    """What the documents of a run refer to.

    `documents` are those that link a run to its data, each after its kind. `adopted` are
    resources that its events refer to, though they do not name the run: old ones. `fields`
    are those that refer to each resource, by its uid.
    """

    documents: Sequence[tuple[str, Doc]]
    adopted: list[Doc] = field(default_factory=list)
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def descriptors(self) -> list[Doc]:
        """The descriptors, which tell what is declared of streamed fields."""
        return [doc for kind, doc in self.documents if kind == "descriptor"]

    @cached_property
    def streamed(self) -> frozenset[str]:
        """The uids of stream resources."""
        resources = (doc for kind, doc in self.documents if kind == "stream_resource")
        return frozenset(str(doc["uid"]) for doc in resources)

    @property
    def resources(self) -> list[Doc]:
        """All resources and stream resources whose data are in files."""
        own = [doc for kind, doc in self.documents if kind in ("resource", "stream_resource")]
        return [doc for doc in own if doc.get("mimetype") != MIMETYPE] + self.adopted


class Words:
    """How files are told: by their paths here."""

    def path(self, path: str, place: Place) -> str:
        """Return what the path of a file is called that belongs to a resource at some place."""
        return path

    def problem(self, error: DatabrokerError) -> str:
        """Return why not more is known of a file."""
        return str(error)


def external_files(
    store: Store,
    registry: Registry,
    run: str,
    transform: Transform = unchanged,
    words: Words | None = None,
) -> Iterator[ExternalFile]:
    """Yield the external files of a run, each once, in the order of its documents.

    Nothing is raised for files that are missing, or that nothing can open:
    `exists` and `problem` tell.
    """
    here = partial(_files_here, store, registry, run, transform, words or Words())
    if not store.capabilities.external:
        yield from here(lambda _: True)
        return
    reached = list(here(registry.reaches)) if registry.roots else []
    yield from reached
    known = {file.resource for file in reached}
    for file in store.list_external(run):
        if file.resource not in known:
            yield replace(file, at_server=file.exists)


def _files_here(
    store: Store,
    registry: Registry,
    run: str,
    transform: Transform,
    words: Words,
    is_wanted: Callable[[Doc], bool],
) -> Iterator[ExternalFile]:
    """Yield the files on this machine of the resources that are wanted."""
    referred = run_resources(store, run, transform)
    listed: dict[str, ExternalFile] = {}
    for document in filter(is_wanted, referred.resources):
        resource = resource_files(store, registry, document, referred, run)
        fields = referred.fields.get(resource.uid, ())
        problem = None if resource.error is None else words.problem(resource.error)
        for path in resource.paths:
            file = listed.get(path) or _on_disk(registry, run, resource, path, words)
            # Several resources may lead to one file, each for fields of its own.
            listed[path] = replace(
                file,
                fields=tuple(dict.fromkeys(file.fields + fields)),
                problem=file.problem or problem,
            )
    yield from listed.values()


def run_resources(store: Store, run: str, transform: Transform = unchanged) -> RunResources:
    """Return what the documents of a run refer to."""
    documents = [(kind, transform(kind, doc)) for kind, doc in store.documents(run)]
    own = {str(doc["uid"]) for kind, doc in documents if kind == "resource"}
    fields = _fields_of_resources(store, documents)
    others = [doc for uid in fields if uid not in own and (doc := store.resource(uid))]
    adopted: list[Doc] = [transform("resource", doc) for doc in others]
    return RunResources(documents, adopted, {uid: tuple(names) for uid, names in fields.items()})


def run_files(
    store: Store, registry: Registry, run: str, referred: RunResources | None = None
) -> Iterator[ResourceFiles]:
    """Yield the files of each resource and stream resource of a run."""
    referred = referred or run_resources(store, run)
    for document in referred.resources:
        yield resource_files(store, registry, document, referred, run)


def resource_files(
    store: Store | None,
    registry: Registry,
    document: Doc,
    referred: RunResources,
    run: str | None = None,
) -> ResourceFiles:
    """Return the files of one resource or stream resource of a run."""
    reference = DataReference(run, spec=str(document.get("spec") or document.get("mimetype")))
    place = Place("", "")
    try:
        place = place_of(document, registry.roots)
        registry.guard.check(place.path, reference)
        if "resource_kwargs" in document and str(document.get("uid")) not in referred.streamed:
            paths = _of_handler(store, registry, document, place, run)
        else:
            paths = _of_stream(store, registry, document, place, referred.descriptors, run)
    except DatabrokerError as error:
        return ResourceFiles(document, place, [place.path], error)
    except not_from_signal(Exception) as error:  # documents come from many programs: a list goes on
        odd = DatabrokerError(f"{reference}: its document makes no sense here ({error!r}).")
        odd.__cause__ = error
        return ResourceFiles(document, place, [place.path], odd)
    return ResourceFiles(document, place, paths)


def files_below(folder: str, above: tuple[tuple[int, int] | None, ...] = ()) -> Iterator[str]:
    """Yield the files in a folder, at any depth; links are followed, but never in a circle."""
    here = identity(folder)
    if here in above:
        return
    with os.scandir(folder) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        if entry.is_dir():
            yield from files_below(entry.path, (*above, here))
        else:
            yield entry.path


def size_of(path: str) -> int | None:
    """Return the size of a file, or of all files in a folder; None where it cannot be told."""
    with suppressed(OSError, ValueError):  # it is not there, or may not be read
        if os.path.isdir(path):
            return sum(map(os.path.getsize, files_below(path)))
        return os.path.getsize(path)
    return None


def _of_handler(
    store: Store | None, registry: Registry, resource: Doc, place: Place, run: str | None
) -> list[str]:
    uid = str(resource["uid"])
    reference = DataReference(run, None, None, str(resource.get("spec")))
    with registry.opened(resource, reference) as handler:
        listed = getattr(handler, "get_file_list", None)
        if listed is None:
            return [place.path]
        datums = () if store is None else rows_of(store, "datum", uid)
        kwargs = (row.get("datum_kwargs") or {} for row in datums)
        paths = list(dict.fromkeys(os.fspath(path) for path in listed(kwargs)))
    return paths or ([place.path] if store is None else [])


def _of_stream(
    store: Store | None,
    registry: Registry,
    document: Doc,
    place: Place,
    descriptors: Sequence[Doc],
    run: str | None,
) -> list[str]:
    if store is None:
        return [place.path]
    source = StreamSource.of(document)
    keys = (doc["data_keys"].get(source.data_key) for doc in descriptors)
    owners = {doc["uid"]: number for number, doc in enumerate(descriptors)}
    claims = read_claims(store, run or "", [str(document["uid"])], owners)
    key: Doc = next(filter(None, keys), {})
    field = StreamedField(source.data_key, key, [source], {}, claims)
    return StreamReader(registry, run, field).files()


def _fields_of_resources(
    store: Store, documents: Sequence[tuple[str, Doc]]
) -> dict[str, dict[str, None]]:
    """Return the fields that refer to each resource."""
    ids: dict[str, set[str]] = {}
    fields: dict[str, dict[str, None]] = defaultdict(dict)  # which keep their order
    for kind, doc in documents:
        uid = str(doc.get("uid"))
        if kind == "stream_resource" and (field := _data_key(doc)):
            fields[uid][field] = None
        elif kind == "descriptor":
            for field in external_fields([doc]):
                for resource in _resources_of_field(store, uid, field, ids):
                    fields[resource][field] = None
    return fields


def _resources_of_field(
    store: Store, descriptor: str, field: str, ids: dict[str, set[str]]
) -> Iterable[str]:
    """Return the resources that events refer to by a field; an id need not begin with its own."""
    column = nested("data", field)
    resources: dict[str, None] = {}
    for batch in batches_of(store, "event", descriptor, Selection(frozenset({field}))):
        for datum_id in assemble([batch], [column])[column]:
            if isinstance(datum_id, str):
                uid = datum_id.rpartition("/")[0]
                if uid not in ids:
                    datums = batches_of(store, "datum", uid, ALL)
                    ids[uid] = {each for some in datums for each in values_of(some, "datum_id")}
                if datum_id not in ids[uid]:
                    uid = (store.datum(datum_id) or {}).get("resource", uid)
                resources[uid] = None
    return resources


def _data_key(document: Doc) -> str:
    try:
        return StreamSource.of(document).data_key
    except (AttributeError, TypeError):  # what should be a dictionary is none
        return ""


def _on_disk(
    registry: Registry, run: str, resource: ResourceFiles, path: str, words: Words
) -> ExternalFile:
    exists, size, problem = False, None, None
    try:
        registry.guard.check(path, DataReference(run, spec=resource.spec), resource.place)
    except FileRefused as error:
        problem = words.problem(error)
    else:
        exists = os.path.exists(path)
        # A folder that nobody can open may be a whole disk.
        may_be_a_disk = resource.problem is not None and os.path.isdir(path)
        size = None if may_be_a_disk else size_of(path)
    called, recorded = words.path(path, resource.place), resource.place.recorded
    return ExternalFile(
        called, exists, size, (), run, resource.uid, resource.spec, recorded, problem
    )
