"""The streams of a run on a Tiled server: descriptors, tables and arrays."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...columns.names import SEQ_NUM
from ..arrays import MIMETYPE
from .server import Json, Server

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Doc = dict[str, Any]

_OLD_LAYOUT = "streams"
"""The entry between a run and its streams, which early versions of the writer made."""

_LIMIT = ("page[limit]", "300")
_NO_LINKS = ("omit_links", "true")
_NOT_OF_DESCRIPTORS = ("_config_updates", "stream_name")


@dataclass(frozen=True)
class Stream:
    """One stream of a run, as the server has it."""

    run: str  # the uid of the run
    path: tuple[str, ...]  # of its entry, within the catalog
    metadata: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the stream is called."""
        return self.path[-1]

    @property
    def data_path(self) -> tuple[str, ...]:
        """The path of the entry that has its tables and arrays."""
        return self.path

    def descriptors(self) -> list[Doc]:
        """Return its descriptors, oldest first.

        The writer keeps the first one whole, and of later ones the configuration that changed.
        """
        known = {k: v for k, v in self.metadata.items() if k not in _NOT_OF_DESCRIPTORS}
        keys = {name: _data_key(key) for name, key in (known.get("data_keys") or {}).items()}
        first: Doc = {**known, "run_start": self.run, "name": self.name, "data_keys": keys}
        first["object_keys"] = _object_keys(keys)
        found = [first]
        for update in self.metadata.get("_config_updates") or ():
            found.append(_updated(found[-1], update))
        return found


class ServedStream(Stream):
    """One stream of a run that the adapter of databroker 2 serves from MongoDB."""

    @property
    def data_path(self) -> tuple[str, ...]:
        """The path of the entry that has its arrays, one for each field."""
        return (*self.path, "data")

    def descriptors(self) -> list[Doc]:
        """Return its descriptors, oldest first, all of which the server has whole."""
        found = [
            {**each, "data_keys": {name: _data_key(key) for name, key in each["data_keys"].items()}}
            for each in self.metadata["descriptors"]
        ]
        return sorted(found, key=time_of)


@dataclass(frozen=True)
class Table:
    """A table of a stream: where it is, the types of its columns, and how many parts it has."""

    path: tuple[str, ...]
    schema: pa.Schema
    partitions: int = 1

    @property
    def counted(self) -> str:
        """The column whose length says how many rows there are."""
        return SEQ_NUM if SEQ_NUM in self.schema.names else str(self.schema.names[0])


@dataclass(frozen=True)
class Array:
    """An array of a stream: where it is, and what it is like."""

    path: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None  # None if its values differ in length
    chunks: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Parts:
    """What is in a stream: tables of events, and arrays by the names of their fields."""

    tables: list[Table] = field(default_factory=list)
    arrays: dict[str, Array] = field(default_factory=dict)

    def table_of(self, column: str) -> Table | None:
        """Return the table that has a column; wide ones are several."""
        return next((table for table in self.tables if column in table.schema.names), None)


def streams_of(server: Server, uid: str, key: str) -> Iterator[Stream]:
    """Yield the streams of a run, in the order in which they were begun."""
    for item in _below(server, key):
        metadata = item["attributes"].get("metadata") or {}
        if "data_keys" in metadata:
            yield Stream(uid, (key, str(item["id"])), metadata)
        elif "descriptors" in metadata:
            yield ServedStream(uid, (key, str(item["id"])), metadata)
        elif item["id"] == _OLD_LAYOUT:
            for inner in _below(server, key, _OLD_LAYOUT):
                path = (key, _OLD_LAYOUT, str(inner["id"]))
                yield Stream(uid, path, inner["attributes"].get("metadata") or {})


def parts_of(server: Server, path: tuple[str, ...]) -> Parts:
    """Return what is in a stream."""
    parts = Parts()
    for item in _below(server, *path):
        name, attributes = str(item["id"]), item["attributes"]
        structure, family = attributes.get("structure") or {}, attributes["structure_family"]
        if family == "table":
            schema = _schema(structure["arrow_schema"])
            parts.tables.append(Table((*path, name), schema, int(structure["npartitions"])))
        elif family in ("array", "ragged"):
            parts.arrays[name] = _array((*path, name), structure, family == "ragged")
    return parts


