"""``header.plot()`` and ``results.plot()``: the numbers on matplotlib's axes, and what is told."""

import sys
import warnings

import numpy as np
import pytest

from databroker.errors import InvalidQuery, MissingExtra, NoSuchField, NoSuchStream
from databroker.plot import plot_runs

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def clean():
    """Draw nowhere; leave no figure; a warning is an error unless it is expected."""
    pyplot.switch_backend("agg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    pyplot.close("all")


def points(axes):
    return [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axes.lines]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_scan_is_a_line_against_its_motor_with_units_and_a_title(save):
    header = save(
        {"motor": [-1, 0, 1], "det": [5, 7, 6], "other": [1, 1, 1]},
        *(["motor"], ["det"]),
        keys={"motor": {"units": "mm"}, "det": {"units": "counts"}},
    )
    axes = header.plot()
    assert points(axes) == [([-1, 0, 1], [5, 7, 6])]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("motor (mm)", "det (counts)")
    assert axes.figure.get_suptitle() == "scan 1 · scan · Ni · 00000001"
    assert pyplot.gcf() is axes.figure  # so a notebook shows it


def test_each_field_has_a_panel_and_the_axis_of_the_motor_is_theirs(save):
    header = save({"motor": [0, 1], "a": [1, 2], "b": [30, 40]}, ["motor"], ["a", "b"])
    axes = header.plot()
    assert isinstance(axes, np.ndarray)
    assert [points(each)[0][1] for each in axes] == [[1, 2], [30, 40]]
    assert [each.get_ylabel() for each in axes] == ["a", "b"]
    assert axes[0].get_shared_x_axes().joined(axes[0], axes[1])
    assert [each.get_xlabel() for each in axes] == ["", "motor"]


def test_x_and_y_are_what_one_asks_for(save):
    header = save({"motor": [0, 1], "a": [1, 2], "b": [30, 40]}, ["motor"], ["a"])
    assert points(header.plot("b", "motor")) == [([30, 40], [0, 1])]
    assert points(header.plot("time", "a")) == [([1, 2], [1, 2])]
    assert header.plot("time", "a").get_xlabel() == "time since start (s)"
    assert points(header.plot("seq_num", ["b"])) == [([1, 2], [30, 40])]
    assert [each.get_ylabel() for each in header.plot(y="a|b")] == ["a", "b"]


def test_a_norm_divides_and_leaves_out_where_it_is_zero(save):
    header = save(
        {"motor": [0, 1, 2], "det": [4, 6, 8], "I0": [2, 0, 4]},
        *(["motor"], ["det"]),
        keys={"det": {"units": "counts"}, "I0": {"units": "nA"}},
    )
    with pytest.warns(UserWarning, match="1 of 3 events are left out, as I0 is 0 there") as told:
        axes = header.plot(norm="I0")
    assert told[0].filename == __file__
    assert points(axes) == [([0, 2], [2, 2])]
    assert axes.get_ylabel() == "det / I0 (counts/nA)"


def test_numbers_that_are_none_are_left_out(save):
    header = save({"motor": range(4), "det": [1, None, float("inf"), float("nan")]}, ["motor"])
    assert points(header.plot()) == [([0], [1])]
    nothing = save({"motor": range(2), "det": [None, None]}, ["motor"])
    assert nothing.plot().texts[0].get_text() == "det: no numbers in 2 events"


def test_motors_that_move_together_are_no_signals(save):
    columns = {"m1": [0, 1, 2], "m2": [0, 10, 20], "det": [5, 7, 6]}
    hints = {"dimensions": [[["m1", "m2"], "primary"]]}
    header = save(columns, hinted=["m1", "m2", "det"], hints=hints)
    axes = header.plot()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("m1", "det")
    motors = save({"m1": [0, 1], "m2": [0, 10]}, hinted=["m1", "m2"], hints=hints)
    assert points(motors.plot()) == [([0, 1], [0, 10])]


def test_a_scan_along_text_is_drawn_over_the_time_and_says_so(save):
    keys = {"place": {"dtype": "string"}}
    header = save({"place": ["A", "B"], "det": [5, 7]}, ["place"], ["det"], keys)
    with pytest.warns(UserWarning, match="00000001: place was scanned, but has no numbers"):
        axes = header.plot()
    assert axes.get_xlabel() == "time since start (s)"
    assert points(axes) == [([1, 2], [5, 7])]


def test_long_names_stay_inside_of_the_figure_and_apart(save):
    long = "a_very_long_name_of_a_detector_" * 3
    columns = {"motor_" * 20: [0, 1], f"{long}1": [1, 2], f"{long}2": [2, 1]}
    motor, *fields = columns
    keys = {name: {"units": "photons per second"} for name in columns}
    axes = save(columns, [motor], fields, keys, sample="x" * 200).plot()
    figure = axes[0].figure
    figure.draw_without_rendering()
    labels = [each.get_ylabel().replace("\n", "") for each in axes]
    for number, label in enumerate(labels, 1):
        assert label.endswith(f"tector_{number} (photons per…)")
    above, below = (each.yaxis.label.get_window_extent() for each in axes)
    assert not above.overlaps(below)
    for text in (above, below, figure._suptitle.get_window_extent()):
        assert figure.bbox.x0 <= text.x0 < text.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= text.y0 < text.y1 <= figure.bbox.y1


def test_thousands_of_points_become_few_and_keep_their_spike(save):
    y = np.zeros(50_000)
    y[31_234] = 7
    ((x, drawn),) = points(save({"m": np.arange(50_000.0), "det": y}, ["m"], ["det"]).plot())
    assert len(drawn) <= 2000
    assert x[drawn.index(7)] == 31_234


def test_a_grid_that_snakes_and_broke_off_is_a_map(snake):
    axes = snake.plot()
    (image,) = axes.images
    expected = [[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, np.nan, np.nan]]
    np.testing.assert_array_equal(image.get_array().filled(np.nan), expected)
    assert image.get_extent() == [-0.5, 3.5, -0.5, 2.5]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("mx (mm)", "my (mm)")
    assert axes.child_axes[0].get_ylabel() == "det (counts)"
    assert axes.figure.get_suptitle().endswith(f" · {snake.status}")


def test_places_on_no_grid_are_points_in_colours(save):
    columns = {"my": [0.0, 1.5, 3], "mx": [1, 2.2, 0], "det": [5, 6, 7]}
    (spots,) = save(columns, ["my", "mx"], ["det"]).plot().collections
    assert spots.get_offsets().tolist() == [[1, 0], [2.2, 1.5], [0, 3]]
    assert spots.get_array().tolist() == [5, 6, 7]


def test_the_axes_of_a_map_may_be_chosen(snake):
    (spots,) = snake.plot(x=["my", "mx"]).collections
    assert spots.get_offsets()[3].tolist() == [0, 3]
    assert len(points(snake.plot(x="mx"))[0][0]) == 10
    with pytest.raises(InvalidQuery, match="one name, or two"):
        snake.plot(x=["mx", "my", "det"])


def test_images_are_a_strip_in_one_scale(save):
    images = [np.full((4, 6), n).tolist() for n in range(9)]
    keys = {"cam": {"dtype": "array", "shape": [4, 6]}}
    header = save({"motor": range(9), "cam": images}, ["motor"], keys=keys)
    axes = header.plot(y="cam", frames=3)
    drawn = [each for each in axes.child_axes if each.images]
    assert [each.images[0].get_array().max() for each in drawn] == [0, 4, 8]
    assert len({each.images[0].get_clim() for each in drawn}) == 1
    assert [each.get_title() for each in drawn] == [
        f"event {n + 1}\nmotor = {n}" for n in (0, 4, 8)
    ]


def test_waveforms_are_over_each_other(save):
    keys = {"mca": {"dtype": "array", "shape": [3], "units": "counts"}}
    axes = save({"mca": [[1, 2, 3], [4, 5, 6]]}, keys=keys).plot()
    assert points(axes) == [([0, 1, 2], [1, 2, 3]), ([0, 1, 2], [4, 5, 6])]
    assert legend(axes) == ["event 1", "event 2"]


# -- several runs ------------------------------------------------------------


@pytest.fixture
def three(save):
    for n in range(3):
        save({"motor": [0, 1], "det": [n, n + 1], "T": [5, 6]}, ["motor"], ["det"])


def test_lines_of_a_search_are_over_each_other_and_named(db, three):
    axes = db().plot()
    assert points(axes) == [([0, 1], [n, n + 1]) for n in (2, 1, 0)]
    assert legend(axes) == [f"scan {n} · 0000000{n}" for n in (3, 2, 1)]
    assert axes.figure.get_suptitle() == "3 runs · scan · Ni"


def test_a_list_of_headers_is_drawn_too(db, three):
    assert legend(plot_runs(db[-2:])) == ["scan 3 · 00000003", "scan 2 · 00000002"]


def test_headers_drawn_one_by_one_on_axes_that_are_given(db, three):
    _, ax = pyplot.subplots()
    ax.set_title("mine")
    for header in db[-2:]:
        assert header.plot(ax=ax) is ax
    assert len(ax.lines) == 2
    assert legend(ax) == ["scan 3 · 00000003", "scan 2 · 00000002"]
    assert ax.get_title() == "mine"


def test_fields_on_one_pair_of_axes_are_named(db, three):
    _, ax = pyplot.subplots()
    db[-1].plot(y=["det", "T"], ax=ax)
    assert legend(ax) == ["det, scan 3 · 00000003", "T, scan 3 · 00000003"]
    _, two = pyplot.subplots(2)
    db[-1].plot(y=["det", "T"], ax=two)
    assert [each.get_ylabel() for each in two] == ["det", "T"]


def test_axes_that_do_not_fit_are_refused(snake, db, three):
    _, ax = pyplot.subplots()
    with pytest.raises(InvalidQuery, match=r"ax has 1 axes, and there are 2 panels"):
        plot_runs([snake, db[-1]], ax=ax)


def test_a_run_that_lacks_a_field_is_passed_over(db, save, three):
    save({"motor": [0, 1], "other": [1, 2]}, ["motor"])
    assert len(db().plot(y="det").lines) == 3
    with pytest.raises(NoSuchField, match="Did you mean 'det'"):
        db().plot(y="dett")
    with pytest.raises(NoSuchStream):
        db().plot(stream="none")
    with pytest.warns(UserWarning, match="no field 'dett'"):
        assert len(db().plot(y=["det", "dett"]).lines) == 3


def test_a_run_that_has_nothing_to_show_takes_no_room(db, save, three):
    save({"det": []}, ends=False)
    with pytest.warns(UserWarning, match="scan 4 · 00000004, primary: no events yet"):
        assert len(db().plot().lines) == 3


def test_times_of_several_runs_are_in_one_unit(db, save):
    save({"det": np.ones(2)})
    save({"det": np.ones(1000)})
    axes = db().plot()
    assert axes.get_xlabel() == "time since start (min)"
    assert [line.get_xdata()[1] for line in axes.lines] == pytest.approx([2 / 60] * 2)


def test_not_more_than_fifty_runs_are_drawn(db, save):
    for _ in range(51):
        save({"motor": [0, 1], "det": [1, 2]}, ["motor"])
    with pytest.warns(UserWarning, match="Only the first 50 runs"):
        axes = db().plot()
    assert len(axes.lines) == 50
    assert len(legend(axes)) <= 20


# -- what cannot be drawn ----------------------------------------------------


def test_text_is_no_axis(save):
    columns = {"motor": [0, 1], "det": [1, 2], "name": ["a", "b"]}
    header = save(columns, ["motor"], ["det"], keys={"name": {"dtype": "string"}})
    for asked in ({"x": "name"}, {"y": "name"}, {"norm": "name"}):
        with pytest.raises(InvalidQuery, match="'name' holds text"):
            header.plot(**asked)
    undeclared = save(columns, ["motor"], ["det"])
    with pytest.raises(InvalidQuery, match="'name' has no number in any of 2 events"):
        undeclared.plot(x="name")
    with pytest.raises(NoSuchField, match="'nothing'"):
        header.plot(x="nothing")


def test_without_matplotlib_it_is_said_what_to_install(save, monkeypatch):
    header = save({"det": [1, 2]})
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'databroker\[plot\]'"):
        header.plot()


def test_what_is_empty_is_said(db, save):
    assert save({"det": []}, ends=False).plot().texts[0].get_text() == "primary: no events yet."
    db.insert("start", {"uid": "bare", "time": 1.0})
    assert db["bare"].plot().texts[0].get_text() == "There are no streams."
    assert save({"T": [1.0]}, name="baseline").plot().texts[0].get_text() == (
        "There is nothing but baseline."
    )
    assert db(plan_name="none such").plot().texts[0].get_text() == "There are no runs."


def test_a_run_in_progress_grows(db, save):
    header = save({"motor": [0, 1], "det": [1, 2]}, ["motor"], ["det"], ends=False)
    assert len(points(header.plot())[0][0]) == 2
    event = {"uid": "e", "descriptor": header.descriptors[0]["uid"], "seq_num": 3, "time": 1003.0}
    event |= {"data": {"motor": 2, "det": 3}, "timestamps": {"motor": 1.0, "det": 1.0}}
    db.insert("event", event)
    assert points(header.plot()) == [([0, 1, 2], [1, 2, 3])]


def test_more_fields_than_have_room_are_named(save):
    with pytest.warns(UserWarning, match="Not drawn unless asked for: f4, f5"):
        axes = save({f"f{n}": [1, 2] for n in range(6)}).plot()
    assert [each.get_ylabel() for each in axes] == ["f0", "f1", "f2", "f3"]
