"""Hypothesis strategies for what a run measures: descriptors, events, external documents."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from .values import cells, keys, one_of_these, records, scalars, texts, up_to, values

Documents = list[tuple[str, dict[str, Any]]]

FIELDS = ("det", "motor", "img", "a.b", "a/b", "data", "time", "#shape", "!x", "ü\x00", "data/det")
EXTRAS = ("_id", "note", "configuration", "data/det", "#shape", "!time", "/", "ü\x00", "resource")

_UID_FORMS: tuple[Callable[[str], str], ...] = (
    str.upper,
    lambda uid: uid.replace("-", ""),
    lambda uid: f"urn:uuid:{uid}",
    lambda uid: f"é_%/{uid}",
    lambda uid: f"{uid}\x00",
    lambda uid: uid[:14] + "1" + uid[15:],
)


@st.composite
def uids(draw: st.DrawFn) -> str:
    """Make unique uids: mostly as `uuid.uuid4` writes them, else in another form."""
    uid = str(draw(_uuids()))
    form = draw(up_to(3 * len(_UID_FORMS))) - 2 * len(_UID_FORMS) - 1
    return uid if form < 0 else _UID_FORMS[form](uid)


@functools.cache
def _uuids() -> st.SearchStrategy[Any]:
    return st.uuids(version=4)


@functools.cache
def times() -> st.SearchStrategy[float]:
    """Make times of documents: often equal, or close, sometimes absurd."""
    return st.one_of(
        st.sampled_from((0.0, 1.5e9, 1.5e9 + 1e-6, 1.5e9 + 1)),
        st.floats(1.4e9, 1.8e9),
        st.integers(1_400_000_000, 1_800_000_000),
        st.sampled_from((-1.0, 5e-324, 1e-9, -1e12, 4e12, 1e300, -1e300, 2**63, -(2**70))),
    )


@functools.cache
def seq_nums(row: int) -> st.SearchStrategy[int]:
    """Make numbers for the event of a row: mostly right, else repeated, going back, or absurd."""
    odd = st.sampled_from((-5, 2**40, 2**63 - 1, -(2**63) + 1))
    return st.one_of(st.just(row + 1), st.just(row + 1), st.just(row + 1), st.integers(0, 4), odd)


@functools.cache
def _stamps() -> st.SearchStrategy[float]:
    return st.floats(0, 2e9)


@functools.cache
def _data_keys() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"source": texts(), "dtype": one_of_these("number", "array", "string")},
        optional={
            "shape": st.lists(up_to(3), max_size=2),
            "external": st.just("FILESTORE:"),
            "limits": st.dictionaries(keys(), scalars(), max_size=2),
        },
    )


@functools.cache
def subsets(*options: str) -> st.SearchStrategy[set[str]]:
    """Choose some of these."""
    return st.sets(st.sampled_from(options))


def shuffled(draw: st.DrawFn, doc: dict[str, Any]) -> dict[str, Any]:
    """Give a document now and then another order of its keys."""
    if draw(up_to(3)):
        return doc
    return {key: doc[key] for key in draw(st.permutations(list(doc)))}


@st.composite
def descriptors(draw: st.DrawFn, run: str, name: str, fields: list[str]) -> dict[str, Any]:
    """Return an event descriptor, with or without its optional keys."""
    doc = {
        "uid": draw(uids()),
        "run_start": run,
        "time": draw(times()),
        "name": name,
        "data_keys": {field: draw(_data_keys()) for field in fields},
        "configuration": draw(records(1)),
        "object_keys": {field: [field] for field in fields},
        "hints": {},
    }
    if draw(up_to(2)) == 0:
        for optional in draw(subsets("hints", "object_keys", "time", "name")):
            del doc[optional]
    return shuffled(draw, doc)


class Columns:
    """The columns of one stream; each may hold values of another type from some row on."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.fields: list[str] = draw(_fields())
        self._kinds = {field: (draw(cells()), draw(cells())) for field in self.fields}
        self._change = draw(up_to(8))

    def cells(self, row: int) -> dict[str, Any]:
        """Return one cell of each column."""
        after = row >= self._change
        return {field: self._draw(kinds[after]) for field, kinds in self._kinds.items()}


@functools.cache
def _fields() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(FIELDS) | keys(), unique=True, max_size=3)


def _filled(draw: st.DrawFn) -> bool | str:
    found: bool | str = draw(one_of_these(True, False, "resource/1"))
    return found


