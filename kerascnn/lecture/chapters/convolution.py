"""Convolution: the lecture's picture of 6×6 pixels under its filters (L2; course 5.2)."""

from __future__ import annotations

import numpy as np

from kerascnn.families import keras_of
from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.drawing.boards import Board, draw
from kerascnn.lecture.experiments import arithmetic
from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture, positions, written
from kerascnn.lecture.experiments.task import Array
from kerascnn.sizes import size_text

#: What the lecture says of its two filters: the maps' numbers, row by row.
SAID_MAP = "3 −1 −3 −1 / −3 1 0 −3 / −3 −3 0 1 / 3 −2 −2 −1"
SAID_MAPS = (4, 4, 2)
SAID_STRIDE_2 = [3, -3]
SAID_SECOND = -1
# Volume, filters, and the volume that comes out, as the course has them.
SIZES = (
    ((32, 32, 3), (5, 5, 3, 1), (28, 28, 1)),
    ((32, 32, 3), (5, 5, 3, 6), (28, 28, 6)),
    ((28, 28, 6), (5, 5, 6, 10), (24, 24, 10)),
)
# Picture, window and stride, to compare with the formula.
_SLIDES = ((6, 3, 1), (6, 3, 2), (7, 3, 2), (28, 3, 1), (32, 5, 1), (32, 5, 3))


def make(chapter: ChapterBuilder) -> None:
    """Slide the filters, measure the sizes, turn the kernel."""
    chapter.text("picture")
    _maps(chapter)
    pixels = [[int(pixel) for pixel in row] for row in arithmetic.PICTURE]
    chapter.play("stepper", {"picture": pixels, "filters": arithmetic.FILTERS, "strides": [1, 2]})
    _patterns(chapter)
    _strides(chapter)
    _colour(chapter)
    _volumes(chapter)
    _turned(chapter)


def _maps(chapter: ChapterBuilder) -> None:
    pixels, kernels = picture(), filters()
    maps = [correlate(pixels, kernel) for kernel in kernels]
    boards = []
    for number, (kernel, found) in enumerate(zip(kernels, maps, strict=True), start=1):
        boards += [Board(pixels, "6×6"), Board(kernel, f"3×3 ({number})", sign="∗")]
        boards += [Board(found, "4×4", sign="=")]
    arrays = {"picture": pixels, "filters": kernels, "maps": maps}
    chapter.figure("maps", draw(boards, 3), arrays)
    first, second = maps
    chapter.claim("first-map", written(first) == SAID_MAP, said=SAID_MAP, map=written(first))
    value = int(second[0, 0])
    chapter.claim("second-first", value == SAID_SECOND, said=SAID_SECOND, value=value)
    same = np.array_equal(keras_maps(pixels, kernels), maps)
    chapter.claim("keras", same, same={"word": "equal" if same else "different"})
    shape = (*first.shape, len(maps))
    said = size_text(SAID_MAPS)
    chapter.claim("as-many-maps", shape == SAID_MAPS, said=said, shape=size_text(shape))


def keras_maps(pixels: Array, kernels: Array, stride: int = 1) -> list[Array]:
    """Return what a Conv2D of Keras 2 with these filters gives for one picture.

    Args:
        pixels: H×W or H×W×C.
        kernels: K×h×w or K×h×w×C.
        stride: of the convolution.
    """
    layers = keras_of("keras2").layers
    volume = pixels.reshape(1, *pixels.shape[:2], -1)
    weights = kernels.reshape(*kernels.shape[:3], -1).transpose(1, 2, 3, 0)
    layer = layers.Conv2D(
        len(kernels), kernels.shape[1:3], stride, use_bias=False, data_format="channels_last"
    )
    layer.build(volume.shape)
    layer.set_weights([weights])
    found = np.asarray(layer(volume.astype("float32")))[0]
    return [found[..., index] for index in range(len(kernels))]


def _patterns(chapter: ChapterBuilder) -> None:
    pixels, kernel = picture(), filters()[0]
    found = correlate(pixels, kernel)
    strong = [(int(row), int(column)) for row, column in np.argwhere(found == found.max())]
    diagonal = [bool(np.trace(pixels[r : r + 3, c : c + 3]) == 3) for r, c in strong]
    chapter.text("patterns")
    chapter.claim(
        "one-filter",
        strong == [(0, 0), (3, 0)] and all(diagonal),
        value=float(found.max()),
        places=[f"({row + 1}, {column + 1})" for row, column in strong],
        ones=sum(diagonal),
    )


