"""Pictures of results: of each kind and size, the same bytes each time, names in their place."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.figures import decode, images_on, is_drawn, pixels, shown
from helpers.results import each_kind, numbers, top
from kerascnn import Curves, Heatmap, Images, Kernels, LayerMaps, Maps, Result, array
from kerascnn.render import DPI, Sheet, draw, new_figure, to_png
from kerascnn.render.fonts import shortened, wrapped, writable
from kerascnn.render.layout import WIDEST


def maps(count, channels, height, width, **more):
    layer = LayerMaps("conv", numbers(count, height, width, channels), range(channels), channels)
    return Maps(over=numbers(count, 9, 9, 1), layers=[layer], **more)


SIZES = {
    "heatmap of one pixel": lambda: Heatmap(numbers(1, 1, 1), over=numbers(1, 1, 1, 1)),
    "heatmap of zeros": lambda: Heatmap(np.zeros((1, 4, 4)), over=np.zeros((1, 4, 4, 1))),
    "signed zeros": lambda: Heatmap(np.zeros((1, 4, 4)), over=np.zeros((1, 4, 4, 1)), signed=True),
    "constant": lambda: Heatmap(
        np.full((1, 4, 4), 3.0), over=numbers(1, 70, 70, 3), low_is_notable=True
    ),
    "single bright pixel": lambda: Heatmap(
        np.eye(1, 64 * 64).reshape(1, 64, 64), over=numbers(1, 64, 64, 1)
    ),
    "many heatmaps": lambda: Heatmap(np.ones((49, 2, 2)), over=numbers(49, 8, 8, 1)),
    "coarse map": lambda: Heatmap(numbers(2, 7, 7), over=numbers(2, 64, 96, 3)),
    "one pixel": lambda: Images(numbers(1, 1, 1, 1)),
    "four channels": lambda: Images(numbers(2, 5, 5, 4)),
    "two channels": lambda: Images(numbers(2, 5, 5, 2)),
    "a strip": lambda: Images(numbers(3, 1, 784, 1), captions=["a", "b", "c"]),
    "a pillar": lambda: Images(numbers(3, 784, 1, 1)),
    "401 pictures": lambda: Images(numbers(401, 2, 2, 1), captions=list(map(str, range(401)))),
    "one kernel of one weight": lambda: Kernels(numbers(1, 1, 1, 1)),
    "dead kernels": lambda: Kernels(np.zeros((3, 3, 3, 3)), colour=True),
    "wide kernels": lambda: Kernels(numbers(5, 1, 40, 1)),
    "AlexNet": lambda: Kernels(numbers(96, 11, 11, 3), colour=True),
    "deep slices": lambda: Kernels(numbers(33, 2, 2, 30)),
    "two slices": lambda: Kernels(numbers(1, 5, 5, 2)),
    "maps of one pixel": lambda: maps(1, 1, 1, 1),
    "maps shared": lambda: maps(2, 40, 5, 5, shared_scale=True),
    "many pictures": lambda: maps(30, 20, 4, 4),
    "a row of maps": lambda: maps(1, 7, 1, 100),
    "zeros everywhere": lambda: Maps(
        over=numbers(1, 4, 4, 3), layers=[LayerMaps("relu", np.zeros((1, 3, 3, 2)), [0, 1], 2)]
    ),
    "one neuron": lambda: Maps(
        over=numbers(1, 4, 4, 3), layers=[LayerMaps("out", numbers(1, 1), [0], 1)]
    ),
    "many neurons": lambda: Maps(
        over=numbers(2, 4, 4, 3), layers=[LayerMaps("flat", numbers(2, 1250), range(1250), 1250)]
    ),
    "top without pictures": lambda: top(
        np.ones((65, 2)), np.arange(2)[None].repeat(65, 0), seen=9, most=2
    ),
}


@pytest.mark.parametrize("make", SIZES.values(), ids=SIZES)
def test_any_size_is_drawn(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = to_png(draw(make(), decode))
    height, width, _ = pixels(png).shape
    assert 500 <= width <= (WIDEST + 1) * DPI
    assert 80 <= height <= 12_000
    assert is_drawn(png)


@pytest.mark.parametrize("result", list(each_kind()), ids=lambda result: type(result).__name__)
def test_the_same_result_gives_the_same_bytes(tmp_path, result):
    once = to_png(draw(result, decode))
    assert b"Software" not in once
    assert b"tIME" not in once
    result.save(tmp_path / "r.npz")
    assert to_png(draw(Result.load(tmp_path / "r.npz"), decode)) == once


NAMES = [
    "$\\frac{a}$ 100 % $",
    "数字七の写真 🐈",
    "\x1b[31mred\x1b[0m",
    "a" * 300,
    "",
    "\u202edrow",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_out_of_files_are_set_as_they_are(name):
    captions = [name, name]
    layer = LayerMaps(name or "x", numbers(2, 3), range(3), 3, names=[name] * 3)
    ranked = top([[3, 2, 1]], [[0, 1, 2]], seen=3, captions=[name])
    results = [
        Heatmap(numbers(2, 4, 4), over=numbers(2, 4, 4, 1), title=name, captions=captions),
        Images(numbers(2, 4, 4, 1), title=name, captions=captions),
        Kernels(numbers(2, 4, 4, 1), title=name, captions=captions, unit=name),
        Maps(over=numbers(2, 4, 4, 1), layers=[layer], title=name, captions=captions),
        ranked.complete(numbers(3, 4, 4, 1), [name] * 3),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        for result in results:
            to_png(draw(result, decode))


def test_writing_keeps_within_its_width():
    sheet = Sheet(4, 4)
    texts = ["W" * 50, "l" * 99, "mimimi" * 20, "the_picture_0123456789.jpg" * 3, "数字七" * 20]
    for text in texts:
        for size in (6, 7, 9, 12):
            sheet.text(0, 0, text, size=size, width=1.5)
    renderer = sheet.figure.canvas.get_renderer()
    for text in sheet.figure.axes[0].texts:
        width = text.get_window_extent(renderer).width / DPI
        assert width <= 1.5, text.get_text()
        assert "…" in text.get_text()


@given(st.text(max_size=80), st.floats(0.2, 4), st.sampled_from([6, 8, 12]))
@settings(max_examples=40, deadline=None)
def test_shortening_keeps_both_ends(text, width, size):
    short = shortened(text, width, size)
    if short != text:
        head, _, tail = short.partition("…")
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(short) <= len(text)


def test_a_subtitle_is_broken_between_words_not_cut():
    text = "the 4 strongest of 4 pictures, a row a unit; 6 of 8 units, all of them are in the NPZ"
    lines = wrapped(text, 3.0, 8)
    assert 1 < len(lines) <= 3
    assert " ".join(lines) == text
    assert [shortened(line, 3.0, 8) for line in lines] == lines
    assert Sheet(3.0, 1.0, "title", text).y > Sheet(12.0, 1.0, "title", text).y


def test_what_no_font_has_is_marked():
    assert writable("abc é ∂ ×") == "abc é ∂ ×"
    assert writable("\U0001f9ff\U000fffff")[-1] == "□"


# --- kinds of other authors ---------------------------------------------------------------------


class Spread(Result):
    """A kind that a plugin brings with its drawing."""

    counts: np.ndarray = array("P")


@draw.register(Spread)
def draw_spread(result, decode):
    figure = new_figure(5, 3)
    figure.subplots().bar(range(len(result.counts)), decode(result.counts), color="#00ff00")
    return figure


def test_a_plugins_kind_is_drawn_by_its_own_drawing():
    (axes,) = draw(Spread([0.25, 2.0]), decode).axes
    assert [bar.get_height() for bar in axes.patches] == [0.25, 1.0]


def test_a_kind_without_a_drawing_is_drawn_as_the_one_it_is_made_out_of():
    class Wide(Spread):
        more: np.ndarray = array("M")

    class Mine(Images):
        pass

    values = numbers(1, 4, 4, 1)
    assert to_png(draw(Mine(values), decode)) == to_png(draw(Images(values), decode))
    one, other = Wide([0.5], [1, 2]), Spread([0.5])
    assert to_png(draw(one, decode)) == to_png(draw(other, decode))


def test_an_unknown_kind_is_drawn_as_its_arrays():
    class Histogram(Result):
        def arrays(self):
            return {
                "counts": np.arange(10),
                "table": np.arange(60.0).reshape(3, 4, 5),
                "hollow": np.array([np.nan]),
            }

    result = Histogram(title="counts")
    found = [np.asarray(image.get_array()) for image in images_on(result)]
    np.testing.assert_array_equal(found[0], [np.arange(10)])
    np.testing.assert_array_equal(found[1], np.arange(60).reshape(3, 20))
    np.testing.assert_array_equal(found[2], [[0]])
    words = [text.get_text() for text in draw(result, decode).axes[0].texts]
    assert words == ["counts", "counts 10", "table 3×4×5", "hollow 1"]


def test_what_is_no_result_is_not_drawn():
    with pytest.raises(TypeError, match="draw takes a Result"):
        draw(np.ones(3), decode)


def test_drawings_are_imported_late_and_give_way_to_a_plugins_own():
    code = """if True:
        import sys
        from kerascnn import Heatmap, Images, draw
        @draw.register(Heatmap)
        def own(result, decode):
            return "mine"
        slow = {"numpy", "matplotlib", "PIL", "scipy", "tensorflow"}
        assert not slow & set(sys.modules), slow & set(sys.modules)
        import numpy as np
        assert "matplotlib" in str(type(draw(Images(np.ones((1, 2, 2, 1))), np.asarray)))
        assert draw(Heatmap(np.ones((1, 2, 2)), np.ones((1, 2, 2, 1))), None) == "mine"
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# --- what the colours mean ------------------------------------------------------------------------


