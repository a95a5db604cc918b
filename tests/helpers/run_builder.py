"""Runs made to order, in memory and in SQLite."""

from __future__ import annotations

from databroker import Broker


class RunBuilder:
    """Saves one run, document by document."""

    def __init__(self, db, uid="run", **metadata):
        self.db, self.uid = db, uid
        start = {"uid": uid, "time": 1000.0, "scan_id": 7, "plan_name": "scan"}
        db.insert("start", start | metadata)
        self._events: dict[str, int] = {}

    def descriptor(self, keys, *, name="primary", time=1000.0, config=None, uid=None, hinted=()):
        """Save a descriptor; keys are data keys by field, or only names of number fields.

        A device hints at the fields in `hinted`.
        """
        if not isinstance(keys, dict):
            keys = {field: number() for field in keys}
        uid = uid or f"{self.uid}-{name}-{len(self._events)}"
        self._events[uid] = 0
        doc = {"uid": uid, "run_start": self.uid, "time": time, "name": name, "data_keys": keys}
        doc["object_keys"] = {f"dev_{field}": [field] for field in keys}
        doc["configuration"] = {device: configured(data) for device, data in (config or {}).items()}
        doc["hints"] = {"device": {"fields": list(hinted)}} if hinted else {}
        self.db.insert("descriptor", doc)
        return uid

    def event(self, descriptor, seq_num=None, time=None, data=None, **fields):
        """Save one event; its time is its seq_num after the start unless given."""
        data = data or fields
        self._events[descriptor] += 1
        seq_num = self._events[descriptor] if seq_num is None else seq_num
        time = 1000.0 + seq_num if time is None else time
        doc = {"uid": f"{descriptor}-{self._events[descriptor]}", "descriptor": descriptor}
        doc |= {"seq_num": seq_num, "time": time, "data": data}
        self.db.insert("event", doc | {"timestamps": dict.fromkeys(data, time + 0.25)})

    def page(self, descriptor, seq_nums, **columns):
        """Save many events at once."""
        seq_nums = list(seq_nums)
        times = [1000.0 + n for n in seq_nums]
        doc = {"descriptor": descriptor, "uid": [f"{descriptor}-{n}" for n in seq_nums]}
        doc |= {"seq_num": seq_nums, "time": times, "data": columns}
        self.db.insert("event_page", doc | {"timestamps": dict.fromkeys(columns, times)})

    def stop(self):
        stop = {"uid": f"{self.uid}-stop", "run_start": self.uid, "time": 2000.0}
        self.db.insert("stop", stop | {"exit_status": "success"})
        return self.header

    @property
    def header(self):
        return self.db[self.uid]


def number(dtype="number", shape=(), **more):
    return {"dtype": dtype, "shape": list(shape), "source": "PV:test", **more}


def configured(data):
    keys = {name: number(units="s") for name in data}
    return {"data": data, "timestamps": dict.fromkeys(data, 999.0), "data_keys": keys}


def opened(driver, folder, config=None):
    options = {} if driver == "memory" else {"path": str(folder / "runs.db")}
    return Broker.from_config(config or {"driver": driver, **options})
