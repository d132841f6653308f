"""The palette: text can be read, and colours with a meaning differ for every kind of sight."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from kerascnn.render.palette import DARK, LIGHT, NEGATIVE, POSITIVE, SERIES, SHEET, series

# Machado, Oliveira and Fernandes 2009, severity 1: what is left of linear RGB.
SIGHTS = {
    "full": np.eye(3),
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
       [0.0193339, 0.1191920, 0.9503041]]  # fmt: skip


def linear(colour):
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2: from 1 to 21."""
    low, high = sorted(float(linear(colour) @ XYZ[1]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(values):
    ratios = (np.asarray(XYZ) @ values) / [0.95047, 1.0, 1.08883]
    roots = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116)
    return np.array([116 * roots[1] - 16, 500 * (roots[0] - roots[1]), 200 * (roots[1] - roots[2])])


def distance(one, other, sight):
    seen = (lab(np.clip(SIGHTS[sight] @ linear(colour), 0, 1)) for colour in (one, other))
    return np.linalg.norm(np.subtract(*seen))


@pytest.mark.parametrize("surface", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "holds", "fails"])
def test_text_can_be_read(surface, name):
    for ground in (surface.paper, surface.pane):
        assert contrast(getattr(surface, name), ground) >= 4.5
    assert contrast(surface.ink, surface.highlight) >= 4.5


def test_the_ink_of_figures_can_be_read():
    assert min(contrast(LIGHT.ink, SHEET), contrast(LIGHT.muted, SHEET)) >= 4.5


@pytest.mark.parametrize("sight", SIGHTS)
def test_opposites_differ_for_every_sight(sight):
    for one, other in ((LIGHT.holds, LIGHT.fails), (DARK.holds, DARK.fails), (POSITIVE, NEGATIVE)):
        assert distance(one, other, sight) > 30


@pytest.mark.parametrize("sight", SIGHTS)
def test_lines_differ_for_every_sight(sight):
    for one, other in itertools.combinations(SERIES, 2):
        assert distance(one, other, sight) > 15
    for colour in SERIES:
        assert contrast(colour, SHEET) > 2


def test_more_lines_than_colours_differ_by_their_dashes():
    assert len({series(number) for number in range(4 * len(SERIES))}) == 4 * len(SERIES)


def test_both_themes_name_the_same():
    assert dataclasses.asdict(LIGHT).keys() == dataclasses.asdict(DARK).keys()
    assert all(
        len(colour) == 7 for colour in dataclasses.astuple(LIGHT) + dataclasses.astuple(DARK)
    )
