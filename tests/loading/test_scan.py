"""Nothing gets in: the corpus of hostile files, the walls one by one, and what is let through."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import struct
import subprocess
import sys
import textwrap
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import hostile_files as hostile
from kerascnn.errors import KerascnnError, ModelError, RefusedError
from kerascnn.loading.loader import load_model
from kerascnn.loading.scan import allowlist, config, limits, strict_json, trees
from kerascnn.loading.scan.hdf5 import Hdf5File
from kerascnn.loading.scan.headers import FileBytes
from kerascnn.loading.scan.objects import Objects
from kerascnn.loading.scan.report import Report
from kerascnn.loading.sniffing import format_of

MODEL2 = hostile.sequential([hostile.keras2_input(), hostile.dense()])
MODEL3 = hostile.sequential([hostile.keras3_input(), hostile.dense("keras.layers")], "keras")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    marker = folder / "marker"
    with pytest.warns(UserWarning, match="Duplicate name"):
        return hostile.corpus(folder / "files", marker), marker


def findings(model, values=10, custom=()):
    report = Report(values=values)
    config.scan_model(model, "model_config", report, custom)
    return report.findings


def training_findings(training):
    report = Report()
    config.scan_training(training, "training_config", report)
    return report.findings


# --- the corpus ------------------------------------------------------------------------------


def test_every_hostile_file_is_refused(corpus):
    files, marker = corpus
    assert len(files) >= 60
    wrong = []
    for file in files:
        try:
            load_model(file.path)
            wrong.append((file.name, "was loaded"))
        except RefusedError as error:
            line = str(error)
            if not line.startswith(f"{file.path}: ") or file.expect not in line or "\n" in line:
                wrong.append((file.name, line))
        except ModelError as error:
            # Sizes are seen when the layers are built; where Keras 3 is not there, none are.
            if "needs Keras 3" not in str(error):
                wrong.append((file.name, repr(error)))
        except Exception as error:
            wrong.append((file.name, repr(error)))
    assert wrong == []
    assert not marker.exists()


def test_the_corpus_covers_both_families_and_formats(corpus):
    names = [file.name for file in corpus[0]]
    for kind in ("keras2_h5", "keras2_archive", "keras3_h5", "keras3_archive"):
        assert sum(name.startswith(kind) for name in names) >= 40


def stock_load(path, k):
    """Load as people do; hostile files may well make Keras fail after their payload has run."""
    try:
        return k.models.load_model(str(path), compile=False)
    except Exception as error:
        return error


@pytest.fixture(scope="module")
def tf_keras():
    import tf_keras

    return tf_keras


@pytest.mark.parametrize(
    "name",
    ["lambda", "nested_lambda", "write_file", "wrapped_lambda"],
)
def test_stock_keras_would_have_run_hdf5(tmp_path, tf_keras, name):
    marker = tmp_path / "marker"
    payloads = {
        kind: hostile.sequential([hostile.keras2_input(), layer, hostile.dense()])
        for kind, _, layer in hostile.layer_payloads(marker)
    }
    payloads |= {kind: model for kind, _, model in hostile.operation_payloads(marker)}
    if name == "wrapped_lambda":
        entry = hostile.keras2_input(batch_input_shape=[None, 3, 4])
        payloads[name]["config"]["layers"][0] = entry
    path = hostile.write_hdf5(tmp_path / "file.h5", payloads[name])
    with pytest.raises(RefusedError):
        load_model(path)
    assert not marker.exists()
    stock_load(path, tf_keras)
    assert marker.exists()


def test_stock_keras_would_have_imported_a_module(tmp_path, tf_keras, monkeypatch):
    marker = tmp_path / "marker"
    module = tmp_path / f"{hostile.EVIL_MODULE}.py"
    module.write_text(f"open({str(marker)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    model = MODEL2 | {"module": hostile.EVIL_MODULE}
    path = hostile.write_archive(tmp_path / "file.keras", model, "2.15.0")
    with pytest.raises(RefusedError, match=hostile.EVIL_MODULE):
        load_model(path)
    assert not marker.exists()
    stock_load(path, tf_keras)
    assert marker.exists()


def test_stock_keras_would_have_read_another_file(tmp_path, tf_keras):
    payloads = {name: fill for name, _, fill in hostile.kernel_payloads(tmp_path)}
    model = tf_keras.models.model_from_json(json.dumps(MODEL2))
    for name in ("external_data", "external_link", "virtual_data"):
        path = hostile.write_hdf5(tmp_path / f"{name}.h5", MODEL2, weights=payloads[name])
        with pytest.raises(RefusedError, match=r"another file|virtual"):
            load_model(path)
        model.set_weights([np.zeros((4, 2)), np.zeros(2)])
        model.load_weights(str(path))
        assert (model.get_weights()[0] == 42).all()


def test_stock_keras_would_have_read_a_vocabulary(tmp_path, tf_keras):
    words = tmp_path / "words.txt"
    words.write_text("secret\nwords\n")
    lookup = {"class_name": "StringLookup", "config": {"name": "v", "vocabulary": str(words)}}
    model = hostile.sequential([lookup])
    with pytest.raises(RefusedError, match="vocabulary"):
        load_model(hostile.write_hdf5(tmp_path / "file.h5", model))
    read = tf_keras.models.model_from_json(json.dumps(model))
    assert "secret" in read.layers[-1].get_vocabulary()


def test_trust_loads_and_says_what_it_found(tmp_path, tf_keras):
    marker = tmp_path / "marker"
    model = hostile.sequential(
        [hostile.keras2_input(), hostile.lambda_layer(marker), hostile.dense()]
    )
    path = hostile.write_hdf5(tmp_path / "file.h5", model)
    loaded = load_model(path, trust=True)
    assert loaded.trusted
    assert "Lambda" in loaded.findings[0]
    assert loaded.sha256
    assert marker.exists()
    assert not load_model(hostile.write_hdf5(path, MODEL2), trust=True).trusted


def test_scanning_needs_no_tensorflow(tmp_path):
    path = hostile.write_hdf5(tmp_path / "file.h5", MODEL2)
    program = f"""
        import sys
        from kerascnn.loading import load_model, sniff
        from kerascnn.loading.sniffing import format_of
        assert sniff({str(path)!r}).content == "model"
        with open({str(path)!r}, "rb") as stream:
            assert not format_of(stream).scan(stream).findings
        assert not {{"tensorflow", "keras", "tf_keras"}} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


