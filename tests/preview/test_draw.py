"""Pictures drawn from plain arrays: what stands where, in which scale, and that it is legible."""

import io
import subprocess
import sys
import warnings

import numpy as np
import pytest

from databroker.plot.downsample import (
    as_numbers,
    limits,
    part_of,
    sane,
    span,
    thinned,
    thumbnail,
)
from databroker.plot.panels import Axis, Curve, Frame, Grid, Lines, Points, Strip
from databroker.preview.draw import as_png, figure_of, new_figure, titled
from databroker.preview.pictures import Picture
from databroker.preview.preview import first_sentence, pictures_html, pictures_text

pytest.importorskip("matplotlib")

EVIL = "<script>alert('x')</script>&\"' $\\frac{x$ \n\0 _"


def strip(frames, units=""):
    return figure_of(Strip(tuple(frames), units))


def waves(frames, y, x="index"):
    return figure_of(Lines(x, y, tuple(Curve(*each.value, each.title) for each in frames)))


def line(x, y, steps=False):
    return figure_of(Lines(x.label, y.label, (Curve(x.values, y.values),), steps))


def maps(*axes):
    return figure_of(Grid(*axes))


def scatter(*axes):
    return figure_of(Points(*axes))


def framed(*values):
    return [Frame(f"event {n}", thumbnail(each), each.shape) for n, each in enumerate(values, 1)]


def pixels(png):
    from matplotlib.image import imread

    return imread(io.BytesIO(png))


def ticks_outside(axes):
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high or not axes.axison:
                yield tick


def overlaps(figure):
    """The pairs of texts in a figure that cover each other, and those that are cut off."""
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    unseen = {id(tick.label1) for axes in figure.findobj(Axes) for tick in ticks_outside(axes)}
    texts = [
        each for each in figure.findobj(Text) if each.get_visible() and each.get_text().strip()
    ]
    texts = [each for each in texts if id(each) not in unseen]
    boxes = [(each.get_text(), each.get_window_extent().padded(-1)) for each in texts]
    page = figure.bbox
    cut = [text for text, box in boxes if not page.padded(2).fully_containsx(box.x0)]
    cut += [text for text, box in boxes if not page.padded(2).fully_containsy(box.y1)]
    pairs = [
        (one, other)
        for number, (one, box) in enumerate(boxes)
        for other, there in boxes[number + 1 :]
        if box.overlaps(there)
    ]
    return pairs, cut


# -- images ------------------------------------------------------------------


def test_all_frames_of_a_strip_have_one_scale():
    dim, bright = np.arange(100.0).reshape(10, 10), np.arange(100.0).reshape(10, 10) + 900
    figure = strip(framed(dim, bright))
    scales = [axes.images[0].get_clim() for axes in figure.axes]
    assert scales[0] == scales[1] == pytest.approx((1, 998), abs=1)


def test_a_few_hot_pixels_do_not_set_the_scale():
    frame = np.random.default_rng(0).normal(100, 5, (100, 100))
    frame[3, 3], frame[5, 5] = 65535, -1e9
    low, high = strip(framed(frame)).axes[0].images[0].get_clim()
    assert 80 < low < high < 120


def test_a_lone_spot_on_a_black_frame_is_seen():
    frame = np.zeros((100, 100))
    frame[50, 50] = 7
    assert limits([frame]) == (0, 7)


@pytest.mark.parametrize(
    "frame",
    [
        np.full((4, 5), 7),
        np.zeros((4, 5)),
        np.eye(4, dtype=bool),
        np.array([[np.nan, np.inf], [-np.inf, 1.0]]),
        np.full((3, 3), np.nan),
        np.full((3, 3), 1.7976931348623157e308),
        np.eye(3) * (1 + 1j),
        np.arange(12, dtype="u8").reshape(3, 4) + 2**63,
        np.arange(12, dtype="f2").reshape(3, 4),
        np.full((600, 600), 7, "f4"),
        np.zeros((1, 500)),
        np.zeros((500, 2)),
        np.random.default_rng(0).integers(0, 65535, (5, 6, 3)).astype("u2"),
        np.random.default_rng(0).random((5, 6, 4)),
    ],
    ids=lambda frame: f"{frame.dtype}{frame.shape}",
)
def test_odd_frames_are_drawn_without_a_warning(frame):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = as_png(strip(framed(frame, frame), units="counts"))
    assert png.startswith(b"\x89PNG")


def test_colours_are_shown_as_they_are():
    frame = np.zeros((6, 8, 4), "u1")
    frame[..., 0] = np.linspace(0, 255, 8)
    shown = strip(framed(frame)).axes[0].images[0].get_array()
    assert shown.shape == (6, 8, 3)  # without what would be transparent
    assert (shown[0, 0].max(), shown[0, -1].tolist()) == (0, [1, 0, 0])


