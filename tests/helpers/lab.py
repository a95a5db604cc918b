"""Runs for the configuration 'lab', whose columns are made from the number of the event."""

NUMBER = {"dtype": "number", "shape": [], "source": "sim"}


def save(db, uid, columns, events=5, step=1.0, began=1.7e9):
    """Save a run with these values, made from the number of the event."""
    db.insert("start", {"uid": uid, "time": began})
    descriptor = {"uid": f"{uid}-d", "run_start": uid, "time": began, "name": "primary"}
    db.insert("descriptor", descriptor | {"data_keys": dict.fromkeys(columns(0), NUMBER)})
    for n in range(events):
        data = columns(n)
        event = {"uid": f"{uid}-{n}", "descriptor": f"{uid}-d", "time": began + n * step}
        stamps = dict.fromkeys(data, began)
        db.insert("event", event | {"seq_num": n + 1, "data": data, "timestamps": stamps})
