"""External values through a server: who may have which, what errors say, and odd values."""

import logging
import os
import pickle
import sys
from contextlib import ExitStack

import h5py
import httpx
import numpy as np
import pytest
import tifffile

from databroker import Broker
from databroker.documents.encode import decode
from databroker.errors import (
    DatasetMissing,
    ExternalDataMissing,
    FileDamaged,
    FileMissing,
    FileRefused,
    HandlerFailed,
    MissingExtra,
    NoHandler,
    NoSuchRun,
    QueryTimeout,
    ShapesDiffer,
    StoreAway,
)
from databroker.export import export
from databroker.external import Registry
from databroker.external.fields import served
from databroker.external.locate import uri_of_path
from databroker.query.nodes import Equals, Path
from databroker.server import Limits
from databroker.server.external import reader
from databroker.stores import arrays
from databroker.stores.external import ExternalValues, Part
from databroker.stores.http import HTTPStore
from databroker.stores.memory import MemoryStore
from databroker.stores.narrowed import NarrowedStore, external
from databroker.stores.store_ref import StoreRef
from helpers.external import CAM, HDF5, IMAGE, Run, frames
from helpers.http_thread import serving
from helpers.ways import check

RECORDED = "/detector/then"


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "secret place"
    folder.mkdir()
    return folder


@pytest.fixture
def registry(files):
    """What the server knows: its files are elsewhere than where they were recorded."""
    made = Registry(root_map={RECORDED: str(files)}, allowed_roots=[str(files)])
    yield made
    made.close()


@pytest.fixture
def serve():
    """Return a function that gives a broker which asks a server for a store."""
    with ExitStack() as stack:

        def made(store, registry=None, client=None, compression=False, **options):
            source = store if registry is None else Broker(store, registry=registry)
            uri = stack.enter_context(serving(source, **options))
            remote = HTTPStore(uri, compression=compression)
            return stack.enter_context(Broker(remote, registry=client or Registry()))

        yield made


class Recorded(Run):
    """A run whose documents say where files were: nowhere on this machine."""

    def resource(self, spec, path, uid="res", **kwargs):
        return super().resource(spec, RECORDED, path, uid, **kwargs)

    def cam(self, path, data_key="cam", dataset="data", uid="sres", **parameters):
        return self.stream(
            HDF5, uri_of_path(f"{RECORDED}/{path}"), uid, data_key, dataset=dataset, **parameters
        )


@pytest.fixture
def run(store, files):
    """Three images in files of their own, and three frames in one file."""
    made = Recorded(store)
    made.descriptor(cam=CAM)
    made.img, made.camera = frames(3, 4, 5), frames(3, 4, 6)
    for number, image in enumerate(made.img):
        np.save(files / f"img_{number}.npy", image)
    with h5py.File(files / "cam.h5", "w") as file:
        file["data"] = made.camera
    made.resource("NPY_SEQ", "img")
    made.cam("cam.h5")
    made.events(made.datums([{"index": number} for number in range(3)]))
    made.stream_datum(0, 3)
    return made


# -- what is read ------------------------------------------------------------


@pytest.mark.parametrize("compression", [False, True])
def test_all_ways_of_reading_a_field_agree_though_no_file_is_here(
    store, registry, run, serve, compression
):
    header = serve(store, registry, Registry(allowed_roots=["/nowhere"]), compression)[-1]
    check(header, "img", run.img)
    check(header, "cam", run.camera)
    for field, data in (("img", run.img), ("cam", run.camera)):
        array = header.streams["primary"][field]
        assert array.available == 3
        np.testing.assert_array_equal(array[::-2, 1:3, ::2], data[::-2, 1:3, ::2])
        again = pickle.loads(pickle.dumps(array))
        np.testing.assert_array_equal(again[:], data)


def test_what_a_root_map_leads_to_is_read_here(store, registry, run, serve, files, monkeypatch):
    here = Registry(root_map={RECORDED: str(files)})
    header = serve(store, registry, here)[-1]
    (files / "cam.h5").rename(files / "elsewhere.h5")
    registry.root_map = {f"{RECORDED}/cam.h5": str(files / "elsewhere.h5")}
    asked = []
    monkeypatch.setattr(reader, "alike", lambda *args: asked.append(args) or real(*args))
    np.testing.assert_array_equal(header.streams["primary"]["img"][:], run.img)
    assert not asked
    np.testing.assert_array_equal(header.streams["primary"]["cam"][:], run.camera)
    assert asked


real = reader.alike


