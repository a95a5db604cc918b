"""What the handler of a signal raises reaches who set it as it is, whatever was being done.

An alarm's TimeoutError is an OSError: wherever such errors are turned into ours, or passed
over, it must not be taken for one of a file, of a handler, or of somebody else's package.
"""

import ast
import contextlib
import datetime
import functools
import signal
import sys
import time
import weakref
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import databroker
from databroker import Broker
from databroker._util import filesystem
from databroker._util.signals import from_signal, suppressed
from databroker.config import list_configs, load
from databroker.demo import installation
from databroker.errors import ExternalDataMissing
from databroker.external.fields.reader import Look
from databroker.external.files.atomic_copy import copy_file, sync_folders
from databroker.external.files.listing import size_of
from databroker.external.guard import is_odd_file
from databroker.external.handler_cache import identity
from databroker.external.handlers import offered
from databroker.external.readers.base import FrameReader
from databroker.query import patterns
from databroker.query.nodes import Matches
from databroker.query.nodes import Path as DocumentPath
from databroker.stores import facts
from databroker.stores.memory import MemoryStore
from databroker.times import format_time
from databroker.times.zones import resolve_zone
from databroker.v1.settings import discover_handlers, retry
from databroker.v2 import projector
from helpers.alarms import Alarm, ringing
from helpers.external import FRAME, Run
from helpers.ways import WAYS

SLOW = "application/x-slow"


@pytest.fixture
def ring():
    """Return what raises a real signal, whose handler raises."""
    with ringing() as ring:
        yield ring


class Slow:
    """A handler and a reader of frames, in one place of which something happens."""

    where = "nowhere"
    happens = staticmethod(lambda: None)

    def __init__(self, path):
        self.path = path
        self._at("made")

    def __call__(self, index):
        self._at("called")
        return np.zeros((4, 5))

    def get_file_list(self, kwargs):
        self._at("listed")
        return [self.path]

    def close(self):
        self._at("closed")

    @classmethod
    def _at(cls, where):
        if cls.where == where:
            cls.happens()


class SlowForm(Slow):
    """One that reads many at once."""

    def form(self, index):
        self._at("form")
        return Look((4, 5), np.dtype(float))

    def read_into(self, out, inner, kwargs):
        self._at("read into")
        out[:] = 0


class SlowFrames(Slow, FrameReader):
    """Frames that follow each other."""

    frame_shape, dtype = (4, 6), np.dtype("u2")

    def __init__(self, *_):
        self._at("frames made")

    def count(self, first, stop):
        self._at("frames counted")
        return stop - first

    def files(self, first, stop):
        self._at("frames listed")
        return ["/x"]

    def read(self, first, stop, inner):
        self._at("frames read")
        return np.zeros((stop - first, 4, 6), "u2")


@pytest.fixture
def db(tmp_path, monkeypatch):
    monkeypatch.setattr(Slow, "where", "nowhere")
    monkeypatch.setattr(Slow, "happens", Slow.happens)
    (tmp_path / "x").touch()
    with Broker(MemoryStore()) as made:
        made.reg.register_handler("SLOW", Slow)
        made.reg.register_handler("FORM", SlowForm)
        made.reg.mimetypes[SLOW] = SlowFrames
        for uid, spec in (("slow", "SLOW"), ("form", "FORM")):
            run = Run(made.store, uid)
            run.descriptor(f"{uid} d")
            run.resource(spec, tmp_path, "x", uid=f"{uid} r")
            ids = run.datums([{"index": number} for number in range(3)], f"{uid} r")
            run.events(ids, descriptor=f"{uid} d")
        run = Run(made.store, "frames")
        run.descriptor("frames d", img=FRAME)
        run.stream(SLOW, f"file://localhost{tmp_path}/x", "frames s", "img")
        run.stream_datum(0, 3, "frames s", descriptor="frames d")
        run.events([], descriptor="frames d")
        yield made


def happen(where, what):
    Slow.where, Slow.happens = where, staticmethod(what)


def fail():
    raise TimeoutError("the disk does not answer")


PLACES = {"slow": ["made", "called"], "form": ["made", "form", "read into"]}
ASKED = [(uid, where, way) for uid, places in PLACES.items() for where in places for way in WAYS]