def test_huge_frames_are_made_small_and_keep_their_spots():
    frame = np.zeros((2000, 3000), "u2")
    frame[1000, 1500] = 60_000
    small = thumbnail(frame)
    assert small.shape == (250, 250)
    assert small.max() > 0
    image = strip(framed(frame)).axes[0].images[0]
    assert tuple(image.get_extent()) == (0, 3000, 2000, 0)  # in the proportions of the frame


def test_the_mean_of_pixels_leaves_out_what_is_no_number():
    frame = np.full((600, 600), 5.0)
    frame[::2] = np.nan
    frame[:3, :3] = np.inf
    small = thumbnail(frame)
    assert np.isnan(small[0, 0])
    assert set(small[np.isfinite(small)]) == {5.0}


@pytest.mark.parametrize(
    ("shape", "kind", "index"),
    [
        ((), "number", ()),
        ((1, 1), "number", (0, 0)),
        ((7,), "wave", (slice(None),)),
        ((1, 7, 1), "wave", (0, slice(None), 0)),
        ((9, 4, 5), "image", (4, slice(None, None, 1), slice(None, None, 1))),
        ((0, 4, 5), "image", (0, slice(None, None, 1), slice(None, None, 1))),
    ],
)
def test_what_is_looked_at_of_a_value(shape, kind, index):
    assert (part_of(shape).kind, part_of(shape).index) == (kind, index)


def test_of_a_frame_that_fills_the_memory_only_some_pixels_are_loaded():
    rows, columns = part_of((40_000, 40_000)).index
    assert rows.step == columns.step == 10


def test_a_missing_frame_has_its_place():
    figure = strip([Frame("event 1", None), *framed(np.eye(3))])
    assert [len(axes.images) for axes in figure.axes] == [0, 1]
    assert figure.axes[0].texts[0].get_text() == "not there"


def test_many_frames_are_rows():
    figure = strip(framed(*[np.eye(3)] * 14))
    assert len({round(axes.get_position().y0, 2) for axes in figure.axes[:14]}) == 3


# -- lines and maps ----------------------------------------------------------


def test_waveforms_lie_over_each_other_and_a_legend_names_them():
    values = [np.stack([np.arange(4.0), np.full(4, n)]) for n in range(3)]
    frames = [Frame(f"event {n}", value) for n, value in enumerate(values, 1)]
    figure = waves(frames, "_spectrum", "channel")
    assert [line.get_ydata().tolist() for line in figure.axes[0].lines] == [
        [n] * 4 for n in range(3)
    ]
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["event 1", "event 2", "event 3"]
    assert figure.axes[0].get_xlabel() == "channel"


def test_a_value_that_is_watched_holds_until_the_next():
    x, y = Axis("time", np.arange(3.0), "s"), Axis("ring", np.ones(3), "mA")
    assert line(x, y, steps=True).axes[0].lines[0].get_drawstyle() == "steps-post"
    assert line(x, y).axes[0].lines[0].get_drawstyle() == "default"


def test_a_million_points_become_few_and_keep_their_spikes():
    y = np.zeros(1_000_000)
    y[765_432], y[12] = 5, -3
    y[100] = np.nan
    x, few = thinned(np.arange(1e6), y)
    assert len(few) <= 2000
    assert (few.max(), few.min()) == (5, -3)
    assert x[few.argmax()] == 765_432
    assert (np.diff(x) > 0).all()


def test_a_map_has_the_motors_on_its_axes_and_upwards():
    grid = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])
    x, y = Axis("mx", np.array([2.0, 1.0, 0.0]), "mm"), Axis("my", np.array([10.0, 11.0]), "mm")
    axes = maps(x, y, Axis("det", grid)).axes[0]
    assert axes.images[0].get_extent() == [2.5, -0.5, 9.5, 11.5]
    assert axes.get_xlim() == (-0.5, 2.5)
    assert axes.get_ylim() == (9.5, 11.5)
    assert axes.get_aspect() == 1  # two lengths in mm
    deg = Axis("th", y.values, "deg")
    assert maps(x, deg, Axis("det", grid)).axes[0].get_aspect() == "auto"


FIGURES = {
    "strip": lambda name: strip([Frame(name[:25], np.eye(9), (9, 9))] * 5, name),
    "waves": lambda name: waves([Frame(f"at {name}", np.eye(2))] * 5, name, name),
    "line": lambda name: line(Axis(name, np.arange(9.0), name), Axis(name, np.ones(9) * 1e6, name)),
    "maps": lambda name: maps(
        Axis(name, np.arange(3.0)), Axis(name, np.arange(2.0)), Axis(name, np.eye(2, 3), name)
    ),
    "square map": lambda name: maps(
        *[Axis(each, np.arange(5.0), "mm") for each in (name, f"{name}2")],
        Axis(name, np.eye(5), name),
    ),
    "scatter": lambda name: scatter(*[Axis(name, np.arange(9.0), name)] * 3),
}


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("name", ["det", EVIL, "x" * 500, "日本語", "_", "a_long_name_" * 4, ""])
def test_any_name_is_drawn_as_it_is(kind, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert as_png(titled(FIGURES[kind](name), name)).startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("name", ["det", "ring_current_of_the_storage_ring_in_mA"])
def test_no_text_covers_another_or_is_cut_off(kind, name):
    assert overlaps(titled(FIGURES[kind](name), f"{name}: 5 of 25 events")) == ([], [])


def test_latex_is_not_asked_even_by_those_who_like_it():
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True}):
        axes = line(Axis("motor_x", np.arange(3.0)), Axis("det_1", np.ones(3))).axes[0]
    assert not axes.xaxis.label.get_usetex()
    assert not axes.yaxis.label.get_usetex()