class Odd:
    """A handler whose values are of any kind."""

    VALUES = (
        np.arange(6, dtype=">u2").reshape(2, 3),
        np.float32(2.5),
        np.zeros((0, 3)),
        np.array(["Ni", "Fe₂"]),
        np.array([(1, 2.5)], [("n", "<i4"), ("x", "<f8")]),
        np.array(["2026-11-27"], "M8[D]"),
        np.array([[1, 2], "text", None, {"a": [1.5]}], object),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(5),
    )

    def __init__(self, path):
        pass

    def __call__(self, number):
        return self.VALUES[number]


@pytest.mark.filterwarnings("ignore:.*another form than their descriptor says")
def test_values_of_any_kind_come_as_they_are(store, registry, serve):
    run = Recorded(store)
    run.descriptor()
    run.resource("ODD", "odd")
    run.events(run.datums([{"number": number} for number in range(len(Odd.VALUES))]))
    registry.register_handler("ODD", Odd)
    served, local = serve(store, registry)[-1], Broker(store, registry=registry)[-1]
    found = list(zip(served.data("img"), local.data("img"), strict=True))
    for one, other in found:
        assert type(one) is type(other)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tolist() == other.tolist()
    with pytest.raises(ShapesDiffer) as caught:
        served.streams["primary"]["img"][:]
    assert caught.value.field == "img"


def test_texts_of_a_file_are_texts(store, registry, serve, files):
    run = Recorded(store)
    run.descriptor(cam={**CAM, "dtype": "string", "shape": []})
    with h5py.File(files / "cam.h5", "w") as file:
        file.create_dataset("data", data=["Ni", "Fe₂"], dtype=h5py.string_dtype())
    run.cam("cam.h5")
    run.stream_datum(0, 2)
    assert list(map(type, serve(store, registry)[-1].data("cam"))) == [str, str]


def test_large_values_are_read_in_parts(store, registry, run, serve, monkeypatch):
    monkeypatch.setattr(reader, "LARGEST", 20)
    monkeypatch.setattr(reader, "PAGE_BYTES", 20)
    monkeypatch.setattr(reader, "_PIECE", 7)
    header = serve(store, registry)[-1]
    check(header, "cam", run.camera)
    np.testing.assert_array_equal(header.streams["primary"]["cam"][:, ::3], run.camera[:, ::3])


def test_many_values_are_asked_for_in_several_questions(store, registry, run, serve, monkeypatch):
    monkeypatch.setattr(served, "_MOST", 2)
    header = serve(store, registry)[-1]
    check(header, "img", run.img)
    assert header.streams["primary"]["img"].available == 3


class Holding(MemoryStore):
    """A store that has the data of a field itself, as one of a Tiled server."""

    held = frames(3, 4, 6)

    def read_array(self, document, place):
        return self.held[tuple(place)]


def test_data_that_the_served_store_has_itself_come_through_it(registry, serve):
    run = Recorded(Holding())
    run.descriptor(cam=CAM)
    run.stream(arrays.MIMETYPE, "http://tiled.example/cam", shape=[3, 4, 6], dtype="<u2")
    run.stream_datum(0, 3)
    check(serve(run.store, registry)[-1], "cam", Holding.held, events=False)


def test_of_several_sources_each_has_its_own_files_and_reads_them(serve, tmp_path):
    members = []
    for number, name in enumerate(["near", "far"]):
        folder = tmp_path / name
        folder.mkdir()
        np.save(folder / "img_0.npy", np.full((4, 5), number))
        path = str(folder / "runs.db")
        members.append({"driver": "sqlite", "path": path, "root_map": {RECORDED: str(folder)}})
        with Broker.from_config(members[-1]) as db:
            run = Recorded(db.store, f"run-{number}")
            run.descriptor(f"d{number}")
            run.resource("NPY_SEQ", "img", f"res{number}")
            run.events(run.datums([{"index": 0}], f"res{number}"), descriptor=f"d{number}")
    with Broker.from_config({"driver": "federation", "members": members}) as several:
        remote = serve(several)
        for number in range(2):
            (found,) = remote[f"run-{number}"].data("img")
            np.testing.assert_array_equal(found, np.full((4, 5), number))
        (found,) = serve(remote)["run-1"].data("img")  # a server before a server
        np.testing.assert_array_equal(found, np.full((4, 5), 1))


def test_images_are_exported(store, registry, run, serve, tmp_path):
    run.store.insert("stop", {"uid": "s", "run_start": run.uid, "time": 9.0, "exit_status": "fail"})
    header = serve(store, registry)[-1]
    export(header, tmp_path, "tiff", name="{uid}")
    pages = [tifffile.imread(path) for path in sorted(tmp_path.rglob("*img*.tif*"))]
    np.testing.assert_array_equal(np.concatenate(pages).reshape(run.img.shape), run.img)
    filled = [doc for kind, doc in header.documents(fill=True) if kind == "event"]
    np.testing.assert_array_equal([doc["data"]["img"] for doc in filled], run.img)


