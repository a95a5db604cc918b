"""What is asked of a catalog that the adapter of databroker 2 serves, and of a memory store.

Each trial takes a broker and returns what JSON can hold, the same of both.
"""

import json

import numpy as np

from databroker.query import nodes as n
from databroker.testing import read_rows


def runs(db):
    """Every run, newest first."""
    return [[header.start, header.stop] for header in db()]


def lookups(db):
    """Runs by where they stand, their number, their uid and its beginning."""
    uid = db[-2].uid
    found = [db[given].uid for given in (-1, -3, 2, uid, uid[:8])]
    return [*found, db.store.record(uid) is not None, db.store.record("nothing")]


def searches(db):
    """Which runs match, and how many."""
    return [[repr(query), [run.uid for run in db.store.find(query)]] for query in _queries(db)]


def counts(db):
    """How many runs match."""
    return [db.store.count(query) for query in _queries(db)]


def pages(db):
    """Runs that come after another one."""
    first, *_ = db.store.find(n.Everything())
    return [run.uid for run in db.store.find(n.Everything(), after=first.cursor, limit=2)]


def _queries(db):
    path, status = n.Path, n.Path("exit_status", "stop")
    middle = [header.start["time"] for header in db()][3]
    uid = db[-2].uid
    yield from (n.Equals(path("plan_name"), name) for name in ("count", "scan", "COUNT"))
    yield from (n.Equals(path("sample.name"), "Ni"), n.Equals(path("sample.sizes"), 2))
    yield from (n.Equals(path("flag"), True), n.In(path("plan_name"), ("odd", "scan")))
    yield from (n.Equals(path("purpose"), "good sample"), n.Equals(path("detectors"), "det1"))
    yield from (n.Equals(status, "fail"), n.In(status, ("fail", "success")))
    yield from (n.In(path("scan_id"), (1, 4)), n.Equals(path("scan_id"), 2), n.UidPrefix(uid[:5]))
    yield from (n.Compare(path("scan_id"), op, 3) for op in ("gt", "gte", "lt", "lte"))
    yield from (n.Exists(path("sample")), n.FullText(("good",)), n.Matches(path("plan_name"), "^r"))
    yield from (n.TimeBounds(middle, None), n.TimeBounds(None, middle), n.Equals(path("none"), 1))
    yield n.And(n.Equals(path("plan_name"), "count"), n.TimeBounds(middle, None))


def descriptors(db):
    """The descriptors of each run, but for NaN and how fields are external."""
    return [
        {
            **_without_nan(doc),
            "data_keys": {name: _without(key) for name, key in doc["data_keys"].items()},
        }
        for header in db()
        for _, doc in db.store.documents(header.uid, ["descriptor"])
    ]


def _without_nan(value):
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    return None if value != value else value


def _without(data_key):
    return {key: value for key, value in data_key.items() if key != "external"}


def events(db):
    """The events of each descriptor, but for external fields, and uids in a run that goes on."""
    return {
        doc["uid"]: [_inner(row, doc, header) for row in read_rows(db.store, "event", doc["uid"])]
        for header in db()
        for _, doc in db.store.documents(header.uid, ["descriptor"])
    }


def _inner(row, descriptor, header):
    external = {k for k, v in descriptor["data_keys"].items() if v.get("external")}
    kept = {part: _fields(row[part], external) for part in ("data", "timestamps", "filled")}
    return {**row, **kept, "uid": row["uid"] if header.stop else None}


def _fields(values, external):
    return {name: values[name] for name in sorted(values) if name not in external}


def tables(db):
    """The tables of the streams of each run, as their values print."""
    return {
        f"{header.uid} {name}": _printed(stream.table())
        for header in db()
        for name, stream in sorted(header.streams.items())
        if "img" not in stream
    }


def _printed(table):
    return {name: [str(value) for value in table[name]] for name in table}


def arrays(db):
    """Images in files and in events, by slices."""
    fields = [
        header.streams["primary"]["img"]
        for header in db(plan_name="count")
        if "img" in header.streams["primary"]
    ]
    assert len(fields) == 2
    return [
        [list(field.shape), str(field.dtype), field[1].tolist(), field[1:, 2:4, ::3].tolist()]
        for field in fields
    ]


def columns(db):
    """One column of a table, and the images of another one."""
    with_images = next(h for h in db(plan_name="count") if "img" in h.start["detectors"])
    filled = with_images.table(fill=True)["img"]
    scan = next(iter(db(plan_name="scan")))
    return [scan.table(fields=["det"])["det"].tolist(), [np.asarray(x).tolist() for x in filled]]


def news(db):
    """That nothing is new while nothing is stored, also while a run goes on."""
    state = db.store.state()
    return [state is None, db.store.wait_for_changes(state, 0)]


TRIALS = (
    runs,
    lookups,
    searches,
    counts,
    pages,
    descriptors,
    events,
    tables,
    arrays,
    columns,
    news,
)


# -- what is not the same ----------------------------------------------------


def nan_in_metadata(db):
    return [doc["configuration"] for doc in _of_all(db, "descriptor")]


def where_external_fields_are(db):
    keys = [doc["data_keys"] for doc in _of_all(db, "descriptor")]
    return [{name: key.get("external") for name, key in each.items()} for each in keys]


def resources_and_datum_documents(db):
    return [doc["uid"] for doc in _of_all(db, "resource")]


def flags_of_external_fields(db):
    return [row["filled"] for doc in _of_all(db, "descriptor") for row in _rows(db, doc)]


def uids_of_the_last_events_of_a_run_that_goes_on(db):
    (run,) = (header.uid for header in db() if not header.stop and header.start.get("plan_name"))
    descriptors = (doc for _, doc in db.store.documents(run, ["descriptor"]))
    return [row["uid"] for doc in descriptors for row in _rows(db, doc)]


def _of_all(db, kind):
    return [doc for header in db() for _, doc in db.store.documents(header.uid, [kind])]


def _rows(db, descriptor):
    return read_rows(db.store, "event", descriptor["uid"])


LOSSES = {
    "NaN in metadata": nan_in_metadata,
    "where the data of external fields are": where_external_fields_are,
    "resources and datum documents": resources_and_datum_documents,
    "flags of external fields": flags_of_external_fields,
    "uids of the last events of a run that goes on": uids_of_the_last_events_of_a_run_that_goes_on,
}


def answer(trial, db):
    """Return what a trial gives as a text that can be compared."""
    return json.dumps(trial(db), sort_keys=True, default=lambda array: array.tolist())