@pytest.mark.parametrize("kind", FIGURES)
def test_a_page_of_any_colour_can_show_it(kind):
    figure = FIGURES[kind]("det")
    image = pixels(as_png(figure))
    assert image[0, 0, 3] == image[-1, -1, 3] == 0, "the ground is not transparent"
    from matplotlib.colors import to_rgb
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        grey = to_rgb(text.get_color())
        assert all(0.45 < part < 0.55 for part in grey), text


def test_pyplot_is_left_alone():
    program = (
        "import sys, numpy\n"
        "from databroker.plot.panels import Frame, Strip\n"
        "from databroker.preview.draw import as_png, figure_of\n"
        "as_png(figure_of(Strip([Frame('1', numpy.eye(3), (3, 3))])))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


# -- as a page ---------------------------------------------------------------


def test_nothing_from_a_document_becomes_markup():
    drawn = Picture(EVIL, EVIL, EVIL, lambda: line(*[Axis(EVIL, np.arange(3.0))] * 2), (EVIL,))
    html = pictures_html(
        [drawn, Picture(EVIL, EVIL, EVIL, None, ("It broke. Do <b>this</b>.",))], [EVIL]
    )
    assert "<script" not in html
    assert "<b>this" not in html
    assert html.count("<img ") == 1


def test_a_picture_says_in_words_what_it_shows():
    x = Axis("motor", np.arange(3.0))
    html = pictures_html([Picture("primary", "det", "3 events", lambda: line(x, x))])
    assert 'alt="det: 3 events"' in html
    for fixed in ("color:", "<style", "background:white"):
        assert fixed not in html


def test_what_to_do_is_folded_away_where_there_is_something_to_see():
    x = Axis("motor", np.arange(3.0))
    why = ("There is no file. Is the disk mounted?",)
    seen = pictures_html([Picture("primary", "img", "", lambda: line(x, x), why)])
    assert "<details><summary" in seen
    nothing = pictures_html([Picture("primary", "img", "", None, why)])
    assert "<details open><summary" in nothing


def test_a_terminal_is_not_commanded_by_names():
    shown = pictures_text([Picture("a\x1b[31m", "b\nc", "5 events", None, ("\x07.",))])
    assert shown.isprintable() or shown.replace("\n", "").isprintable()


# -- numbers made small ------------------------------------------------------


def test_the_scale_leaves_out_a_few_pixels_and_is_never_empty():
    frame = np.arange(1001.0).reshape(7, 143)
    frame[0, 0] = 1e9
    assert limits([frame, frame]) == (6.0, 996.0)
    assert limits([np.full((2, 2), 7.0)]) == (6.5, 7.5)
    assert limits([np.full((2, 2), np.nan)]) == limits([]) == (0.0, 1.0)


def test_numbers_that_cannot_be_drawn_are_none():
    assert np.isnan(sane(np.array([1.5, np.inf, np.finfo(float).max]))).tolist() == [0, 1, 1]
    assert span(np.array([3.0, np.nan, -1.0])) == (-1.0, 3.0)
    assert span(np.array([np.nan])) is None


def test_neighbouring_pixels_become_their_mean():
    small = thumbnail(np.array([[1, 3, 5, 5], [1, 3, np.nan, 5]]), most=2)
    assert small.tolist() == [[2.0, 5.0], [2.0, 5.0]]


def test_of_each_stretch_of_a_line_both_ends_are_kept():
    y = np.zeros(1000)
    y[517] = 9
    x, few = thinned(np.arange(1000.0), y, most=10)
    assert (len(x), x[few.argmax()]) == (6, 517)
    x, few = thinned(np.arange(3.0), np.array([1, np.nan, 2]))
    assert (x.tolist(), few.tolist()) == ([0, 2], [1, 2])


def test_the_first_sentence_of_what_is_wrong():
    text = "There is no file /data/img.h5. Is the disk mounted? Look."
    assert first_sentence(text) == ("There is no file /data/img.h5.", "Is the disk mounted? Look.")
    assert first_sentence("nothing") == ("nothing", "")


def test_lines_of_a_title_end_at_a_dot_if_they_can():
    figure = titled(new_figure(2, 3), "det: against motor · 25 events")
    assert figure.get_suptitle() == "det: against motor ·\n25 events"


def test_what_is_no_number_is_none():
    values = as_numbers(np.array([1, None, "text", True, np.array([2.5])], object))
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, 1, 2.5])
    assert as_numbers([[1], [2]]).tolist() == [1, 2]
