"""Walk through a model's configuration and find what Keras must not be asked to do.

Keras rebuilds a model from nested JSON objects, each naming a class (``class_name``), perhaps the
module to import it from, and the arguments to call it with. Whatever is not on a list of
``kerascnn.loading.scan.allowlist`` is a finding: a class, a module, a function, a TensorFlow
symbol, a text where only numbers belong, a number that would fill the memory.
"""

from __future__ import annotations

import sys
from collections.abc import Collection

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.scan import allowlist, graph, limits
from kerascnn.loading.scan.references import after_reference, reference, references
from kerascnn.loading.scan.report import Report
from kerascnn.loading.scan.strict_json import Json

_OURS = (
    "Keras' own; supply it by a plugin with the hook kerascnn_custom_objects, "
    "for example --plugin-file my_layers.py"
)
#: Built-in functions; no loss or metric has such a name.
_BUILTINS = frozenset({"breakpoint", "compile", "eval", "exec", "getattr", "open", "__import__"})
#: Packages that no user's own loss or metric comes from.
_FOREIGN = (
    frozenset(sys.stdlib_module_names) | {"keras", "tf_keras", "tensorflow", "numpy", "torch"}
) - {"builtins"}


def scan_model(config: Json, source: str, report: Report, custom: Collection[str]) -> None:
    """Scan the configuration of a model.

    Args:
        config: as `strict_json.parse` returned it.
        source: where in the file it stands.
        report: takes the findings; its ``values`` bound the size of the model.
        custom: names of the classes and functions that the caller supplies.

    Raises:
        ModelError: it is no configuration of a model.
    """
    if isinstance(config, dict):
        _Walk(source, report, frozenset(custom), training=False).run(config)
    elif not report.findings:
        raise ModelError(f"the {source} is damaged: it is no JSON object")


def scan_training(config: Json, source: str, report: Report) -> None:
    """Scan a training configuration, which is never given to Keras.

    So the author's own losses and metrics are allowed there. Hidden code is not, nor are functions
    of the standard library or of TensorFlow in the place of a loss.
    """
    _Walk(source, report, frozenset(), training=True).run(config)


class _TooMuchError(Exception):
    """The configuration is larger than any honest one; the walk ends."""


