"""Documents and runs as plain text."""

import datetime

from databroker.display.text import document_text, header_text

UTC = datetime.UTC

START = {
    "uid": "bb805845-5757-4642-b3ef-7ab14e9fd31e",
    "time": 1604527919.0,
    "scan_id": 5,
    "plan_name": "scan",
    "detectors": ["det"],
    "motors": ["motor"],
    "versions": {"ophyd": "1.5.4", "deep": {"one": 1}},
    "empty": {},
}


def test_a_document_is_a_heading_and_aligned_lines():
    assert document_text("Run Start", START).splitlines() == [
        "Run Start",
        "=========",
        "uid             : bb805845-5757-4642-b3ef-7ab14e9fd31e",
        "time            : 1604527919.0",
        "scan_id         : 5",
        "plan_name       : scan",
        "detectors       : ['det']",
        "motors          : ['motor']",
        "versions        :",
        "  ophyd           : 1.5.4",
        "  deep            :",
        "    one             : 1",
        "empty           : {}",
    ]


def test_with_a_zone_times_are_told_too():
    text = document_text("Run Stop", {"time": 0}, UTC)
    assert text.splitlines()[2] == "time            : 0 (1970-01-01 00:00:00 UTC)"


def test_data_keys_are_a_table():
    keys = {"det": {"dtype": "number", "shape": []}, "motor": {"dtype": "number", "units": "mm"}}
    assert document_text("Event Descriptor", {"data_keys": keys}).splitlines()[2:] == [
        "data_keys       :",
        "         dtype   shape  units",
        "  det    number  []",
        "  motor  number         mm",
    ]


def test_a_long_value_is_cut():
    line = document_text("Run Start", {"a": "x" * 10_000_000}).splitlines()[2]
    assert len(line) < 300
    assert line.endswith("…")
    line = document_text("Run Start", {"a": list(range(1_000_000))}).splitlines()[2]
    assert len(line) < 300


def test_nesting_has_an_end():
    deep: dict[str, object] = {}
    for _ in range(500):
        deep = {"a": deep}
    assert len(document_text("Run Start", deep).splitlines()) < 20


def test_a_terminal_is_not_commanded_by_a_document():
    text = document_text("Run Start", {"a\x1b[2J": "b\x1b]0;title\x07", "c": "\ud800"})
    assert "\x1b" not in text
    text.encode("utf-8")


def test_a_run_in_a_few_lines():
    stop = {"time": 1604527920.5, "exit_status": "fail", "reason": "the beam was lost"}
    streams = [("baseline", 1, ["motor"]), ("primary", 5, ["det", "motor"])]
    text = header_text(START, stop, streams, "fail", UTC, now=1604527919.0 + 7200)
    assert text.splitlines() == [
        "Run bb805845-5757-4642-b3ef-7ab14e9fd31e",
        "=" * 40,
        "status          : fail",
        "reason          : the beam was lost",
        "scan_id         : 5",
        "plan            : scan (det vs motor)",
        "started         : 2020-11-04 22:11:59 UTC (2 hours ago)",
        "took            : 1.5 s",
        "streams         :",
        "  baseline        : 1 event: motor",
        "  primary         : 5 events: det, motor",
    ]


def test_a_run_of_which_little_is_known():
    assert header_text({}, None, [], "unknown").splitlines()[2] == "status          : unknown"
