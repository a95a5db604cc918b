"""Start documents of many megabytes are kept, and found by their other keys."""

import pytest

from databroker.query.nodes import Equals
from databroker.query.nodes import Path as Key
from databroker.query.text import parse_text
from databroker.testing import assert_identical
from databroker.testing.conformance.base import start
from helpers.sqlite_files import opened


@pytest.mark.parametrize(
    "large",
    [
        {"text": "word " * 2_000_000},
        {"text": "x" * 10_000_000},
        {"text": " ".join(f"word{number}" for number in range(200_000))},
        {"positions": [number / 7 for number in range(100_000)]},
        {"positions": [[number, number + 1] for number in range(50_000)]},
        {"table": {f"key {number}": number for number in range(1_000)}},
        {f"key {number}": {"value": number} for number in range(1_000)},
        {"rows": [{"name": f"n{number}", "value": number} for number in range(20_000)]},
        {"deep": {"key": "value"}, "long key " * 1000: 1},
    ],
    ids=[
        "words",
        "one word",
        "other words",
        "list",
        "lists",
        "keys",
        "top keys",
        "rows",
        "long key",
    ],
)
def test_large_metadata_is_kept_and_found_by_its_other_keys(path, large):
    with opened(path) as store:
        store.insert("start", start("other", scan_id=6, purpose="a good sample"))
        doc = {
            "purpose": "good sample",
            **start("run", 1.6e9, scan_id=5),
            **large,
            "operator": "eve",
        }
        store.insert("start", doc)
        assert_identical(store.record("run").start, doc)
        for query in (
            Equals(Key("scan_id"), 5),
            Equals(Key("operator"), "eve"),
            parse_text("eve sample"),
            ~Equals(Key("scan_id"), 6),
            ~parse_text("a"),
        ):
            assert [run.uid for run in store.find(query)] == ["run"], query
            assert store.count(query) == 1


def test_what_is_inside_large_metadata_is_found_too(path):
    with opened(path) as store:
        store.insert(
            "start", start("a", positions=list(range(100_000)), notes="x " * 9000 + "needle")
        )
        store.insert("start", start("b", positions=list(range(99_999)), notes="x " * 9000))
        store.insert("start", start("c", rows=[{"n": number} for number in range(3000)]))
        for query, wanted in (
            (Equals(Key("positions"), 99_999), ["a"]),
            (Equals(Key("positions"), 99_998), ["b", "a"]),
            (Equals(Key("positions.7"), 7), ["b", "a"]),
            (Equals(Key("rows.n"), 2999), ["c"]),
            (parse_text("needle"), ["a"]),
            (~parse_text("needle"), ["c", "b"]),
        ):
            assert [run.uid for run in store.find(query)] == wanted, query