class _Walk:
    """One walk through one configuration.

    In all methods ``key`` is the name under which a value stands in its object; values in a list
    have the key of the list.
    """

    def __init__(
        self, source: str, report: Report, custom: frozenset[str], *, training: bool
    ) -> None:
        self._source = source
        self._report = report
        self._custom = custom
        self._training = training
        self._trail: list[str] = []
        self._depth = 0
        self._nodes = 0
        self._objects = 0
        self._times = 1  # how often the object at hand is called, all calls around it counted
        self._bounds = dict.fromkeys(limits.WEIGHT_KEYS, max(report.values, 1)) | limits.CAPS

    def run(self, config: Json) -> None:
        try:
            self._value(config, "")
        except _TooMuchError as error:
            self._report.find(str(error), self._source)

    def _find(self, what: str | None) -> None:
        if what is None:
            return
        trail = "/".join(one_line(name, 40) for name in self._trail[-4:])
        self._report.find(what, f"{trail} ({self._source})" if trail else self._source)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > limits.MAX_CONFIG_DEPTH:
            raise _TooMuchError("a configuration nested too deeply")
        if self._nodes > limits.MAX_CONFIG_NODES:
            raise _TooMuchError("a configuration of more than a million values")

    # -- values ---------------------------------------------------------------------------------

    def _value(self, value: Json, key: str) -> None:
        if isinstance(value, str):
            self._text(value, key)
        elif value is None or isinstance(value, bool):
            if value and key in allowlist.REFUSED_SWITCHES:
                self._find(allowlist.REFUSED_SWITCHES[key])
        elif isinstance(value, (int, float)):
            self._number(value, key)
        else:
            self._enter()
            if isinstance(value, list):
                self._list(value, key)
            elif "class_name" in value:
                self._object(value, key)
            else:
                self._entries(value)
            self._depth -= 1

    def _entries(self, entries: dict[str, Json], but: frozenset[str] = frozenset()) -> None:
        self._nodes += len(entries)
        for key, value in entries.items():
            if value is None or value is False or key in but:
                continue
            if key == "inbound_nodes":
                self._nodes_of(value)
            elif key == "compile_config" and not self._training and self._depth == 1:
                # Keras drops the outermost one, as the model is loaded with compile=False.
                scan_training(value, "compile_config", self._report)
            else:
                self._value(value, key)

    def _list(self, values: list[Json], key: str) -> None:
        self._nodes += len(values)
        if key in limits.SHAPE_KEYS:
            self._shape(values, key)
        for value in values:
            self._value(value, key)

    def _shape(self, values: list[Json], key: str) -> None:
        product = 1
        for size in values:
            if isinstance(size, (int, float)) and size == size and size > 1:
                product *= min(int(min(size, 2**62)), 2**62)
        if product > limits.MAX_ELEMENTS:
            self._find(f"{key} of {_many(product)} values")

    def _number(self, value: float, key: str) -> None:
        if key in limits.UNBOUNDED_KEYS:
            return
        if isinstance(value, int) and abs(value) > limits.MAX_INTEGER:
            self._find(f"{key or 'a number'} = {_many(value)}")
        elif value > self._bounds.get(key, value):
            self._find(f"{key} = {_many(value)}, more than {self._reason(key)}")

    def _reason(self, key: str) -> str:
        if key in limits.WEIGHT_KEYS:
            return f"the {self._report.values} weights in the file"
        return f"{limits.CAPS[key]}"

    def _text(self, value: str, key: str) -> None:
        if self._training:
            return
        names = allowlist.names_for(key)
        if names is not None:
            if value not in names and value not in self._custom:
                self._find(f"{key} = {one_line(value, 60)!r}, which is not one of Keras' own")
        elif key in allowlist.DTYPE_KEYS:
            if value not in allowlist.DTYPES:
                self._find(f"{key} = {one_line(value, 60)!r}, which is no element type")
        elif key == "vocabulary":
            self._find(f"a vocabulary to be read from {one_line(value, 80)!r}")
        elif key in self._bounds and value.strip().lstrip("+-").isdigit():
            self._find(f"{key} = {one_line(value, 30)!r}, a text where a number belongs")
        elif len(value) > limits.MAX_TEXT:
            self._find(f"a text of {len(value)} characters as {one_line(key, 40)}")

    # -- objects --------------------------------------------------------------------------------

    def _object(self, item: dict[str, Json], key: str) -> None:
        # A model called twice that holds a model called twice … is built anew for each call.
        nodes, times = item.get("inbound_nodes"), self._times
        if isinstance(nodes, list):
            self._times *= max(len(nodes), 1)
        self._objects += self._times
        if self._objects > limits.MAX_CONFIG_OBJECTS:
            raise _TooMuchError(f"a graph of more than {limits.MAX_CONFIG_OBJECTS} objects")
        name = item["class_name"]
        if not isinstance(name, str):
            self._find("a class_name that is no text")
            return
        config = item.get("config")
        labels = (config.get("name") if isinstance(config, dict) else None, item.get("name"))
        label = [text for text in labels if isinstance(text, str)][:1]
        self._trail += label
        if name in _STRUCTURES:
            self._structure(name, item, key)
        elif name == "function":
            self._find(self._function_problem(item))
            self._entries(item, _IDENTITY | {"config"})
        elif problem := self._class_problem(name, item):
            self._find(problem)
        else:
            self._entries(item, _IDENTITY)
        if label:
            self._trail.pop()
        self._times = times

    def _class_problem(self, name: str, item: dict[str, Json]) -> str | None:
        """Return why an object may not be made of the class that it names, or None."""
        short = name.rsplit(">", 1)[-1]
        if short in self._custom:
            return self._custom_problem(name, short, item)
        if short in allowlist.REFUSED_CLASSES:
            return allowlist.REFUSED_CLASSES[short]
        module, registered = item.get("module"), item.get("registered_name")
        known = short in allowlist.TRAINING_CLASSES
        allowed = module is None or _is_allowed(module)
        if self._training:
            harmless = known or allowed or not _is_foreign(module)
            return None if harmless else f"{_shown(short)} from the module {_shown(module)}"
        if not allowed and (known or _is_foreign(module)):
            return f"{_shown(name)} from the module {_shown(module)}, not one of Keras' own"
        if not allowed:
            return f"the class {_shown(name)} of {_shown(module)} is not one of {_OURS}"
        # The compile_config of an inner model is given to Keras, with its optimizer and losses;
        # Keras itself registers its optimizers under "Custom".
        if not known or name not in (short, f"Custom>{short}"):
            return f"the class {_shown(name)} is not one of {_OURS}"
        if registered not in (None, name, short):
            return f"{_shown(name)} registered as {_shown(registered)}"
        config = item.get("config")
        if short in allowlist.SYMBOL_LAYERS:
            return _symbol_problem(config)
        return graph.problem(config) if short in allowlist.MODELS else None

    def _custom_problem(self, name: str, short: str, item: dict[str, Json]) -> str | None:
        module, registered = item.get("module"), item.get("registered_name", name)
        # Registered, it is looked up by that name; otherwise Keras 2 would import the module.
        if not isinstance(registered, str) and (registered is not None or module is not None):
            return f"{_shown(name)} to be imported from {_shown(module)}"
        if not isinstance(module, (str, type(None))):
            return f"{_shown(name)} from the module {_shown(module)}"
        self._report.aliases.update(dict.fromkeys({name, registered or name}, short))
        return None

    def _function_problem(self, item: dict[str, Json]) -> str | None:
        """Return why a function may not be used, or None."""
        name, module = item.get("config"), item.get("module")
        registered = item.get("registered_name")
        shown = f"the function {_shown(name)} of the module {_shown(module)}"
        if self._training:
            hidden = module == "builtins" and str(name) in _BUILTINS
            return shown if hidden or (_is_foreign(module) and not _is_allowed(module)) else None
        if not isinstance(name, str) or not isinstance(module, (str, type(None))):
            return "a function without a name"
        short = name.rsplit(">", 1)[-1]
        if short in self._custom and isinstance(registered, str):
            self._report.aliases[name] = short
            return None
        if module not in (None, "builtins") and not _is_allowed(module):
            return shown
        if name not in allowlist.FUNCTIONS | self._custom or (
            registered not in (None, name, "function")
        ):
            return f"{shown} is not one of {_OURS}"
        return None

    # -- structures: tuples, slices, tensors ------------------------------------------------------

    def _structure(self, name: str, item: dict[str, Json], key: str) -> None:
        keys, inner_keys = _STRUCTURES[name]
        inner = {} if item.get("config") is None else item["config"]
        if not (isinstance(inner, dict) and inner_keys.issuperset(inner) and keys.issuperset(item)):
            self._find(f"a {name} with more in it than belongs there")
        elif name in ("__numpy__", "__tensor__"):
            self._array(inner)
        elif name == "__keras_tensor__":
            self._keras_tensor(inner)
        else:
            self._argument(item.get("items", inner), "shape" if name == "TensorShape" else key)

    def _array(self, array: dict[str, Json]) -> None:
        kind = array.get("dtype")
        if not isinstance(kind, str) or kind not in allowlist.DTYPES:
            self._find("an array whose elements are no numbers")
            return
        self._numbers(array.get("value"))

    def _numbers(self, value: Json) -> None:
        self._nodes += 1
        if isinstance(value, list):
            self._enter()
            for item in value:
                self._numbers(item)
            self._depth -= 1
        elif not isinstance(value, (int, float, type(None))):
            self._find("an array with something else than numbers in it")

    def _keras_tensor(self, inner: dict[str, Json]) -> None:
        self._value(inner.get("shape"), "shape")
        self._value(inner.get("dtype"), "dtype")
        history = inner.get("keras_history")
        if history is not None and reference(history) is None:
            self._find("a tensor with a history that is none")

    # -- arguments of calls ------------------------------------------------------------------------

    def _nodes_of(self, nodes: Json) -> None:
        for node in nodes if isinstance(nodes, list) else [nodes]:
            if not any(references(node)):
                # Keras would compute it at once, however large.
                self._find("an operation on constants alone")
            self._argument(node, "")

    def _argument(self, value: Json, key: str) -> None:
        """Check what a node of the graph hands to a layer: tensors, numbers, a few fixed words."""
        self._nodes += 1
        self._enter()
        if isinstance(value, list):
            if key in limits.SHAPE_KEYS:
                self._shape(value, key)
            for item in after_reference(value):
                self._argument(item, key)
        elif isinstance(value, dict):
            if "class_name" in value:
                self._object(value, key)
            else:
                for name, item in value.items():
                    self._argument(item, name)
        elif isinstance(value, str):
            self._argument_text(value, key)
        elif isinstance(value, (int, float)):
            self._number(value, key)
        self._depth -= 1

    def _argument_text(self, value: str, key: str) -> None:
        if key in allowlist.OPERATION_NAME_KEYS and len(value) <= limits.MAX_TEXT:
            return
        if value not in allowlist.OPERATION_TEXTS and value not in allowlist.DTYPES:
            self._find(f"the text {one_line(value, 60)!r} as an argument of an operation")


