"""Documents that name a host, a device or a pipe: no reader asks, and no reader waits."""

import bz2
import gzip
import http.server
import lzma
import os
import threading

import numpy as np
import pytest

import databroker
from databroker import Broker
from databroker.errors import DatabrokerError, FileRefused
from databroker.external.handlers.offered import FALLBACKS
from databroker.external.locate import Guard
from databroker.external.readers.mimetypes import MIMETYPES
from databroker.external.registry import Registry
from helpers.external import NUMBER, Run
from helpers.ways import WAYS

KEY = {"dtype": "array", "shape": [2, 2], "source": "sim"}

# What each handler is made with, and called with.
RESOURCES = {
    "NPY_SEQ": ({}, {"index": 0}),
    "npy": ({}, {}),
    "npy_FRAMEWISE": ({}, {"frame_no": 0}),
    "SINGLE_TIFF": ({}, {}),
    "IMAGE_SEQ": ({"template": "%s%s%d.png", "filename": "a"}, {"point_number": 0}),
    "DAT": ({}, {}),
    "CSV": ({}, {}),
    "HDF5": ({"key": "a"}, {"point_number": 0}),
    "AD_HDF5": ({}, {"point_number": 0}),
    "AD_HDF5_SWMR": ({}, {"point_number": 0}),
    "AD_CBF": ({"template": "%s%s%d.cbf", "filename": "a"}, {"point_number": 0}),
    "AD_SPE": ({"template": "%s%s%d.spe", "filename": "a"}, {"point_number": 0}),
    "AD_TIFF": ({"template": "%s%s%d.tif", "filename": "a"}, {"point_number": 0}),
    "MAPS_SPECTRUM": ({}, {"point_number": 0}),
    "MAPS_PLANE": ({}, {"e_index": 0}),
}


def test_every_handler_of_ours_is_tried():
    assert set(FALLBACKS) <= set(RESOURCES)


