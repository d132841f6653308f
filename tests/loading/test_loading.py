"""Every honest model, in every format, by the Keras that wrote it; and clear lines for the rest."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import textwrap
import types
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerascnn.images
import kerascnn.loading
from helpers import honest_models
from kerascnn import families
from kerascnn.errors import KerascnnError, ModelError, RefusedError, UsageError
from kerascnn.loading import bounds, builtin, digest, private_file, sniffing
from kerascnn.loading.formats.format import Format, Sniffed
from kerascnn.loading.loader import load_model
from kerascnn.loading.sniffing import format_of, sniff

SMALL = sorted(set(honest_models.HONEST) - honest_models.LARGE)


@pytest.fixture(autouse=True)
def clean_up(tmp_path_factory, monkeypatch):
    """Nothing may be left in the temporary folder."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    # TensorFlow leaves pieces of its own there.
    assert not list(folder.glob("kerascnn*"))


@pytest.fixture(scope="module", params=["keras2", "keras3"])
def k(request):
    """Each Keras in turn; all tests of one come together."""
    if request.param == "keras2":
        import tf_keras

        return tf_keras
    import keras

    if keras.__version__.startswith("2."):
        pytest.skip("the installed keras is Keras 2")
    return keras


@pytest.fixture(scope="module")
def small(k):
    """A model, inputs for it and its outputs."""
    model = honest_models.HONEST["nested"](k)
    inputs = honest_models.pictures(model)
    return model, inputs, honest_models.outputs(model, inputs)


def family(k):
    return "keras2" if k.__name__ == "tf_keras" else "keras3"


def same(loaded, inputs, expected):
    found = honest_models.outputs(loaded.model, inputs)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        scale = max(1.0, float(np.abs(theirs).max()))
        assert np.abs(ours - theirs).max() <= 1e-5 * scale


def check(k, name, tmp_path):
    model = honest_models.HONEST[name](k)
    inputs = honest_models.pictures(model)
    expected = honest_models.outputs(model, inputs)
    for suffix, form in ((".h5", "HDF5"), (".keras", "Keras archive")):
        path = tmp_path / f"model{suffix}"
        model.save(path)
        hopeless = name in honest_models.NOT_IN_HDF5_OF_KERAS3 and family(k) == "keras3"
        if hopeless and suffix == ".h5":
            # Keras' own limit, in one line.
            with pytest.raises(ModelError, match=r"save the model as \.keras|can't load it"):
                load_model(path)
            continue
        loaded = load_model(path)
        assert (loaded.format, loaded.family) == (form, family(k))
        assert loaded.keras_version == k.__version__
        assert loaded.path == str(path)
        assert not loaded.trusted
        assert not loaded.findings
        assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        same(loaded, inputs, expected)


@pytest.mark.parametrize("name", SMALL)
def test_honest_models(k, name, tmp_path):
    check(k, name, tmp_path)


def test_there_are_enough_honest_models():
    assert len(SMALL) >= 40


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(honest_models.LARGE))
def test_large_honest_models(k, name, tmp_path):
    check(k, name, tmp_path)


# --- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize(
    "wrong", ["model", "model.h5", "model.keras", "model.weights.h5", "a b.zip"]
)
def test_the_name_does_not_matter(small, suffix, wrong, tmp_path):
    model, inputs, expected = small
    path = tmp_path / f"right{suffix}"
    model.save(path)
    path = path.rename(tmp_path / wrong)
    before = sorted(tmp_path.iterdir())
    same(load_model(path), inputs, expected)
    assert sorted(tmp_path.iterdir()) == before


def test_architecture_and_weights(k, small, tmp_path):
    model, inputs, expected = small
    text = tmp_path / "model.json"
    text.write_text(model.to_json())
    saved = tmp_path / "whole"
    model.save(tmp_path / "whole.h5")
    (tmp_path / "whole.h5").rename(saved)
    kinds = {"model.weights.h5": "new", "whole": "legacy", "whole.keras": "archive"}
    model.save_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "whole.keras")
    if family(k) == "keras2":
        model.save_weights(tmp_path / "legacy.h5")
        kinds["legacy.h5"] = "legacy alone"
    for name in kinds:
        loaded = load_model(text, weights=tmp_path / name)
        assert loaded.format == "architecture JSON + weights"
        assert loaded.family == family(k)
        same(loaded, inputs, expected)


