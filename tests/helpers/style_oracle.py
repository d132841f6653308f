"""The loss of a painting in NumPy and double precision, its slope by hand."""

from __future__ import annotations

import numpy as np
from scipy.linalg import sqrtm


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


def convolved(x, kernel, mode="constant"):
    """Return the convolution of maps h×w×C, as large as they are, as its definition has it."""
    before = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode=mode)
    height, width = x.shape[:2]
    return sum(
        before[i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3)
    )


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
            out = bias + convolved(x, kernel, mode)
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
             tv_weight=0.0):  # fmt: skip
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
        terms.append(0.5 * tv_weight * (np.sum(right**2) + np.sum(below**2)))
        slope = self.backward(tape, slopes)
        slope[:-1, :-1] -= tv_weight * (right + below)
        slope[:-1, 1:] += tv_weight * right
        slope[1:, :-1] += tv_weight * below
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
