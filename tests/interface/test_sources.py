"""One broker over several sources: each run is read as the configuration of its own says."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import yaml

import databroker
from databroker import Broker
from databroker.errors import FileRefused, NoHandler, StoreIsReadOnly
from databroker.stores.federation import FederatedStore
from databroker.stores.memory import MemoryStore
from helpers.runs import EXTERNAL, FIRST, descriptor, event, plain, save, start, stop


def with_image(name, time):
    """A run with an image in a file, recorded under a root where nothing is."""
    return [
        start(name, time),
        descriptor(name, "main", "primary", {"img": EXTERNAL}),
        (
            "resource",
            {
                "uid": f"{name}-res",
                "run_start": f"{name}-run",
                "spec": "npy",
                "root": "/recorded",
                "resource_path": "a.npy",
                "resource_kwargs": {},
            },
        ),
        ("datum", {"datum_id": f"{name}/0", "resource": f"{name}-res", "datum_kwargs": {}}),
        event(name, "main", 1, {"img": f"{name}/0"}, filled={"img": False}),
        stop(name),
    ]


def mark(document):
    """Change a start document as those of the archive are."""
    return {**document, "marked": True}


@pytest.fixture
def configured(hermit, tmp_path):
    """Two configurations, each with a run that has an image, and one without."""
    for value, name in ((1, "csx"), (2, "archive")):
        folder = tmp_path / name
        folder.mkdir()
        np.save(folder / "a.npy", np.full((2, 3), value))
        config = {
            "driver": "sqlite",
            "path": str(folder / "runs.db"),
            "timezone": "Europe/Berlin",
            "root_map": {"/recorded": str(folder)},
            "allowed_roots": [str(folder)],
        }
        if name == "archive":
            config |= {"transforms": {"start": f"{__name__}:mark"}, "stale_after": 7}
        (hermit / f"{name}.yml").write_text(yaml.safe_dump(config))
        with Broker.named(name) as db:
            for kind, doc in with_image(name, FIRST + value):
                db.insert(kind, doc)
            save(db, plain(f"{name} plain", FIRST + 10 + value, lab=name))
    return hermit


@pytest.fixture
def db(configured):
    with Broker.named("csx", "archive", write_to="csx") as broker:
        yield broker


ALL = ["archive plain-run", "csx plain-run", "archive-run", "csx-run"]


def test_searches_and_look_ups_have_the_runs_of_both(db):
    assert [header.uid for header in db()] == ALL
    assert [header.source for header in db()] == ["archive", "csx", "archive", "csx"]
    assert db[-1].uid == db["archive pl"].uid == ALL[0]
    assert [header.uid for header in db[-3:]] == ALL[:3]
    assert db(lab="csx").count() == 1
    assert db().distinct("lab") == {"archive": 1, "csx": 1}
    assert list(db.v2) == ALL
    assert db.v2["csx-run"].header.source == "csx"
    with pytest.raises(ValueError, match="Several runs"):
        db["csx"]
    assert str(db).startswith("Broker 'csx+archive': 4 runs (2 sources: csx (sqlite: ")
    assert db.name == "csx+archive"
    assert str(db.zone) == "Europe/Berlin"


def test_a_broker_of_one_source_is_the_source(configured):
    with Broker.named("csx") as db:
        assert db[-1].source == "csx"
    assert Broker(MemoryStore()).session.source.name is None


def test_a_broker_may_be_made_of_stores_alone():
    inner = FederatedStore({"a": MemoryStore(), "b": MemoryStore()}, write_to="b")
    db = Broker(FederatedStore({"inner": inner, "c": MemoryStore()}, write_to="inner"), name="both")
    save(db, plain())
    assert db[-1].source == "inner/b"
    assert db[-1].session.store.capabilities.exact == "exact"
    assert len(db[-1].table()) == 5


def test_each_run_is_read_as_its_own_configuration_says(db):
    for name, value in (("csx", 1), ("archive", 2)):
        header = db[f"{name}-run"]
        wanted = np.full((2, 3), value)
        np.testing.assert_array_equal(header.xarray()["img"].values[0], wanted)
        np.testing.assert_array_equal(next(header.data("img")), wanted)
        assert header.start.get("marked", False) == (name == "archive")
        assert header.session.store.stale_after == (7 if name == "archive" else 3600)
    assert [each.exists for each in db().files()] == [True, True]
    assert [run["marked"] for run in (h.start for h in db()) if "marked" in run] == [True] * 2
    marked = db().to_frame(["uid", "marked"]).marked
    assert list(marked.fillna(False)) == [True, False, True, False]


def test_tables_of_many_runs_are_put_together(db):
    table = db(plan_name="scan").table(fields=["det"])
    wanted = pd.concat([db[uid].table(fields=["det"]) for uid in ALL[:2]])
    np.testing.assert_array_equal(table["det"].dropna(), wanted["det"])
    several = db.get_table([db[uid] for uid in ALL[:2]], fields=["det"])
    np.testing.assert_array_equal(several["det"], wanted["det"])


def test_tables_are_read_by_dask_workers_too(db):
    pytest.importorskip("dask.dataframe")
    lazy = db(lab={"$exists": True}).tables(fields=["det"], index=False).to_dask(1)
    lazy = pickle.loads(pickle.dumps(lazy))
    found = lazy.compute(scheduler="synchronous")
    assert len(found) == len(db[ALL[0]].table()) + len(db[ALL[1]].table())
    image = pickle.loads(pickle.dumps(db["archive-run"].xarray_dask()["img"].data))
    assert image.compute()[0][0, 0] == 2


def test_what_is_registered_with_the_broker_counts_for_all(db, tmp_path):
    class Handler:
        def __init__(self, path, **kwargs):
            self.path = path

        def __call__(self, **kwargs):
            return np.full((2, 3), 9)

    db.reg.register_handler("npy", Handler, overwrite=True)
    for name in ("csx", "archive"):
        assert next(db[f"{name}-run"].data("img"))[0, 0] == 9
    db.reg.register_handler("npy", databroker.Broker.named("csx").reg.handler("npy"), True)
    assert db["csx-run"].session.registry.root_map == {"/recorded": str(tmp_path / "csx")}
    db.reg.root_map["/recorded"] = str(tmp_path)
    with pytest.raises(FileRefused):  # a member allows its own folder alone
        next(db["csx-run"].data("img"))


def test_what_all_say_comes_on_top_of_what_a_member_says(configured, tmp_path):
    (tmp_path / "new").mkdir()
    np.save(tmp_path / "new" / "a.npy", np.full((2, 3), 5))
    config = {
        "driver": "federation",
        "members": ["archive", {"name": "bare", "driver": "memory"}],
        "root_map": {"/recorded": str(tmp_path / "new")},
        "allowed_roots": [str(tmp_path / "nowhere")],
        "transforms": {"start": lambda doc: {**doc, "order": list(doc)[-1]}},
        "write_to": "bare",
    }
    with Broker.from_config(config) as db:
        for kind, doc in with_image("bare", FIRST):
            db.insert(kind, doc)
        assert db["archive-run"].start["order"] == "marked"
        assert "marked" not in db["bare-run"].start
        assert db["bare-run"].files()[0].path == str(tmp_path / "new" / "a.npy")
        for uid in ("bare-run", "archive-run"):
            with pytest.raises(FileRefused):
                next(db[uid].data("img"))


def test_writing_goes_to_the_one_that_is_named(db, configured):
    save(db, plain("new", FIRST + 50))
    assert db[-1].source == "csx"
    with Broker.named("csx") as alone:
        assert alone[-1].uid == "new-run"
    with (
        Broker.named("csx", "archive") as unnamed,
        pytest.raises(StoreIsReadOnly, match="write_to='csx'"),
    ):
        unnamed.insert(*start("other"))


def test_a_run_is_ended_where_it_is_or_not_at_all(db, configured):
    old = start("open", FIRST - 1e6)
    db.insert(*old)
    assert db.close_run("open-run").stop["exit_status"] == "fail"
    with Broker.named("archive") as archive:
        archive.insert(*start("lost", FIRST - 1e6))
    with pytest.raises(StoreIsReadOnly, match="in 'archive'"):
        db.close_run("lost-run")


def test_scripts_of_old_name_one_and_say_whether_handlers_are_discovered(configured):
    for how in (("csx", False), ("csx",)):
        kwargs = {} if len(how) == 2 else {"auto_register": False}
        with Broker.named(*how, **kwargs) as db:
            assert db.name == "csx"
            with pytest.raises(NoHandler):
                next(db["csx-run"].data("img"))
    with Broker.named("csx", "archive", False) as db, pytest.raises(NoHandler):
        next(db["archive-run"].data("img"))


def test_runs_are_copied_and_backed_up_once_each(db, tmp_path):
    target = databroker.temp()
    assert len(databroker.copy(db, target, files=tmp_path / "copies").copied) == 4
    assert [header.uid for header in target()] == ALL
    for name, value in (("csx", 1), ("archive", 2)):
        assert next(target[f"{name}-run"].data("img"))[0, 0] == value
    path = db.backup(tmp_path / "backup.db")
    with Broker.from_config({"driver": "sqlite", "path": path}) as copied:
        assert copied().count() == 4
    assert db.check()


def test_files_that_moved_are_looked_for_in_one_source_at_a_time(db, tmp_path):
    moved = tmp_path / "archive" / "moved"
    moved.mkdir()
    (tmp_path / "archive" / "a.npy").rename(moved / "a.npy")
    with pytest.raises(ValueError, match="several brokers or sources"):
        databroker.relocate(db(), search_in=moved)
    found = databroker.relocate(db["archive-run"], search_in=moved, dry_run=False)
    assert found.config == "archive"
    assert found.root_map == {"/recorded": str(moved)}
    assert db["csx-run"].files()[0].exists
    assert db["archive-run"].files()[0].exists


def test_what_is_shown_says_what_is_there(db):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "archive" in db._repr_html_()
        assert "csx" in db["csx-run"]._repr_html_().split("source")[1]
        assert db.stats()["runs"] == 4
        assert "source          : csx\n" in str(db["csx-run"])