def test_the_architecture_needs_weights_that_fit(k, small, tmp_path):
    text = tmp_path / "model.json"
    text.write_text(small[0].to_json())
    with pytest.raises(ModelError, match="--weights FILE"):
        load_model(text)
    other = honest_models.HONEST["dense_alone"](k)
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(KerascnnError) as caught:
        load_model(text, weights=tmp_path / "other.weights.h5")
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="no such file"):
        load_model(text, weights=tmp_path / "none.h5")
    with pytest.raises(ModelError, match="holds no weights"):
        load_model(text, weights=text)


MODULE = """
import {keras} as k

def build():
    base = k.Sequential([k.Input((12, 12, 3)), k.layers.Conv2D(4, 3, activation="relu")])
    x = k.Input((12, 12, 3))
    y = k.layers.GlobalAveragePooling2D()(base(x))
    return k.Model(x, k.layers.Dense(3, activation="softmax")(y))

def other():
    return k.Sequential([k.Input((4,)), k.layers.Dense(2)])

def fails():
    raise ValueError("no luck")

def nothing():
    return "a text"

number = 3
"""


@pytest.fixture
def rebuilding(k, tmp_path, monkeypatch):
    name = f"rebuilding_{k.__name__}"
    (tmp_path / f"{name}.py").write_text(MODULE.format(keras=k.__name__))
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


def test_weights_and_architecture(k, small, tmp_path, rebuilding):
    model, inputs, expected = small
    model.save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "a.weights.h5").rename(tmp_path / "new")
    model.save(tmp_path / "whole.h5")
    model.save(tmp_path / "whole.keras")
    names = ["new", "whole.h5", "whole.keras"]
    if family(k) == "keras2":
        model.save_weights(tmp_path / "legacy.h5")
        names.append("legacy.h5")
    path = list(sys.path)
    for name in names:
        loaded = load_model(name, architecture=f"{rebuilding}:build")
        assert loaded.format == "weights + architecture"
        assert loaded.family == family(k)
        same(loaded, inputs, expected)
    assert sys.path == path
    with pytest.raises(ModelError, match="--architecture"):
        load_model("new")
    with pytest.raises(ModelError, match="don't fit"):
        load_model("new", architecture=f"{rebuilding}:other")


@pytest.mark.parametrize(
    ("architecture", "kind", "text"),
    [
        ("{name}", UsageError, "package.module:function"),
        (":build", UsageError, "package.module:function"),
        ("a b:build", UsageError, "package.module:function"),
        ("no_such_module_here:build", UsageError, "no module no_such_module_here"),
        ("{name}:biuld", UsageError, "did you mean build"),
        ("{name}:number", UsageError, "no function number"),
        ("{name}:fails", ModelError, "no luck"),
        ("{name}:nothing", ModelError, "returned str"),
    ],
)
def test_architectures_that_are_none(small, tmp_path, rebuilding, architecture, kind, text):
    small[0].save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(kind) as caught:
        load_model("a.weights.h5", architecture=architecture.format(name=rebuilding))
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_that_fails_says_so(small, tmp_path, monkeypatch):
    small[0].save_weights(tmp_path / "a.weights.h5")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "needs_more.py").write_text("import no_such_package_at_all\n")
    with pytest.raises(ModelError, match="no_such_package_at_all"):
        load_model("a.weights.h5", architecture="needs_more:build")


