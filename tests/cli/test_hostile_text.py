"""Documents cannot command the terminal: whatever they say is shown by its code."""

import unicodedata
import warnings
from pathlib import Path

import pytest

import databroker
from databroker import errors
from databroker._util.user_warnings import warn_user
from databroker.cli import main

pretty = pytest.importorskip("IPython.lib.pretty").pretty

HOSTILE = "a\x1b[2J\x1b]0;title\x07\rb\x9bc\u202ed\u2066\x00\x08\x7f\ud800"
MINE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def hidden(text):
    """Return the characters that a terminal obeys or does not show, ends of lines apart."""
    return {each for each in text if unicodedata.category(each) in MINE} - {"\n"}


def every(kind):
    """Return a class and all that are derived from it."""
    return {kind}.union(*map(every, kind.__subclasses__()))


def outcome(do, db):
    """Return what an error says, if there is one."""
    try:
        do(db)
    except Exception as error:
        return str(error)
    return ""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "lab.yml").write_text(f"driver: sqlite\npath: {tmp_path}/runs.db\n")
    monkeypatch.setenv("DATABROKER_PATH", str(tmp_path))
    monkeypatch.setenv("DATABROKER", "lab")  # whatever else this machine has
    with databroker.v1.Broker.named("lab") as db:
        start = {"uid": f"u{HOSTILE}", "time": 1.0, "plan_name": HOSTILE, "sample": HOSTILE}
        db.insert("start", start | {HOSTILE: {HOSTILE: [HOSTILE]}, "motors": [HOSTILE]})
        keys = {HOSTILE: {"dtype": "string", "shape": [], "source": HOSTILE}}
        run = {"run_start": start["uid"], "time": 2.0}
        db.insert("descriptor", {"uid": "d", **run, "name": HOSTILE, "data_keys": keys})
        event = {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 2.0}
        db.insert("event", {**event, "data": {HOSTILE: HOSTILE}, "timestamps": {HOSTILE: 2.0}})
        path = {"spec": HOSTILE, "root": "/", "resource_path": HOSTILE, "resource_kwargs": {}}
        db.insert("resource", {"uid": f"r{HOSTILE}", **run, **path})
        stop = {"uid": "s", **run, "exit_status": HOSTILE, "reason": HOSTILE}
        db.insert("stop", stop)
        yield db


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["config", "list"],
        ["show", "-1"],
        ["table", "--", "-1"],
        ["table", "--stream", HOSTILE.replace("\x00", "")],
        ["files"],
        ["streams"],
        ["search", HOSTILE.replace("\x00", "")],
        ["list", "--columns", f"uid,sample,{HOSTILE}"],
        ["list", "--columns", f"sample,a long key that is not cut {HOSTILE}"],
        ["show", "--json", "-1"],
        ["streams", "--csv"],
        ["table", "--csv"],
        ["table", "--fields", HOSTILE.replace("\x00", "")],
        ["files", "--missing"],
        ["export", "-1", "--format", "jsonl", "--name", "{sample}"],
        ["export", "-1", "--json", "--name", "{sample}_{uid}"],
        ["export", "-1", "--format", HOSTILE],
        ["export", "-1", "--folder", HOSTILE.replace("\x00", "").replace("\ud800", "")],
        ["export", "-1", "--table", "all.csv"],
        ["pack", "-1", "--to", "scan.zip"],
        ["pack", "-1", "--to", "scan.zip", "--no-files"],
        ["copy", "lab", "other.db"],
        ["import", HOSTILE.replace("\x00", "")],
        ["check"],
        ["check", "--json"],
        ["doctor"],
        ["status"],
        ["backup", HOSTILE.replace("\x00", "").replace("\ud800", "")],
        ["config", "make", HOSTILE, "a.db"],
        ["config", "show", HOSTILE],
        ["serve", HOSTILE],
        [HOSTILE],
        ["watch", "-1", "--stream", HOSTILE.replace("\x00", "")],
        ["plot"],
        ["plot", "--y", HOSTILE.replace("\x00", "")],
        ["show", "-b", "lab", HOSTILE],
        ["list", "-b", HOSTILE],
    ],
    ids=lambda words: ascii(words[0]),
)
def test_no_command_prints_what_a_terminal_obeys(lab, words, capsys, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "400")  # so that nothing is cut
    with pytest.raises(SystemExit):
        main(words)
    printed = "".join(capsys.readouterr())
    assert hidden(printed) == set()
    assert printed
    # Nor do names of files that are made of metadata.
    if "--name" in words:
        assert hidden("".join(path.name for path in Path().iterdir())) == set()
        assert list(Path().iterdir())


