"""Documents of some kinds are read without the others."""

from databroker import Broker
from databroker.stores.sql import SQLiteStore, single
from databroker.testing.conformance.base import descriptor, event, resource, start


def test_many_resources_are_not_read_for_a_table(tmp_path, monkeypatch):
    with Broker(SQLiteStore(tmp_path / "runs.db")) as db:
        db.insert("start", start("run"))
        db.insert("descriptor", descriptor("desc", "run"))
        for number in range(50):
            db.insert("resource", resource(f"res{number}", run_start="run"))
        db.insert("event", event(1, "desc"))
        kinds = []

        def counted(row):
            kinds.append(row[0])
            return open_document(row)

        open_document = single.open_document
        monkeypatch.setattr(single, "open_document", counted)
        header = db["run"]
        assert len(header.table()) == 1
        assert (header.stream_names, db().to_frame()["num_events"].tolist()) == (["primary"], [1])
        assert set(kinds) == {"descriptor"}
