"""``header.diff(other)``: what changed from one run to another."""

import pickle

import pytest

import databroker
from databroker.runs.comparing.changes import ABSENT
from helpers.run_builder import RunBuilder, number


@pytest.fixture
def pair():
    """Make two runs, in brokers of their own, from what a builder is to do with each."""

    def make(fill, *different):
        headers = []
        for n, values in enumerate(different):
            run = RunBuilder(databroker.temp(), f"run{n}", time=float(n), scan_id=n)
            fill(run, values)
            headers.append(run.stop())
        return headers

    return make


def found(headers):
    """What changed, as plain tuples."""
    return [(each.kind, each.key, each.old, each.new) for each in headers[0].diff(headers[1])]


def with_metadata(**different):
    header = RunBuilder(databroker.temp(), **different).header
    return header.db[header.uid]


def test_metadata_are_compared_key_by_key():
    old = with_metadata(sample={"name": "Ni", "nm": 5}, operator="Tom", note=None, T=1)
    new = with_metadata(sample={"name": "Cu", "nm": 5}, shape=[1, 2], T=1.0)
    assert found([old, new]) == [
        ("metadata", "sample.name", "Ni", "Cu"),
        ("metadata", "operator", "Tom", ABSENT),
        ("metadata", "note", None, ABSENT),
        ("metadata", "shape", ABSENT, [1, 2]),
    ]


def test_versions_come_last():
    old = with_metadata(versions={"bluesky": "1.13", "ophyd": "1.9"}, a=1)
    new = with_metadata(versions={"bluesky": "1.14", "ophyd": "1.9"}, a=2)
    assert [kind for kind, *_ in found([old, new])] == ["metadata", "versions"]
    assert found([old, new])[1] == ("versions", "bluesky", "1.13", "1.14")


def test_the_configuration_is_compared_once_for_each_device(pair):
    def fill(run, gains):
        for stream in ("baseline", "primary"):
            for time, gain in enumerate(gains):
                run.descriptor(["det"], name=stream, time=time, config={"det": {"gain": gain}})

    assert found(pair(fill, [1, 1], [2, 2])) == [("configuration", "det.gain", 1, 2)]
    # A run may change it, too.
    assert found(pair(fill, [1], [1, 3]))[0] == ("configuration", "det.gain", 1, (1, 3))


def test_readings_of_the_baseline_are_compared_before_and_after(pair):
    def fill(run, temperatures):
        keys = {"T": number(), "img": number(external="X")}
        descriptor = run.descriptor(keys, name="baseline")
        for T in temperatures:
            run.event(descriptor, data={"T": T, "img": f"{run.uid}/{T}"})

    changed = [each for each in found(pair(fill, [300, 300], [300, 305])) if each[0] == "baseline"]
    assert changed == [("baseline", "T", 300, (300, 305))]


def test_fields_and_ends_are_compared(pair):
    def fill(run, units):
        run.descriptor({"det": number(units=units), units: number()})

    old, new = pair(fill, "mm", "um")
    new.db.insert("start", {"uid": "open", "time": 5.0, "scan_id": 7, "plan_name": "scan"})
    assert [(kind, key) for kind, key, *_ in found([old, new])] == [
        ("fields", "primary.det.units"),
        ("fields", "primary.mm"),
        ("fields", "primary.um"),
    ]
    assert ("end", "status", "success", "unknown") in found([old, new.db["open"]])


def test_runs_that_are_alike_say_so(pair):
    def fill(run, value):
        run.event(run.descriptor(["det"]), det=value)

    old, new = pair(fill, 1, 2)  # data are not compared
    diff = old.diff(new)
    assert not diff
    assert len(diff) == 0
    assert repr(diff).splitlines()[0] == "No differences"
    assert "run0" in repr(diff)
    assert (diff.old, diff.new) == (
        {"uid": "run0", "scan_id": 0, "time": 0.0},
        {"uid": "run1", "scan_id": 1, "time": 1.0},
    )


def test_differences_are_a_value():
    old, new = with_metadata(a=1), with_metadata(a=2, b=None)
    diff = old.diff(new)
    assert bool(diff)
    copied = pickle.loads(pickle.dumps(diff))
    assert copied == diff == old.diff(new)
    assert copied.changes[1].old is ABSENT
    assert [change.key for change in diff.of_kind("metadata")] == ["a", "b"]
    assert diff.of_kind("end") == ()


def test_differences_are_shown_old_to_new():
    old = with_metadata(a="x" * 500 + "1", n=5, text="", evil="<b>\x1b[2J</b>")
    new = with_metadata(a="x" * 500 + "2", n="5", b=2)
    diff = old.diff(new)
    text = repr(diff)
    assert "n     5 → '5'" in text
    assert "xx1 → …xx" in text
    assert "text  '' → " in text
    assert "b     (none) → 2" in text
    html = diff._repr_html_()
    for said in ("metadata", "&#x27;5&#x27;", "(none)", "&lt;b&gt;\\x1b[2J&lt;/b&gt;"):
        assert said in html
    assert "No differences" in old.diff(old)._repr_html_()


def test_only_runs_are_compared():
    with pytest.raises(TypeError, match="Give headers"):
        with_metadata().diff("b2c1")
