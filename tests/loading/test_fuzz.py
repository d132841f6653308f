"""Damaged files end in a model or in one clear line: no crash, no hang, no giant allocation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import TESTS

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is bounded by way of Linux"
)

FUZZING = TESTS / "helpers" / "fuzzing.py"


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A folder of tiny models: both generations, both formats."""
    folder = tmp_path_factory.mktemp("originals")
    import tf_keras

    kerases = [tf_keras]
    import keras

    if not keras.__version__.startswith("2."):
        kerases.append(keras)
    for k in kerases:
        plain = k.Sequential(
            [k.Input((4, 4, 1)), k.layers.Conv2D(2, 2), k.layers.Flatten(), k.layers.Dense(2)]
        )
        x = k.Input((4, 4, 1))
        y = k.layers.Add()([k.layers.ReLU()(plain.layers[0](x)), k.layers.Conv2D(2, 2)(x)])
        graph = k.Model(x, k.layers.Dense(2, activation="softmax")(k.layers.Flatten()(y)))
        for name, model in (("plain", plain), ("graph", graph)):
            for suffix in (".h5", ".keras"):
                model.save(folder / f"{k.__name__}-{name}{suffix}")
    return folder


def run(folder, first, count, timeout):
    """Load mutations in a process of their own; return its report."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    found = subprocess.run(
        [sys.executable, str(FUZZING), str(folder), str(first), str(count)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
    )
    seed = (folder / "seed").read_text() if (folder / "seed").exists() else "none"
    assert found.returncode == 0, f"crashed at seed {seed}: {found.stderr[-2000:]}"
    return json.loads(found.stdout.strip().splitlines()[-1])


def check(report, count):
    assert report["failures"] == []
    assert sum(report["ends"].values()) == count
    # Were every file refused, or none, nothing would have been tried.
    assert min(report["ends"][end] for end in ("model", "ModelError", "RefusedError")) > count / 50
    seconds, seed = report["slowest"]
    assert seconds < 10, f"seed {seed}"


def test_a_thousand_damaged_files(originals):
    check(run(originals, 0, 1000, 300), 1000)


@pytest.mark.long
def test_twenty_thousand_damaged_files(originals):
    for first in range(10_000, 32_000, 2000):
        check(run(originals, first, 2000, 1200), 2000)