@pytest.mark.parametrize(("uid", "where", "way"), ASKED)
def test_an_alarm_in_a_handler(db, ring, uid, where, way):
    happen(where, ring)
    if where in ("form", "read into") and way.__name__ not in ("_xarray", "_array"):
        with contextlib.suppress(Alarm):  # not every way reads many at once
            assert way(db[uid], "img", "primary") is not None
        return
    with pytest.raises(Alarm):
        way(db[uid], "img", "primary")
    happen("nowhere", ring)
    assert np.shape(way(db[uid], "img", "primary"))[0] == 3


@pytest.mark.parametrize("where", ["made", "called"])
def test_a_handlers_own_timeout_is_one_of_the_data(db, ring, where):
    happen(where, fail)
    with pytest.raises(ExternalDataMissing, match="the disk does not answer"):
        db["slow"].table(fill=True)


@pytest.mark.parametrize("where", ["frames made", "frames read"])
def test_an_alarm_in_a_reader_of_frames(db, ring, where):
    happen(where, ring)
    with pytest.raises(Alarm):
        db["frames"].streams["primary"].array("img")[:]
    happen(where, fail)
    with pytest.raises(ExternalDataMissing, match="the disk does not answer"):
        db["frames"].streams["primary"].array("img")[:]
    happen("nowhere", fail)
    assert db["frames"].streams["primary"].array("img")[:].shape == (3, 1, 4, 6)


def test_an_alarm_while_files_are_listed(db, ring):
    happen("listed", ring)
    with pytest.raises(Alarm):
        list(db["slow"].files())
    happen("listed", fail)
    assert any("does not answer" in (each.problem or "") for each in db["slow"].files())


def test_an_alarm_in_a_preview(db, ring):
    happen("called", ring)
    with pytest.raises(Alarm):
        db["slow"].preview()