def events(draw: st.DrawFn, descriptor: str, columns: Columns, first: int) -> Documents:
    """Return a few events, some of them odd."""
    found: Documents = []
    for row in range(first, first + draw(up_to(4))):
        data = columns.cells(row)
        doc: dict[str, Any] = {
            "descriptor": descriptor,
            "uid": draw(uids()) if draw(up_to(4)) else f"{row}/{draw(texts())}",
            "time": draw(times()),
            "seq_num": draw(seq_nums(row)),
            "data": data,
            "timestamps": {field: draw(_stamps()) for field in data},
            "filled": {field: _filled(draw) for field in data},
        }
        if draw(up_to(2)) == 0:
            _make_odd(draw, doc)
        found.append(("event", shuffled(draw, doc)))
    return found


def _make_odd(draw: st.DrawFn, doc: dict[str, Any]) -> None:
    """Take keys away, in the event or in its columns, or add some."""
    for part in draw(subsets("data", "timestamps", "filled")):
        if doc[part] and draw(st.booleans()):
            del doc[part][draw(st.sampled_from(list(doc[part])))]
        elif part == "filled":
            del doc[part]
        else:
            doc[part][draw(keys())] = draw(scalars())
    if draw(up_to(3)) == 0:
        doc["filled"] = draw(one_of_these(None, True, "no"))
    if draw(st.booleans()):
        doc[draw(one_of_these(*EXTRAS))] = draw(values(3))


def event_pages(draw: st.DrawFn, descriptor: str, columns: Columns, first: int) -> Documents:
    """Return an event page; unlike events it cannot miss a key here and there."""
    rows = range(first, first + draw(up_to(4)))
    table = [columns.cells(row) for row in rows]
    fields = columns.fields
    page: dict[str, Any] = {
        "descriptor": descriptor,
        "uid": [draw(uids()) for _ in rows],
        "time": [draw(times()) for _ in rows],
        "seq_num": [draw(seq_nums(row)) for row in rows],
        "data": {field: [row[field] for row in table] for field in fields},
        "timestamps": {field: [draw(_stamps()) for _ in rows] for field in fields},
        "filled": {field: [_filled(draw) for _ in rows] for field in fields},
    }
    match draw(up_to(5)):
        case 0:
            page["filled"] = {}
        case 1:
            del page["filled"]
        case 2:
            page[draw(one_of_these(*EXTRAS))] = draw(values(3))
    return [("event_page", shuffled(draw, page))]


def resources(draw: st.DrawFn, run: str) -> Documents:
    """Return a resource and its datum documents, single or in a page."""
    uid = draw(uids())
    resource = {
        "uid": uid,
        "spec": draw(texts()),
        "root": "/data",
        "resource_path": draw(texts()),
        "resource_kwargs": draw(records()),
        "run_start": run,
    }
    other = draw(uids())
    forms = ((f"{uid}/", ""), (f"{uid}/a/", ""), (f"{uid}//", "/"), ("", f"/{other}"), (other, ""))
    ids = [str(row).join(draw(st.sampled_from(forms))) for row in range(draw(up_to(3)))]
    found: Documents = [("resource", resource)]
    if draw(up_to(2)):
        for one in ids:
            datum = {"datum_id": one, "resource": uid, "datum_kwargs": draw(records())}
            if draw(up_to(3)) == 0:
                datum[draw(one_of_these("note", "uid", "datum_kwargs/n"))] = draw(values(3))
            found.append(("datum", shuffled(draw, datum)))
        return found
    names = draw(st.lists(keys(), unique=True, max_size=2))
    columns = {name: [draw(scalars()) for _ in ids] for name in names}
    page = {"datum_id": ids, "resource": uid, "datum_kwargs": columns}
    return [*found, ("datum_page", page)]


def stream_resources(draw: st.DrawFn, run: str, descriptor: str) -> Documents:
    """Return a stream resource and its stream datum documents."""
    uid = draw(uids())
    doc = {
        "uid": uid,
        "data_key": draw(one_of_these(*FIELDS)),
        "mimetype": "application/x-hdf5",
        "uri": "file://localhost/data/" + draw(texts()),
        "parameters": draw(records()),
        "run_start": run,
    }
    found: Documents = [("stream_resource", doc)]
    for row in range(draw(up_to(3))):
        datum = {
            "uid": f"{uid}/{row}",
            "stream_resource": uid,
            "descriptor": descriptor,
            "indices": {"start": row, "stop": row + 1},
            "seq_nums": {"start": row + 1, "stop": row + 2},
        }
        if draw(up_to(3)) == 0:
            datum["indices"] = draw(records())
        if draw(up_to(3)) == 0:
            datum["note"] = draw(values(3))
        found.append(("stream_datum", shuffled(draw, datum)))
    return found
