"""float32 and bfloat16: which one is chosen, that it takes effect, and that it is undone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kerascnn import Network
from kerascnn.errors import UsageError
from kerascnn.network import precision

PLAIN = "TensorFlow here computes in float32 all the same"


@pytest.fixture(scope="module")
def network(lecture_models):
    return Network.load(lecture_models["cnn"])


def test_float32_is_the_default_without_a_reason(network):
    assert network.precision == precision.Precision("float32", "", None)


def test_bfloat16_is_near_float32_and_ends_with_its_block(network):
    images = np.random.default_rng(1).random((4, 28, 28, 1)).astype(np.float32)
    before = network.gradients(images, 3)
    with precision.computing_in("bfloat16"):
        rounded = network.gradients(images, 3)
    after = network.gradients(images, 3)
    assert np.array_equal(before, after)
    if precision.choose("bfloat16", network.scores, network.input.probe).why == PLAIN:
        assert np.array_equal(before, rounded)
        return
    assert not np.array_equal(before, rounded)
    cosine = (before * rounded).sum() / np.linalg.norm(before) / np.linalg.norm(rounded)
    assert cosine > 0.95  # of a network untrained, where maxima of a pooling change places


def test_the_setting_is_undone_when_the_block_fails(network):
    images = np.random.default_rng(1).random((2, 28, 28, 1)).astype(np.float32)
    before = network.scores(images)
    with pytest.raises(ZeroDivisionError), precision.computing_in("bfloat16"):
        network.scores(images)
        raise ZeroDivisionError
    assert np.array_equal(before, network.scores(images))


def test_bfloat16_is_taken_where_it_is_wanted(network, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)
    found = precision.choose("bfloat16", network.scores, network.input.probe)
    assert found.why == PLAIN or ("slow here" in found.why and found.name == "bfloat16")
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    found = precision.choose("bfloat16", network.scores, network.input.probe)
    assert "slow" not in found.why
    assert found.difference < 0.02


def test_auto_depends_on_the_processor_first_and_on_the_network_then(network, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)
    assert precision.choose("auto", network.scores, network.input.probe).name == "float32"
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    found = precision.choose("auto", network.scores, network.input.probe)
    assert found.name == "bfloat16" or found.why == PLAIN


def test_auto_stays_with_float32_where_scores_would_differ_much(network, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    exact = np.array([[2.0, -1.0]])
    for off, name in ((0.1, "float32"), (0.01, "bfloat16")):
        answers = iter([exact, exact + off])
        found = precision.choose("auto", lambda _, a=answers: next(a), network.input.probe)
        assert found.name == name
        assert "differ from float32 by" in found.why
        assert found.difference == pytest.approx(off / 2)


def test_an_unknown_precision_is_an_error_before_anything_is_loaded(command, tmp_path):
    with pytest.raises(UsageError, match="float32, bfloat16 or auto"):
        precision.check_precision("bfloat61")
    done = command(*("visualize", "--plugin", "filters", tmp_path / "no.h5", "--precision", "half"))
    assert done.returncode == 2
    assert done.stderr.startswith("kerascnn: error: the precision must be float32, bfloat16 or")
    assert done.stderr.count("\n") == 1


def test_the_manifest_says_what_was_computed_in(command, lecture_models, tmp_path):
    model = lecture_models["cnn"]
    done = command(
        *("visualize", "--plugin", "saliency", model, "--precision", "bfloat16"),
        *("--out", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out" / "manifest.json").read_text())["precision"]
    assert f"computing in {record['name']}: {record['why']}" in done.stderr
    assert 0 <= record["difference"] < 0.02


def test_the_processor_is_known_by_its_flags(monkeypatch, tmp_path):
    monkeypatch.setattr(precision.platform, "system", lambda: "Darwin")
    assert not precision.has_bfloat16()
    monkeypatch.setattr(precision.platform, "system", lambda: "Linux")
    for flags, able in (("fpu avx512_bf16 x", True), ("fpu avx2", False), ("amx_bf16", True)):
        path = tmp_path / "cpuinfo"
        path.write_text(f"processor : 0\nflags\t\t: {flags}\n")
        monkeypatch.setattr(precision, "Path", lambda _, path=path: path)
        assert precision.has_bfloat16() is able
