"""``header.preview()``: what it chooses to draw, what it reads for that, and what it tells."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import databroker
from databroker.errors import InvalidQuery, MissingExtra, NoSuchField, NoSuchStream
from helpers.runs import EXTERNAL, FIRST, NUMBER, descriptor, event, start, stop

pytest.importorskip("matplotlib")

ARRAY = {"dtype": "array", "shape": [6, 8], "source": "sim"}
EVIL = "<script>$\\frac$</script>"


class Run:
    """A run, the first stream of which has these data."""

    def __init__(self, db, columns=None, keys=(), name="primary", hints=None, hinted=(), **more):
        self.db = db
        self.uid = f"look-{len(list(db()))}"
        self.insert(start(self.uid, hints=hints or {}, **more))
        if columns is not None:
            self.add(columns, keys, name, hinted)

    def insert(self, document):
        self.db.insert(*document)

    def add(self, columns, keys=(), name="primary", hinted=()):
        keys = dict.fromkeys(columns, NUMBER) | dict(keys)
        kind, doc = descriptor(self.uid, name, name, keys)
        doc["hints"] = {"device": {"fields": list(hinted)}} if hinted else {}
        doc["object_keys"] = {"motor": [key for key in keys if key.startswith("motor")]}
        self.insert((kind, doc))
        for n in range(len(next(iter(columns.values())))):
            data = {field: values[n] for field, values in columns.items()}
            self.insert(event(self.uid, name, n + 1, data))

    @property
    def header(self):
        return self.db[f"{self.uid}-run"]

    def preview(self, *args, **kwargs):
        return self.header.preview(*args, **kwargs)


def drawn(preview):
    return [(each.stream, each.field) for each in preview.pictures if each.draw is not None]


def axes(preview, field, stream="primary"):
    return preview.figures[stream, field].axes[0]


def points(preview, field, stream="primary"):
    (line,) = axes(preview, field, stream).lines
    return line.get_xdata().tolist(), line.get_ydata().tolist()


def scanned(*motors):
    return {"dimensions": [[[motor], "primary"] for motor in motors]}


# -- what is drawn against what ----------------------------------------------


def test_hinted_fields_are_drawn_against_what_was_scanned(db):
    columns = {"det": [5.0, 7.0, 6.0], "motor": [-1.0, 0.0, 1.0], "temperature": [3.0] * 3}
    run = Run(db, columns, hints=scanned("motor"), hinted=["det", "motor"])
    preview = run.preview()
    assert drawn(preview) == [("primary", "det")]
    assert points(preview, "det") == ([-1, 0, 1], [5, 7, 6])
    assert axes(preview, "det").get_xlabel() == "motor"


def test_without_hints_all_numbers_are_drawn_over_the_time(db):
    preview = Run(db, {"det": [5.0, 7.0], "motor": [1.0, 2.0]}).preview()
    assert drawn(preview) == [("primary", "det"), ("primary", "motor")]
    assert points(preview, "det") == ([2, 3], [5, 7])  # events come so long after the start
    assert axes(preview, "det").get_xlabel() == "time since start (s)"


def test_a_count_is_drawn_over_the_time(db):
    preview = Run(db, {"det": [5.0, 7.0]}, hints=scanned("time")).preview()
    assert points(preview, "det")[0] == [2, 3]


def test_where_only_the_motor_is_hinted_the_rest_is_drawn_but_not_its_setpoint(db):
    columns = {"det": [1.0, 2.0], "motor": [1.0, 2.0], "motor_setpoint": [1.0, 2.0]}
    run = Run(db, columns, hints=scanned("motor"), hinted=["motor"])
    assert drawn(run.preview()) == [("primary", "det")]


def test_a_field_that_is_asked_for_is_drawn_though_it_was_scanned(db):
    columns = {"det": [5.0, 7.0], "motor": [1.0, 2.0]}
    run = Run(db, columns, hints=scanned("motor"), hinted=["det"])
    preview = run.preview("motor")
    assert drawn(preview) == [("primary", "motor")]
    assert points(preview, "motor") == ([2, 3], [1, 2])


def test_fields_may_be_patterns_as_in_a_table(db):
    run = Run(db, {name: [1.0, 2.0] for name in ("ch1", "ch2", "det")})
    assert drawn(run.preview("ch.")) == [("primary", "ch1"), ("primary", "ch2")]
    with pytest.raises(NoSuchField, match="ch1"):
        run.preview("ch3")
    with pytest.raises(NoSuchStream, match="primary"):
        run.preview(streams="other")


def test_values_that_are_no_numbers_are_left_out(db):
    run = Run(db, {"det": [1.0, None, "text", 4.0, float("nan")]})
    preview = run.preview()
    assert points(preview, "det") == ([2, 5], [1, 4])
    assert "2 of 5 events" in repr(preview)


def test_many_fields_are_not_all_drawn(db):
    run = Run(db, {f"ch{n:02}": [1.0, 2.0] for n in range(30)})
    preview = run.preview()
    assert len(drawn(preview)) == 8
    assert "22 more" in repr(preview)
    assert "ch29" in repr(preview)
    assert len(drawn(run.preview(".*"))) == 30


def test_one_reading_is_told_not_drawn(db):
    run = Run(db, {"det": [74.25]}, {"det": NUMBER | {"units": "mm"}})
    assert run.preview().figures == {}
    assert "74.25 mm (1 event)" in repr(run.preview())


def test_the_baseline_is_drawn_only_when_asked_for(db):
    run = Run(db, {"det": [1.0, 2.0]})
    run.add({"temperature": [20.0, 21.0], "det": [1.0, 1.0]}, name="baseline")
    preview = run.preview()
    assert drawn(preview) == [("primary", "det")]
    assert "preview(streams='baseline')" in repr(preview)
    assert drawn(run.preview(streams="baseline"))[0] == ("baseline", "temperature")
    assert drawn(run.preview("temperature")) == [("baseline", "temperature")]
    assert drawn(run.preview(iter(["temperature"]))) == [("baseline", "temperature")]
    assert drawn(run.preview("det")) == [("primary", "det")]


def test_a_monitor_stands_after_the_scan_and_holds_its_values(db):
    run = Run(db, {"ring": [1.0, 2.0]}, name="ring_monitor")
    run.add({"det": [1.0, 2.0]})
    preview = run.preview()
    assert drawn(preview) == [("primary", "det"), ("ring_monitor", "ring")]
    assert axes(preview, "ring", "ring_monitor").lines[0].get_drawstyle() == "steps-post"


# -- two dimensions ----------------------------------------------------------

GRID = {"shape": [2, 3], "extents": [[0, 1], [10, 12]]}
SNAKE = {
    "my": [0.0, 0.01, 0.0, 1.0, 1.0, 0.99],
    "mx": [10.0, 11.0, 12.0, 12.0, 11.0, 10.0],
    "det": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
}


def grid_scan(db, columns=SNAKE, gridding="rectilinear", **metadata):
    hints = scanned("my", "mx") | {"gridding": gridding}
    return Run(db, columns, hints=hints, hinted=["det"], **(GRID | metadata))


def test_a_grid_is_an_image_whichever_way_it_was_scanned(db):
    preview = grid_scan(db).preview()
    (image,) = axes(preview, "det").images
    assert image.get_array().tolist() == [[1, 2, 3], [6, 5, 4]]
    assert (axes(preview, "det").get_xlabel(), axes(preview, "det").get_ylabel()) == ("mx", "my")
    assert tuple(image.get_extent()) == (9.5, 12.5, -0.5, 1.5)


def test_a_grid_is_empty_where_the_scan_has_not_come_to(db):
    half = {field: values[:4] for field, values in SNAKE.items()}
    values = axes(grid_scan(db, half).preview(), "det").images[0].get_array()
    assert np.ma.filled(values, -1).tolist() == [[1, 2, 3], [-1, -1, 4]]


def test_a_grid_relative_to_where_the_motors_were_is_found_from_the_data(db):
    image = axes(grid_scan(db, extents=[[-5, 5], [-5, 5]]).preview(), "det").images[0]
    assert image.get_array().tolist() == [[1, 2, 3], [6, 5, 4]]


@pytest.mark.parametrize(
    "metadata",
    [
        {"gridding": "rectilinear_nonsequential"},
        {"shape": [2, 2]},
        {"shape": [10**6, 10**6]},
        {"shape": "2 x 3"},
        {"extents": [[0, 1], [10, 16]], "shape": [2, 5]},
    ],
)
def test_what_is_no_grid_is_points(db, metadata):
    preview = grid_scan(db, **metadata).preview()
    (spots,) = axes(preview, "det").collections
    assert spots.get_offsets().tolist() == [
        list(pair) for pair in zip(SNAKE["mx"], SNAKE["my"], strict=True)
    ]
    assert spots.get_array().tolist() == SNAKE["det"]


def test_a_motor_that_stood_still_is_no_dimension(db):
    columns = SNAKE | {"my": [0.5] * 6}
    preview = grid_scan(db, columns, shape=[1, 6]).preview()
    assert axes(preview, "det").get_xlabel() == "mx"
    assert points(preview, "det")[1] == SNAKE["det"]


@pytest.mark.parametrize(
    "hints",
    [
        5,
        {"dimensions": "motor"},
        {"dimensions": [["motor", "primary"], [[], "primary"], 5, [[5], "primary"]]},
        {"dimensions": [[["a"], "primary"], [["b"], "primary"], [["c"], "primary"]]},
        {"dimensions": [[["motor"], "other"]]},
    ],
)
def test_odd_hints_do_no_harm(db, hints):
    columns = {name: [1.0, 2.0] for name in ("det", "motor", "a", "b", "c")}
    assert ("primary", "det") in drawn(Run(db, columns, hints=hints).preview())


# -- images and waveforms ----------------------------------------------------


class Counted:
    """A handler that knows how often it was called."""

    calls = ()

    def __init__(self, path):
        self.path = path

    def __call__(self, frame):
        if frame in (3, 10**6):
            raise FileNotFoundError(2, "No such file", f"{self.path}/{frame}")
        self.calls.append(frame)
        return np.full((400, 500), frame, "u2")  # small ones may be read to see their type


@pytest.fixture
def counted(db):
    """A run of 40 images, one of which is not there; and the frames that are read."""

    calls = []
    db.reg.register_handler("COUNTED", type("Handler", (Counted,), {"calls": calls}))
    run = Run(db)
    resource = {"uid": "res", "run_start": f"{run.uid}-run", "spec": "COUNTED", "root": "/data"}
    run.insert(("resource", resource | {"resource_path": "img", "resource_kwargs": {}}))
    for n in range(40):
        datum = {"datum_id": f"res/{n}", "resource": "res", "datum_kwargs": {"frame": n}}
        run.insert(("datum", datum))
    run.add({"img": [f"res/{n}" for n in range(40)], "motor": list(range(40))}, {"img": EXTERNAL})
    return run, calls


def test_only_a_few_images_are_read(counted):
    run, calls = counted
    preview = run.preview("img")
    assert len(calls) <= 7  # the first and the last, perhaps, for shape and type too
    assert set(calls) == {0, 10, 20, 29, 39}
    calls.clear()
    preview._repr_html_()
    preview.figures, repr(preview)
    assert calls == []
    titles = [axes.get_title() for axes in preview.figures["primary", "img"].axes]
    assert titles == ["event 1", "event 11", "event 21", "event 30", "event 40"]


def test_a_file_that_is_missing_is_told_in_its_place(counted):
    run, _ = counted
    preview = run.preview("img", frames=14)  # every third one
    figure = preview.figures["primary", "img"]
    assert figure.axes[1].texts[0].get_text() == "not there"
    text, page = repr(preview), preview._repr_html_()
    for shown in (text, page):
        assert "Event 4 cannot be shown: there is no file /data/img/3" in shown
        assert "(datum" not in shown
    assert "Is the disk mounted?" in page
    assert "Is the disk mounted?" not in text


def test_without_a_handler_the_rest_is_shown(db):
    run = Run(db)
    resource = {"uid": "res", "run_start": f"{run.uid}-run", "spec": "NOWHERE", "root": "/data"}
    run.insert(("resource", resource | {"resource_path": "img", "resource_kwargs": {}}))
    run.insert(("datum", {"datum_id": "res/1", "resource": "res", "datum_kwargs": {}}))
    keys = {"img": EXTERNAL, "sum": NUMBER | {"external": "FILESTORE:"}}
    run.add({"img": ["res/1"] * 3, "sum": ["res/1"] * 3, "det": [1.0, 2.0, 3.0]}, keys)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        preview = run.preview()
    assert drawn(preview) == [("primary", "det")]
    assert repr(preview).count("no handler is known for the spec 'NOWHERE'") == 2


def test_numbers_in_files_are_drawn_as_far_as_they_are_there(db, counted):
    run, _ = counted

    class Half:
        def __init__(self, path):
            pass

        def __call__(self, frame):
            if frame >= 20:
                raise FileNotFoundError(2, "No such file", "/data/later")
            return np.float64(frame)

    db.reg.register_handler("COUNTED", Half, overwrite=True)
    run.add(
        {"sum": [f"res/{n}" for n in range(40)]},
        {"sum": NUMBER | {"external": "FILESTORE:"}},
        "other",
    )
    preview = run.preview("sum")
    assert points(preview, "sum", "other")[1] == list(range(20))
    assert "20 of 40 events" in repr(preview)
    assert "Not all of it can be read: there is no file /data/later" in repr(preview)


def test_images_say_where_the_motor_was(db):
    columns = {"img": [np.eye(6, 8) * n for n in range(3)], "motor": [0.5, 1.5, 2.5]}
    preview = Run(db, columns, {"img": ARRAY}, hints=scanned("motor"), hinted=["motor"]).preview()
    figure = preview.figures["primary", "img"]
    assert figure.axes[2].get_title() == "event 3\nmotor = 2.5"
    assert figure.axes[2].images[0].get_array().max() == 2
    assert "3 of 3 events · 6 x 8 · float64" in repr(preview)


def test_of_a_stack_the_middle_is_shown_and_that_is_said(db):
    stack = np.stack([np.full((4, 5), n) for n in range(7)])
    preview = Run(db, {"img": [stack]}, {"img": ARRAY}).preview()
    assert set(axes(preview, "img").images[0].get_array().flat) == {3}
    assert "the 4th of 7 frames" in repr(preview)


def test_waveforms_are_lines(db):
    waves = [np.arange(5) * n for n in range(3)]
    key = ARRAY | {"shape": [5], "dims": ["channel"], "units": "counts"}
    axis = axes(Run(db, {"mca": waves}, {"mca": key}).preview(), "mca")
    assert [line.get_ydata().tolist() for line in axis.lines] == [wave.tolist() for wave in waves]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("channel", "mca (counts)")


def test_arrays_of_any_kind_are_shown_or_told(db):
    ragged = [list(range(n)) for n in range(4)]
    mixed = [[1, 2], [[1, 2], [3, 4]], None, "text"]
    columns = {"ragged": ragged, "mixed": mixed, "none": [None] * 4, "texts": [["a", "b"]] * 4}
    keys = {**dict.fromkeys(columns, ARRAY), "label": NUMBER | {"dtype": "string"}}
    columns["label"] = ["one"] * 4
    preview = Run(db, columns, keys).preview([*columns])
    assert drawn(preview) == [("primary", "ragged"), ("primary", "mixed")]
    assert [len(each.missing) for each in preview.pictures] == [1] * 5
    assert "various shapes" in repr(preview)


def test_a_field_that_is_not_as_declared_is_drawn_as_it_is(db):
    columns = {"waves": [np.arange(5.0)] * 2, "number": [1.0, 2.0]}
    preview = Run(db, columns, {"waves": NUMBER, "number": ARRAY}).preview()
    assert len(axes(preview, "waves").lines) == 2
    assert points(preview, "number")[1] == [1, 2]


# -- runs at any moment ------------------------------------------------------


def test_a_run_in_progress_shows_what_there_is(db):
    run = Run(db, {"det": []})
    assert "primary: no events yet." in run.preview().notes
    for n in range(1, 4):
        run.insert(event(run.uid, "primary", n, {"det": float(n)}))
    assert points(run.preview(), "det")[1] == [1, 2, 3]


def test_a_run_without_anything_says_so(db):
    db.insert(*start("nothing"))
    preview = db["nothing-run"].preview()
    assert preview.notes == ["The run has no streams."]
    assert "no streams" in preview._repr_html_()
    db.insert(*descriptor("nothing", "main", "primary", {"det": NUMBER}))
    db.insert(*stop("nothing"))
    assert db["nothing-run"].preview().notes == ["primary: no events."]


def test_events_without_a_time_are_counted(db):
    run = Run(db, {"det": [1.0, 2.0]})
    run.insert(event(run.uid, "primary", 3, {"det": 3.0}, time=1e300))
    assert points(run.preview(), "det")[0] == [1, 2, 3]


def test_hours_are_not_told_in_seconds(db):
    run = Run(db, {"det": [1.0]})
    run.insert(event(run.uid, "primary", 2, {"det": 3.0}, time=FIRST + 7200))
    assert axes(run.preview(), "det").get_xlabel() == "time since start (min)"
    run.insert(event(run.uid, "primary", 3, {"det": 3.0}, time=FIRST + 72000))
    assert points(run.preview(), "det")[0][-1] == 20


# -- what one has of it ------------------------------------------------------


def test_a_notebook_shows_the_pictures_and_not_the_summary_again(db):
    run = Run(db, {"det": [1.0, 2.0]})
    html = run.preview()._repr_html_()
    assert "Preview of scan 1 (run " in html
    assert "<table" not in html
    assert 'alt="det: over time' in html
    assert "data:image/png;base64," in html
    assert "data:image" not in run.header._repr_html_()


def test_hostile_names_become_no_markup_and_no_formula(db):
    columns = {EVIL: [1.0, 2.0], f"{EVIL}2": [np.eye(3)] * 2}
    run = Run(db, columns, {EVIL: NUMBER | {"units": EVIL}, f"{EVIL}2": ARRAY}, hints=scanned(EVIL))
    run.add({EVIL: [1.0, 2.0]}, name=EVIL)
    html = run.preview([EVIL, f"{EVIL}2"])._repr_html_()
    assert "<script" not in html
    assert html.count("<img ") == 3


def test_pictures_are_saved_in_a_folder(db, tmp_path):
    run = Run(db, {"det": [1.0, 2.0], "../../../out": [1.0, 2.0], ".._.._.._out": [1.0, 2.0]})
    files = run.preview().save(tmp_path / "a" / "b")
    assert [file.parent for file in files] == [tmp_path / "a" / "b"] * 3
    assert len(set(files)) == 3
    assert files[0].name == "primary-det.png"
    for file in files:
        assert file.read_bytes().startswith(b"\x89PNG")
    assert sorted(tmp_path.rglob("*.*")) == sorted(files)


def test_pictures_are_saved_in_one_file(db, tmp_path):
    run = Run(db, {"det": [1.0, 2.0], "other": [1.0, 2.0]})
    (file,) = run.preview().save(tmp_path / "all.pdf")
    assert file.read_bytes().startswith(b"%PDF")
    assert file.read_bytes().count(b"/Type /Page ") == 2
    with pytest.raises(InvalidQuery, match="there are 2"):
        run.preview().save(tmp_path / "one.png")
    run.preview("det").save(tmp_path / "one.PNG")
    assert (tmp_path / "one.PNG").exists()
    assert run.preview("det", streams=[]).save(tmp_path / "none.pdf") == []


def test_figures_are_yours_to_change(db):
    preview = Run(db, {"det": [1.0, 2.0]}).preview()
    figure = preview.figures["primary", "det"]
    figure.axes[0].set_title("mine")
    assert preview.figures["primary", "det"].axes[0].get_title() == "mine"
    assert figure.get_suptitle().startswith("det: over time")


@pytest.mark.parametrize("frames", [0, -1, 2.5, "5", True, None])
def test_how_many_frames_is_a_number(db, frames):
    with pytest.raises(InvalidQuery, match="frames="):
        Run(db, {"det": [1.0]}).preview(frames=frames)


def test_without_matplotlib_it_says_what_to_install(db, monkeypatch):
    header = Run(db, {"det": [1.0, 2.0]}).header
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'databroker\[plot\]'"):
        header.preview()


def test_pyplot_is_left_alone(tmp_path):
    db = databroker.Broker.from_config({"driver": "sqlite", "path": str(tmp_path / "runs.db")})
    Run(db, {"det": [1.0, 2.0], "img": [np.eye(3)] * 2}, {"img": ARRAY})
    db.close()
    program = (
        "import sys, databroker\n"
        f"config = {{'driver': 'sqlite', 'path': {str(tmp_path / 'runs.db')!r}}}\n"
        "preview = databroker.Broker.from_config(config)[-1].preview()\n"
        "assert len(preview.figures) == 2\n"
        "preview._repr_html_(), preview.save('pictures')\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=tmp_path)


def test_a_million_events_are_drawn_from_little(db):
    run = Run(db, {"x": [], "y": []}, hints=scanned("x"), hinted=["y"])
    n = np.arange(1, 300_001)
    page = {"descriptor": f"{run.uid}-primary", "uid": [f"e{i}" for i in n]}
    page |= {"seq_num": n.tolist(), "time": (FIRST + n).tolist(), "timestamps": {"x": n, "y": n}}
    run.insert(("event_page", page | {"data": {"x": n / 2, "y": np.sin(n)}}))
    x, y = points(run.preview(), "y")
    assert len(x) == len(y) <= 2000
    assert (min(y), max(y)) == pytest.approx((-1, 1), abs=1e-6)
    assert x == sorted(x)
