"""What a notebook shows: well formed, escaped, and all that matters in it."""

import datetime
from html.parser import HTMLParser

import pytest

from databroker.display import broker_html, document_html, header_html, results_html

UTC = datetime.UTC
EVIL = "<script>alert('x')</script>&\"'"
NOW = 1604527919.0 + 7200

START = {
    "uid": "bb805845-5757-4642-b3ef-7ab14e9fd31e",
    "time": 1604527919.0,
    "scan_id": 5,
    "plan_name": "scan",
    "detectors": ["det"],
    "motors": ["motor"],
    "sample": {"name": "Ni", "mass": 2.5},
}
STOP = {"uid": "fe00", "time": 1604527920.0, "exit_status": "success", "reason": ""}


class Reader(HTMLParser):
    """Reads HTML as a browser would: which tags, and the text a person sees."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def test_a_run_shows_how_it_went_and_what_it_holds():
    streams = [("primary", 12345, ["det", "motor"])]
    page = Reader(header_html(START, STOP, streams, "success", UTC, NOW))
    for said in (
        "Run bb805845",
        "success",
        "scan",
        "det vs motor",
        "Ni",
        "2020-11-04 22:11:59 UTC (2 hours ago)",
        "1 s",
        "primary",
        "12,345",
        "det, motor",
    ):
        assert said in page.text


def test_metadata_is_folded_away():
    page = Reader(header_html(START, STOP, [], "success", UTC))
    assert page.tags.count("details") == 3  # start, the sample in it, stop
    assert Reader(header_html(START, None, [], "running", UTC)).tags.count("details") == 2


def test_the_reason_of_a_failure_is_shown():
    stop = {**STOP, "exit_status": "fail", "reason": "the beam was lost"}
    assert "the beam was lost" in Reader(header_html(START, stop, [], "fail", UTC)).text


@pytest.mark.parametrize("value", [EVIL, [EVIL], {EVIL: EVIL}, {"a": {"b": EVIL}}])
def test_nothing_from_a_document_becomes_markup(value):
    keys = ("uid", "time", "scan_id", "plan_name", "detectors", "motors", "sample", "reason", EVIL)
    doc = dict.fromkeys(keys, value)
    pages = [
        header_html(doc, doc, [(EVIL, 1, [EVIL])], EVIL, UTC),
        results_html([(doc, EVIL)], zone=UTC),
        broker_html(EVIL, EVIL, 1, [(doc, EVIL)], UTC),
        document_html(doc, UTC),
    ]
    for html in pages:
        assert "script" not in Reader(html).tags
        assert "<script" not in html


def test_search_results_are_a_table():
    rows = [(START, "success"), ({**START, "uid": "cc", "sample": "good sample"}, "abort")]
    page = Reader(results_html(rows, more=1234, zone=UTC, now=NOW))
    assert page.tags.count("tr") == 3
    for said in ("bb805845", "cc", "good sample", "abort", "… and 1,234 more"):
        assert said in page.text
    assert "more" not in Reader(results_html(rows, more=False, zone=UTC)).text
    assert "… and more" in Reader(results_html(rows, more=True, zone=UTC)).text


def test_no_results_say_so():
    assert "no runs" in Reader(results_html([])).text


def test_a_broker():
    page = Reader(broker_html("example", "sqlite: /data/runs.db", 12, [(START, "fail")], UTC))
    for said in ("Broker example", "sqlite: /data/runs.db", "12 runs", "bb805845", "… and 11 more"):
        assert said in page.text
    assert "1 run" in Reader(broker_html(None, "memory", 1)).text


def test_times_are_shown_in_the_zone_that_was_asked_for():
    tokyo = datetime.timezone(datetime.timedelta(hours=9), "JST")
    assert "2020-11-05 07:11:59 JST" in Reader(header_html(START, None, [], "running", tokyo)).text


def test_colours_are_legible_on_dark_and_light():
    html = header_html(START, STOP, [("primary", 1, ["det"])], "success", UTC)
    assert "background:none" in html
    for fixed in ("color:black", "color:#000", "color:white", "color:#fff", "<style"):
        assert fixed not in html


def test_huge_metadata_stays_a_small_page():
    start = {**START, "text": "x" * 10_000_000, "list": list(range(1_000_000))}
    start |= {f"key{n}": n for n in range(5000)}
    html = header_html(start, None, [], "running", UTC)
    assert len(html) < 150_000
    assert "more keys" in html


@pytest.mark.parametrize("start", [{}, {"time": "x", "motors": 5, "sample": [1]}, {"time": 1e300}])
def test_odd_documents_are_shown_not_refused(start):
    Reader(header_html(start, {}, [], "unknown", UTC))
    Reader(header_html(start, start, [], "unknown", UTC))
    Reader(results_html([(start, "unknown")]))