def test_zero_is_in_the_middle_of_a_signed_map():
    values = np.array([[[-4.0, 0.0], [0.5, 4.0]]])
    image = images_on(Heatmap(values, over=numbers(1, 2, 2, 1), signed=True, clip=100))[1]
    assert image.get_clim() == (-4.0, 4.0)
    np.testing.assert_array_equal(image.get_array(), values[0])
    (below, zero), (_, above) = shown(image)
    assert below[2] > below[0] + 0.2  # blue
    assert above[0] > above[2] + 0.2  # red
    assert zero.min() > 0.95


def test_what_is_important_glows_and_a_low_score_is_blue():
    values = np.array([[[0.0, 1.0]]])
    over = numbers(1, 1, 2, 1)
    ((nothing, most),) = shown(images_on(Heatmap(values, over, clip=100))[1])
    assert nothing.max() < 0.05
    assert most.min() > 0.6
    score = Heatmap(values, over, low_is_notable=True, ends=(0.0, 1.0))
    ((lost, kept),) = shown(images_on(score)[1])
    assert lost[2] > lost[:2].max() + 0.15
    assert kept.min() > 0.8


def test_lines_of_a_chart_differ_by_colour_or_dashes():
    result = Curves(numbers(20, 4), np.arange(4))
    lines = draw(result, decode).axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