def _strides(chapter: ChapterBuilder) -> None:
    found = correlate(picture(), filters()[0], stride=2)
    chapter.text("stride")
    boards = [Board(picture(), "6×6"), Board(filters()[0], "3×3", sign="∗")]
    chapter.figure("stride", draw([*boards, Board(found, "2×2", sign="=")]), {"map": found})
    first = [int(value) for value in found[0]]
    chapter.claim("stride-2", first == SAID_STRIDE_2, said=SAID_STRIDE_2, values=first)


def _colour(chapter: ChapterBuilder) -> None:
    random = np.random.default_rng(0)
    counts, agree = {}, []
    for channels in (1, 3, 100):
        kernel = random.standard_normal((3, 3, channels))
        volume = random.standard_normal((6, 6, channels))
        counts[channels] = int(kernel.size)
        ours, keras = correlate(volume, kernel), keras_maps(volume, kernel[None])[0]
        agree.append(np.allclose(ours, keras, atol=1e-4))
    chapter.text("colour")
    chapter.claim(
        "colour",
        counts[3] == 27 and counts[1] == 9 and all(agree),
        grey=counts[1],
        colour=counts[3],
        hundred=counts[100],
    )


def _volumes(chapter: ChapterBuilder) -> None:
    random = np.random.default_rng(1)
    volume = random.standard_normal((32, 32, 3))
    kernel, bias = random.standard_normal((5, 5, 3)), 0.5
    one = correlate(volume, kernel, bias=bias)
    # "The transpose is notation": both stretched to vectors, the sum is the same.
    stretched = float(kernel.reshape(-1) @ volume[:5, :5].reshape(-1) + bias)
    difference = abs(stretched - one[0, 0])
    numbers = int(kernel.size)
    chapter.text("volumes", numbers=numbers)
    same = numbers == 75 and difference < 1e-9
    chapter.claim("dot-product", same, numbers=numbers, difference=difference)
    rows = []
    for before, kernels, says in SIZES:
        made = volume_after(before, kernels)
        by_formula = (positions(before[0], kernels[0], 1),) * 2 + (kernels[3],)
        shown = size_text(made)
        rows.append((size_text(before), f"{kernels[3]} × (5×5×{kernels[2]})", shown))
        holds = made == says == by_formula
        name = f"volume-{before[0]}-{kernels[3]}"
        chapter.claim(name, holds, said=size_text(says), shape=shown)
    chapter.table("volumes", rows)
    chapter.table("sizes", [_size_row(*slide) for slide in _SLIDES])


def volume_after(before: tuple[int, ...], kernels: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of what Keras makes of a volume: H×W×K.

    Args:
        before: H×W×C.
        kernels: h×w×C×K.
    """
    maps = keras_maps(np.zeros(before), np.zeros((kernels[3], *kernels[:3])))
    return (*maps[0].shape, len(maps))


def _size_row(size: int, window: int, stride: int) -> tuple[object, ...]:
    (made,) = keras_maps(np.zeros((size, size)), np.zeros((1, window, window)), stride)
    word = "fits" if (size - window) % stride == 0 else "rounded"
    by_formula = positions(size, window, stride)
    return (size, window, stride, by_formula, made.shape[0], {"word": word})


def _turned(chapter: ChapterBuilder) -> None:
    from scipy.signal import convolve2d, correlate2d

    kernel = filters()[0].copy()
    kernel[0, 2] = 2  # the lecture's own filters are the same when turned by 180°
    ours = correlate(picture(), kernel)
    correlation = correlate2d(picture(), kernel, "valid")
    convolution = convolve2d(picture(), kernel, "valid")
    keras = keras_maps(picture(), kernel[None])[0]
    turned = correlate(picture(), np.rot90(kernel, 2))
    chapter.text("turned")
    boards = [Board(kernel, "w"), Board(ours, "w"), Board(np.rot90(kernel, 2), "w, 180°")]
    chapter.figure(
        "turned",
        draw([*boards, Board(turned, "w, 180°")]),
        {"kernel": kernel, "correlation": ours, "convolution": turned},
    )
    is_correlation = bool((keras == correlation).all() and (keras == ours).all())
    is_convolution = bool((turned == convolution).all() and (turned != ours).any())
    same = int((keras == ours).sum())
    chapter.claim("correlation", is_correlation and is_convolution, same=same)


CHAPTER = Chapter("convolution", 1, make)
