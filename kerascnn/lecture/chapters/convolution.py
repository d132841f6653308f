"""Convolution: the lecture's picture of 6×6 pixels under its filters (L2; course 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder

#: What the lecture says of its two filters: the maps' numbers, row by row.
SAID_MAP = "3 −1 −3 −1 / −3 1 0 −3 / −3 −3 0 1 / 3 −2 −2 −1"
SAID_STRIDE_2 = (3, -3)
SAID_SECOND = -1
# Volume, filters, and the volume that comes out, as the course has them.
SIZES = (
    ((32, 32, 3), (5, 5, 3, 1), (28, 28, 1)),
    ((32, 32, 3), (5, 5, 3, 6), (28, 28, 6)),
    ((28, 28, 6), (5, 5, 6, 10), (24, 24, 10)),
)


def make(work: ChapterBuilder) -> None:
    """Slide the filters, measure the sizes, turn the kernel."""
    from kerascnn.lecture.experiments.arithmetic import FILTERS, PICTURE

    work.text("picture")
    _maps(work)
    work.play(
        "stepper",
        {
            "picture": [[int(pixel) for pixel in row] for row in PICTURE],
            "filters": FILTERS,
            "strides": [1, 2],
        },
    )
    _patterns(work)
    _strides(work)
    _colour(work)
    _volumes(work)
    _turned(work)


def written(values: Any) -> str:
    """Return a map as the lecture's claim writes it: rows between slashes."""
    rows = (" ".join(f"{number:.0f}" for number in row) for row in values)
    return " / ".join(rows).replace("-", "−")


def _maps(work: ChapterBuilder) -> None:
    from kerascnn.lecture.drawing.boards import Board, draw
    from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture

    pixels, kernels = picture(), filters()
    maps = [correlate(pixels, kernel) for kernel in kernels]
    boards = []
    for number, (kernel, found) in enumerate(zip(kernels, maps, strict=True), start=1):
        boards += [Board(pixels, "6×6"), Board(kernel, f"3×3 ({number})", sign="∗")]
        boards += [Board(found, "4×4", sign="=")]
    arrays = {"picture": pixels, "filters": kernels, "maps": maps}
    work.figure("maps", draw(boards, 3), arrays)
    first, second = maps
    work.claim("first-map", written(first) == SAID_MAP, map=written(first))
    work.claim("second-first", second[0, 0] == SAID_SECOND, value=int(second[0, 0]))
    same = all(
        (found == ours).all() for found, ours in zip(keras_maps(pixels, kernels), maps, strict=True)
    )
    work.claim("keras", same, same={"word": "equal" if same else "different"})
    shape = (*first.shape, len(maps))
    work.claim("as-many-maps", shape == (4, 4, 2), shape=size_text(shape))


def keras_maps(pixels: Any, kernels: Any, stride: int = 1) -> list[Any]:
    """Return what a Conv2D of Keras 2 with these filters gives for one picture.

    Args:
        pixels: H×W or H×W×C.
        kernels: K×h×w or K×h×w×C.
        stride: of the convolution.
    """
    import numpy as np

    from kerascnn.families import keras_of

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