def test_bars_are_red_above_zero_and_blue_below():
    result = Maps(numbers(1, 4, 4, 1), [LayerMaps("out", [[-1.0, 2.0]], range(2), 2)])
    below, above = (bar.get_facecolor() for bar in draw(result, decode).axes[1].patches)
    assert below[2] > below[0] + 0.3
    assert above[0] > above[2] + 0.3


def test_clipping_is_in_the_picture_alone():
    values = np.ones((1, 10, 10))
    values[0, 0, 0] = 1000
    result = Heatmap(values, over=numbers(1, 10, 10, 1), clip=95)
    assert images_on(result)[1].get_clim()[1] == pytest.approx(1.0)
    assert result.values.max() == 1000


def test_zero_weight_is_mid_grey_in_colour_and_white_on_the_scale():
    kernel = np.zeros((1, 2, 2, 3))
    kernel[0, 0, 0, 0] = 2.0
    shown = images_on(Kernels(kernel, colour=True))[0].get_array()
    np.testing.assert_allclose(shown[1, 1], 0.5)
    np.testing.assert_allclose(shown[0, 0], [1.0, 0.5, 0.5])
    low, high = images_on(Kernels(kernel[..., :1]))[0].get_clim()
    assert low == -high


def test_the_box_stands_where_the_field_is():
    # A picture of 10×20 pixels; the field has rows 2 to 5 and columns 5 to 15.
    from matplotlib.patches import Rectangle

    result = top([[1.0]], [[0]], seen=1, most=1)
    result.boxes = np.array([[[2, 5, 5, 15]]])
    figure = draw(result.complete(numbers(1, 10, 20, 1), ["a"]), decode)
    left, right, bottom, upper = figure.axes[0].images[0].get_extent()
    boxes = [p for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    white = [p for p in boxes if p.get_edgecolor()[:3] == (1.0, 1.0, 1.0)]
    assert len(white) == 1
    width, height = right - left, bottom - upper
    assert white[0].get_x() == pytest.approx(left + 5 / 20 * width)
    assert white[0].get_width() == pytest.approx(10 / 20 * width)
    assert white[0].get_y() == pytest.approx(upper + 2 / 10 * height)
    assert white[0].get_height() == pytest.approx(3 / 10 * height)


def test_a_shared_scale_is_one_for_all_maps_of_a_layer():
    values = np.stack([np.full((3, 3), 1.0), np.full((3, 3), 7.0)], axis=-1)[None]
    layer = LayerMaps("conv", values, [0, 1], 2)
    for shared, wanted in ((True, {7.0}), (False, {1.0, 7.0})):
        result = Maps(over=numbers(1, 3, 3, 1), layers=[layer], shared_scale=shared)
        axes = draw(result, decode).axes[0]
        ends = {image.get_clim()[1] for image in axes.images[1:]}
        assert ends == wanted
