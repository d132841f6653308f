"""A corpus of hostile model files, each with a harmless payload: it would touch a marker file.

Written by hand with h5py, zipfile and json, so that neither Keras nor TensorFlow is needed to
make them. ``corpus(folder)`` writes all of them and returns what they are.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import stat
import struct
import types
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

#: The name of a module that touches the marker when it is imported.
EVIL_MODULE = "evil_module_of_a_test"


@dataclass(frozen=True)
class Hostile:
    """One hostile file, and a part of the line that refuses it."""

    name: str
    path: Path
    expect: str


# --- files as Keras writes them ----------------------------------------------------------------


def keras2_input(**more: Any) -> dict[str, Any]:
    config = {"batch_input_shape": [None, 4], "dtype": "float32", "name": "in"}
    return {"class_name": "InputLayer", "config": config | more}


def keras3_input(**more: Any) -> dict[str, Any]:
    config = {"batch_shape": [None, 4], "dtype": "float32", "name": "in"}
    return {"module": "keras.layers", "class_name": "InputLayer", "config": config | more}


def dense(module: str | None = None, **more: Any) -> dict[str, Any]:
    config = {"name": "dense", "units": 2, "activation": "linear", "use_bias": True}
    layer = {"class_name": "Dense", "config": config | more}
    return layer if module is None else {"module": module, "registered_name": None, **layer}


def sequential(layers: list[Any], module: str | None = None, name: str = "model") -> dict[str, Any]:
    model = {"class_name": "Sequential", "config": {"name": name, "layers": layers}}
    return model if module is None else {"module": module, "registered_name": None, **model}


def functional(layers: list[dict[str, Any]], last: str, module: str | None = None) -> Any:
    config = {
        "name": "model",
        "layers": layers,
        "input_layers": [["in", 0, 0]],
        "output_layers": [[last, 0, 0]],
    }
    model = {"class_name": "Functional", "config": config}
    return model if module is None else {"module": module, **model}


def write_hdf5(
    path: Path,
    config: Any,
    version: str = "2.15.0",
    training: Any = None,
    weights: Callable[[h5py.Group], None] | None = None,
) -> Path:
    """Write a whole model as HDF5; ``config`` may be JSON text."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"in", b"dense"])
        group.attrs["keras_version"] = version
        group.attrs["backend"] = "tensorflow"
        group.create_group("in").attrs["weight_names"] = np.array([])
        inner = group.create_group("dense")
        inner.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])
        if weights is None:
            inner.create_dataset("dense/kernel:0", data=np.ones((4, 2), "float32"))
        else:
            weights(inner)
        inner.create_dataset("dense/bias:0", data=np.zeros(2, "float32"))
    return path


def weights_file(kernel: Callable[[h5py.Group], None] | None = None) -> bytes:
    """Return the bytes of a model.weights.h5 for one Dense layer."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        inner = file.create_group("layers/dense/vars")
        if kernel is None:
            inner.create_dataset("0", data=np.ones((4, 2), "float32"))
        else:
            kernel(inner)
        inner.create_dataset("1", data=np.zeros(2, "float32"))
    return buffer.getvalue()


def write_archive(
    path: Path, config: Any, version: str = "3.5.0", weights: bytes | None = None
) -> Path:
    """Write a .keras archive; ``config`` may be JSON text."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        archive.writestr("model.weights.h5", weights_file() if weights is None else weights)
    return path


# --- payloads ----------------------------------------------------------------------------------


def touching(marker: Path) -> types.CodeType:
    """Return the code of a function of one argument that touches the marker and returns it."""
    names: dict[str, Any] = {}
    exec(f"def run(x):\n    open({str(marker)!r}, 'w').close()\n    return x\n", names)
    return names["run"].__code__


def packed(marker: Path) -> str:
    return base64.encodebytes(marshal.dumps(touching(marker))).decode("ascii")


