"""The loss of a painting and its slope, against formulas in double precision."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.linalg import sqrtm

from kerascnn.style.features import Features, load_kernels
from kerascnn.style.masks import at_layer
from kerascnn.style.objective import Objective, Targets
from kerascnn.style.settings import StyleSettings
from kerascnn.style.statistics import statistic
from kerascnn.style.tiles import cut

RANDOM = np.random.default_rng(3)


def small_kernels(random, filters=(4, 5, 6, 6, 5)):
    """A VGG of a few filters: its formulas can be written down in double precision."""
    found, inputs = {}, 3
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        for number in range(1, count + 1):
            outputs = filters[block - 1]
            kernel = random.normal(0, np.sqrt(2 / (9 * inputs)), (3, 3, inputs, outputs))
            found[f"block{block}_conv{number}"] = (kernel, random.normal(0, 0.1, outputs))
            inputs = outputs
    return found


KERNELS = small_kernels(np.random.default_rng(1))


class Oracle:
    """The same loss in NumPy and double precision, with its slope by hand."""

    def __init__(self, kernels, pooling="average", padding="replicate"):
        self.kernels, self.pooling, self.padding = kernels, pooling, padding

    def forward(self, x):
        """Return layer name → maps h×w×C, and what is needed for the way back."""
        maps, tape, block = {}, [], "block1"
        for position, (name, (kernel, bias)) in enumerate(self.kernels.items()):
            if not name.startswith(block):
                x = self._pool(x, tape)
                block = name.split("_")[0]
            mode = "edge" if position == 0 and self.padding == "replicate" else "constant"
            before = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode=mode)
            height, width = x.shape[:2]
            out = bias + sum(
                before[i : i + height, j : j + width] @ kernel[i, j]
                for i in range(3) for j in range(3)
            )  # fmt: skip
            x = np.maximum(out, 0.0)
            tape.append(("conv", name, kernel, mode, out > 0))
            maps[name] = x
        return maps, tape

    def _pool(self, x, tape):
        rows, columns, channels = x.shape[0] // 2, x.shape[1] // 2, x.shape[2]
        blocks = x[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2, channels)
        if self.pooling == "average":
            tape.append(("pool", x.shape, np.full(blocks.shape, 0.25)))
            return blocks.mean((1, 3))
        best = blocks.max((1, 3), keepdims=True)
        tape.append(("pool", x.shape, (blocks == best).astype(float)))
        return best[:, 0, :, 0]

    def backward(self, tape, slopes):
        """Return the slope by the picture, given that by each layer's maps."""
        back = None
        for what, *record in reversed(tape):
            if what == "pool":
                if back is None:
                    continue
                shape, shares = record
                spread = shares * back[:, None, :, None]
                rows, columns = back.shape[:2]
                back = np.zeros(shape)
                back[: 2 * rows, : 2 * columns] = spread.reshape(2 * rows, 2 * columns, -1)
                continue
            name, kernel, mode, alive = record
            if name in slopes:
                back = slopes[name] if back is None else back + slopes[name]
            if back is None:
                continue
            height, width = alive.shape[:2]
            given = back * alive
            padded = np.zeros((height + 2, width + 2, kernel.shape[2]))
            for i in range(3):
                for j in range(3):
                    padded[i : i + height, j : j + width] += given @ kernel[i, j].T
            if mode == "edge":
                padded[1] += padded[0]
                padded[-2] += padded[-1]
                padded[:, 1] += padded[:, 0]
                padded[:, -2] += padded[:, -1]
            back = padded[1:-1, 1:-1]
        return back

    def loss(self, x, targets, content, style, kind, width_weights=True, masks=None, shares=(1.0,),
             unevenness=0.0):  # fmt: skip
        maps, tape = self.forward(x)
        terms, slopes = [], {}
        for name, weight in content.items():
            apart = maps[name] - targets["content"][name]
            terms.append(weight * np.mean(apart**2))
            slopes[name] = weight * 2 * apart / apart.size
        for name, weight in style.items():
            given = maps[name].reshape(-1, maps[name].shape[-1])
            total, back = 0.0, np.zeros_like(given)
            for region, share in enumerate(shares):
                rows = np.ones(len(given)) if masks is None else masks[name][region].ravel()
                value, slope = DISTANCES[kind](
                    given, rows, targets["style"][name][region], width_weights
                )
                total += weight * share * value
                back += weight * share * slope
            terms.append(total)
            slopes[name] = slopes.get(name, 0.0) + back.reshape(maps[name].shape)
        right, below = x[:-1, 1:] - x[:-1, :-1], x[1:, :-1] - x[:-1, :-1]
        terms.append(0.5 * unevenness * (np.sum(right**2) + np.sum(below**2)))
        slope = self.backward(tape, slopes)
        slope[:-1, :-1] -= unevenness * (right + below)
        slope[:-1, 1:] += unevenness * right
        slope[1:, :-1] += unevenness * below
        return np.array(terms), slope

    def moments(self, x, style, masks=None, regions=1):
        maps, _ = self.forward(x)
        found = {}
        for name in style:
            given = maps[name].reshape(-1, maps[name].shape[-1])
            rows = np.ones((regions, len(given))) if masks is None else masks[name]
            rows = rows.reshape(regions, -1)
            found[name] = [
                (r @ given / r.sum(), (given * r[:, None]).T @ given / r.sum()) for r in rows
            ]
        return found


