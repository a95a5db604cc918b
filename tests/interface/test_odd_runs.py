"""Every method of a header, a stream and a broker, on odd runs: an answer or a clear error.

A loop over a thousand runs meets all of these; it must be able to go on.
"""

import inspect
import warnings
from contextlib import contextmanager

import pytest

import databroker
from databroker import ALL, Broker, Header
from databroker.errors import DatabrokerError
from databroker.runs.stream.stream import Stream
from helpers.runs import ODD, save


def plotted(header):
    from matplotlib import pyplot

    header.plot()
    pyplot.close("all")


HEADER = {
    "source": lambda header: header.source,
    "session": lambda header: header.session.status(header.uid, header.stored_stop()),
    "align": lambda header: header.align(),
    "config_data": lambda header: header.config_data("motor"),
    "data": lambda header: [
        list(header.data(field, fill=False)) for field in header.fields("primary")
    ],
    "db": lambda header: header.db,
    "descriptors": lambda header: header.descriptors,
    "devices": lambda header: header.devices(),
    "diff": lambda header: header.diff(header)._repr_html_(),
    "documents": lambda header: list(header.documents()),
    "events": lambda header: [*header.events(), *header.events(ALL)],
    "ext": lambda header: header.ext,
    "fields": lambda header: header.fields("primary"),
    "files": lambda header: header.files(),
    "follow": lambda header: list(header.follow(timeout=0)),
    "get": lambda header: header.get("start"),
    "items": lambda header: header.items(),
    "keys": lambda header: header.keys(),
    "plot": lambda header: plotted(header),
    "preview": lambda header: header.preview()._repr_html_(),
    "start": lambda header: header.start,
    "status": lambda header: header.status,
    "stop": lambda header: header.stop,
    "stored_documents": lambda header: list(header.stored_documents()),
    "stored_stop": lambda header: header.stored_stop(),
    "stream": lambda header: list(header.stream()),
    "stream_names": lambda header: header.stream_names,
    "streams": lambda header: dict(header.streams),
    "table": lambda header: header.table(),
    "uid": lambda header: header.uid,
    "values": lambda header: header.values(),
    "xarray": lambda header: header.xarray(),
    "xarray_dask": lambda header: header.xarray_dask().load(),
    "_repr_html_": lambda header: header._repr_html_(),
    "__str__": str,
}

STREAM = {
    "array": lambda stream: [stream.array(field)[:] for field in stream],
    "config": lambda stream: [view.read() for view in stream.config.values()],
    "config_changes": lambda stream: stream.config_changes(),
    "data": lambda stream: [list(stream.data(field)) for field in stream],
    "descriptors": lambda stream: stream.descriptors,
    "devices": lambda stream: stream.devices,
    "documents": lambda stream: list(stream.documents()),
    "events": lambda stream: list(stream.events()),
    "extents": lambda stream: list(stream.extents()),
    "fields": lambda stream: stream.fields,
    "follow": lambda stream: list(stream.follow(timeout=0)),
    "name": lambda stream: stream.name,
    "num_events": lambda stream: stream.num_events,
    "pages": lambda stream: list(stream.pages()),
    "read": lambda stream: stream.read(),
    "records": lambda stream: list(stream.records()),
    "request": lambda stream: stream.request(None),
    "select": lambda stream: stream.select(None),
    "table": lambda stream: stream.table(),
    "timestamps": lambda stream: stream.timestamps.read(),
    "to_dask": lambda stream: stream.to_dask().load(),
    "__getitem__": lambda stream: [stream[field][:] for field in stream],
    "_repr_html_": lambda stream: stream._repr_html_(),
    "__repr__": repr,
}

BROKER = {
    "close_run": lambda header: header.db.close_run(header.uid),
    "export": lambda header: header.db.export(header, databroker.temp()),
    "export_size": lambda header: header.db.export_size(header),
    "get_documents": lambda header: list(header.db.get_documents(header)),
    "get_events": lambda header: list(header.db.get_events(header)),
    "get_fields": lambda header: header.db.get_fields(header),
    "get_images": lambda header: list(header.db.get_images(header, "img")),
    "get_table": lambda header: header.db.get_table(header),
    "process": lambda header: header.db.process(header, lambda kind, document: None),
    "run": lambda header: header.db.run(header.db.store.record(header.uid)).start,
    "restream": lambda header: list(header.db.restream(header)),
    "stream": lambda header: list(header.db.stream(header)),
    "stream_names_given_header": lambda header: header.db.stream_names_given_header(header),
    "v2": lambda header: header.db.v2[header.uid].items(),
    "__call__": lambda header: list(header.db(header.uid[:4])),
    "_repr_html_": lambda header: header.db._repr_html_(),
}