def test_files_are_listed_as_the_server_has_them(store, registry, run, serve, files):
    (files / "img_1.npy").unlink()
    (files / "cam.h5").write_bytes(b"not HDF5")
    header = serve(store, registry)[-1]
    listed = header.files()
    assert [(file.path, file.size, file.fields) for file in listed if file.at_server] == [
        *(
            (f"{RECORDED}/img_{n}.npy", (files / f"img_{n}.npy").stat().st_size, ("img",))
            for n in (0, 2)
        ),
        (f"{RECORDED}/cam.h5", 8, ("cam",)),
    ]
    assert [file.path for file in listed.missing] == [f"{RECORDED}/img_1.npy"]
    assert "on the server, reading gave" in listed[-1].problem
    assert str(files) not in repr(listed)
    assert "4 files, 3 at the server" in repr(listed)
    here = serve(store, registry, Registry(root_map={RECORDED: str(files)}))[-1].files()
    local = Broker(store, registry=registry)[-1].files()
    assert [vars(file) for file in here] == [vars(file) for file in local]


# -- who may have what ---------------------------------------------------------


def asked_for(store, *references, run="run-1", field="cam", descriptor="d", part=None):
    return list(store.read_external(ExternalValues(references, run, field, descriptor), part))


def test_nobody_reaches_values_of_a_run_that_they_may_not_see(store, registry, run, serve):
    other = Recorded(store, "run-2")
    other.descriptor("d2", cam=CAM)
    other.cam("cam.h5", uid="sres2")
    narrowed = NarrowedStore(store, Equals(Path("uid"), "run-2"))
    remote = serve(narrowed, registry).store
    everything = serve(store, registry).store
    for ask in (asked_for, lambda store, *args, **more: store.see_external(values(*args, **more))):
        assert ask(everything, "res/0", run=None)
        with pytest.raises(NoSuchRun):
            ask(remote, ("sres", 0, 1))
        with pytest.raises(NoSuchRun):
            ask(remote, "res/0")
    for run_uid in (None, "run-2"):
        with pytest.raises(ExternalDataMissing, match="no datum document"):
            asked_for(remote, "res/0", run=run_uid)
    with pytest.raises(ExternalDataMissing, match="no stream resource"):
        asked_for(remote, ("sres", 0, 1), run="run-2", descriptor="d2")
    assert asked_for(remote, ("sres2", 0, 1), run="run-2", descriptor="d2")


@pytest.mark.parametrize("few", [0, 10])
def test_a_server_in_front_of_a_server_shows_those_who_may_see_some(
    store, registry, run, serve, monkeypatch, few
):
    monkeypatch.setattr(external, "_FEW", few)
    other = Recorded(store, "run-2")
    other.descriptor("d2", cam=CAM)
    other.resource("NPY_SEQ", "img", "res2")
    ids = other.datums([{"index": 0}], "res2")
    other.cam("cam.h5", uid="sres2")
    narrowed = NarrowedStore(serve(store, registry).store, Equals(Path("uid"), "run-1"))
    header = serve(narrowed)[-1]
    check(header, "img", run.img)
    check(header, "cam", run.camera)
    assert len(header.files()) == 4
    for asked in (values(*ids), values(("sres2", 0, 1)), values(*ids, run=None)):
        with pytest.raises(ExternalDataMissing, match="There is no"):
            narrowed.see_external(asked)
        with pytest.raises(ExternalDataMissing, match="There is no"):
            narrowed.count_external(asked)
        with pytest.raises(ExternalDataMissing, match="There is no"):
            narrowed.read_external(asked)
    assert list(narrowed.list_external("run-2")) == []


def values(*references, run="run-1", field="cam", descriptor="d"):
    return ExternalValues(references, run, field, descriptor)


def test_no_file_is_opened_but_those_that_the_server_allows(store, registry, run, serve, tmp_path):
    np.save(tmp_path / "img_0.npy", np.zeros(3))
    outside = Recorded(store, "run-2")
    outside.descriptor("d2")
    outside.resource("NPY_SEQ", "../img", "res2")
    outside.events(outside.datums([{"index": 0}], "res2"), descriptor="d2")
    header = serve(store, registry)["run-2"]
    with pytest.raises(FileRefused, match="none of the folders that it may read") as caught:
        list(header.data("img"))
    assert str(tmp_path) not in str(caught.value)