# --- configurations --------------------------------------------------------------------------


def paths_of(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_of(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from paths_of(item, (*path, number))


def with_put(value, path, item):
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = item
    return value


def rich_models():
    graph = hostile.graph(hostile.op_layer("math.add", node=["in", 0, 0, {"y": [1.0, 2.0]}]))
    inner = hostile.sequential([hostile.dense(kernel_regularizer="l2")], "keras", "inner")
    inner["build_config"] = {"input_shape": [None, 4]}
    inner["compile_config"] = {"loss": "mse", "optimizer": None}
    shape = {"class_name": "__tuple__", "items": [None, 4]}
    nested = hostile.sequential([hostile.keras2_input(batch_input_shape=shape), inner], "keras")
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 4], "dtype": "float32", "keras_history": ["in", 0, 0]},
    }
    call = {
        "args": [tensor, {"class_name": "__ellipsis__", "config": {}}],
        "kwargs": {"y": {"class_name": "__numpy__", "config": {"value": [1], "dtype": "int8"}}},
    }
    activation = hostile.foreign("builtins", "relu")
    layer = hostile.dense("keras.layers", activation=activation) | {"inbound_nodes": [call]}
    new = hostile.functional([hostile.keras3_input(), layer], "dense", "keras")
    return [graph, nested, new]


@pytest.mark.parametrize("model", rich_models())
@pytest.mark.parametrize("evil", ["Lambda", "TypeSpec", "CompositeTensor"])
def test_an_evil_object_is_found_wherever_it_stands(model, evil):
    assert findings(model) == []
    item = {"class_name": evil, "config": {"name": "x"}, "type_spec": "x", "serialized": []}
    for path in list(paths_of(model))[1:]:
        assert findings(with_put(model, path, item)), path
        if path[-1] not in ("class_name", "module"):
            assert findings(with_put(model, path, [[item]])), path
        assert findings(with_put(model, path, {"more": {"a": item}})), path