def test_saved_models_need_trust(small, k, tmp_path):
    model, inputs, expected = small
    folder = tmp_path / "saved"
    if family(k) == "keras2":
        model.save(folder)
    else:
        model.export(folder, verbose=False)
    with pytest.raises(RefusedError, match="TensorFlow graphs"):
        load_model(folder)
    loaded = load_model(folder, trust=True)
    assert loaded.trusted
    assert loaded.format == "SavedModel"
    assert loaded.family == "keras2"
    assert len(loaded.sha256) == 64
    same(loaded, inputs, expected)
    assert bool(loaded.warnings) == (family(k) == "keras3")
    import tensorflow as tf

    with tf.GradientTape() as tape:
        picture = tf.constant(inputs[0])
        tape.watch(picture)
        score = loaded.model(picture)[:, 0]
    assert np.abs(tape.gradient(score, picture)).max() > 0


def test_saved_models_of_several_tensors(k, tmp_path):
    if family(k) == "keras2":
        pytest.skip("Keras 2 keeps its layers in a SavedModel")
    a, b = k.Input((3,), name="a"), k.Input((2,), name="b")
    both = k.layers.Concatenate()([a, b])
    model = k.Model([a, b], [k.layers.Dense(2)(both), k.layers.Dense(4)(both)])
    model.export(tmp_path / "saved", verbose=False)
    loaded = load_model(tmp_path / "saved", trust=True)
    inputs = honest_models.pictures(model)
    same(loaded, inputs, honest_models.outputs(model, inputs))


def test_saved_models_without_an_entry(tmp_path):
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), str(tmp_path / "saved"))
    with pytest.raises(ModelError, match="no entry"):
        load_model(tmp_path / "saved", trust=True)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"junk")
    with pytest.raises(ModelError, match="TensorFlow can't load it"):
        load_model(tmp_path / "broken", trust=True)


def test_arguments_that_do_not_belong_together(small, tmp_path):
    path = tmp_path / "model.keras"
    small[0].save(path)
    with pytest.raises(UsageError, match="whole model"):
        load_model(path, weights=path)
    with pytest.raises(UsageError, match="or architecture"):
        load_model(path, weights=path, architecture="a:b")
    with pytest.raises(UsageError, match="neither"):
        load_model("builtin:vgg16", weights=path)
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(UsageError, match="SavedModel"):
        load_model(tmp_path, weights=path)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_lambdas_need_trust(k, suffix, tmp_path):
    model = k.Sequential([k.Input((3,)), k.layers.Lambda(lambda x: 2 * x), k.layers.Dense(2)])
    path = tmp_path / f"model{suffix}"
    model.save(path)
    with pytest.raises(RefusedError, match="a Lambda layer, which runs Python code"):
        load_model(path)
    loaded = load_model(path, trust=True)
    assert loaded.trusted
    assert ["Lambda" in finding for finding in loaded.findings] == [True]
    inputs = [np.ones((1, 3), "float32")]
    same(loaded, inputs, honest_models.outputs(model, inputs))
    # The weights alone may be had without trust, the architecture not.
    model.save_weights(tmp_path / "a.weights.h5")
    assert not sniffed_findings(tmp_path / "a.weights.h5")
    (tmp_path / "a.json").write_text(model.to_json())
    more = {"weights": tmp_path / "a.weights.h5"}
    with pytest.raises(RefusedError, match="a Lambda layer, which runs Python code"):
        load_model(tmp_path / "a.json", **more)
    loaded = load_model(tmp_path / "a.json", **more, trust=True)
    assert loaded.trusted
    same(loaded, inputs, honest_models.outputs(model, inputs))


def sniffed_findings(path):
    with path.open("rb") as stream:
        return format_of(stream).scan(stream).findings


def saved_as(k, model, form, folder, monkeypatch):
    """Save a model in a format; return its path and what loading it takes."""
    path = folder / form
    if form == "model.json":
        path.write_text(model.to_json())
        model.save_weights(folder / "of.weights.h5")
        return path, {"weights": folder / "of.weights.h5"}
    if form == "model.weights.h5":
        model.save_weights(path)
        rebuilt = types.ModuleType("honest_rebuilt")
        rebuilt.build = lambda: model.__class__.from_config(model.get_config())
        monkeypatch.setitem(sys.modules, "honest_rebuilt", rebuilt)
        return path, {"architecture": "honest_rebuilt:build"}
    if form == "saved" and family(k) == "keras3":
        model.export(path, verbose=False)
    else:
        model.save(path)
    return path, {"trust": form == "saved"}


