"""Receptive fields, compared with the network itself: a pixel that is seen changes the unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from kerascnn.network.network import Network

FAMILIES = ["tf_keras", "keras"]


def keras_of(name):
    return pytest.importorskip(name)


def positive(model, seed):
    """Weights above zero, so that nothing cancels and no ReLU is shut."""
    draw = np.random.default_rng(seed)
    model.set_weights([draw.uniform(0.5, 1.5, w.shape) / max(w.size, 1) ** 0.5
                       for w in model.get_weights()])  # fmt: skip
    return model


def seen_by_trying(network, layer, row, column, size):
    """Rows and columns of the pixels that change the unit, one pixel raised at a time."""
    height, width = size
    channels = network.input.channels
    pictures = np.full((1 + height * width, height, width, channels), 0.25, np.float32)
    for pixel in range(height * width):
        pictures[1 + pixel, pixel // width, pixel % width] += 100.0
    unit = network.activations(pictures, layer)[:, row, column].astype(np.float64)
    moved = (np.abs(unit[1:] - unit[0]).max(axis=-1) > 1e-6 * np.abs(unit).max()).reshape(size)
    rows, columns = moved.any(axis=1).nonzero()[0], moved.any(axis=0).nonzero()[0]
    if not len(rows):
        return (0, 0, 0, 0)
    return (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


def check(network, layer=None, units=4, seed=0, size=None, branches=False):
    """Compare the box of some units with what trying gives.

    Where the network has branches, a box at the picture's border may hold more.
    """
    layer = network.layers[-1] if layer is None else network.layer(layer)
    size = size or network.input.shape[:2]
    probe = np.zeros((1, *size, network.input.channels), np.float32)
    height, width = network.activations(probe, layer).shape[1:3]
    draw = np.random.default_rng(seed)
    places = {(0, 0), (height - 1, width - 1)}
    places |= {(int(draw.integers(height)), int(draw.integers(width))) for _ in range(units)}
    for row, column in sorted(places):
        box = network.box(layer, row, column, size)
        found = (box.top, box.left, box.bottom, box.right)
        tried = seen_by_trying(network, layer, row, column, size)
        inside = box.top > 0 and box.left > 0 and box.bottom < size[0] and box.right < size[1]
        if branches and not inside:
            assert tried == (0, 0, 0, 0) or (
                found[0] <= tried[0] and found[1] <= tried[1]
                and found[2] >= tried[2] and found[3] >= tried[3]
            ), (row, column)  # fmt: skip
        else:
            assert found == tried, (row, column)


# --- random stacks ------------------------------------------------------------------------------

PADDING = st.sampled_from(["same", "valid"])
SMALL = st.integers(1, 3)
BLOCKS = st.one_of(
    st.tuples(st.just("conv"), st.tuples(SMALL, SMALL), SMALL, st.just(1), PADDING),
    st.tuples(st.just("conv"), st.tuples(SMALL, SMALL), st.just(1), st.integers(2, 3), PADDING),
    st.tuples(st.just("depthwise"), SMALL, st.integers(1, 2), PADDING),
    st.tuples(st.just("separable"), SMALL, st.integers(1, 2), PADDING),
    st.tuples(st.sampled_from(["max", "average"]), SMALL, SMALL, PADDING),
    st.tuples(st.just("pad"), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("crop"), st.integers(0, 1), st.integers(0, 1)),
    st.tuples(st.just("up"), SMALL, st.sampled_from(["nearest", "bilinear"])),
    st.tuples(st.just("transposed"), SMALL, st.integers(1, 3), PADDING),
    st.tuples(st.sampled_from(["add", "concat"]), SMALL, st.integers(1, 2)),
    st.tuples(st.just("relu")),
    st.tuples(st.just("norm")),
)


def apply(keras, block, x):
    """Return the block's output, or the input itself where the maps are too small or large."""
    layers = keras.layers
    kind, *args = block
    height, width = x.shape[1:3]
    if kind == "conv":
        kernel, stride, dilation, padding = args
        reach = [(n - 1) * dilation + 1 for n in kernel]
        if padding == "valid" and (reach[0] > height or reach[1] > width):
            return x
        return layers.Conv2D(2, kernel, stride, padding, dilation_rate=dilation)(x)
    if kind in ("depthwise", "separable", "max", "average"):
        kernel, stride, padding = args
        if padding == "valid" and kernel > min(height, width):
            return x
        if kind == "depthwise":
            return layers.DepthwiseConv2D(kernel, stride, padding)(x)
        if kind == "separable":
            return layers.SeparableConv2D(2, kernel, stride, padding)(x)
        pool = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
        return pool(kernel, stride, padding)(x)
    if kind == "pad":
        return layers.ZeroPadding2D(((args[0], args[1]), (args[1], 0)))(x)
    if kind == "crop":
        if sum(args) >= min(height, width):
            return x
        return layers.Cropping2D(((args[0], args[1]), (args[1], args[0])))(x)
    if kind in ("up", "transposed") and max(height, width) > 12:
        return x
    if kind == "up":
        return layers.UpSampling2D(args[0], interpolation=args[1])(x)
    if kind == "transposed":
        kernel, stride, padding = args
        return layers.Conv2DTranspose(2, kernel, stride, padding)(x)
    if kind in ("add", "concat"):
        kernel, dilation = args
        other = layers.Conv2D(x.shape[-1], kernel, padding="same", dilation_rate=dilation)(x)
        return layers.Add()([x, other]) if kind == "add" else layers.Concatenate()([x, other])
    if kind == "relu":
        return layers.ReLU()(x)
    return layers.BatchNormalization()(x)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=12, deadline=None)
