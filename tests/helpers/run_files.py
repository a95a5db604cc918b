"""Files of runs, as other programs may have written them."""

from databroker.query.nodes import Equals, Everything, Path
from databroker.stores.files import watching
from databroker.testing.conformance.base import descriptor, event, start, stop

SAMPLE = Equals(Path("sample"), "Ni")


def encoded(cls, documents):
    return b"".join(cls.format.encode(*pair) for pair in documents)


def write(cls, folder, name, documents):
    path = folder / f"{name}{cls.format.suffix}"
    path.write_bytes(encoded(cls, documents))
    return path


def few(uid, **metadata):
    """A run whose events are only in its file."""
    owner = f"{uid}-desc"
    documents = [("start", start(uid, **metadata)), ("descriptor", descriptor(owner, uid))]
    documents += [("event", event(number, owner)) for number in range(3)]
    return [*documents, ("stop", stop(uid))]


def uids(store, query=None):
    return sorted(run.uid for run in store.find(Everything() if query is None else query))


def seen_at_once(monkeypatch):
    """Let every look be one at all files."""
    monkeypatch.setattr(watching, "_AT_LEAST", 0)
    monkeypatch.setattr(watching, "_SHARE", 0)