@pytest.fixture
def asked():
    """A server on this machine that remembers who asked for what."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"1,2\n3,4\n")

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    requests.append(f"127.0.0.1:{server.server_port}")
    yield requests
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["anywhere", "the working folder"])
def db(request, tmp_path, monkeypatch):
    """A broker whose allowed roots let a relative path pass."""
    monkeypatch.chdir(tmp_path)
    allowed = {} if request.param == "anywhere" else {"allowed_roots": [str(tmp_path)]}
    with Broker.from_config({"driver": "memory", **allowed}) as made:
        yield made


def of_resource(db, spec, root, path):
    kwargs, datum_kwargs = RESOURCES[spec]
    run = Run(db.store)
    run.descriptor(img={**KEY, "external": "FILESTORE:"})
    run.resource(spec, root, path, **kwargs)
    db.insert("datum", {"datum_id": "res/0", "resource": "res", "datum_kwargs": datum_kwargs})
    run.events(["res/0"])
    return db[-1]


def of_stream(db, mimetype, uri, **parameters):
    run = Run(db.store)
    keys = {"img": {**KEY, "external": "STREAM:"}, "det": NUMBER}
    descriptor = {"uid": "d", "run_start": run.uid, "time": 1.0, "name": "primary"}
    db.insert("descriptor", {**descriptor, "data_keys": keys})
    run.stream(mimetype, uri, data_key="img", **parameters)
    run.stream_datum(0, 1)
    return db[-1]


def check_refused(header, match, copies):
    for way in WAYS:
        with pytest.raises(FileRefused, match=match) as caught:
            way(header, "img", "primary")
        assert caught.value.field == "img"
    assert any(each.problem for each in header.files())
    with databroker.temp() as other, pytest.raises(DatabrokerError, match=match):
        header.db.export(header, other, new_root=copies)


@pytest.mark.parametrize("spec", RESOURCES)
@pytest.mark.parametrize("where", [("", "{url}/a.csv"), ("{url}", "a.csv")])
def test_a_resource_asks_no_host(db, asked, tmp_path, spec, where):
    root, path = (part.format(url=f"http://{asked[0]}") for part in where)
    header = of_resource(db, spec, root, path)
    check_refused(header, "is a URL, and only files of this machine", tmp_path / "copies")
    assert asked[1:] == []


@pytest.mark.parametrize("mimetype", MIMETYPES)
@pytest.mark.parametrize("chain", ["", "simplecache::"])
def test_a_stream_resource_asks_no_host(db, asked, tmp_path, mimetype, chain):
    header = of_stream(db, mimetype, f"{chain}http://{asked[0]}/a", filename="a", dataset="a")
    check_refused(header, "is a URL, and only files of this machine", tmp_path / "copies")
    assert asked[1:] == []


def test_a_template_leads_to_no_host(db, asked):
    class Handler:
        def __init__(self, path, template):
            self.template = template

        def get_file_list(self, datum_kwargs):
            return [self.template % kwargs["n"] for kwargs in datum_kwargs]

        def __call__(self, n):
            import pandas as pd

            return pd.read_csv(self.template % n, header=None).to_numpy()

    db.reg.register_handler("LAB", Handler)
    run = Run(db.store)
    run.descriptor(img={**KEY, "external": "FILESTORE:"})
    run.resource("LAB", "", "a", template=f"http://{asked[0]}/%d")
    run.events(run.datums([{"n": 0}]))
    for way in WAYS:
        with pytest.raises(FileRefused, match="is a URL"):
            way(db[-1], "img", "primary")
    assert asked[1:] == []


def test_a_handler_without_a_list_of_files_is_used_where_all_may_be_read(tmp_path):
    class Handler:
        def __init__(self, path): ...

        def get_file_list(self, datum_kwargs):
            raise NotImplementedError

        def __call__(self, n):
            return np.full((2, 2), n)

    with Broker.from_config({"driver": "memory"}) as db:
        db.reg.register_handler("LAB", Handler)
        run = Run(db.store)
        run.descriptor(img={**KEY, "external": "FILESTORE:"})
        run.resource("LAB", tmp_path, "a")
        run.events(run.datums([{"n": 7}]))
        np.testing.assert_array_equal(list(db[-1].data("img")), np.full((1, 2, 2), 7))


@pytest.mark.parametrize("path", ["file:/{folder}/a.csv", "file:///{folder}/a.csv", "file:a.csv"])
def test_a_path_that_is_a_file_url_is_no_way_round(tmp_path, monkeypatch, path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    monkeypatch.chdir(inside)
    with Broker.from_config({"driver": "memory", "allowed_roots": [str(inside)]}) as db:
        header = of_resource(db, "CSV", "", path.format(folder=tmp_path))
        check_refused(header, "is a URL", tmp_path / "copies")


@pytest.mark.parametrize("path", [r"\\host\share\a.h5", "//host/share/a.h5", r"\\.\pipe\a"])
def test_windows_asks_no_host_that_no_configuration_names(monkeypatch, path):
    assert Guard().allows("//host/share/a.h5")  # elsewhere, two slashes are one
    monkeypatch.setattr(os, "name", "nt")
    for guard in (Guard(), Guard(["C:/data"]), Guard(["//other/share"])):
        assert not guard.allows(path)
        with pytest.raises(FileRefused, match="on another machine"):
            guard.check(path)
    assert Guard(named=["//Host/Share/data", r"\\.\pipe"]).allows(path)
    assert Guard().allows("C:/data/a.h5")


def test_a_share_that_the_root_map_leads_to_is_named_by_it(monkeypatch):
    reg = Registry(root_map={"/data": "//host/share"})
    monkeypatch.setattr(os, "name", "nt")
    assert reg.place({"root": "/data", "resource_path": "a.h5"}).path == "//host/share/a.h5"
    with pytest.raises(FileRefused):
        reg.place({"root": "//other/share", "resource_path": "a.h5"})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("spec", ["DAT", "CSV", "npy", "SINGLE_TIFF", "HDF5"])
def test_a_pipe_is_not_waited_for(tmp_path, spec):
    os.mkfifo(tmp_path / "pipe")
    with Broker.from_config({"driver": "memory"}) as db:
        header = of_resource(db, spec, tmp_path, "pipe")
        check_refused(header, "a device, a socket or a pipe", tmp_path / "copies")


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip), ("bz2", bz2), ("xz", lzma)])
@pytest.mark.parametrize(("spec", "text"), [("CSV", b"a,b\n1,2\n3,4\n"), ("DAT", b"1 2\n3 4\n")])
def test_packed_text_is_read_as_before(tmp_path, suffix, pack, spec, text):
    with pack.open(tmp_path / f"a.{suffix}", "wb") as file:
        file.write(text)
    with Broker.from_config({"driver": "memory"}) as db:
        header = of_resource(db, spec, tmp_path, f"a.{suffix}")
        np.testing.assert_array_equal(next(header.data("img")), [[1, 2], [3, 4]])