@pytest.mark.long
@pytest.mark.parametrize("form", ["model.json", "model.weights.h5", "saved"])
@pytest.mark.parametrize("name", ["nested_twice", "arithmetic", "shared_layer", "two_outputs"])
def test_kinds_of_models_in_other_formats(k, name, form, tmp_path, monkeypatch):
    model = honest_models.HONEST[name](k)
    inputs = honest_models.pictures(model)
    path, more = saved_as(k, model, form, tmp_path, monkeypatch)
    same(load_model(path, **more), inputs, honest_models.outputs(model, inputs))


# --- layers of one's own -------------------------------------------------------------------------


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_layers_of_ones_own(k, registered, suffix, tmp_path):
    class Doubling(k.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, inputs):
            return 2 * self.scale * inputs

    if registered:
        register = k.saving.register_keras_serializable(package="mine")
        registry = k.saving.get_custom_objects()
        Doubling = register(Doubling)
    model = k.Sequential([k.Input((3,)), Doubling(name="two"), k.layers.Dense(2)])
    path = tmp_path / f"model{suffix}"
    model.save(path)
    if registered:
        registry.pop("mine>Doubling")
    with pytest.raises(RefusedError) as caught:
        load_model(path)
    line = str(caught.value)
    assert "Doubling'" in line
    assert "kerascnn_custom_objects" in line
    loaded = load_model(path, custom_objects={"Doubling": Doubling, "Unused": Doubling})
    inputs = [np.ones((1, 3), "float32")]
    same(loaded, inputs, honest_models.outputs(model, inputs))
    assert not loaded.trusted


def test_functions_of_ones_own(k, tmp_path):
    def wobble(x):
        return x * x

    model = k.Sequential([k.Input((3,)), k.layers.Dense(2, activation=wobble)])
    path = tmp_path / "model.keras"  # Keras 2 can't read it back from HDF5
    model.save(path)
    with pytest.raises(RefusedError, match="'wobble'"):
        load_model(path)
    loaded = load_model(path, custom_objects={"wobble": wobble})
    inputs = [np.ones((1, 3), "float32")]
    same(loaded, inputs, honest_models.outputs(model, inputs))


def test_losses_of_ones_own_do_not_matter(k, tmp_path):
    def dice(a, b):
        return abs(a - b)

    model = k.Sequential([k.Input((3,)), k.layers.Dense(2)])
    model.compile("adam", loss=dice, metrics=[dice])
    for name in ("model.h5", "model.keras"):
        model.save(tmp_path / name)
        loaded = load_model(tmp_path / name)
        assert not loaded.trusted
        inputs = [np.ones((1, 3), "float32")]
        same(loaded, inputs, honest_models.outputs(model, inputs))


# --- what is no model --------------------------------------------------------------------------


def written(path, data):
    path.write_bytes(data)
    return path


PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty"),
        (b"hello, world", "not a saved Keras model"),
        (PNG, "PNG picture"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x80\x04\x95x", "pickle"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"\x89HDF\r\n\x1a\n", "damaged"),
        (b"\x89HDF\r\n\x1a\n" + bytes(2000), "unusual"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (b"{}", "not the architecture"),
        (b"{", "is not"),
        (b'{"class_name": "Sequential"}', "not the architecture"),
        (b'{"a": ' * 100_000, "is not"),
        (b"{" + b" " * (17 << 20), "too large"),
    ],
)
def test_other_files(tmp_path, data, text):
    path = written(tmp_path / "file.h5", data)
    with pytest.raises(ModelError) as caught:
        load_model(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert text in line
    assert line.isprintable()


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path / "none.h5", tmp_path / "file" / "none.h5", "", "\0", "x" * 5000):
        with pytest.raises(ModelError, match=r"no such file|can't be read|without a model"):
            load_model(path)
    with pytest.raises(ModelError, match="without a model"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "metadata.json").write_text("{}")
    with pytest.raises(ModelError, match="unpacked Keras archive"):
        load_model(tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "saved_model.pb").mkdir()
    with pytest.raises(ModelError, match="without a model"):
        load_model(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_and_devices_never_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/stdin"):
        with pytest.raises(ModelError, match=r"pipe or a device|can't be read"):
            load_model(path)
    with pytest.raises(ModelError, match="pipe or a device"):
        sniff(tmp_path / "pipe")


def test_unreadable_files(tmp_path, monkeypatch):
    path = written(tmp_path / "file.h5", b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser reads everything

        def denied(*_args, **_more):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", denied)
    with pytest.raises(ModelError, match="Permission denied"):
        load_model(path)
    monkeypatch.undo()
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_stubs_of_failed_saves(tmp_path):
    with h5py.File(tmp_path / "stub.h5", "w"):
        pass
    with pytest.raises(ModelError, match="save that failed"):
        load_model(tmp_path / "stub.h5")
    with h5py.File(tmp_path / "half.h5", "w") as file:
        file.attrs["keras_version"] = "2.15.0"
    with pytest.raises(ModelError, match="without a Keras model"):
        load_model(tmp_path / "half.h5")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = [1, 2, 3]
    with pytest.raises(ModelError, match="without a Keras model"):
        load_model(tmp_path / "data.h5")


def test_the_oldest_files_of_keras_2(tmp_path):
    """Before 2.2 a Sequential's configuration was the bare list of its layers."""
    import tf_keras

    model = honest_models.HONEST["sequential"](tf_keras)
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = config["config"]["layers"][1:]
        layers[0]["config"]["batch_input_shape"] = [None, 12, 12, 3]
        text = json.dumps({"class_name": "Sequential", "config": layers}).encode()
        file.attrs["model_config"] = np.bytes_(text)
        file.attrs["keras_version"] = np.bytes_(b"2.0.6")
    loaded = load_model(path)
    assert loaded.keras_version == "2.0.6"
    inputs = honest_models.pictures(model)
    same(loaded, inputs, honest_models.outputs(model, inputs))


@pytest.mark.parametrize("version", [None, "1.2.2", "0.3"])
def test_keras_1_is_refused_with_advice(tmp_path, version):
    path = tmp_path / "old.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": []})
        if version:
            file.attrs["keras_version"] = version
    with pytest.raises(ModelError, match=r"Keras 1.*Keras 2\.2"):
        load_model(path)


def test_terminals_are_safe_from_versions(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", json.dumps({"keras_version": "3\x1b[31m" + "x" * 500}))
    version = sniff(path).keras_version
    assert version.isprintable()
    assert len(version) <= 40


# --- sniffing ------------------------------------------------------------------------------------


def test_sniffing_tells_the_formats(k, small, tmp_path):
    model = small[0]
    model.save(tmp_path / "a.h5")
    model.save(tmp_path / "a.keras")
    model.save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "a.json").write_text(model.to_json())
    for name, form in (
        ("a.h5", "HDF5"),
        ("a.keras", "Keras archive"),
        ("a.json", "architecture JSON"),
    ):
        what = sniff(tmp_path / name)
        assert (what.format, what.family) == (form, family(k))
        if name != "a.json" or family(k) == "keras2":
            assert what.keras_version == k.__version__
    weights = sniff(tmp_path / "a.weights.h5")
    assert (weights.format, weights.content) == ("weights (HDF5)", "weights")
    if family(k) == "keras2":
        model.save_weights(tmp_path / "w.h5")
        assert sniff(tmp_path / "w.h5").format == "weights (legacy HDF5)"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.15.0", "keras2"),
        ("2.2.4-tf", "keras2"),
        ("3", "keras3"),
        ("3.0.0", "keras3"),
        ("10.1", "keras3"),
        ("x", "keras2"),
        (None, "keras2"),
    ],
)
def test_families_of_versions(version, expected):
    assert families.family_of_version(version) == expected


