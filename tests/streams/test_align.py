"""Several streams as one dataset, at the times of one of them."""

import datetime

import numpy as np
import pytest

from databroker.errors import InvalidQuery, NoSuchField, NoSuchStream

NAN = float("nan")


@pytest.fixture
def header(db, new_run, key):
    """Five primary events a second apart; a monitor at 1.5, 3 and 4.25; a baseline at 0 and 9."""
    run = new_run(db)
    primary = run.descriptor(["det", "motor"])
    monitor = run.descriptor({"ring": key("integer"), "state": key("string")}, name="ring_monitor")
    baseline = run.descriptor({"motor": key(), "wave": key("array", [2])}, name="baseline")
    for n in range(1, 6):
        run.event(primary, det=10.0 * n, motor=n)
    for n, (time, ring, state) in enumerate([(1.5, 100, "a"), (3, 200, None), (4.25, 300, "c")], 1):
        run.event(monitor, n, 1000 + time, ring=ring, state=state)
    run.event(baseline, 1, 1000.0, motor=-1.0, wave=[1, 2])
    run.event(baseline, 2, 1009.0, motor=8.0, wave=[3, 4])
    return run.stop()


def same(values, expected):
    return np.array_equal(values.values, np.array(expected, float), equal_nan=True)


def test_nearest_takes_the_nearest_reading_and_of_two_the_earlier(header):
    found = header.align()
    assert found.time.values.tolist() == [n * 10**9 for n in (1001, 1002, 1003, 1004, 1005)]
    seconds = header.align(convert_times=False)
    assert seconds.time.values.tolist() == [1001, 1002, 1003, 1004, 1005]
    assert found.det.values.tolist() == [10, 20, 30, 40, 50]
    assert found.ring.values.tolist() == [100, 100, 200, 300, 300]
    assert found.ring.dtype == np.int64


def test_previous_takes_the_last_reading_and_nothing_before_the_first(header):
    found = header.align(how="previous")
    assert same(found.ring, [NAN, 100, 200, 200, 300])
    assert found.state.values.tolist() == [None, "a", None, None, "c"]
    assert found.baseline_motor.values.tolist() == [-1.0] * 5


def test_linear_lies_on_the_line_and_nowhere_else(header):
    found = header.align(how="linear")
    ring = [NAN, 100 + 100 / 3, 200, 280, NAN]
    assert np.allclose(found.ring.values, ring, equal_nan=True)
    assert found.baseline_motor.values.tolist() == [0, 1, 2, 3, 4]


def test_linear_takes_the_previous_of_what_is_no_number_and_says_so(header):
    found = header.align(how="linear")
    assert found.state.values.tolist() == [None, "a", None, None, "c"]
    assert found.wave.values.tolist() == [[1, 2]] * 5
    assert "at or before" in found.wave.attrs["align_rule"]
    assert "on the line" in found.ring.attrs["align_rule"]


def test_tolerance_leaves_out_what_is_too_far_away(header):
    assert same(header.align(tolerance=0.5).ring, [100, 100, 200, 300, NAN])
    assert same(header.align(tolerance=0).ring, [NAN, NAN, 200, NAN, NAN])
    found = header.align(how="previous", tolerance=datetime.timedelta(seconds=0.8))
    assert same(found.ring, [NAN, 100, 200, NAN, 300])
    assert found.attrs["align_tolerance"] == 0.8
    found = header.align(how="linear", tolerance=1.0)
    assert np.allclose(found.ring.values, [NAN, 400 / 3, 200, 280, NAN], equal_nan=True)
    wave = header.align(tolerance=2.0).wave
    assert same(wave, [[1, 2]] * 2 + [[NAN, NAN]] * 3)


def test_names_that_clash_have_their_stream_before_them(header):
    found = header.align()
    assert list(found.data_vars) == ["det", "motor", "ring", "state", "baseline_motor", "wave"]
    assert found.baseline_motor.attrs["data_key"] == "motor"
    assert found.baseline_motor.attrs["stream"] == "baseline"
    assert found.motor.attrs["stream"] == "primary"


