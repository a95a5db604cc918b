"""Recorded catalogs of other people, with the files beside them."""

from pathlib import Path

import msgpack
import numpy as np
import pytest

import databroker
from databroker.columns import to_rows
from databroker.external import Filler, Registry, external_fields, external_files
from databroker.stores.memory import MemoryStore

PACKED = Path(__file__).parents[3] / "shared" / "data" / "packed-msgpack"
CATALOGS = sorted(PACKED.glob("*/catalog.yml")) if PACKED.exists() else []

pytestmark = pytest.mark.skipif(not CATALOGS, reason="the recorded catalogs are not here")


@pytest.fixture(params=CATALOGS, ids=lambda path: path.parent.name)
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
        documents = store.documents(uid)
        for descriptor in (doc for kind, doc in documents if kind == "descriptor"):
            fields = list(external_fields([descriptor]))
            filler = Filler(store, registry, uid)
            for batch in store.read("event", descriptor["uid"], 0, 100, None):
                for event in to_rows("event", descriptor["uid"], batch):
                    filled = filler.fill(event, fields)
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