def test_sniffing_needs_no_tensorflow(small, tmp_path):
    small[0].save(tmp_path / "a.h5")
    program = f"""
        import sys
        from kerascnn.loading import sniff
        assert sniff({str(tmp_path / "a.h5")!r}).format == "HDF5"
        assert not {{"tensorflow", "keras", "tf_keras"}} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


class Text(Format):
    """A format of one's own: the number of outputs in words."""

    noun, magic = "text", (b"outputs: ",)

    def _sniff(self, stream):
        return Sniffed("text", "model", None, "keras2", "model.json")

    def _look_through(self, stream, report):
        report.values = 2
        if b"Lambda" in stream.read():
            report.find("a Lambda layer", "text")
        return []

    def load(self, keras, path, custom, trusted):
        count = int(Path(path).read_text(encoding="utf-8").split()[1])
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(count)])


def test_a_new_format_is_a_class_and_an_entry(tmp_path, monkeypatch):
    monkeypatch.setattr(sniffing, "FORMATS", (*sniffing.FORMATS, Text()))
    path = written(tmp_path / "any.name", b"outputs: 3")
    loaded = load_model(path)
    assert (loaded.format, loaded.family) == ("text", "keras2")
    assert loaded.model.output_shape == (None, 3)
    with pytest.raises(RefusedError, match="Lambda"):
        load_model(written(path, b"outputs: 3 Lambda"))
    with pytest.raises(ModelError, match=r"any\.name: tf_keras .* can't load it"):
        load_model(written(path, b"outputs: x"))


def test_every_public_name_is_there():
    for package in (kerascnn.loading, kerascnn.images):
        for name in package.__all__:
            assert getattr(package, name).__name__ == name


# --- the Keras that is there ---------------------------------------------------------------------


def test_another_backend_is_one_line(monkeypatch):
    keras = pytest.importorskip("keras", minversion="3")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ModelError, match=r"runs on jax.*KERAS_BACKEND=tensorflow"):
        families.keras_of("keras3", "model.keras")


def test_a_keras_too_old_is_one_line(monkeypatch):
    keras = pytest.importorskip("keras")
    monkeypatch.setattr(keras, "__version__", "2.15.0")
    with pytest.raises(ModelError, match=r"needs Keras 3.*2\.15\.0"):
        families.keras_of("keras3", "model.keras")


def test_no_keras_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    with pytest.raises(ModelError, match="needs tf_keras"):
        families.keras_of("keras2", "model.h5")


def test_what_is_a_model(k):
    model = k.Sequential([k.Input((2,)), k.layers.Dense(1)])
    assert families.family_of_model(model) == family(k)
    assert families.family_of_model(model.layers[0]) is None
    assert families.family_of_model("Model") is None


def test_weights_are_bounded_while_building(k):
    with bounds.weights_bounded(k, 100, "file"):
        k.Sequential([k.Input((9,)), k.layers.Dense(10)])
    with (
        pytest.raises(RefusedError, match=r"file: .* of weights in all"),
        bounds.weights_bounded(k, 98, "file"),
    ):
        k.Sequential([k.Input((9,)), k.layers.Dense(10)])
    # Whatever was raised instead, the reason is told; and the watch ends with the block.
    with pytest.raises(RefusedError, match="wide"), bounds.weights_bounded(k, 98, "file"):
        try:
            k.Sequential([k.Input((9,)), k.layers.Dense(10**11, name="wide")])
        except KerascnnError:
            raise ValueError("something else") from None
    k.Sequential([k.Input((9,)), k.layers.Dense(100)])


def test_feature_maps_are_bounded(k):
    x = k.Input((8, 8, 1))
    inner = k.Model(x, k.layers.UpSampling2D(16, name="large")(x))
    y = k.Input((8, 8, 1))
    model = k.Model(y, k.layers.GlobalMaxPooling2D()(inner(y)))
    bounds.check_feature_maps(model, 128 * 128, "file")
    with pytest.raises(RefusedError, match="file: a feature map of 64 KiB"):
        bounds.check_feature_maps(model, 128 * 128 - 1, "file")