NOT_ABOUT_A_RUN = {
    *("backup", "check", "config", "narrowed", "registry", "session", "view"),
    *("add_filter", "alias", "aliases", "clear_filters", "close", "dynamic_alias"),
    *("external_fetchers", "fetch_external", "fill_event", "fill_events", "filters", "from_config"),
    *(
        "fs",
        "get_config",
        "insert",
        "insert_many",
        "name",
        "named",
        "opened",
        "prepare_hook",
        "reg",
        "stale_after",
    ),
    *("stats", "store", "transforms", "v1", "watch", "zone"),
}
"""What a broker has that never meets a run, or is tried elsewhere."""

RAISES = {
    ("without events", "get_images"): KeyError,
    ("without primary", "align"): KeyError,
    ("without primary", "get_images"): KeyError,
    ("without primary", "xarray"): KeyError,
    ("without primary", "xarray_dask"): KeyError,
    ("without streams", "align"): KeyError,
    ("without streams", "get_images"): KeyError,
    ("without streams", "xarray"): KeyError,
    ("without streams", "xarray_dask"): KeyError,
    ("two sets of keys", "get_images"): KeyError,
    ("reconfigured", "get_images"): KeyError,
    ("everyday", "get_images"): KeyError,
    ("without stop", "get_images"): KeyError,
    ("nameless", "get_images"): KeyError,
    **{
        (run, "close_run"): ValueError
        for run in ODD
        if run != "without stop"  # that one it ends
    },
}
"""Where there is no answer, and the built-in exception that 1.x scripts catch."""


def public(cls, *instances):
    names = {name for name, _ in inspect.getmembers(cls)}
    for instance in instances:
        names |= set(vars(instance))
    return {name for name in names if not name.startswith("_")}


def test_no_method_is_forgotten(db, header):
    assert public(Header, header) == {name for name in HEADER if not name.startswith("_")}
    stream = header.streams["primary"]
    assert public(Stream, stream) == {name for name in STREAM if not name.startswith("_")}
    named = {name for name in BROKER if not name.startswith("_")}
    assert public(Broker, db) == named | NOT_ABOUT_A_RUN
    assert not named & NOT_ABOUT_A_RUN


@contextmanager
def told(method):
    """Have a failure say of which method it is."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"This is what {method!r} does.")
        raise


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("run", ODD)
def test_an_answer_or_an_error_that_can_be_caught(db, run):
    uid = save(db, ODD[run]()).uid
    methods = HEADER | BROKER
    for method in sorted(methods, key="close_run".__eq__):  # which changes the run, at the end
        with told(method):
            answer_or_error(methods[method], db[uid], RAISES.get((run, method)))


def answer_or_error(ask, header, expected):
    if expected is None:
        ask(header)
        return
    with pytest.raises(expected) as caught:
        ask(header)
    assert isinstance(caught.value, DatabrokerError)
    assert len(str(caught.value)) > 20


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("run", ODD)
def test_each_stream_of_a_run(db, run):
    uid = save(db, ODD[run]()).uid
    for method, ask in STREAM.items():
        with told(method):
            for stream in db[uid].streams.values():
                ask(stream)


@pytest.mark.filterwarnings("ignore:.* has no stream 'primary'")
def test_a_loop_over_all_of_them(db):
    for make in ODD.values():
        save(db, make())
    rows = failures = 0
    for header in db():
        try:
            rows += len(header.table(fields=["motor"]))
        except DatabrokerError:
            failures += 1
    assert (rows, failures) == (16, 2)


def test_the_demonstration(at_demo_home):
    pytest.importorskip("bluesky")
    with Broker.named("example") as db, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        headers = list(db())
        assert len(headers) >= 8
        for header in headers:
            for ask in HEADER.values():
                ask(header)
            for stream in header.streams.values():
                for ask in STREAM.values():
                    ask(stream)
            for name in ("get_documents", "get_events", "get_table", "export", "restream"):
                BROKER[name](header)
