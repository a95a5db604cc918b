"""Making brokers, and what they say about themselves."""

import time

import pytest

import databroker
from databroker import Broker
from databroker.errors import DuplicateHandler
from helpers import runs
from helpers.runs import save

HANDLER = "databroker.assets.path_only_handlers.RawHandler"


def test_a_broker_knows_its_configuration(hermit):
    (hermit / "lab.yml").write_text("driver: memory\ntimezone: Asia/Tokyo\n")
    db = Broker.named("lab")
    assert db.name == "lab"
    assert db.get_config() == {"driver": "memory", "timezone": "Asia/Tokyo"}
    assert Broker.from_config({"driver": "memory"}).name is None
    assert databroker.temp().name == Broker.named("temp").name == "temp"
    assert databroker.temp().get_config() is None


def test_an_unknown_name(hermit):
    with pytest.raises(AttributeError, match="no configuration 'nonsense'"):
        Broker.named("nonsense")


def test_a_bad_configuration_has_its_old_name():
    with pytest.raises(databroker.v1.InvalidConfig):
        Broker.from_config({"driver": "nonsense"})


def test_a_broker_is_not_made_from_a_catalog(db):
    with pytest.raises(TypeError, match=r"Broker\.named"):
        Broker(db.v2)


def test_one_thing_with_two_faces(db):
    assert db.v1 is db
    assert db.v2.v1 is db


def test_what_is_printed(db, header):
    assert str(db) == f"Broker {db.name!r}: 1 run ({db.store})"
    assert repr(db).startswith("<databroker.v1.Broker object at 0x")
    text = str(header)
    assert text.splitlines()[0] == "Run plain-run"
    assert "primary         : 5 events: det, motor, motor_setpoint" in text
    assert repr(header).startswith("<databroker.v1.Header object at 0x")


def test_documents_inserted_are_left_as_they_are(db):
    document = {"uid": "a", "time": 1.0, "shape": (1, 2)}
    db.insert("start", document)
    assert document == {"uid": "a", "time": 1.0, "shape": (1, 2)}
    with pytest.raises(AttributeError, match="nonsense"):
        db.insert("nonsense", {})


class First:
    pass


class Second:
    pass


def test_handlers_are_registered_once(db):
    db.reg.register_handler("LAB", First)
    db.reg.register_handler("LAB", First)
    with pytest.raises(RuntimeError) as caught:
        db.reg.register_handler("LAB", Second)
    assert isinstance(caught.value, DuplicateHandler)
    db.reg.register_handler("LAB", Second, overwrite=True)
    assert db.reg.handler_reg["LAB"] is Second
    assert db.reg.deregister_handler("LAB") is None
    assert db.reg.deregister_handler("LAB") is None
    assert "LAB" not in db.reg.handler_reg


def test_handlers_are_only_looked_at_in_the_registry(db):
    with pytest.raises(TypeError):
        db.reg.handler_reg["LAB"] = First
    with pytest.raises(KeyError, match="LAB"):
        db.reg.handler_reg["LAB"]


def test_installed_packages_offer_handlers(db):
    found = pytest.importorskip("area_detector_handlers.handlers").AreaDetectorTiffHandler
    assert db.reg.handler_reg["AD_TIFF"] is found
    db.reg.register_handler("AD_TIFF", found)
    with pytest.raises(DuplicateHandler):
        db.reg.register_handler("AD_TIFF", First)
    db.reg.deregister_handler("AD_TIFF")
    assert "AD_TIFF" not in db.reg.handler_reg
    assert "AD_TIFF" in databroker.temp().reg.handler_reg


def test_handlers_of_a_configuration():
    from databroker.assets.path_only_handlers import RawHandler

    config = {"driver": "memory", "handlers": {"AD_TIFF": HANDLER, "LAB": "nowhere:Handler"}}
    db = Broker.from_config(config)
    assert db.reg.handler_reg["AD_TIFF"] is RawHandler
    assert len(db.reg.handler_reg) >= 2
    only = Broker.from_config(config, auto_register=False)
    assert list(only.reg.handler_reg) == ["AD_TIFF", "LAB"]
    with pytest.raises(ValueError, match="nowhere:Handler"):
        only.reg.handler_reg["LAB"]


def test_the_root_map_is_live():
    db = Broker.from_config({"driver": "memory", "root_map": {"/old": "/new"}})
    assert db.reg.root_map == {"/old": "/new"}
    db.reg.root_map["/older"] = "/new"
    assert db.v2.root_map == {"/old": "/new", "/older": "/new"}


def test_the_old_name_of_the_registry_warns(db):
    with pytest.warns(UserWarning, match=r"Broker\.reg"):
        assert db.fs is db.reg


def test_copying_the_files_of_a_resource_without_a_run(db, tmp_path):
    with pytest.raises(ValueError, match="run_start"):
        db.reg.copy_files({"uid": "r", "spec": "LAB"}, str(tmp_path))


def test_a_run_whose_writer_is_gone_can_be_ended(db):
    header = save(db, runs.without_stop())
    assert header.status == "unknown"
    closed = db.close_run("no_stop", "the power failed")
    assert closed.stop["reason"] == "the power failed"
    assert closed.stop["num_events"] == {"baseline": 2, "primary": 5}
    assert closed.stop["time"] == runs.FIRST + 9
    assert header.status == closed.status == "fail"
    with pytest.raises(ValueError, match="has ended already"):
        db.close_run(header.uid)
    with pytest.raises(KeyError):
        db.close_run("nonsense")


def test_a_run_that_goes_on_is_only_ended_by_force(db):
    now = time.time()
    header = save(db, [runs.start("live", now)])
    assert header.status == "running"
    with pytest.raises(ValueError, match="force=True"):
        db.close_run(header.uid)
    assert db.close_run(header.uid, force=True).status == "fail"
