"""Where a file is: roots, root maps, URIs, and what is refused."""

import os
import pickle

import pytest

from databroker.errors import ExternalDataMissing, FileRefused
from databroker.external import Registry
from databroker.external.locate import Guard, path_of_uri, place_of, uri_of_path
from databroker.external.references import DataReference


def resource(root, path, semantics="posix"):
    return {"root": root, "resource_path": path, "path_semantics": semantics}


@pytest.mark.parametrize(
    ("document", "root_map", "path"),
    [
        (resource("/data", "a/b.h5"), {}, "/data/a/b.h5"),
        (resource("/data/", "a.h5"), {}, "/data/a.h5"),
        (resource("/", "a.h5"), {}, "/a.h5"),
        (resource("", "/data/a.h5"), {}, "/data/a.h5"),
        (resource(None, "/data/a.h5"), {}, "/data/a.h5"),
        (resource("/ignored", "/data/a.h5"), {}, "/data/a.h5"),
        (resource("/data", "a.h5"), {"/data": "/mnt"}, "/mnt/a.h5"),
        (resource("/data", "a.h5"), {"/data/": "/mnt/"}, "/mnt/a.h5"),
        # The longest that fits wins, whichever way they stand, and parts of names never fit.
        (resource("/data/x", "a.h5"), {"/data": "/1", "/data/x": "/2", "/": "/3"}, "/2/a.h5"),
        (resource("/data/x", "y/a.h5"), {"/data/x/y": "/1", "/data": "/2"}, "/1/a.h5"),
        (resource("/database", "a.h5"), {"/data": "/mnt"}, "/database/a.h5"),
        (resource("", "/data/a.h5"), {"/data": "/mnt"}, "/mnt/a.h5"),
        (resource("/other", "a.h5"), {"/": "/mnt"}, "/mnt/other/a.h5"),
        (resource("", "a.h5"), {"": "/mnt"}, "/mnt/a.h5"),
        (resource("/data", "a.h5"), {"": "/mnt"}, "/data/a.h5"),
        (resource("6dd0c365", "5357d9"), {"6dd0c365": "/mnt/6dd0c365"}, "/mnt/6dd0c365/5357d9"),
        (resource("/daten", "Prüf ling/ä b.h5"), {"/daten": "/mnt/ö"}, "/mnt/ö/Prüf ling/ä b.h5"),
        (resource("C:\\data", "a\\b.h5", "windows"), {}, "C:/data/a/b.h5"),
        (resource("C:\\data", "a\\b.h5", "windows"), {"C:\\data": "/mnt"}, "/mnt/a/b.h5"),
        (resource("C:\\Data", "A\\b.h5", "windows"), {"c:/data": "/mnt"}, "/mnt/A/b.h5"),
        (resource("", "Z:\\a.h5", "windows"), {"Z:\\": "/mnt/z"}, "/mnt/z/a.h5"),
        (resource("\\\\host\\share", "a.h5", "windows"), {"//host/share": "/mnt"}, "/mnt/a.h5"),
        ({"uri": "file://localhost/data/a%20b.h5"}, {"/data": "/mnt"}, "/mnt/a b.h5"),
        ({"uri": "file:///data/run #3/what?.h5"}, {}, "/data/run #3/what?.h5"),
        ({"uri": "file://beamline7/data/a.h5"}, {}, "/data/a.h5"),
        ({"uri": "file://localhost/C:/data/a.h5"}, {"C:\\data": "/mnt"}, "/mnt/a.h5"),
        # A folder stays one: names are joined to it as text.
        ({"uri": "file://localhost/data/tiffs/"}, {"/data": "/mnt"}, "/mnt/tiffs/"),
        ({"uri": "/data/plain.h5"}, {}, "/data/plain.h5"),
    ],
)
def test_a_document_leads_to_a_path(document, root_map, path):
    assert place_of(document, root_map).path == path


def test_the_root_map_may_name_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place_of(resource("/data", "a"), {"/data": "~/d"}).path == str(tmp_path / "d" / "a")


@pytest.mark.parametrize("path", ["/data/a b.h5", "/data/ü#?%41.h5", "/a/b/"])
def test_a_uri_leads_back_to_its_path(path):
    assert path_of_uri(uri_of_path(path)) == path


def test_a_path_says_how_it_was_found():
    place = place_of(resource("/data", "a.h5"), {"/data": "/mnt"})
    assert place.history() == "(recorded as /data/a.h5; root_map {'/data': '/mnt'})"
    assert place_of(resource("/data", "a.h5")).history() == ""


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "x/../../../etc/passwd", "../data-of-others/a"]
)
def test_paths_out_of_the_allowed_roots_are_refused(tmp_path, path):
    root = tmp_path / "data"
    root.mkdir()
    registry = Registry(allowed_roots=[str(root)])
    with pytest.raises(FileRefused, match="allowed_roots") as caught:
        registry.place(resource(str(root), path), DataReference("run-1", "img"))
    assert isinstance(caught.value, PermissionError | ExternalDataMissing)
    assert (caught.value.run, caught.value.field) == ("run-1", "img")
    assert registry.place(resource(str(root), "a.h5")).path == str(root / "a.h5")


def test_links_are_followed_before_a_path_is_allowed(tmp_path):
    real, linked, secret = tmp_path / "real", tmp_path / "linked", tmp_path / "secret"
    real.mkdir()
    secret.mkdir()
    linked.symlink_to(real)
    (real / "out").symlink_to(secret)
    for allowed in (real, linked):
        guard = Guard([str(allowed)])
        assert guard.allows(str(real / "a"))
        assert guard.allows(str(linked / "a"))
        assert not guard.allows(str(linked / "out" / "a"))


def test_a_root_map_is_live_and_goes_with_a_pickle():
    registry = Registry(root_map={"/a": "/b"}, allowed_roots=["/b"])
    registry.root_map["/c"] = "/b/c"
    again = pickle.loads(pickle.dumps(registry))
    assert again.root_map == {"/a": "/b", "/c": "/b/c"}
    with pytest.raises(FileRefused):
        again.place(resource("/x", "y"))
    assert os.path.dirname(again.place(resource("/c", "y")).path) == "/b/c"
