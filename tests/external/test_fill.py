"""Every call that takes `fill` means the same by it."""

import numpy as np
import pytest

from databroker import Broker
from databroker.stores.memory import MemoryStore

from .test_in_streams import Both

NAMES = ("img", "cam")


@pytest.fixture
def both(files):
    with Broker(MemoryStore()) as db:
        made = Both(db, files)
        made.db = db
        yield made


def events(documents):
    return [doc["data"] for kind, doc in documents if kind == "event"]


def processed(db, header, fill):
    found = []
    db.process(header, lambda kind, doc: found.append((kind, doc)), fill=fill)
    return events(found)


TABLES = {
    "header.table": lambda db, header, fill: header.table(fill=fill),
    "stream.table": lambda db, header, fill: header.streams["primary"].table(fill=fill),
    "db.get_table": lambda db, header, fill: db.get_table(header, fill=fill),
    "header.xarray": lambda db, header, fill: header.xarray(fill=fill),
    "header.xarray_dask": lambda db, header, fill: header.xarray_dask(fill=fill).compute(),
    "stream.read": lambda db, header, fill: header.streams["primary"].read(fill=fill),
    "stream.to_dask": lambda db, header, fill: header.streams["primary"].to_dask(fill=fill),
    "header.data": lambda db, header, fill: {
        name: list(header.data(name, fill=fill)) for name in NAMES
    },
}
EVENTS = {
    "header.events": lambda db, header, fill: [event["data"] for event in header.events(fill=fill)],
    "header.documents": lambda db, header, fill: events(header.documents(fill=fill)),
    "header.stream": lambda db, header, fill: events(header.stream(fill=fill)),
    "db.get_events": lambda db, header, fill: [
        event["data"] for event in db.get_events(header, fill=fill)
    ],
    "db.get_documents": lambda db, header, fill: events(db.get_documents(header, fill=fill)),
    "db.restream": lambda db, header, fill: events(db.restream(header, fill=fill)),
    "db.process": processed,
}


@pytest.mark.parametrize(
    ("fill", "filled"),
    [
        (False, ()),
        ([], ()),
        (["det"], ()),
        (["no such field"], ()),
        (True, NAMES),
        (NAMES, NAMES),
        (["cam", "det"], ("cam",)),
        ("img", ("img",)),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:.*(deprecated|is now called):UserWarning")
def test_all_calls_agree(both, fill, filled):
    header = both.db[-1]
    data = {"img": both.img, "cam": both.cam}
    references = {"img": [f"res/{number}" for number in range(5)], "cam": both.references}
    for call, read in TABLES.items():
        found = read(both.db, header, fill)
        for name in NAMES:
            expected = data[name] if name in filled else references[name]
            values = [np.asarray(value).tolist() for value in found[name]]
            assert values == np.asarray(expected).tolist(), call
    for call, read in EVENTS.items():
        found = read(both.db, header, fill)
        # What is in stream resources is in filled events only.
        there = [name for name in ("img", "det", "cam") if name != "cam" or name in filled]
        assert [sorted(event) for event in found] == [sorted(there)] * 5, call
        for name in set(NAMES) & set(there):
            expected = data[name] if name in filled else references[name]
            values = [np.asarray(event[name]).tolist() for event in found]
            assert values == np.asarray(expected).tolist(), call
