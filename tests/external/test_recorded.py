"""Recorded catalogs of other people, with the files beside them."""

import json
from pathlib import Path

import msgpack
import numpy as np
import pytest

import databroker
from databroker.columns import ALL, to_rows
from databroker.errors import NoHandler
from databroker.external import Filler, Registry, external_fields, external_files
from databroker.stores.memory import MemoryStore
from databroker.stores.rows import batches_of
from helpers.ways import WAYS, check

RECORDED = Path(__file__).parents[3] / "shared" / "data"
PACKED = RECORDED / "packed-msgpack"
CATALOGS = sorted(PACKED.glob("*/catalog.yml")) if PACKED.exists() else []

pytestmark = pytest.mark.skipif(not CATALOGS, reason="the recorded catalogs are not here")


@pytest.fixture(params=CATALOGS, ids=[path.parent.name for path in CATALOGS])
def catalog(request):
    import yaml

    folder = request.param.parent
    store = MemoryStore()
    for path in sorted((folder / "documents").glob("*.msgpack")):
        with path.open("rb") as file:
            for kind, doc in msgpack.Unpacker(file):
                store.insert(kind, doc)
    said = yaml.safe_load(request.param.read_text())["sources"]["packed_catalog"]["args"]
    root_map = {old: str(folder / new) for old, new in said["root_map"].items()}
    return store, Registry(root_map=root_map)


def test_the_images_of_a_packed_catalog(catalog):
    store, registry = catalog
    seen = 0
    for uid in store.resolve("", 100):
        documents = list(store.documents(uid))
        for descriptor in (doc for kind, doc in documents if kind == "descriptor"):
            fields = list(external_fields([descriptor]))
            filler = Filler(store, registry, uid)
            for batch in batches_of(store, "event", descriptor["uid"], ALL):
                for event in to_rows("event", descriptor["uid"], batch):
                    (filled,) = filler.events([event], fields)
                    for field in fields:
                        assert isinstance(filled["data"][field], np.ndarray)
                        assert filled["data"][field].shape == (10, 10)
                        assert filled["filled"][field] == event["data"][field]
                        seen += 1
        found = list(external_files(store, registry, uid))
        assert all(each.exists and each.size > 800 for each in found)
        assert [each.fields for each in found] == [("img",)] * len(found)
    assert seen == 1


def test_without_its_root_map_a_catalog_says_what_to_do(catalog):
    store, registry = catalog
    registry.root_map.clear()
    missing = [
        each
        for uid in store.resolve("", 100)
        for each in external_files(store, registry, uid)
        if not each.exists
    ]
    assert len(missing) == 1


def test_without_its_root_map_the_files_of_a_catalog_are_found(catalog):
    store, registry = catalog
    known = dict(registry.root_map)
    registry.root_map.clear()
    db = databroker.Broker(store, registry=registry)
    folder = Path(next(iter(known.values()))).parents[1]
    found = databroker.relocate(db(), search_in=folder)
    assert found.root_map == known
    assert len(found.found) == 1


def test_the_images_of_a_packed_catalog_come_back_in_all_ways(catalog):
    store, registry = catalog
    seen = 0
    for header in databroker.Broker(store, registry=registry)():
        for file in header.files():
            check(header, "img", np.load(file.path)[np.newaxis])
            seen += 1
    assert seen == 1


class Newton:
    """Stands in for a detector whose handler is with other people."""

    def __init__(self, path, radius, wave_number):
        self._wave_number = wave_number

    def __call__(self, gap, **more):
        return np.full((4, 5), gap * self._wave_number)


@pytest.mark.filterwarnings("ignore:The data of 'ns_image' have another form")
def test_a_handler_that_is_made_up_later():
    db = databroker.Broker(MemoryStore())
    for path in sorted((RECORDED / "tutorial-jsonl").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            db.insert(*json.loads(line))
    headers = [header for header in db() if "ns_image" in header.fields()]
    assert len(headers) == 7
    for header in headers:
        assert header.table()["ns_image"].str.contains("/").all()
        for way in WAYS:
            with pytest.raises(NoHandler, match="'newton'"):
                way(header, "ns_image", "primary")
    db.reg.register_handler("newton", Newton)
    for header in headers:
        first, *others = (np.asarray(way(header, "ns_image", "primary")) for way in WAYS)
        assert first.shape == (25, 4, 5)
        for other in others:
            np.testing.assert_array_equal(other, first)