def test_a_server_that_lets_write_needs_to_be_told_which_files_it_may_open(store, files, serve):
    where = {RECORDED: str(files)}
    db = serve(store, Registry(root_map=where), token=None, allow_writing=True)
    Recorded(db.store).descriptor(cam=CAM)
    with pytest.raises(FileRefused, match="allowed_roots"):
        asked_for(db.store, "/etc/passwd")
    Recorded(db.store, "run-2").resource("NPY_SEQ", "img")
    (file,) = db["run-2"].files()
    assert not file.exists
    assert "none of the folders that it may read" in file.problem
    assert asked_for(serve(store, Registry(root_map=where)).store) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"values": None},
        {"values": {"references": "res/0"}},
        {"values": {"references": [["sres", 0]]}},
        {"values": {"references": [["sres", -1, 5]]}},
        {"values": {"references": [["sres", 0, 2**70]]}},
        {"values": {"references": [["sres", 0, 1], "res/0"]}},
        {"values": {"references": [["sres", 0, 1]], "run": "run-1", "path": "/etc/passwd"}},
        {"values": {"references": [["sres", 0, 1]], "run": "run-1", "field": "cam"}},
        *(
            {
                "values": {
                    "references": [["sres", 0, 1]],
                    "run": "run-1",
                    "field": "cam",
                    "descriptor": "d",
                },
                "part": part,
            }
            for part in (
                [[4, 6], "'<u2'"],
                [[4, 6], "'no type'", []],
                [[4, 6], "__import__('os')", []],
                [[4, 6], "'<u2'", [[0, 1, -1]]],
                [[4, 6], "'<u2'", [[0, 1, 0]]],
                [[4, 6], "'<u2'", [[0, 1, 1]] * 3],
                [[-4, 6], "'<u2'", []],
                [[1, 2**50], "'<u2'", []],
                [[2**50, 2**50], "'<u2'", []],
                [[], "('<i4', (1000000000000,))", []],
            )
        ),
    ],
    ids=repr,
)
def test_a_question_that_makes_no_sense_is_refused_with_words(store, registry, run, serve, body):
    uri = serve(store, registry).store._connection.uri
    answer = httpx.post(f"{uri}/v1/read_external", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


def test_what_nobody_has_written_is_not_counted_for_ever(store, run, files, serve):
    uri = uri_of_path(str(files)) + "/"
    run.stream("multipart/related;type=image/tiff", uri, "tiffs", template="{:d}.tif")
    remote = serve(store, limits=Limits(answer_seconds=0.5)).store
    with pytest.raises(QueryTimeout):
        remote.count_external(values(("tiffs", 0, 2**52)))
    with pytest.raises(ExternalDataMissing):
        asked_for(remote, ("tiffs", 0, 2**52), part=Part((), np.dtype("u1"), ()))


# -- what cannot be had ----------------------------------------------------------


def test_a_value_that_is_lost_ends_the_answer_with_its_error(store, registry, run, serve, files):
    (files / "img_2.npy").unlink()
    db = serve(store, registry)
    header = db[-1]
    read = header.data("img")
    np.testing.assert_array_equal([next(read), next(read)], run.img[:2])
    with pytest.raises(FileMissing, match=f"recorded as {RECORDED}/img_2.npy"):
        next(read)
    with pytest.raises(FileMissing):
        header.streams["primary"]["img"][:]
    with pytest.raises(FileMissing, match="datum 'res/2'"):
        asked_for(db.store, "res/2")


def test_of_which_run_and_field_an_error_is_a_preview_says_once(store, registry, run, serve, files):
    for number in range(3):
        (files / f"img_{number}.npy").unlink()
    near = serve(store, registry)
    for db in (near, serve(near.store)):
        (said,) = next(each for each in db[-1].preview().pictures if each.field == "img").missing
        assert f"recorded as {RECORDED}/img_" in said
        assert said.count("the server") == 1
        assert "Field 'img'" not in said
        with pytest.raises(FileMissing, match=r"^Field 'img' of run 'run-1'.*: the server has no"):
            list(db[-1].data("img"))


def test_a_file_that_is_cut_short_amid_an_answer_gives_no_data(
    store, registry, serve, files, monkeypatch
):
    run = Recorded(store)
    run.descriptor(cam={**CAM, "shape": [256, 256]})
    data = frames(64, 256, 256)
    with h5py.File(files / "cam.h5", "w") as file:
        file.create_dataset("data", data=data, chunks=(1, 256, 256))
    run.cam("cam.h5")
    run.stream_datum(0, 64)
    monkeypatch.setattr(reader, "PAGE_BYTES", 2**17)
    pieces = serve(store, registry).store.read_external(
        values(("sres", 0, 64)), Part((256, 256), np.dtype("u2"), ())
    )
    assert next(pieces) == data[0].tobytes()
    os.truncate(files / "cam.h5", 2**18)
    registry.close()
    with pytest.raises(ExternalDataMissing, match=r"on the server, .* complete"):
        list(pieces)


def failing(path):
    raise RuntimeError(f"what is {path}?")


def test_errors_are_the_same_and_say_nothing_of_where_files_are(
    store, registry, run, serve, files, caplog
):
    for spec in ("ODD", "UNKNOWN"):
        run.resource(spec, spec, spec)
        run.datums([{"number": 0}], spec)
    registry.register_handler("ODD", failing)
    run.cam("cam.h5", dataset="no data", uid="empty")
    (files / "text.h5").write_text("no HDF5 at all")
    run.cam("text.h5", uid="text")
    run.cam("lost/cam.h5", uid="lost")
    run.stream(HDF5, "http://host/cam.h5", "url", "cam", dataset="data")
    remote = serve(store, registry).store
    for reference, (kind, said) in {
        "ODD/0": (HandlerFailed, r"'ODD/0', ODD\): .* is in the log of the server\.$"),
        "UNKNOWN/0": (NoHandler, "the spec 'UNKNOWN'"),
        ("empty", 0, 1): (DatasetMissing, r"'empty', application/x-hdf5\): .* another one\?$"),
        ("text", 0, 1): (FileDamaged, r"still being written\?$"),
        ("lost", 0, 1): (FileMissing, "has no file that was recorded as"),
        ("url", 0, 1): (FileRefused, "http://host/cam.h5 is a URL, and only files of this machine"),
    }.items():
        with caplog.at_level(logging.WARNING), pytest.raises(kind, match=said) as caught:
            asked_for(remote, reference)
        assert type(caught.value) is kind
        assert "server" in str(caught.value)
        assert str(files) not in str(caught.value)
    assert str(files) in caplog.text
    assert "raise RuntimeError(" in caplog.text


def test_a_server_that_lacks_a_package_says_so(store, registry, run, serve, monkeypatch):
    header = serve(store, registry)[-1]
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtra, match=r"On the server: .*'h5py'"):
        list(header.data("cam"))
    np.testing.assert_array_equal(list(header.data("img")), run.img)
    assert header.table()["det"].tolist() == [0, 1, 2]