def gram_distance(given, rows, target, width_weights):
    count, channels = rows.sum(), given.shape[1]
    apart = (given * rows[:, None]).T @ given / count - target[1]
    scale = channels**2 if width_weights else 1.0
    slope = 4 * rows[:, None] * (given @ apart) / (count * channels**2 * scale)
    return np.mean(apart**2) / scale, slope


def spread_distance(given, rows, target, _):
    count, channels, floor = rows.sum(), given.shape[1], 1e-4
    mean = rows @ given / count
    variance = rows @ given**2 / count - mean**2
    spread = np.sqrt(np.maximum(variance, 0) + floor)
    target_variance = np.diag(target[1]) - target[0] ** 2
    target_spread = np.sqrt(np.maximum(target_variance, 0) + floor)
    value = np.mean((mean - target[0]) ** 2 + (spread - target_spread) ** 2)
    by_mean = 2 * (mean - target[0]) / channels
    by_variance = (spread - target_spread) / spread / channels * (variance > 0)
    slope = rows[:, None] / count * (by_mean + by_variance * 2 * (given - mean))
    return value, slope


def normal_distance(given, rows, target, _):
    count, channels = rows.sum(), given.shape[1]
    mean = rows @ given / count
    covariance = (given * rows[:, None]).T @ given / count - np.outer(mean, mean)
    goal = target[1] - np.outer(target[0], target[0])
    root = np.real(sqrtm(goal))
    middle = np.real(sqrtm(root @ covariance @ root))
    value = np.sum((mean - target[0]) ** 2) + np.trace(covariance + goal - 2 * middle)
    by_covariance = np.eye(channels) - root @ np.linalg.inv(middle) @ root
    by_mean = 2 * (mean - target[0])
    slope = rows[:, None] / count * (by_mean + 2 * (given - mean) @ by_covariance)
    return value / channels, slope / channels


DISTANCES = {"gram": gram_distance, "mean-std": spread_distance, "wasserstein": normal_distance}
CONTENT = {"block3_conv1": 0.7, "block4_conv2": 1.3}
STYLE = {"block1_conv1": 0.5, "block2_conv1": 1.0, "block3_conv1": 2.0, "block4_conv1": 0.4}


def picture(height, width, random=RANDOM):
    return random.uniform(-100, 100, (height, width, 3))


@functools.cache
def compiled(kind, pooling, padding, width_weights):
    """Return the loss on the small network, compiled once for all tests."""
    features = Features(KERNELS, pooling=pooling, padding=padding)
    return Objective(features, CONTENT, STYLE, statistic(kind, width_weights=width_weights))


def scene(kind, pooling="average", padding="replicate", width_weights=True, size=(37, 50),
          regions=0, pixels=10**9, unevenness=0.02, given=None, kernels=KERNELS):  # fmt: skip
    """Return ours and the oracle's value of one picture."""
    random = np.random.default_rng(5)
    oracle = Oracle(kernels, pooling, padding)
    objective = given or compiled(kind, pooling, padding, width_weights)
    features = objective.features
    x, content = picture(*size, random), picture(*size, random)
    styles = [picture(41, 33, random) for _ in range(max(1, regions))]
    tiles = cut(size, objective.taps, pixels)
    masks, layer_masks, shares = None, [], np.ones(1)
    if regions:
        soft = random.uniform(0, 1, (regions, *size)).astype(np.float32)
        masks = {name: at_layer(soft, features.tap(name)) for name in objective.style}
        layer_masks = [masks[name] for name in objective.style]
        shares = soft.mean((1, 2))
    means = [
        objective.means_of(style[None].astype(np.float32), [], cut((41, 33), objective.taps, 10**9))
        for style in styles
    ]
    ours = objective.evaluate(
        x[None].astype(np.float32),
        Targets(
            objective.content_of(content[None].astype(np.float32), tiles),
            [
                [np.concatenate(parts) for parts in zip(*layer, strict=True)]
                for layer in zip(*means, strict=True)
            ],
            layer_masks,
            shares.astype(np.float32),
            unevenness,
            tiles,
        ),
    )
    moments = [oracle.moments(style, objective.style) for style in styles]
    targets = {
        "content": oracle.forward(content)[0],
        "style": {name: [found[name][0] for found in moments] for name in objective.style},
    }
    theirs = oracle.loss(
        x,
        targets,
        objective.content,
        objective.style,
        kind,
        width_weights,
        masks,
        tuple(shares),
        unevenness,
    )
    return ours, theirs, tiles