def test_an_evil_object_is_found_under_new_keys():
    item = {"class_name": "Lambda", "config": {}}
    for model in rich_models():
        for path in paths_of(model):
            holder = model
            for key in path:
                holder = holder[key]
            if isinstance(holder, dict):
                assert findings(with_put(model, (*path, "more"), item)), path


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.sampled_from(["Dense", "Sequential", "__tuple__", "__slice__", "function", "in"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    sorted(limits.WEIGHT_KEYS | limits.SHAPE_KEYS | allowlist.DTYPE_KEYS)
                    + ["class_name", "config", "module", "registered_name", "items", "layers"] * 3
                    + ["name", "inbound_nodes", "activation", "function", "value"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=25,
    )
)
def test_no_configuration_breaks_the_walk(value):
    for run in (findings, training_findings):
        try:
            assert all(isinstance(finding, str) for finding in run(value))
        except ModelError:
            assert not isinstance(value, dict)


def test_names_of_classes_must_match_to_the_letter():
    for name in ("dense", "Dense ", "DENSE", "keras.layers.Dense", "My>Dense"):
        layer = hostile.dense() | {"class_name": name}
        assert findings(hostile.sequential([hostile.keras2_input(), layer]))


def test_a_class_of_ones_own_is_named_with_what_to_do():
    layer = {"class_name": "Swirl", "config": {"name": "mine"}}
    (finding,) = findings(hostile.sequential([layer]))
    assert "'Swirl'" in finding
    assert "kerascnn_custom_objects" in finding
    assert "model/mine" in finding
    assert findings(hostile.sequential([layer]), custom=["Swirl"]) == []


def test_a_class_of_ones_own_is_never_imported():
    layer = {"class_name": "Swirl", "module": "os", "registered_name": None, "config": {}}
    assert "imported from" in findings(hostile.sequential([layer]), custom=["Swirl"])[0]
    layer["registered_name"] = "mine>Swirl"
    report = Report(values=1)
    config.scan_model(hostile.sequential([layer]), "x", report, ["Swirl"])
    assert report.findings == []
    assert report.aliases == {"Swirl": "Swirl", "mine>Swirl": "Swirl"}


def test_losses_of_ones_own_are_let_through():
    assert training_findings({"loss": "dice", "metrics": [["mine"]]}) == []
    assert training_findings({"loss": hostile.foreign("my_project.losses", "dice")}) == []
    assert training_findings({"loss": hostile.foreign("builtins", "dice")}) == []
    own = {"class_name": "Dice", "module": "my_project", "config": {}}
    assert training_findings({"loss": own}) == []


def test_infinity_is_a_number_and_nan_is_none():
    for text, count in (("Infinity", 0), ("-Infinity", 0), ("NaN", 1)):
        report = Report()
        strict_json.parse(f'{{"x": {text}}}', "x", report)
        assert len(report.findings) == count


@pytest.mark.parametrize("text", ["", "{", "[1,]", '{"a": 1' + "0" * 5000 + "}", "\ud800"])
def test_damaged_json_is_an_error(text):
    with pytest.raises(ModelError, match="damaged"):
        strict_json.parse(text, "config.json", Report())


def test_huge_configurations_are_refused():
    report = Report()
    strict_json.parse(" " * (limits.MAX_CONFIG_BYTES + 1), "x", report)
    assert report.findings
    many = hostile.dense(data=[0] * (limits.MAX_CONFIG_NODES + 1), more=[[0]])
    assert "million" in findings(hostile.sequential([many]))[0]
    crowd = [hostile.dense()] * (limits.MAX_CONFIG_OBJECTS + 1)
    assert "objects" in findings(hostile.sequential(crowd))[0]


def test_terminals_are_safe_from_names():
    layer = {"class_name": "Lambda\x1b[31m", "config": {"name": "a\x1b]0;b\x07\n\u202ec"}}
    (finding,) = findings(hostile.sequential([layer]))
    assert finding.isprintable()


# --- the lists ---------------------------------------------------------------------------------


def test_what_is_refused_is_not_allowed():
    assert not set(allowlist.REFUSED_CLASSES) & allowlist.TRAINING_CLASSES


def test_every_allowed_layer_is_one_of_keras(tf_keras):
    # The list knows the layers of this version; an older Keras (on Python 3.10) has fewer.
    keras = pytest.importorskip("keras", minversion="3.15")
    known = set(dir(tf_keras.layers)) | set(dir(keras.layers))
    # Aliases of old versions, and layers that are not public.
    hidden = {"AddLoss", "BatchNormalizationV1", "BatchNormalizationV2", "LayerScale"}
    hidden |= {"LocallyConnected1D", "LocallyConnected2D", "GroupedQueryAttention"}
    hidden |= {"SyncBatchNormalization"}
    assert known >= allowlist.LAYERS - hidden


def test_every_allowed_symbol_is_a_function_of_tensorflow(tf_keras):
    import tensorflow as tf

    missing = []
    for symbol in allowlist.SYMBOLS:
        root, name = (tf_keras, symbol[6:]) if symbol.startswith("keras.") else (tf, symbol)
        for start in (root, tf.compat.v1):
            found = start
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is not None:
                break
        if not callable(found):
            missing.append(symbol)
    assert missing == []


@pytest.mark.parametrize(
    "word", ["file", "py_", "func", "print", "load", "save", "decode", "encode", "random", "string"]
)
def test_no_allowed_symbol_sounds_like_more_than_arithmetic(word):
    assert [symbol for symbol in allowlist.SYMBOLS if word in symbol] == []


@pytest.mark.parametrize(
    "module",
    [
        "keras",
        "keras.layers",
        "tf_keras.layers",
        "keras.src.models.functional",
        "tf_keras.src.engine.functional",
        "keras.src.layers.core.tf_op_layer",
        "keras.src.ops.numpy",
        "keras.layers.experimental.preprocessing",
        "keras.src.applications.convnext",
    ],
)
def test_packages_of_keras_may_be_imported(module):
    assert allowlist.module_is_allowed(module)


@pytest.mark.parametrize(
    "module",
    [
        "os",
        "builtins",
        "",
        "kerasx.layers",
        "keras.utils",
        "keras.src.utils.python_utils",
        "keras.src.saving.saving_lib",
        "keras.src.layers.core.dense_test",
        "keras.layers.",
        "keras.layers\n",
        "keras.backend",
        "keras.src.layers/../os",
        "xkeras.layers",
        "tf_tf_keras.layers",
        "keras.src.export.export_lib",
    ],
)
def test_other_modules_may_not(module):
    assert not allowlist.module_is_allowed(module)


# --- HDF5 ----------------------------------------------------------------------------------------


def read_texts(path):
    with path.open("rb") as stream:
        return format_of(stream).scan(stream)


def test_an_honest_file_has_no_findings(tmp_path):
    report = read_texts(hostile.write_hdf5(tmp_path / "a.h5", MODEL2))
    assert (report.findings, report.values) == ([], 10)
    report = read_texts(hostile.write_archive(tmp_path / "a.keras", MODEL3))
    assert (report.findings, report.values) == ([], 10)


def test_compressed_weights_are_honest(tmp_path):
    path = tmp_path / "a.h5"
    data = np.random.default_rng(0).normal(size=(400, 300)).astype("float32")

    def packed(group):
        group.create_dataset(
            "dense/kernel:0", data=data, compression="gzip", shuffle=True, fletcher32=True
        )

    wide = hostile.keras2_input(batch_input_shape=[None, 400])
    layers = [wide, hostile.dense(units=300)]
    hostile.write_hdf5(path, hostile.sequential(layers), weights=packed)
    assert read_texts(path).findings == []


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("track_order", [False, True])
def test_texts_are_found_in_every_layout(libver, track_order):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=libver, track_order=track_order) as file:
        file.attrs["text"] = "some text"
        file.attrs["list"] = ["a", "bc", ""]
        file.attrs["fixed"] = np.bytes_("abc")
        file.attrs["numbers"] = np.arange(3)
    with h5py.File(buffer, "r") as file:
        address, count = h5py.h5o.get_info(file.id).addr, len(file.attrs)
    assert Objects(FileBytes(buffer)).check(address) == count
    # Each text in turn claims more than there is: length, address of the heap, index.
    data = buffer.getvalue()
    start = data.index(b"GCOL")
    claimed = 0
    for length in (9, 1, 2):
        claim = struct.pack("<IQ", length, start)
        at = data.find(claim)
        while at >= 0:
            damaged = data[:at] + struct.pack("<I", 5000) + data[at + 4 :]
            with pytest.raises(ModelError, match="damaged"):
                Objects(FileBytes(io.BytesIO(damaged))).check(address)
            claimed += 1
            at = data.find(claim, at + 1)
    assert claimed == 3