def lambda_layer(marker: Path, module: str | None = None, **more: Any) -> dict[str, Any]:
    config = {
        "name": "evil",
        "function": [packed(marker), None, None],
        "function_type": "lambda",
        "module": "builtins",
        "output_shape": None,
        "output_shape_type": "raw",
        "output_shape_module": None,
        "arguments": {},
    }
    layer = {"class_name": "Lambda", "config": config | more}
    return layer if module is None else {"module": module, **layer}


def hidden_lambda(marker: Path) -> dict[str, Any]:
    return {
        "class_name": "__lambda__",
        "config": {"value": [packed(marker), None, None]},
    }


def foreign(module: str, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def op_layer(symbol: str, kind: str = "TFOpLambda", node: Any = None) -> dict[str, Any]:
    return {
        "class_name": kind,
        "name": "evil",
        "config": {"name": "evil", "function": symbol},
        "inbound_nodes": [["in", 0, 0, {}]] if node is None else [node],
    }


def graph(layer: dict[str, Any], first: dict[str, Any] | None = None) -> Any:
    """Return a Keras 2 graph: input, one layer with its own inbound nodes."""
    entry = (first or keras2_input()) | {"name": "in", "inbound_nodes": []}
    return functional([entry, layer], layer["name"])


# --- configurations, in all four kinds of files --------------------------------------------------

_FOREIGN_MODULES = {
    "os_function": ("os", "system"),
    "builtins_function": ("builtins", "eval"),
    "keras_download": ("keras.utils", "get_file"),
    "keras_unpickler": ("keras.src.utils.python_utils", "func_load"),
    "keras_loader": ("keras.models", "load_model"),
    "evil_function": (EVIL_MODULE, "anything"),
}


def layer_payloads(marker: Path) -> Iterator[tuple[str, str, Any]]:
    """Yield layers that belong into no model: name, what refuses it, the layer."""
    yield "lambda", "Lambda", lambda_layer(marker)
    yield "lambda_registered", "Lambda", lambda_layer(marker) | {"class_name": "Custom>Lambda"}
    yield "nested_lambda", "Lambda", sequential([lambda_layer(marker)], name="inner")
    yield (
        "wrapped_lambda",
        "Lambda",
        {"class_name": "TimeDistributed", "config": {"name": "w", "layer": lambda_layer(marker)}},
    )
    yield "hidden_lambda", "__lambda__", dense(activation=hidden_lambda(marker))
    for name, (module, function) in _FOREIGN_MODULES.items():
        yield name, function, dense(activation=foreign(module, function))
    yield (
        "foreign_class",
        EVIL_MODULE,
        {"module": EVIL_MODULE, "class_name": "Layer", "config": {}, "registered_name": None},
    )
    yield (
        "foreign_class_named_dense",
        EVIL_MODULE,
        dense(EVIL_MODULE),
    )
    yield "foreign_registered", "registered", dense("keras.layers") | {"registered_name": "os>x"}
    for part in ("kernel_initializer", "kernel_regularizer", "kernel_constraint"):
        item = {"module": EVIL_MODULE, "class_name": "Zeros", "config": {}, "registered_name": None}
        yield f"foreign_{part}", EVIL_MODULE, dense(**{part: item})
        yield f"named_{part}", "os.system", dense(**{part: "os.system"})
    yield "named_activation", "os.system", dense(activation="os.system")
    typespec = {
        "class_name": "__typespec__",
        "module": EVIL_MODULE,
        "spec_name": "Spec",
        "registered_name": None,
        "config": [],
    }
    yield "typespec", "__typespec__", dense(activation=typespec)
    composite = {"class_name": "CompositeTensor", "spec": {}, "tensors": []}
    yield "composite", "CompositeTensor", dense(bias_initializer=composite)
    spec = {"class_name": "TypeSpec", "type_spec": "tf.TensorSpec", "serialized": []}
    yield "type_spec", "TypeSpec", keras2_input(type_spec=spec)
    hiding = {"class_name": "__ellipsis__", "more": spec}
    yield "hidden_in_ellipsis", "__ellipsis__", dense(axis=hiding)
    beside = foreign("builtins", "relu") | {"more": lambda_layer(marker)}
    yield "hidden_in_function", "Lambda", dense(activation=beside)
    for kind in ("TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "ResidualWrapper"):
        yield kind.lower(), kind, {"class_name": kind, "config": {"filepath": str(marker)}}
    vocabulary = {"name": "v", "vocabulary": str(marker)}
    for kind in ("StringLookup", "IntegerLookup", "TextVectorization"):
        yield kind.lower(), "vocabulary", {"class_name": kind, "config": vocabulary}
    yield "vocabulary_elsewhere", "vocabulary", dense(vocabulary=str(marker))
    yield "many_units", "units", dense(units=10**12)
    yield "many_units_as_float", "units", dense(units=1e12)
    yield "many_units_as_text", "units", dense(units="1000000000000")
    yield "many_units_as_array", "array", dense(units={"class_name": "__numpy__", "config": {}})
    yield (
        "array_of_texts",
        "array",
        dense(bias_initializer={"class_name": "__numpy__", "config": {"dtype": "S9", "value": []}}),
    )
    yield (
        "embedding",
        "input_dim",
        {"class_name": "Embedding", "config": {"input_dim": 10**9, "output_dim": 2}},
    )
    yield "upsampling", "size", {"class_name": "UpSampling2D", "config": {"size": [10**6, 10**6]}}
    yield "resizing", "height", {"class_name": "Resizing", "config": {"height": 10**6, "width": 9}}
    yield "padding", "padding", {"class_name": "ZeroPadding2D", "config": {"padding": 10**9}}
    yield (
        "reshaping",
        "target_shape",
        {
            "class_name": "Reshape",
            "config": {"target_shape": [10**5, 10**5]},
        },
    )
    yield "huge_input", "batch_input_shape", keras2_input(batch_input_shape=[None, 10**5, 10**5, 3])
    yield "stateful", "states", {"class_name": "GRU", "config": {"units": 2, "stateful": True}}
    yield "unrolled", "unrolled", {"class_name": "GRU", "config": {"units": 2, "unroll": True}}
    yield "not_a_number", "NaN", dense(rate=float("nan"))
    yield "long_text", "text", dense(data="A" * 5000)
    yield "class_name_no_text", "class_name", {"class_name": ["Lambda"], "config": {}}
    yield "class_of_other_case", "lambda", lambda_layer(marker) | {"class_name": "lambda"}
    yield (
        "inner_compile",
        EVIL_MODULE,
        sequential([dense()], name="inner")
        | {"compile_config": {"loss": foreign(EVIL_MODULE, "anything")}},
    )


def operation_payloads(marker: Path) -> Iterator[tuple[str, str, Any]]:
    """Yield Keras 2 graphs that call TensorFlow functions: name, what refuses it, the graph."""
    write = ["_CONSTANT_VALUE", -1, str(marker), {"contents": "x"}]
    yield "write_file", "io.write_file", graph(op_layer("io.write_file", node=write))
    for symbol in (
        "io.read_file",
        "raw_ops.WriteFile",
        "py_function",
        "numpy_function",
        "load_op_library",
        "import_graph_def",
        "map_fn",
        "while_loop",
        "compat.v1.py_func",
        "keras.utils.get_file",
        "image.decode_image",
        "print",
    ):
        yield symbol.replace(".", "_"), symbol, graph(op_layer(symbol))
    sliced = op_layer("io.write_file", "SlicingOpLambda")
    yield "slicing_write_file", "io.write_file", graph(sliced)
    text = op_layer("math.add", node=["in", 0, 0, {"y": str(marker)}])
    yield "text_constant", "argument", graph(text)
    constant = op_layer("identity", node=["_CONSTANT_VALUE", -1, str(marker), {}])
    yield "text_input", "constants alone", graph(constant)
    filled = op_layer("fill", node=["_CONSTANT_VALUE", -1, [10**5, 10**5], {"value": 0}])
    yield "constant_bomb", "constants alone", graph(filled)
    for kind in ("ClassMethod", "InstanceMethod", "InstanceProperty", "TensorFlowOpLayer"):
        layer = op_layer("x", kind)
        layer["config"] |= {"cls_symbol": "io.TFRecordWriter", "attr_name": "__class__"}
        yield kind.lower(), kind, graph(layer)


# --- HDF5 ----------------------------------------------------------------------------------------


def kernel_payloads(folder: Path) -> Iterator[tuple[str, str, Callable[[h5py.Group], None]]]:
    """Yield ways to write a Dense layer's kernel that no honest file uses."""
    secret = folder / "secret.bin"
    secret.write_bytes(np.full(8, 42, "float32").tobytes())
    other = folder / "other.h5"
    with h5py.File(other, "w") as file:
        file["kernel"] = np.full((4, 2), 42, "float32")

    def name(group: h5py.Group) -> str:
        return "dense/kernel:0" if "dense" in group.name and "layers" not in group.name else "0"

    def external(group: h5py.Group) -> None:
        space = [(str(secret), 0, 32)]
        group.create_dataset(name(group), (4, 2), "float32", external=space)

    def linked(group: h5py.Group) -> None:
        group[name(group)] = h5py.ExternalLink(str(other), "/kernel")

    def soft(group: h5py.Group) -> None:
        group[name(group)] = h5py.SoftLink("/somewhere")

    def virtual(group: h5py.Group) -> None:
        layout = h5py.VirtualLayout((4, 2), "float32")
        layout[:] = h5py.VirtualSource(str(other), "kernel", (4, 2))
        group.create_virtual_dataset(name(group), layout)

    def bomb(group: h5py.Group) -> None:
        group.create_dataset(name(group), (10**6, 10**6), "float32", chunks=(1000, 1000))

    def packed_bomb(group: h5py.Group) -> None:
        group.create_dataset(
            name(group), data=np.zeros((2000, 2000), "float32"), compression="gzip"
        )

    def plugin(group: h5py.Group) -> None:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((4, 2))
        # The deflate filter first, its number then changed to one of a plug-in.
        properties.set_deflate(1)
        kind, space = h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((4, 2))
        made = h5py.h5d.create(group.id, name(group).encode(), kind, space, properties, _parents())
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ones((4, 2), "float32"))

    def texts(group: h5py.Group) -> None:
        group.create_dataset(name(group), data=[b"a", b"b"], dtype=h5py.string_dtype())

    def compound(group: h5py.Group) -> None:
        group.create_dataset(name(group), data=np.zeros(3, [("a", "f4"), ("b", "i4")]))

    def references(group: h5py.Group) -> None:
        group.create_dataset(name(group), data=[group.ref], dtype=h5py.ref_dtype)

    def looped(group: h5py.Group) -> None:
        group[name(group)] = np.ones((4, 2), "float32")
        group["again"] = group.file["/"]

    def deep(group: h5py.Group) -> None:
        group[name(group)] = np.ones((4, 2), "float32")
        group.create_group("/".join("d" * 100))

    def committed(group: h5py.Group) -> None:
        group[name(group)] = np.dtype("float32")

    yield "external_data", "another file", external
    yield "external_link", "link to another file", linked
    yield "soft_link", "soft link", soft
    yield "virtual_data", "virtual", virtual
    yield "size_bomb", "of which the file holds", bomb
    yield "packed_size_bomb", "of which the file holds", packed_bomb
    yield "plugin_filter", "plug-in filter", plugin
    yield "texts", "something else than numbers", texts
    yield "compound", "something else than numbers", compound
    yield "references", "something else than numbers", references
    yield "hard_link_loop", "two places", looped
    yield "deep_groups", "too deeply", deep
    yield "named_type", "neither group nor dataset", committed


def _parents() -> Any:
    links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    return links


def _number_filter(path: Path) -> None:
    """Turn the number of the one deflate filter in a file (1, with its name) into 32001."""
    data = path.read_bytes()
    old = struct.pack("<HHHH", 1, 8, 1, 1) + b"deflate\0"
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, struct.pack("<HHHH", 32001, 8, 1, 1) + b"deflate\0"))


