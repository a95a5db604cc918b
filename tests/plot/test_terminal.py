"""A plot as text: numbers where they belong, no line too long, nothing that commands a terminal."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from databroker.errors import MissingExtra
from databroker.plot.colours import in_cube, picture
from databroker.plot.plotting import Request, plot_of
from databroker.plot.terminal import plot_text

pytest.importorskip("plotext")
cells = pytest.importorskip("rich.cells")


def text_of(runs, width=80, depth="none", height=24, **request):
    return plot_text(plot_of(runs, Request(**request)), width, height, depth)


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def inside(text):
    """What stands within the frame."""
    lines = [re.split("[│┤]", line) for line in text.splitlines() if line.endswith("│")]
    return [line[1] for line in lines]


@pytest.fixture
def peak(save):
    x = np.linspace(-3, 3, 61)
    keys = {"motor": {"units": "mm"}, "det": {"units": "counts"}}
    return save({"motor": x, "det": np.exp(-x * x)}, ["motor"], ["det"], keys)


def test_the_peak_is_where_it_was_measured(peak):
    text = text_of([peak])
    assert text.splitlines()[0] == "scan 1 · scan · Ni · 00000001"
    assert "det (counts)" in text
    assert "motor (mm)" in text
    rows = inside(text)
    top = next(row for row in rows if row.strip())
    middle = (len(top) - len(top.lstrip()) + len(top.rstrip())) / 2
    assert middle == pytest.approx(len(top) / 2, abs=1.5)
    bottom = [row for row in rows if row.strip()][-1]
    assert bottom[0] != " " != bottom[-1]
    for tick in ("0.5", "1┤", "-2", "3"):
        assert tick in text


def test_without_colours_each_of_many_runs_has_a_mark_of_its_own(save):
    runs = [save({"motor": [0, 1, 2], "det": [n, n, n]}, ["motor"], ["det"]) for n in range(50)]
    text = text_of(runs, width=200)
    marks = re.findall(r"(\S) scan \d+ ·", text)
    assert len(marks) == len(set(marks)) == 50


def test_a_map_has_its_values_at_their_places(snake):
    rows = inside(text_of([snake]))
    assert rows[0][-1] == " "  # it broke off there
    assert rows[0][0] in "%#@"
    assert rows[-1][0] == "."
    assert rows[-1][-1] in ".:"
    assert rows[len(rows) // 2][-1] in "+=*"


def test_images_show_their_spot(save):
    frames = np.zeros((2, 24, 24))
    frames[0, :6, :6] = frames[1, 18:, 18:] = 9
    keys = {"cam": {"dtype": "array", "shape": [24, 24]}}
    text = text_of([save({"cam": frames}, keys=keys)])
    lines = [line for line in text.splitlines() if re.fullmatch(r"[.@ ]+", line) and "." in line]
    assert re.fullmatch(r"@+\.+ +\.+", lines[0])
    assert re.fullmatch(r"\.+ +\.+@+", lines[-1])
    assert re.search(r"event 1 +event 2", text)


def test_colours_are_those_of_the_values():
    grid = np.array([[0.0, 1.0]])
    (line,) = picture(grid, 2, 1, "true")
    assert "38;2;68;1;84" in line
    assert "48;2;253;231;37" in line
    assert f"38;5;{in_cube((253, 231, 37))}" in picture(grid, 2, 1, "256")[0]
    assert picture(np.array([[np.nan, 1.0]]), 2, 1, "none") == [" @"]
    assert picture(np.array([[np.nan], [1.0]]), 1, 1, "true") == ["\x1b[38;2;253;231;37m▄\x1b[0m"]


def test_lines_of_several_runs_are_told_apart(save):
    runs = [save({"m": [0, 1], "det": [n, n]}, ["m"], ["det"]) for n in range(3)]
    text = text_of(runs)
    assert "o scan 1 · 00000001  x scan 2 · 00000002  + scan 3 · 00000003" in text
    rows = [row for row in inside(text) if row.strip()]
    assert [row[5] for row in rows] == ["+", "x", "o"]
    coloured = text_of(runs, depth="256")
    legend = re.findall(r"38;5;(\d+)m━", coloured)
    assert len(set(legend)) == 3
    assert all(coloured.count(f"38;5;{colour}m") > 1 for colour in legend)


WIDTHS = (40, 80, 200)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("depth", ["none", "256"])
def test_no_line_is_too_long_and_nothing_commands_the_terminal(save, snake, peak, width, depth):
    evil = "a\x1b]0;t\x07\x9b" + "日本" * 40
    image = np.arange(24.0).reshape(4, 6)
    keys = {"cam": {"dtype": "array", "shape": [4, 6]}, evil: {"units": evil}}
    named = save({evil: [1, 2, 5], "cam": [image] * 3}, keys=keys, sample=evil, plan_name=evil)
    spots = save({"a": [0, 1.2, 5], evil: [1, 2.2, 0], "d": [1, 2, 3]}, ["a", evil], ["d"])
    text = text_of([named, snake, peak, spots], width, depth)
    shown = plain(text)
    assert max(map(cells.cell_len, shown.splitlines())) <= width
    assert all(part.isprintable() for part in shown.splitlines())
    assert ("\x1b" in text) == (depth != "none")


@pytest.mark.parametrize("module", [None, SimpleNamespace()], ids=["missing", "of another version"])
def test_without_plotext_it_is_said_what_to_install(peak, monkeypatch, module):
    monkeypatch.setitem(sys.modules, "plotext", module)
    with pytest.raises(MissingExtra, match=r"plotext.*pip install 'databroker\[plot\]'"):
        text_of([peak])


def test_of_a_long_line_a_spike_is_seen(save):
    y = np.zeros(100_000)
    y[25_000] = 1
    rows = inside(text_of([save({"m": np.arange(100_000.0), "det": y}, ["m"], ["det"])]))
    top = next(row for row in rows if row.strip())
    assert len(top) - len(top.lstrip()) == pytest.approx(len(top) / 4, abs=2)


def test_what_cannot_be_seen_is_told(save, db):
    assert "primary: no events yet." in text_of([save({"det": []}, ends=False)])
    assert "det: no numbers in 2 events" in text_of([save({"det": [None, float("nan")]})])
    assert "●" in text_of([save({"det": [5.0]})])