def agree(ours, theirs, tolerance=1e-4):
    terms, slope = theirs
    np.testing.assert_allclose(ours.terms, terms, rtol=tolerance)
    np.testing.assert_allclose(ours.loss, terms.sum(), rtol=tolerance)
    assert np.abs(ours.gradient[0] - slope).max() <= tolerance * np.abs(slope).max()


@pytest.mark.parametrize(
    ("kind", "pooling", "padding"),
    [
        ("gram", "average", "replicate"),
        ("gram", "max", "zero"),
        ("mean-std", "average", "replicate"),
        ("wasserstein", "average", "replicate"),
    ],
)
def test_every_term_and_the_slope_are_those_of_the_formulas(kind, pooling, padding):
    ours, theirs, tiles = scene(kind, pooling, padding)
    assert len(tiles) == 1
    agree(ours, theirs)


def test_layers_may_go_without_weights_by_their_width():
    agree(*scene("gram", width_weights=False)[:2])


@pytest.mark.parametrize("kind", ["gram", "mean-std", "wasserstein"])
def test_regions_are_weighed_by_their_soft_masks(kind):
    agree(*scene(kind, regions=2)[:2])


@pytest.mark.parametrize(("kind", "regions"), [("gram", 0), ("gram", 2), ("wasserstein", 0)])
def test_tiles_give_the_whole_pictures_value_and_slope(kind, regions):
    # Odd sides, so that poolings leave rows and columns out at the end.
    ours, theirs, tiles = scene(kind, size=(139, 155), regions=regions, pixels=140 * 140)
    assert len(tiles) > 1
    agree(ours, theirs)


def test_a_tile_is_never_larger_than_allowed_and_cores_fill_the_picture():
    features = Features(KERNELS, pooling="average", padding="zero")
    taps = [features.tap(name) for name in ("block1_conv1", "block5_conv1")]
    for size in ((300, 500), (497, 331), (256, 1024)):
        tiles = cut(size, taps, 240 * 260)
        seen = np.zeros(size, int)
        for tile in tiles:
            (top, bottom), (left, right) = tile.core
            seen[top:bottom, left:right] += 1
            assert tile.rows[0] % 16 == tile.columns[0] % 16 == 0
        assert (seen == 1).all()


def test_too_little_for_any_tile_is_told():
    from kerascnn import ModelError

    features = Features(KERNELS, pooling="average", padding="zero")
    with pytest.raises(ModelError, match=r"smallest tile.*--memory"):
        cut((500, 500), [features.tap("block5_conv1")], 100 * 100)


def test_a_unit_sees_no_further_than_its_reach():
    """What lies beyond a tile's margin has no influence on what is its own."""
    features = Features(KERNELS, pooling="max", padding="zero")
    tap = features.tap("block5_conv1")
    x = picture(240, 240).astype(np.float32)
    before = np.asarray(features.trace(x[None], [tap.name])[tap.name])
    x[:, : 112 - tap.reach] += 50.0
    x[:, 128 + tap.reach :] -= 50.0
    after = np.asarray(features.trace(x[None], [tap.name])[tap.name])
    np.testing.assert_array_equal(before[:, 7:8, 7], after[:, 7:8, 7])
    assert (before[:, 7, 3] != after[:, 7, 3]).any()


@pytest.fixture(scope="module")
def vgg():
    return load_kernels("vgg16", "embedded")


def test_the_real_network_agrees_too(vgg):
    """VGG16 at 32×48 and the layers of the default, against the same formulas."""
    exact = {name: (np.float64(kernel), np.float64(bias)) for name, (kernel, bias) in vgg.items()}
    chosen = StyleSettings()
    features = Features(vgg, pooling=chosen.pooling, padding=chosen.padding)
    objective = Objective(
        features, chosen.content, chosen.style, statistic("gram", width_weights=True)
    )
    agree(*scene("gram", size=(32, 48), given=objective, kernels=exact)[:2])