def test_attributes_that_libhdf5_counts_otherwise_are_an_error(monkeypatch):
    monkeypatch.setattr(Objects, "check", lambda *_: 1)
    with pytest.raises(ModelError, match="damaged: the attributes"):
        scanned(many_layers())


def test_a_heap_without_end_is_an_error(tmp_path):
    path = hostile.write_hdf5(tmp_path / "a.h5", MODEL2)
    data = path.read_bytes()
    start = data.index(b"GCOL")
    path.write_bytes(data[: start + 16] + bytes(4080) + data[start + 4096 :])
    with pytest.raises(ModelError, match="damaged"):
        load_model(path)


def test_many_attributes_are_an_error_not_a_hang():
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="latest") as file:
        for number in range(50):  # more than eight are kept in a heap of another kind
            file.attrs[f"a{number}"] = "text"
    with h5py.File(buffer, "r") as file:
        address = h5py.h5o.get_info(file.id).addr
    with pytest.raises(ModelError, match="unusual way"):
        Objects(FileBytes(buffer)).check(address)


@given(st.binary(max_size=400), st.integers(0, 200))
def test_no_bytes_break_the_check_of_an_object(data, address):
    head = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + bytes(16)
    try:
        Objects(FileBytes(io.BytesIO(head + data))).check(address)
    except ModelError as error:
        assert "damaged" in str(error)


