"""What a notebook shows: well formed, escaped, and all that matters in it."""

import datetime
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from databroker.display.html import (
    array_html,
    broker_html,
    catalogs_html,
    document_html,
    header_html,
    results_html,
    stream_html,
    streams_html,
)

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
    page = Reader(results_html(rows, more=1234, zone=UTC))
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


class Table(HTMLParser):
    """The first table of a page: the style and the text of each cell, row by row."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.depth = [], 0
        self.feed(html.partition("</table>")[0])

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append([dict(attrs).get("style", ""), ""])

    def handle_data(self, data):
        if self.rows:  # else it stands above the table
            self.rows[-1][-1][1] += data

    def texts(self):
        return [[text for _, text in row] for row in self.rows]


def test_what_people_said_comes_before_what_programs_did():
    start = {"uid": "bb80", "time": 0, "versions": {"x": "1"}, "plan_name": "scan"}
    start |= {"scan_id": 5, "hints": {}, "operator": "Dan", "purpose": "align", "nothing": None}
    html = header_html(start, None, [], "running", UTC)
    assert [name for name, _ in Table(html).texts()] == [
        *("status", "operator", "purpose", "plan", "started", "scan_id", "uid")
    ]
    document = html.partition("Start document")[2]
    places = [document.index(f">{key}<") for key in ("operator", "purpose", "uid", "versions")]
    assert places == sorted(places)


def test_much_that_people_said_is_not_all_seen_at_once():
    start = {"uid": "bb80"} | {f"key{n}": n for n in range(50)}
    rows = Table(header_html(start, None, [], "running", UTC)).texts()
    assert ["…", "38 more in the start document"] in rows
    assert len(rows) == 15


def test_numbers_end_below_each_other():
    runs = results_html([({"uid": f"u{n}", "scan_id": n}, "fail") for n in (1, 1000)], zone=UTC)
    streams = streams_html([("primary", 5, ["det"]), ("baseline", 12345, ["det"])])
    for html, column in ((runs, 0), (streams, 1)):
        for row in Table(html).rows:
            assert "text-align:right" in row[column][0]
            others = row[:column] + row[column + 1 :]
            assert all("text-align:left" in style for style, _ in others)


def test_a_column_that_is_empty_is_left_out():
    rows = [({"uid": "u1", "time": 0, "plan_name": "count"}, "fail")]
    assert Table(results_html(rows, zone=UTC)).texts()[0] == [
        *("uid", "started (UTC)", "plan", "status")
    ]
    keys = {"det": {"dtype": "number", "shape": []}}
    page = stream_html("primary", "u1", 5, [{"data_keys": keys}], UTC)
    assert Table(page).texts() == [["field", "dtype"], ["det", "number"]]


def test_no_row_of_a_table_wraps_and_what_is_cut_can_be_read():
    long = ", ".join(f"detector_{n}" for n in range(30))
    rows = [({**START, "detectors": long, "sample": long}, "success")]
    for html in (results_html(rows, zone=UTC), streams_html([("primary", 5, [long])])):
        for row in Table(html).rows:
            assert all("white-space:nowrap" in style for style, _ in row)
        captions, cells = Table(html).rows
        is_cut = ["text-overflow:ellipsis" in style for style, _ in cells]
        assert is_cut == ["started" not in caption for _, caption in captions]
        assert 'title="detector_0, detector_1' in html


def test_a_list_says_in_which_zone_its_times_are():
    tokyo = datetime.timezone(datetime.timedelta(hours=9), "JST")
    text = Reader(results_html([(START, "success")], zone=tokyo)).text
    assert "started (JST)" in text
    assert "2020-11-05 07:11:59" in text


def test_streams_arrays_and_catalogs_have_pages_too():
    assert "none yet" in Reader(streams_html([])).text
    array = Reader(array_html(EVIL, (5, 48, 64), "uint16", 30720))
    assert "48 x 64" in array.text
    assert "script" not in array.tags
    found = Reader(catalogs_html([("good", EVIL, None), (EVIL, None, "lab.yml: no key 'pth'.")]))
    assert "broken: lab.yml: no key 'pth'." in found.text
    assert "script" not in found.tags
    assert "databroker demo" in Reader(catalogs_html([])).text


WIDE = """<script>
const heights = [...document.querySelectorAll("tr")].map(row => row.getBoundingClientRect().height);
document.title = JSON.stringify([Math.max(...heights), document.body.scrollWidth]);
</script>"""


def test_a_page_of_800_pixels_has_room_for_a_list_of_runs(tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no browser to ask")
    long = {**START, "scan_id": 123456, "plan_name": "relative_spiral_fermat", "sample": "x" * 80}
    rows = [({**long, "detectors": ["a_detector"] * 9}, "success")] * 3
    page = tmp_path / "page.html"
    page.write_text(f"<body style='font:14px sans-serif'>{results_html(rows, zone=UTC)}{WIDE}")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=800,600")
    command = [browser, *options, f"--user-data-dir={tmp_path}", "--dump-dom", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    height, width = json.loads(re.search(r"<title>(.*?)</title>", shown)[1])
    assert height < 30  # one line
    assert width <= 800
