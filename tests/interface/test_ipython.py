"""What IPython itself prints and completes."""

import atexit
import re
import sys

import pytest

from helpers import runs
from helpers.runs import save

shells = pytest.importorskip("IPython.core.interactiveshell")


@pytest.fixture
def shell(db, header, monkeypatch, tmp_path):
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    # IPython puts a module of its own there, from which no process could be started.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    config = Config()
    config.HistoryManager.enabled = False
    shell = shells.InteractiveShell(config=config)
    shell.push({"db": db, "header": header})
    yield shell
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()


def shown(shell, code):
    result = shell.run_cell(code)
    result.raise_error()
    return shell.display_formatter.format(result.result)[0]


def completed(shell, text):
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        return {found.text.strip("\"'") for found in shell.Completer.completions(text, len(text))}


def test_handles_are_shown_as_they_always_were(shell):
    def pattern(name):
        return re.compile(rf"<databroker\.v1\.{name} at 0x[0-9a-f]+>")

    for code, name in (("header", "Header"), ("db()", "Results"), ("db", "Broker")):
        line, *_ = shown(shell, code)["text/plain"].splitlines()
        assert pattern(name).fullmatch(line)
    data = shown(shell, "header.data('det')")["text/plain"]
    assert re.fullmatch(r"<generator object Header\.data at 0x[0-9a-f]+>", data)


def test_below_it_stands_what_print_says(shell, db, header):
    for code, value in (("header", header), ("db(plan_name='scan')", None), ("db", db)):
        _, *said = shown(shell, code)["text/plain"].splitlines()
        assert said == str(value or db(plan_name="scan")).splitlines()
    said = shown(shell, "db()")["text/plain"]
    assert re.search(r"scan_id +uid +started \(\w+\) +plan +devices +sample +status", said)
    assert re.search(r"\n1 +plain-ru +2020-09-13 .* scan +det vs motor +Ni +success$", said)


def test_a_list_of_headers_has_a_line_for_each(shell, db):
    save(db, runs.plain("b", runs.FIRST + 60))
    listed = shown(shell, "list(db())")["text/plain"].splitlines()
    assert [line[1:17] for line in listed] == ["<Header b-run: s", "<Header plain-ru"]
    assert "scan_id 61" in listed[0]
    assert listed[0].endswith("scan, det vs motor, Ni, success>,")
    assert "<Header b-run" in shown(shell, "{'newest': db[-1]}")["text/plain"]
    assert "\n" not in shown(shell, "[db, db()]")["text/plain"].replace(",\n ", ", ")


def test_of_many_runs_the_newest_are_shown(shell, db):
    for n in range(12):
        save(db, runs.plain(f"r{n}", runs.FIRST + n))
    lines = shown(shell, "db()")["text/plain"].splitlines()
    assert len(lines) == 14
    assert lines[-1] == "... and more"
    catalog = shown(shell, "db.v2")["text/plain"].splitlines()
    assert catalog[0] == repr(db.v2)
    assert len(catalog) == 12


def test_where_nothing_is_found_that_is_said(shell, db):
    assert shown(shell, "db(plan_name='none')")["text/plain"].endswith("\nThere are none.")
    assert shown(shell, "db.v2.search({'plan_name': 'none'})")["text/plain"].count("\n") == 0


def test_the_plain_prompt_shows_what_it_always_did(db, header):
    for value in (db, header, db()):
        name = type(value).__name__
        assert re.fullmatch(rf"<databroker\.v1\.{name} object at 0x[0-9a-f]+>", repr(value))


def test_a_document_is_a_dictionary_in_its_own_order(shell):
    text = shown(shell, "header.start")["text/plain"]
    keys = re.findall(r"^[{ ]'(\w+)'", text, re.MULTILINE)
    assert keys == ["uid", "time", "scan_id", "plan_name", "detectors", "motors", "sample"]
    assert "'_name'" not in text
    assert shown(shell, "header.stop['exit_status']")["text/plain"] == "'success'"
    assert shown(shell, "header.descriptors")["text/plain"].startswith("[{'uid': 'plain-")


def test_a_notebook_is_given_tables(shell):
    for code in ("header", "db()", "db", "header.streams['primary']", "db.v2", "db.v2[-1]"):
        assert "<table" in shown(shell, code)["text/html"]


def test_a_run_of_a_catalog_is_shown_in_words(shell):
    assert "primary         : 5 events" in shown(shell, "db.v2[-1]")["text/plain"]


def test_the_walkthrough(shell):
    assert shown(shell, "header.devices()")["text/plain"] == "{'det', 'motor', 'temperature'}"
    config = shown(shell, "header.config_data('motor')['primary']")["text/plain"]
    assert config == "[{'motor_velocity': 1}]"
    result = shell.run_cell("db()[2]", silent=True)
    with pytest.raises(TypeError, match="'Results' object does not support indexing"):
        result.raise_error()


def test_a_tab_completes(shell, db):
    shell.push({"streams": db[-1].streams, "stream": db[-1].streams["primary"], "run": db.v2[-1]})
    assert completed(shell, "streams['") >= {"baseline", "primary"}
    assert completed(shell, "stream['") >= {"det", "motor", "motor_setpoint"}
    assert completed(shell, "header['") >= {"start", "descriptors", "stop", "ext"}
    assert any(text.endswith("primary") for text in completed(shell, "run.pri"))
    shell.push({"config": db[-1].streams["primary"].config, "start": db[-1].start})
    assert completed(shell, "config['") >= {"det", "motor"}
    assert completed(shell, "start['") >= {"plan_name", "sample"}


def test_looking_at_a_document_for_completion_warns_nobody(shell, db, recwarn):
    save(db, runs.reconfigured())
    shell.push({"start": db[-1].start})
    completed(shell, "start.")
    assert not [str(each.message) for each in recwarn if "Dot access" in str(each.message)]