# --- archives ------------------------------------------------------------------------------------


def archive_payloads(folder: Path, config: Any) -> Iterator[tuple[str, str, Path]]:
    """Yield archives with members that no saved model has."""

    def written(name: str, fill: Callable[[zipfile.ZipFile], None]) -> Path:
        path = write_archive(folder / f"zip_{name}.keras", config)
        with zipfile.ZipFile(path, "a") as archive:
            fill(archive)
        return path

    def member(name: str, data: bytes = b"x", **options: Any) -> Callable[[Any], None]:
        return lambda archive: archive.writestr(name, data, **options)

    def symlink(archive: zipfile.ZipFile) -> None:
        link = zipfile.ZipInfo("assets/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    escape = "written outside"
    yield "traversal", escape, written("traversal", member("../evil.txt"))
    yield "deep_traversal", escape, written("deep", member("assets/../../evil.txt"))
    yield "absolute", escape, written("absolute", member("/tmp/evil.txt"))
    yield "backslash", escape, written("backslash", member("..\\evil.txt"))
    yield "drive", escape, written("drive", member("c:/evil.txt"))
    yield "symlink", "link", written("symlink", symlink)
    twice = "there twice"
    yield "twice", twice, written("twice", member("config.json", b"{}"))
    yield "twice_in_capitals", twice, written("capitals", member("CONFIG.JSON", b"{}"))
    yield "vocabulary", "read when", written("assets", member("assets/v/vocabulary.txt"))
    yield "pickle", "no saved model has", written("pickle", member("model.pkl"))
    yield "npz", "no saved model has", written("npz", member("model.weights.npz"))
    packed = {"compress_type": zipfile.ZIP_DEFLATED}
    zeros = member("zeros", bytes(8 << 20), **packed)
    yield "zip_bomb", "grows", written("bomb", zeros)
    lzma = member("odd", b"x" * 100, compress_type=zipfile.ZIP_LZMA)
    yield "odd_packing", "unusual way", written("lzma", lzma)
    path = folder / "zip_encrypted.keras"
    data = write_archive(path, config).read_bytes()
    # Bit 0 of the flags in the first entry of the central directory.
    at = data.index(b"PK\x01\x02") + 8
    path.write_bytes(data[:at] + b"\x01" + data[at + 1 :])
    yield "encrypted", "encrypted", path
    bomb = folder / "zip_config_bomb.keras"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", b" " * (64 << 20))
    yield "config_bomb", "grows", bomb


# --- the corpus ----------------------------------------------------------------------------------

_TRAINING = {
    "foreign_loss": {"loss": foreign("os", "system")},
    "eval_metric": {"loss": "mse", "metrics": [foreign("builtins", "eval")]},
    "tensorflow_loss": {"loss": foreign("tensorflow.io", "write_file")},
}


def corpus(folder: Path, marker: Path) -> list[Hostile]:
    """Write all hostile files below ``folder``; their payloads would touch ``marker``."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Hostile] = []

    def add(name: str, expect: str, path: Path) -> None:
        found.append(Hostile(name, path, expect))

    honest2 = sequential([keras2_input(), dense()])
    honest3 = sequential([keras3_input(), dense("keras.layers")], "keras")
    for name, expect, layer in layer_payloads(marker):
        old = sequential([keras2_input(), layer, dense()])
        new = sequential([keras3_input(), layer, dense("keras.layers")], "keras")
        old_archive = sequential([keras2_input(), layer, dense()], "keras")
        add(f"keras2_h5_{name}", expect, write_hdf5(folder / f"2_{name}.h5", old))
        add(f"keras3_h5_{name}", expect, write_hdf5(folder / f"3_{name}.h5", new, "3.5.0"))
        path = write_archive(folder / f"2_{name}.keras", old_archive, "2.15.0")
        add(f"keras2_archive_{name}", expect, path)
        add(f"keras3_archive_{name}", expect, write_archive(folder / f"3_{name}.keras", new))
    foreign_model = honest2 | {"module": EVIL_MODULE}
    path = write_archive(folder / "2_foreign_model.keras", foreign_model, "2.15.0")
    add("keras2_archive_foreign_model", EVIL_MODULE, path)
    for name, expect, model in operation_payloads(marker):
        add(f"keras2_h5_{name}", expect, write_hdf5(folder / f"op_{name}.h5", model))
        path = write_archive(folder / f"op_{name}.keras", model | {"module": "keras"}, "2.15.0")
        add(f"keras2_archive_{name}", expect, path)
    for name, expect, kernel in kernel_payloads(folder):
        path = write_hdf5(folder / f"data_{name}.h5", honest2, weights=kernel)
        new_path = folder / f"data_{name}.keras"
        data = weights_file(kernel)
        if name == "plugin_filter":
            _number_filter(path)
            inner = folder / "inner.h5"
            inner.write_bytes(data)
            _number_filter(inner)
            data = inner.read_bytes()
        add(f"keras2_h5_{name}", expect, path)
        add(f"keras3_archive_{name}", expect, write_archive(new_path, honest3, weights=data))
    for name, training in _TRAINING.items():
        path = write_hdf5(folder / f"training_{name}.h5", honest2, training=training)
        add(f"keras2_h5_{name}", "function", path)
    hidden = {"loss": hidden_lambda(marker)}
    path = write_hdf5(folder / "training_lambda.h5", honest2, training=hidden)
    add("keras2_h5_lambda_loss", "__lambda__", path)
    path = write_archive(folder / "training.keras", honest3 | {"compile_config": hidden})
    add("keras3_archive_lambda_loss", "__lambda__", path)
    for name, expect, path in archive_payloads(folder, honest3):
        add(f"keras3_archive_{name}", expect, path)
    text = json.dumps(honest2)
    doubled = text.replace(
        '"layers":', f'"layers": {json.dumps([lambda_layer(marker)])}, "layers":'
    )
    add("duplicate_key", "twice", write_hdf5(folder / "doubled.h5", doubled))
    deep = json.dumps(honest2)[:-1] + ', "x": ' + "[" * 400 + "]" * 400 + "}"
    add("deep_json", "too deeply", write_hdf5(folder / "deep.h5", deep))
    deeper = json.dumps(honest2)[:-1] + ', "x": ' + "[" * 20000 + "]" * 20000 + "}"
    add("very_deep_json", "too deeply", write_hdf5(folder / "deeper.h5", deeper))
    for name, files in (("saved_model", ("saved_model.pb",)), ("graph", ("saved_model.pb",))):
        directory = folder / name
        directory.mkdir()
        for file in (*files, *(("keras_metadata.pb",) if name == "saved_model" else ())):
            (directory / file).write_bytes(b"\x08\x01")
        add(name, "TensorFlow graphs", directory)
    laughs = sequential([dense()], name="inner")
    for level in range(20):
        again = laughs | {"name": "x", "inbound_nodes": [["in", 0, 0, {}]] * 2}
        laughs = functional([keras2_input(), again], "x") | {"name": f"level{level}"}
    add("calls_of_calls", "objects", write_hdf5(folder / "laughs.h5", laughs))
    for number, node in enumerate([["x", 0, 0, {}], ["in2", 1, 0, {}], ["in2", 0, 0, {}]]):
        entries = [keras2_input() | {"name": "in", "inbound_nodes": []}]
        for name, takes in (("x", node), ("in2", ["x", 0, 0, {}])):
            entry = {"class_name": "ReLU", "config": {"name": name}, "name": name}
            entries.append(entry | {"inbound_nodes": [[takes]]})
        path = write_hdf5(folder / f"endless{number}.h5", functional(entries, "in2"))
        add(f"endless_graph_{number}", "never comes", path)
    lying = dense(units=2, kernel_initializer="zeros")
    wide = keras2_input(batch_input_shape=[None, 10**8])
    path = write_hdf5(folder / "wide.h5", sequential([wide, lying]))
    add("weights_larger_than_the_file", "weights in all", path)
    wide = keras3_input(batch_shape=[None, 10**8])
    path = write_hdf5(folder / "wide3.h5", sequential([wide, lying]), "3.5.0")
    add("weights_larger_than_the_file_3", "weights in all", path)
    return found