def test_a_store_of_files_has_no_data_opened(store):
    for ask in (store.see_external, store.count_external, store.read_external):
        with pytest.raises(NotImplementedError, match="no external data"):
            ask(values("res/0"))
    assert not store.capabilities.external


def test_the_answer_is_a_sequence_that_other_programs_can_read(store, registry, run, serve):
    uri = serve(store, registry).store._connection.uri
    body = {"values": {"references": ["res/0"], "run": "run-1", "field": "img"}}
    seen = httpx.post(f"{uri}/v1/see_external", json=body)
    assert decode(seen.content)[:2] == [[4, 5], "'<u2'"]
    assert decode(httpx.post(f"{uri}/v1/count_external", json=body).content) == 1
    assert IMAGE["shape"] == [4, 5]


def test_a_loop_goes_on_after_a_connection_that_broke_off(store, registry, run, serve, monkeypatch):
    db = serve(store, registry)
    header, whole = db[-1], db.store.read_external

    def broken(asked, part=None):
        for place, piece in enumerate(whole(asked, part)):
            if place == 2:  # a head, and the bytes of a value, came
                raise StoreAway("the server has hung up")
            yield piece

    monkeypatch.setattr(db.store, "read_external", broken)
    np.testing.assert_array_equal(list(header.data("img")), run.img)
    with pytest.raises(StoreAway):
        list(served.ServedField(StoreRef(db.store), run.uid, "img").values(["res/0", "res/1"]))


# -- other processes -------------------------------------------------------------


def test_workers_of_dask_ask_the_server_themselves(store, registry, run, serve, monkeypatch):
    monkeypatch.setenv("DATABROKER_TOKEN", "of this test")  # what is pickled has none
    header = serve(store, registry, token="of this test")[-1]
    both = header.xarray_dask()[["img", "cam"]]
    assert b"of this test" not in pickle.dumps(both)
    found = both.compute(scheduler="processes", num_workers=1)
    np.testing.assert_array_equal(found.img, run.img)
    np.testing.assert_array_equal(found.cam, run.camera)