def stream_resources(stream: Stream, server: Server, parts: Parts) -> Iterator[tuple[Doc, int]]:
    """Yield a stream resource for each field whose data are an array, and how many events it has.

    Their uids are those that Tiled's own export of a run gives them.
    """
    first = stream.descriptors()[0]
    for name, array in parts.arrays.items():
        key = first["data_keys"].get(name)
        if key is None or not key.get("external") or array.dtype is None:
            continue
        declared = key.get("shape") or []
        is_stacked = len(array.shape) == len(declared) + 1
        frames = 1 if is_stacked or not declared else int(declared[0] or 1)
        document = {
            "uid": resource_uid(str(first["uid"]), name),
            "run_start": stream.run,
            "data_key": name,
            "mimetype": MIMETYPE,
            "uri": server.url("array/full", *array.path),
            "parameters": {
                "shape": list(array.shape),
                "dtype": array.dtype.str,
                "chunks": None if array.chunks is None else list(array.chunks),
                "join_method": "stack" if is_stacked else "concat",
            },
        }
        yield document, array.shape[0] // frames


def time_of(descriptor: Doc) -> float:
    """Return the time of a descriptor; one that has none comes before all others."""
    return float(descriptor.get("time", "-inf"))


def resource_uid(descriptor: str, field: str) -> str:
    """Return the uid of the stream resource of a field."""
    return f"sr-{descriptor}-{field}"


def _below(server: Server, *path: str) -> Iterator[Json]:
    """Yield the entries below one; none if there is no such one."""
    first = 0
    while True:
        page = server.search(*path, params=[_LIMIT, _NO_LINKS, ("page[offset]", str(first))])
        items = [] if page is None else page["data"]
        yield from items
        first += len(items)
        if len(items) < int(_LIMIT[1]):
            return


def _data_key(key: Any) -> Any:
    """Return a data key whose data are in an array of the server, if they are not in events."""
    if not isinstance(key, dict) or not key.get("external"):
        return key
    return {**key, "external": "STREAM:"}


def _object_keys(data_keys: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, key in data_keys.items():
        if isinstance(key, dict) and key.get("object_name"):
            found.setdefault(key["object_name"], []).append(name)
    return found


def _updated(descriptor: Doc, update: Mapping[str, Any]) -> Doc:
    """Return a descriptor with the configuration that a later one brought."""
    configuration = dict(descriptor.get("configuration") or {})
    for device, news in (update.get("configuration") or {}).items():
        known = configuration.get(device, {})
        changed = {part: {**known.get(part, {}), **news.get(part, {})} for part in news}
        configuration[device] = {**known, **changed}
    identity = {key: update[key] for key in ("uid", "time") if key in update}
    return {**descriptor, **identity, "configuration": configuration}


def _schema(text: str) -> pa.Schema:
    import pyarrow as pa

    encoded = text.partition("base64,")[2]
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(encoded)))


def _array(path: tuple[str, ...], structure: Json, is_ragged: bool) -> Array:
    shape = tuple(int(n or 0) for n in structure["shape"])
    if is_ragged:
        return Array(path, shape, None)
    chunks = tuple(int(sizes[0]) for sizes in structure["chunks"] if sizes)
    return Array(path, shape, _dtype(structure["data_type"]), chunks or None)


def _dtype(described: Json) -> np.dtype[Any]:
    import numpy as np

    if "fields" in described:
        return np.dtype([_field(each) for each in described["fields"]])
    kind, size = described["kind"], described["itemsize"]
    order = {"little": "<", "big": ">"}.get(described["endianness"], "|")
    count = size // 4 if kind == "U" else size
    return np.dtype(f"{order}{kind}{count}{described.get('dt_units') or ''}")


def _field(described: Json) -> Any:
    inner = described["dtype"]
    shape = described.get("shape") or ()
    return described["name"], _dtype(inner), tuple(shape)
