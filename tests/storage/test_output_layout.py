"""Where results go: the default folder, the user's own, and several plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from kerascnn.storage.output_layout import ResultFiles, result_folders


@pytest.mark.parametrize(
    ("model", "plugins", "out", "folders"),
    [
        ("models/cnn.h5", ["saliency"], None, ["kerascnn-out/cnn/saliency"]),
        ("cnn.h5", ["a", "b"], None, ["kerascnn-out/cnn/a", "kerascnn-out/cnn/b"]),
        ("builtin:vgg16", ["filters"], None, ["kerascnn-out/vgg16/filters"]),
        ("saved_model/", ["a"], None, ["kerascnn-out/saved_model/a"]),
        ("..", ["a"], None, ["kerascnn-out/model/a"]),
        ("cnn.h5", ["a"], "mine", ["mine"]),
        ("cnn.h5", ["a", "b"], "mine", ["mine/a", "mine/b"]),
    ],
)
def test_where_results_go(model, plugins, out, folders):
    found = result_folders(model, plugins, None if out is None else Path(out))
    assert found == [Path(folder) for folder in folders]


def test_the_files_of_a_result():
    files = ResultFiles(Path("folder"), "filters")
    assert files.named("png") == Path("folder/filters.png")
    assert files.manifest == Path("folder/manifest.json")
    assert files.checkpoint == Path("folder/filters.part.npz")