def scanned(data):
    report = Report()
    with Hdf5File(io.BytesIO(data)) as file:
        file.scan("", report)
    return report


def many_layers():
    """Return a file whose groups have so many members that their trees have branches."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for number in range(700):
            file[f"group/layer{number:03}/kernel:0"] = np.zeros((3, number % 5), "float16")
        file["scalar"] = 3.0
        file["truth"] = np.ones(4, bool)
        file["none"] = h5py.Empty("f")
        file.attrs["text"] = "x" * 40_000
        file.attrs["nothing"] = h5py.Empty(h5py.string_dtype())
    return buffer.getvalue()


def test_a_large_file_is_walked_to_its_end():
    report = scanned(many_layers())
    assert report.findings == []
    assert report.values == 3 * sum(number % 5 for number in range(700)) + 1 + 4


@pytest.mark.parametrize("options", [{"libver": "latest"}, {"track_order": True}])
def test_other_layouts_are_walked(tmp_path, options):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", **options) as file:
        file.attrs["layer_names"] = ["dense"]
        file.create_group("dense").attrs["weight_names"] = ["k"]
        file["dense/k"] = np.ones((4, 2), "float32")
        file["dense/link"] = h5py.ExternalLink("/etc/passwd", "/x")
    report = read_texts(path)
    assert report.values == 8
    assert len(report.findings) == 1
    assert "another file" in report.findings[0]


@pytest.mark.parametrize("every", [1, 7])
def test_no_flipped_bits_break_the_walk(tmp_path, every):
    data = many_layers()
    if every == 1:
        data = hostile.write_hdf5(tmp_path / "b.h5", MODEL2).read_bytes()
    generator = np.random.default_rng(every)
    for _ in range(400 // every):
        changed = bytearray(data)
        for place in generator.integers(0, min(len(data), 20_000), every):
            changed[place] ^= 1 << int(generator.integers(8))
        # Whatever h5py raises; `Format.scan` makes it one line.
        with contextlib.suppress(Exception):
            scanned(bytes(changed))


def chunked():
    """Return a file with a dataset of so many chunks that their tree has branches."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("chunks", data=np.arange(10_000), chunks=(10,))
    return buffer.getvalue()


def node_of(data, kind):
    """Return the address of a tree's node that has children."""
    at = data.index(b"TREE" + bytes([kind, 1]))
    return at, at + 24 + (8 if kind == 0 else 24)


@pytest.mark.parametrize(("data", "kind"), [(many_layers(), 0), (chunked(), 1)])
def test_a_tree_without_end_is_an_error(data, kind):
    """libhdf5 would go down until the process dies."""
    assert scanned(data).findings == []
    node, child = node_of(data, kind)
    for target in (node, 0, len(data)):
        changed = data[:child] + struct.pack("<Q", target) + data[child + 8 :]
        with pytest.raises(ModelError, match="damaged"):
            scanned(changed)


def test_a_tree_of_too_many_nodes_is_an_error(monkeypatch):
    monkeypatch.setattr(trees, "MAX_NODES", 3)
    with pytest.raises(ModelError, match="no end"):
        scanned(many_layers())


def test_free_places_without_end_are_an_error():
    """libhdf5 would fill the memory with them."""
    data = many_layers()
    heap = data.index(b"HEAP")
    length, _, start = struct.unpack_from("<QQQ", data, heap + 8)
    assert scanned(data).findings == []
    last = length - 16
    place = start + last
    changed = bytearray(data)
    struct.pack_into("<Q", changed, heap + 16, last)
    struct.pack_into("<QQ", changed, place, last, 16)
    with pytest.raises(ModelError, match="free places"):
        scanned(bytes(changed))


# --- archives --------------------------------------------------------------------------------


def test_packed_archives_are_honest(tmp_path):
    path = hostile.write_archive(tmp_path / "a.keras", MODEL3)
    packed = tmp_path / "b.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    report = read_texts(packed)
    assert (report.findings, report.values) == ([], 10)


@pytest.mark.parametrize("cut", [100, 500, 2000, -400, -40, -1])
def test_cut_archives_are_errors(tmp_path, cut):
    path = hostile.write_archive(tmp_path / "a.keras", MODEL3)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(KerascnnError):
        load_model(path)


def test_archives_without_their_parts_are_errors(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_model(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(MODEL3))
        archive.writestr("metadata.json", '{"keras_version": "3.5.0"}')
    with pytest.raises(ModelError, match=r"model\.weights"):
        load_model(path)