def test_the_rule_is_stated(header):
    found = header.align(how="previous", tolerance=3)
    assert found.attrs["align_on"] == "primary"
    assert found.attrs["align_how"] == "previous"
    rule = "the last reading at or before the event; none further away than 3 s"
    assert found.attrs["align_rule"] == found.ring.attrs["align_rule"] == rule
    assert "align_rule" not in found.det.attrs


def test_streams_and_fields_are_chosen(header):
    assert list(header.align(streams=["ring_monitor"]).data_vars) == [
        "det",
        "motor",
        "ring",
        "state",
    ]
    assert list(header.align(streams="baseline", fields=["wave"]).data_vars) == ["wave"]
    assert list(header.align(streams=[]).data_vars) == ["det", "motor"]
    assert list(header.align(fields=["det", "ring"]).data_vars) == ["det", "ring"]
    found = header.align(on="ring_monitor", streams=["primary", "ring_monitor"])
    assert found.det.values.tolist() == [10.0, 30.0, 40.0]
    assert len(header.align().to_dataframe(dim_order=["time", "dim_0"])) == 10


def test_it_makes_a_table(header):
    table = header.align(fields=["det", "ring"]).to_dataframe()
    assert table.index.name == "time"
    assert table["ring"].tolist() == [100, 100, 200, 300, 300]


def test_what_makes_no_sense_is_refused(header):
    with pytest.raises(InvalidQuery, match="'nearest'"):
        header.align(how="nearst")
    for tolerance in (-1, NAN, "2", True):
        with pytest.raises(InvalidQuery, match="tolerance"):
            header.align(tolerance=tolerance)
    with pytest.raises(NoSuchStream):
        header.align(on="nowhere")
    with pytest.raises(NoSuchStream):
        header.align(streams=["nowhere"])
    with pytest.raises(NoSuchField):
        header.align(fields=["nothing"])


def test_clocks_that_went_back_are_put_in_order(db, new_run):
    run = new_run(db)
    primary = run.descriptor(["det"])
    monitor = run.descriptor(["ring"], name="monitor")
    for n, time in enumerate((1003.0, 1001.0, 1002.0), 1):
        run.event(primary, n, time, det=n)
        run.event(monitor, n, time + 0.1, ring=10 * n)
    for how in ("nearest", "linear", "previous"):
        found = header_times(run, how)
        expected = {"nearest": [10, 20, 30], "linear": [12, NAN, 29], "previous": [30, NAN, 20]}
        assert np.allclose(found, expected[how], equal_nan=True), how


def header_times(run, how):
    return run.header.align(how=how).ring.values


def test_of_readings_at_one_time_the_last_counts(db, new_run):
    run = new_run(db)
    run.event(run.descriptor(["det"]), 1, 1001.0, det=1)
    monitor = run.descriptor(["ring"], name="monitor")
    for n in (1, 2, 3):
        run.event(monitor, n, 1001.0, ring=n)
    for how in ("nearest", "previous", "linear"):
        assert run.header.align(how=how).ring.values.tolist() == [3]


def test_a_field_that_a_descriptor_lacks_was_not_read_then(db, new_run):
    run = new_run(db)
    primary = run.descriptor(["det"])
    one = run.descriptor(["a", "b"], name="monitor", uid="one")
    other = run.descriptor(["b"], name="monitor", uid="other")
    for n in (1, 2, 3):
        run.event(primary, n, det=n)
    run.event(one, 1, 1000.5, a=7.0, b=1.0)
    run.event(other, 2, 1001.5, b=2.0)
    run.event(one, 3, 1002.5, a=NAN, b=3.0)
    found = run.header.align(how="previous")
    assert same(found.a, [7, 7, NAN])
    assert same(found.b, [1, 2, 3])


def test_empty_streams_give_rows_without_readings_or_none_at_all(db, new_run, key):
    run = new_run(db)
    primary = run.descriptor({"det": key()})
    run.descriptor({"x": key(), "s": key("string"), "w": key("array", [2])}, name="empty")
    run.event(primary, det=1.0)
    for how in ("nearest", "previous", "linear"):
        found = run.header.align(how=how)
        assert same(found.x, [NAN])
        assert found.s.values.tolist() == [None]
        assert same(found.w, [[NAN, NAN]])
        assert run.header.align(on="empty", how=how).det.shape == (0,)