def _patterns(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture

    pixels, kernel = picture(), filters()[0]
    found = correlate(pixels, kernel)
    strong = [(int(row), int(column)) for row, column in np.argwhere(found == found.max())]
    diagonal = [bool(np.trace(pixels[r : r + 3, c : c + 3]) == 3) for r, c in strong]
    work.text("patterns")
    work.claim(
        "one-filter",
        strong == [(0, 0), (3, 0)] and all(diagonal),
        value=float(found.max()),
        places=", ".join(f"({row + 1}, {column + 1})" for row, column in strong),
        ones=sum(diagonal),
    )


def _strides(work: ChapterBuilder) -> None:
    from kerascnn.lecture.drawing.boards import Board, draw
    from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture

    found = correlate(picture(), filters()[0], stride=2)
    work.text("stride")
    boards = [Board(picture(), "6×6"), Board(filters()[0], "3×3", sign="∗")]
    work.figure("stride", draw([*boards, Board(found, "2×2", sign="=")]), {"map": found})
    first = tuple(int(value) for value in found[0])
    work.claim(
        "stride-2", first == SAID_STRIDE_2, values=", ".join(map(str, first)).replace("-", "−")
    )


def _colour(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.lecture.experiments.arithmetic import correlate

    random = np.random.default_rng(0)
    counts, agree = {}, []
    for channels in (1, 3, 100):
        kernel = random.standard_normal((3, 3, channels))
        volume = random.standard_normal((6, 6, channels))
        counts[channels] = int(kernel.size)
        ours, keras = correlate(volume, kernel), keras_maps(volume, kernel[None])[0]
        agree.append(np.allclose(ours, keras, atol=1e-4))
    work.text("colour")
    work.claim(
        "colour",
        counts[3] == 27 and counts[1] == 9 and all(agree),
        grey=counts[1],
        colour=counts[3],
        hundred=counts[100],
    )


def _volumes(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.lecture.experiments.arithmetic import correlate, positions

    random = np.random.default_rng(1)
    volume = random.standard_normal((32, 32, 3))
    kernel, bias = random.standard_normal((5, 5, 3)), 0.5
    one = correlate(volume, kernel, bias=bias)
    # "The transpose is notation": both stretched to vectors, the sum is the same.
    stretched = float(kernel.reshape(-1) @ volume[:5, :5].reshape(-1) + bias)
    work.text("volumes", numbers=int(kernel.size))
    work.claim(
        "dot-product",
        kernel.size == 75 and abs(stretched - one[0, 0]) < 1e-9,
        numbers=int(kernel.size),
        difference=abs(stretched - one[0, 0]),
    )
    rows = []
    for before, filters, says in SIZES:
        made = _volume_after(before, filters)
        by_formula = (positions(before[0], filters[0], 1),) * 2 + (filters[3],)
        shown = size_text(made)
        rows.append((size_text(before), f"{filters[3]} × (5×5×{filters[2]})", shown))
        name = f"volume-{before[0]}-{filters[3]}"
        work.claim(name, made == says == by_formula, shape=shown)
    work.table("volumes", rows)
    work.table("sizes", _size_rows())


def _volume_after(before: tuple[int, ...], filters: tuple[int, ...]) -> tuple[int, ...]:
    import numpy as np

    volume = np.zeros(before)
    kernels = np.zeros((filters[3], *filters[:3]))
    maps = keras_maps(volume, kernels)
    return (*maps[0].shape, len(maps))


def _size_rows() -> list[tuple[Any, ...]]:
    import numpy as np

    from kerascnn.lecture.experiments.arithmetic import positions

    rows = []
    for size, window, stride in (
        (6, 3, 1),
        (6, 3, 2),
        (7, 3, 2),
        (28, 3, 1),
        (32, 5, 1),
        (32, 5, 3),
    ):
        (made,) = keras_maps(np.zeros((size, size)), np.zeros((1, window, window)), stride)
        exact = (size - window) % stride == 0
        rows.append((size, window, stride, positions(size, window, stride), made.shape[0],
                     {"word": "fits" if exact else "rounded"}))  # fmt: skip
    return rows


def _turned(work: ChapterBuilder) -> None:
    import numpy as np
    from scipy.signal import convolve2d, correlate2d

    from kerascnn.lecture.drawing.boards import Board, draw
    from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture

    kernel = filters()[0].copy()
    kernel[0, 2] = 2  # the lecture's own filters are the same when turned by 180°
    ours = correlate(picture(), kernel)
    by_signal = {
        "correlation": correlate2d(picture(), kernel, "valid"),
        "convolution": convolve2d(picture(), kernel, "valid"),
    }
    keras = keras_maps(picture(), kernel[None])[0]
    turned = correlate(picture(), np.rot90(kernel, 2))
    work.text("turned")
    boards = [Board(kernel, "w"), Board(ours, "w"), Board(np.rot90(kernel, 2), "w, 180°")]
    work.figure(
        "turned",
        draw([*boards, Board(turned, "w, 180°")]),
        {"kernel": kernel, "correlation": ours, "convolution": turned},
    )
    is_correlation = bool((keras == by_signal["correlation"]).all() and (keras == ours).all())
    is_convolution = bool((turned == by_signal["convolution"]).all() and (turned != ours).any())
    work.claim("correlation", is_correlation and is_convolution, same=int((keras == ours).sum()))


CHAPTER = Chapter("convolution", 1, make)