def test_an_alarm_while_files_are_closed(db, ring):
    db["slow"].table(fill=True)
    happen("closed", ring)
    with pytest.raises(Alarm):
        db.reg.close()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return the name of a module during whose import the alarm rings."""
    (tmp_path / "slow_to_import.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGALRM)\nclass Handler: ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "slow_to_import"
    sys.modules.pop("slow_to_import", None)


def test_an_alarm_while_a_handler_is_imported(ring, module, monkeypatch):
    found = offered._by_spec([EntryPoint("LATE", f"{module}:Handler", offered.GROUP)])
    monkeypatch.setattr(offered, "_offered", lambda: found)
    offered.offered_handler.cache_clear()
    with pytest.raises(Alarm):
        offered.offered_handler("LATE")
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    assert offered.offered_handler("LATE").__name__ == "Handler"
    offered.offered_handler.cache_clear()


def test_an_alarm_while_handlers_are_discovered(ring, module, monkeypatch):
    entries = [EntryPoint("LATE", f"{module}:Handler", "of a test")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: entries)
    with pytest.raises(Alarm):
        discover_handlers("of a test")


def test_an_alarm_is_no_reason_to_try_again(ring):
    class Runs:
        tried = 0

        def force_reload(self):
            self.tried = 100

        @retry
        def look(self):
            self.tried += 1
            ring()

    runs = Runs()
    with pytest.raises(Alarm):
        runs.look()
    assert runs.tried == 1


def _load(path):
    (path / "lab.yml").write_text("driver: memory\n")
    load("lab")


def _list(path):
    (path / "lab.yml").write_text("driver: memory\nsources: {}\n")
    list_configs([path])


def _copy(path):
    copy_file(str(path / "old"), str(path / "new"))


def _backup(path):
    with Broker(MemoryStore()) as db:
        db.backup(path / "backup.db")


def _relocate(path):
    with Broker(MemoryStore()) as db:
        run = Run(db.store)
        run.resource("NPY_SEQ", "/gone", "img")
        databroker.relocate(db[-1], path)


def _set_up(path):
    installation._write(path / "a.yml", path / "a.db")


FILES = {
    "a configuration is read": (
        "pathlib.Path.read_bytes",
        _load,
    ),
    "configurations are looked at": ("pathlib.Path.read_bytes", _list),
    "a folder is looked through": ("pathlib.Path.iterdir", lambda path: list_configs([path])),
    "a demonstration is set up": ("pathlib.Path.write_text", _set_up),
    "its folder is made": ("pathlib.Path.mkdir", _set_up),
    "a time zone is read": ("zoneinfo.ZoneInfo", lambda _: resolve_zone("Europe/Berlin")),
    "the machine's zone is asked": ("tzlocal.get_localzone", lambda _: resolve_zone(None)),
    "the boot is asked": ("pathlib.Path.read_text", lambda _: facts.boot_id.__wrapped__()),
    "the disk is asked": ("pathlib.Path.read_text", filesystem.is_network_folder),
    "a copy is made": ("os.fsync", _copy),
    "a copy gets its times": (
        "shutil.copystat",
        _copy,
    ),
    "a copy is locked": ("fcntl.flock", _copy),
    "names are made safe": ("os.fsync", lambda path: sync_folders([path / "new"])),
    "a backup gets its name": ("os.link", _backup),
    "files are measured": ("os.path.getsize", lambda path: size_of(path / "old")),
    "files are told apart": ("os.stat", lambda path: identity(str(path / "old"))),
    "pipes are told from files": ("os.stat", lambda path: is_odd_file(str(path / "old"))),
    "files are looked for": ("os.scandir", _relocate),
}


@pytest.mark.parametrize("what", FILES)
def test_an_alarm_while(what, ring, tmp_path, monkeypatch):
    target, act = FILES[what]
    (tmp_path / "old").write_bytes(b"some")
    monkeypatch.setenv("DATABROKER_PATH", str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(target, ring)
        with pytest.raises(Alarm):
            act(tmp_path)


def test_an_alarm_amid_the_progress_of_a_copy(db, ring, tmp_path):
    with pytest.raises(Alarm):
        db.reg.copy_files(db.store.resource("slow r"), tmp_path / "copy", file_rename_hook=ring)


def test_an_alarm_while_a_pattern_is_sought(ring):
    node = Matches(DocumentPath("sample"), "a+")
    with pytest.raises(Alarm):
        patterns._search(ring, "aaa", time.monotonic() + 1, node)


class OddZone(datetime.tzinfo):
    """A zone that asks something slow."""

    def __init__(self, ring):
        self.utcoffset = self.fromutc = ring


def test_an_alarm_while_a_time_is_shown(ring):
    with pytest.raises(Alarm):
        format_time(1.5e9, OddZone(ring))


def test_an_alarm_while_a_projection_is_calculated(ring, monkeypatch):
    def slow(run: "databroker.core.BlueskyRun"):
        ring()

    slow.__annotations__["run"] = "BlueskyRun"
    slow.__module__ = __name__
    monkeypatch.setitem(globals(), "slow", slow)
    with pytest.raises(Alarm):
        projector._calculated(None, {"calculation": {"callable": f"{__name__}:slow"}})


def test_a_handler_of_signals_of_any_form_is_known():
    class Handler:
        def method(self, number, *_):
            raise Alarm

        __call__ = method

    def plain(_more, *_):
        raise Alarm

    for handler in (Handler().method, Handler(), functools.partial(plain, 1)):
        before = signal.signal(signal.SIGALRM, handler)
        with pytest.raises(Alarm) as caught:
            signal.raise_signal(signal.SIGALRM)
        assert from_signal(caught.value)
        signal.signal(signal.SIGALRM, before)


WIDE = {"Exception", "OSError", "TimeoutError", "IOError", "EnvironmentError"}
PACKAGE = Path(databroker.__file__).parent
END = PACKAGE / "cli" / "__init__.py"  # where a command ends, whatever was raised
SOURCES = sorted({*PACKAGE.rglob("*.py")} - {END})


def _catch_alarms(tree):
    """Yield the lines where what an alarm raises would be taken for something else."""
    for node in ast.walk(tree):
        caught = []
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            calls = {ast.unparse(each.func) for each in ast.walk(node) if type(each) is ast.Call}
            goes_on = len(node.body) > 1 or ast.unparse(node.body[0]) != "raise"
            asks = calls & {"from_signal", "not_from_signal"}
            caught = [node.type] if goes_on and not asks else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "contextlib.suppress":
            caught = node.args
        if set().union(*map(_names, caught)) & WIDE:
            yield node.lineno


def _names(node):
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def test_no_alarm_is_caught_anywhere():
    found = {
        str(path.relative_to(PACKAGE)): list(_catch_alarms(ast.parse(path.read_text())))
        for path in SOURCES
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_what_is_suppressed_is_gone_at_once():
    held = []

    def fail():
        local = frozenset([object()])
        held.append(weakref.ref(local))
        raise OSError

    with suppressed(OSError):
        fail()
    assert [each() for each in held] == [None]
