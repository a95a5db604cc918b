"""What the tests of searching share: the same runs in a store of each kind."""

import pytest

from databroker import Broker


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def db(request, tmp_path):
    """An empty broker of each kind."""
    config = {"driver": request.param, "timezone": "America/New_York"}
    if request.param == "sqlite":
        config["path"] = str(tmp_path / "runs.db")
    if request.param == "postgresql":
        config |= request.getfixturevalue("postgresql_config")
    with Broker.from_config(config) as broker:
        yield broker


@pytest.fixture
def save(db):
    """Save a run: ``save("uid", time, exit_status, key=value)``."""

    def save_run(uid, time=0.0, exit_status=None, **metadata):
        db.insert("start", {"uid": uid, "time": time, **metadata})
        if exit_status is not None:
            stop = {"uid": f"stop of {uid}", "run_start": uid, "time": time + 60}
            db.insert("stop", stop | {"exit_status": exit_status, "num_events": {"primary": 5}})

    return save_run