_IDENTITY = frozenset({"class_name", "module", "registered_name"})
#: Objects that are no classes: the keys each may have, and those of its ``config``.
_STRUCTURES = {
    "__tuple__": (frozenset({"class_name", "items"}), frozenset()),
    "TensorShape": (frozenset({"class_name", "items"}), frozenset()),
    "__ellipsis__": (frozenset({"class_name", "config"}), frozenset()),
    "__slice__": (frozenset({"class_name", "config"}), frozenset({"start", "stop", "step"})),
    "__numpy__": (frozenset({"class_name", "config"}), frozenset({"value", "dtype"})),
    "__tensor__": (frozenset({"class_name", "config"}), frozenset({"value", "dtype"})),
    "__keras_tensor__": (
        frozenset({"class_name", "config"}),
        frozenset({"shape", "dtype", "keras_history"}),
    ),
}


def _is_allowed(module: Json) -> bool:
    return isinstance(module, str) and allowlist.module_is_allowed(module)


def _is_foreign(module: Json) -> bool:
    return not isinstance(module, str) or module.split(".")[0] in _FOREIGN


def _symbol_problem(config: Json) -> str | None:
    symbol = config.get("function") if isinstance(config, dict) else None
    if isinstance(symbol, str) and allowlist.symbol_is_allowed(symbol):
        return None
    return f"a call of the TensorFlow function {_shown(symbol)}"


def _shown(value: object) -> str:
    return repr(one_line(value, 80)) if isinstance(value, str) else one_line(repr(value), 80)


def _many(number: float) -> str:
    return str(number) if abs(number) < 10**7 else f"{float(max(min(number, 1e300), -1e300)):.1e}"