def test_initial_weights_never_show(k, tmp_path):
    """Layers are made with zeros, which the file's weights replace: all of them."""
    model = honest_models.HONEST["batch_normalization"](k)
    model.save(tmp_path / "a.h5")
    model.save(tmp_path / "a.keras")
    for name in ("a.h5", "a.keras"):
        found = load_model(tmp_path / name).model.get_weights()
        for ours, theirs in zip(found, model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


# --- private files ------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_what_is_scanned_is_what_is_loaded(small, tmp_path, monkeypatch, suffix):
    """Another program writes into the file, in place, between scan and load."""
    model, inputs, expected = small
    path = tmp_path / f"model{suffix}"
    model.save(path)
    content = path.read_bytes()
    load = Format.load

    def meddling(*arguments, **more):
        with path.open("r+b") as stream:
            stream.write(b"\0" * len(content))
        return load(*arguments, **more)

    monkeypatch.setattr(Format, "load", meddling)
    loaded = load_model(path)
    assert path.read_bytes() != content
    same(loaded, inputs, expected)
    assert loaded.sha256 == hashlib.sha256(content).hexdigest()


def test_the_copy_is_for_this_user_alone(small, tmp_path):
    path = tmp_path / "model.keras"
    small[0].save(path)
    with private_file.open_private(path) as file:
        assert file.open().read() == path.read_bytes()
        assert file.size == path.stat().st_size
        assert not Path(file.path("model.keras")).stat().st_mode & 0o377
        assert not file.folder.stat().st_mode & 0o077
    assert not file.folder.exists()


def test_a_file_that_changes_while_it_is_copied_is_an_error(small, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    small[0].save(path)
    copy = private_file.shutil.copyfileobj

    def meddling(source, target, *more):
        copy(source, target, *more)
        os.utime(path, (1, 1))

    monkeypatch.setattr(private_file.shutil, "copyfileobj", meddling)
    with pytest.raises(ModelError, match="was changed by another program"):
        load_model(path)


def test_folders_have_one_digest(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"12")
    first = digest.sha256_of_folder(tmp_path)
    (tmp_path / "a" / "x").write_bytes(b"13")
    second = digest.sha256_of_folder(tmp_path)
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    assert len({first, second, digest.sha256_of_folder(tmp_path)}) == 3


# --- built-in networks ---------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch):
    import tf_keras

    def fails(**_more):
        raise Exception(
            "URL fetch failure on https://example.org/models/vgg19_weights.h5: None -- "
            "[Errno -2] Name or service not known"
        )

    monkeypatch.setattr(tf_keras.applications, "VGG19", fails)


@pytest.mark.parametrize("name", ["vgg19", "VGG19", "vgg_19", "VGG-19"])
def test_no_network_is_one_line(no_network, name):
    with pytest.raises(ModelError) as caught:
        load_model(f"builtin:{name}")
    line = str(caught.value)
    assert "https://example.org/models/vgg19_weights.h5 and put it into ~/.keras/models" in line
    assert "\n" not in line


def test_unknown_built_ins_name_the_nearest(no_network):
    with pytest.raises(UsageError, match=r"did you mean .*resnet50"):
        load_model("builtin:resnet-5O")


def test_networks_of_keras_applications(monkeypatch):
    import tf_keras

    build = tf_keras.applications.MobileNetV2

    def untrained(weights):
        assert weights == "imagenet"
        return build((32, 32, 3), alpha=0.35, weights=None, classes=5)

    monkeypatch.setattr(tf_keras.applications, "MobileNetV2", untrained)
    loaded = load_model("builtin:mobilenet_v2")
    assert (loaded.format, loaded.family) == ("keras.applications", "keras2")
    assert loaded.path == "builtin:mobilenet_v2"
    assert loaded.sha256 is None
    assert loaded.keras_version == tf_keras.__version__


def test_packaged_models_come_first(k, monkeypatch):
    model = k.Sequential([k.Input((2,)), k.layers.Dense(1)])
    monkeypatch.setitem(builtin.BUILTINS, "VGG19", lambda: model)
    loaded = load_model("builtin:vgg19")
    assert loaded.model is model
    assert (loaded.format, loaded.family) == ("built-in", family(k))
    assert "VGG19" in builtin.names()