@example(blocks=[("pad", 0, 1), ("add", 2, 2)], height=5, width=5, seed=0)
@given(
    blocks=st.lists(BLOCKS, min_size=1, max_size=5),
    height=st.integers(5, 11),
    width=st.integers(5, 11),
    seed=st.integers(0, 99),
)
def test_a_box_holds_what_the_unit_sees_and_nothing_else(family, blocks, height, width, seed):
    keras = keras_of(family)
    picture = x = keras.Input((height, width, 1))
    for block in blocks:
        x = apply(keras, block, x)
    x = keras.layers.ReLU()(x)
    try:
        branches = any(kind in ("add", "concat") for kind, *_ in blocks)
        network = Network(positive(keras.Model(picture, x), seed))
        check(network, units=2, seed=seed, branches=branches)
    except Exception as error:
        # oneDNN has no kernel for some tiny maps.
        if type(error).__name__ not in ("AbortedError", "UnimplementedError"):
            raise
        reject()


# --- single kinds -------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("build", "size", "box"),
    [
        # The lecture's figures: a 3×3 filter; a 3×3 after 2×2 pooling sees 2·3 + 2 = 8 pixels.
        (lambda k: [k.Conv2D(1, 3)], (3, 3), (2, 2, 5, 5)),
        (lambda k: [k.Conv2D(1, 3), k.MaxPooling2D(2), k.Conv2D(1, 3)], (8, 8), (4, 4, 12, 12)),
        (lambda k: [k.Conv2D(1, 5, 2, "same")], (5, 5), (3, 3, 8, 8)),
        (lambda k: [k.Conv2D(1, (1, 7))], (1, 7), (2, 2, 3, 9)),
    ],
)
def test_fields_counted_by_hand(family, build, size, box):
    keras = keras_of(family)
    model = keras.Sequential([keras.Input((16, 16, 1)), *build(keras.layers)])
    network = Network(positive(model, 0))
    assert network.layers[-1].field.size == size
    found = network.box(network.layers[-1], 2, 2, (16, 16))
    assert (found.top, found.left, found.bottom, found.right) == box
    check(network)


@pytest.mark.parametrize("family", FAMILIES)
def test_joining_in_space_counts_as_seeing_everything(family):
    keras = keras_of(family)
    picture = keras.Input((6, 6, 1))
    maps = keras.layers.Conv2D(1, 3, padding="same")(picture)
    side = keras.layers.Concatenate(axis=2)([maps, maps])
    behind = keras.layers.Concatenate(axis=-1)([maps, maps])
    joined = Network(positive(keras.Model(picture, side), 0))
    assert joined.layers[-1].field is None
    box = joined.box(joined.layers[-1], 0, 0, (6, 6))
    assert (box.top, box.left, box.bottom, box.right) == (0, 0, 6, 6)
    check(Network(positive(keras.Model(picture, behind), 0)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gate_computed_from_the_whole_picture_sees_it_all(family):
    keras = keras_of(family)
    picture = keras.Input((6, 6, 1))
    maps = keras.layers.Conv2D(2, 3, padding="same")(picture)
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(maps)
    gate = keras.layers.Conv2D(2, 1)(gate)
    model = keras.Model(picture, keras.layers.Multiply()([maps, gate]))
    check(Network(positive(model, 0)))


@pytest.mark.parametrize("family", FAMILIES)
def test_one_column_is_broadcast_to_all(family):
    keras = keras_of(family)
    picture = keras.Input((5, 5, 1))
    strip = keras.layers.Conv2D(1, (1, 5))(picture)  # 5×1
    model = keras.Model(picture, keras.layers.Add()([keras.layers.ReLU()(picture), strip]))
    network = Network(positive(model, 0))
    check(network)
    assert network.layers[-1].field is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_unit_that_lies_in_the_padding_sees_nothing(family):
    keras = keras_of(family)
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.ZeroPadding2D(2)])
    network = Network(model)
    assert network.box(network.layers[-1], 0, 3, (4, 4)) == type(
        network.box(network.layers[-1], 3, 3, (4, 4))
    )(0, 0, 0, 0)
    check(network)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [(9, 12), (12, 9)])
def test_a_model_of_any_size_is_exact_at_each_size(family, size):
    keras = keras_of(family)
    picture = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(2, 3, 2, "same")(picture)
    x = keras.layers.MaxPooling2D(2, padding="same")(x)
    x = keras.layers.Conv2D(2, 2, 2, "same")(x)
    network = Network(positive(keras.Model(picture, x), 0))
    check(network, size=size)


def test_channels_first():
    keras = keras_of("tf_keras")
    model = keras.Sequential(
        [
            keras.Input((1, 8, 11)),
            keras.layers.MaxPooling2D((2, 1), data_format="channels_first"),
            keras.layers.Conv2D(1, (1, 3), padding="same", data_format="channels_first"),
        ]
    )
    network = Network(positive(model, 0))
    assert network.input.shape == (8, 11, 1)
    for row, column, box in [(1, 5, (2, 4, 4, 7)), (3, 0, (6, 0, 8, 2))]:
        found = network.box(network.layers[-1], row, column, (8, 11))
        assert (found.top, found.left, found.bottom, found.right) == box


def test_a_long_chain_is_quick_to_tell():
    # Dense blocks: every layer after n others; carried back layer by layer it would take minutes.
    keras = keras_of("tf_keras")
    picture = x = keras.Input((32, 32, 2))
    for _ in range(60):
        x = keras.layers.Concatenate()([x, keras.layers.Conv2D(1, 3, padding="same")(x)])
    network = Network(keras.Model(picture, x))
    assert network.layers[-1].field.size == (121, 121)
    assert network.layers[-1].field.stride == (1, 1)