@pytest.mark.filterwarnings("ignore::databroker.errors.NothingFoundWarning")
def test_what_is_printed_of_a_run_is_harmless(lab):
    header = lab[-1]
    stream = next(iter(header.streams.values()))
    run = lab.v2[-1]
    v2 = next(iter(run.values()))
    for each in (
        *(header, stream, lab(), lab, header.files(), header.preview(), header.preview().pictures),
        *(stream.config, stream.timestamps, stream.array(HOSTILE), header.start, header.stop),
        *(lab.reg, lab.reg.handler_reg, lab().distinct("plan_name"), lab().distinct(HOSTILE)),
        *(run, v2, lab.v2, run.metadata["start"], list(run.documents()), v2.descriptors, v2.config),
        *(v2.metadata, header.descriptors, list(header.events())),
    ):
        assert hidden(repr(each) + str(each) + pretty(each)) == set(), type(each)
    for each in (header, lab(), lab, header.files(), header.preview(), run, v2, lab.v2, stream):
        assert hidden(each._repr_html_()) == set(), type(each)


def test_differences_are_harmless(lab, capsys):
    lab.insert("start", {"uid": "plain", "time": 0.5})
    diff = lab["plain"].diff(lab[-1])
    assert hidden(repr(diff) + diff._repr_html_()) == set()
    for form in ([], ["--json"], ["--csv"]):
        with pytest.raises(SystemExit):
            main(["diff", *form])
        printed = capsys.readouterr().out
        assert hidden(printed) == set()
        assert "title" in printed


def test_no_warning_says_what_a_terminal_obeys():
    with pytest.warns(UserWarning, match=r"a\\x1b\[2J") as told:
        warn_user(HOSTILE)
    assert hidden(str(told[0].message)) == set()


def test_a_handler_with_any_name_is_shown(lab):
    lab.reg.register_handler(HOSTILE, dict)
    assert hidden(repr(lab.reg.handler_reg)) == set()


@pytest.mark.parametrize("kind", sorted(every(errors.DatabrokerError), key=str), ids=str)
def test_no_error_says_what_a_terminal_obeys(kind):
    error = kind(HOSTILE)
    assert hidden(str(error)) == set()
    assert "\\x1b[2J" in str(error)


@pytest.mark.parametrize(
    "do",
    [
        lambda db: db[HOSTILE],
        lambda db: db[-1].table(HOSTILE + "x"),
        lambda db: db[-1].streams[HOSTILE + "x"],
        lambda db: db.insert("start", {"uid": "u" + HOSTILE, "time": 2.0}),
        lambda db: db.insert("start", {"uid": "v", "time": 2.0, "x": {HOSTILE: {1}, 5: HOSTILE}}),
        lambda db: db.insert(HOSTILE, {}),
        lambda db: list(db(x={HOSTILE: 1})),
        lambda db: list(db[-1].files()),
        lambda db: databroker.v1.Broker.named(HOSTILE.replace("\x00", "")),
    ],
)
def test_no_warning_and_no_error_says_what_a_terminal_obeys(lab, do):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        said = outcome(do, lab)
    assert hidden(said + "".join(str(each.message) for each in told)) == set()
