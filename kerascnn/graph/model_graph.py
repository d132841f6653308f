"""A Keras model as a flat list of layer calls, run on tensors of our own.

Both families keep a functional model as a graph of nodes. Sub-models built out of such nodes are
the source of most trouble with nested models, reloaded Sequentials (whose inner gradients vanish),
shared layers and mixed families. So no sub-model is built here: the nodes are read once, nested
models unfolded, and the calls repeated on plain tensors, where every value between two layers is at
hand and can be differentiated by.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerascnn.errors import ModelError, one_line


@dataclass(frozen=True)
class Ref:
    """A tensor that flows between two calls, by number."""

    index: int


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of one layer.

    Attributes:
        path: the layer's name, behind those of the models it is nested in: ``base/conv1``; a
            second call of a shared layer ends in ``@2``.
        layer: the live layer (in Keras 3, an operation at times).
        args: positional arguments of the call, a `Ref` in place of each tensor.
        kwargs: the same by keyword.
        outputs: the numbers of the tensors that the call returns.
        shapes: their shapes with the batch axis, None where unknown until a picture comes.
    """

    path: str
    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[int, ...]
    shapes: tuple[tuple[int | None, ...] | None, ...]

    @property
    def kind(self) -> str:
        """The layer's class name."""
        return type(self.layer).__name__

    @property
    def inputs(self) -> tuple[int, ...]:
        """The numbers of the tensors that go in."""
        return tuple(ref.index for ref in _refs((self.args, self.kwargs)))

    def bound(self, values: Mapping[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the call's arguments, positional and by keyword, with values for tensors."""
        return (
            _map(self.args, lambda ref: values[ref.index]),
            _map(self.kwargs, lambda ref: values[ref.index]),
        )


@dataclass(frozen=True)
class Port:
    """An input or output of the whole model."""

    name: str
    index: int
    shape: tuple[int | None, ...] | None
    dtype: str


Replace = Callable[[LayerCall, tuple[Any, ...], dict[str, Any]], Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """A model's layer calls in an order in which they can be run."""

    steps: tuple[LayerCall, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def run(
        self,
        inputs: Mapping[int, Any],
        wanted: Sequence[int],
        replace: Mapping[LayerCall, Replace] | None = None,
    ) -> list[Any]:
        """Run what is needed to get some tensors from others.

        Args:
            inputs: tensor number → value; any tensors, not only the model's inputs.
            wanted: numbers of the tensors to return.
            replace: steps to be done otherwise: called with the step and its arguments, values
                in place of tensors.

        Returns:
            The wanted tensors, in order.
        """
        values = dict(inputs)
        replace = replace or {}
        for step in self._needed(frozenset(inputs), frozenset(wanted)):
            args, kwargs = step.bound(values)
            call = replace.get(step)
            result = call(step, args, kwargs) if call else step.layer(*args, **kwargs)
            values.update(zip(step.outputs, _flatten(result), strict=True))
        return [values[index] for index in wanted]

    def producer(self, index: int) -> LayerCall | None:
        """Return the step that a tensor comes out of; None for an input of the model."""
        return next((step for step in self.steps if index in step.outputs), None)

    def consumers(self, index: int) -> list[LayerCall]:
        """Return the steps that a tensor goes into."""
        return [step for step in self.steps if index in step.inputs]

    def between(self, source: int, result: int) -> list[LayerCall]:
        """Return the steps on the ways from one tensor to another, in order."""
        given = frozenset({source, *(port.index for port in self.inputs)})
        reached, found = {source}, []
        for step in self._needed(given, frozenset({result})):
            if reached.intersection(step.inputs):
                reached.update(step.outputs)
                found.append(step)
        return found

    def _needed(self, given: frozenset[int], wanted: frozenset[int]) -> list[LayerCall]:
        open_, needed = set(wanted - given), []
        for step in reversed(self.steps):
            if open_.intersection(step.outputs):
                needed.append(step)
                open_.difference_update(step.outputs)
                open_.update(set(step.inputs) - given)
        if open_:
            raise ModelError("the model's graph has a tensor that nothing computes")
        return needed[::-1]


def family_of(model: Any) -> str:
    """Return ``"keras2"`` or ``"keras3"``: which Keras a live model belongs to.

    Raises:
        ModelError: it is no Keras model.
    """
    for base in type(model).__mro__:
        root = base.__module__.partition(".")[0]
        if root == "tf_keras":
            return "keras2"
        if root == "keras":
            import keras

            return "keras2" if keras.__version__.startswith("2.") else "keras3"
    raise ModelError(f"a Keras model is needed. Received: {one_line(type(model), 80)}")


def flatten(model: Any) -> Graph:
    """Read a model's nodes into a `Graph`, nested models unfolded at any depth.

    A model that is not made of nodes (subclassed, or exported) becomes a single step.

    Args:
        model: a built model of Keras 2 or 3.

    Raises:
        ModelError: the model was never built, so that its shapes are unknown.
    """
    reader = _Reader()
    network = _with_nodes(model)
    if network is None:
        return reader.opaque(model)
    ports = [reader.port(tensor) for tensor in _flatten(network.inputs)]
    outputs = reader.unfold(network, [Ref(port.index) for port in ports], prefix="")
    named = _output_names(model, network, len(outputs))
    return Graph(
        steps=tuple(reader.steps),
        inputs=tuple(ports),
        outputs=tuple(
            Port(name, ref.index, _shape(tensor), _dtype(tensor))
            for name, ref, tensor in zip(named, outputs, _flatten(network.outputs), strict=True)
        ),
    )


@contextlib.contextmanager
def without_activation(layer: Any) -> Iterator[Callable[[Any], Any] | None]:
    """Take a layer's activation function off while the block runs; give what it was."""
    activation = layer.activation
    layer.activation = None
    try:
        yield activation
    finally:
        layer.activation = activation


class _Reader:
    """Numbers tensors and collects steps while models are unfolded into one another."""

    def __init__(self) -> None:
        self.steps: list[LayerCall] = []
        self._count = 0
        self._calls: dict[str, int] = {}

    def new(self) -> Ref:
        self._count += 1
        return Ref(self._count - 1)

    def port(self, tensor: Any) -> Port:
        name = _source_name(tensor)
        return Port(one_line(name, 120), self.new().index, _shape(tensor), _dtype(tensor))

    def unfold(self, network: Any, inputs: Sequence[Ref], prefix: str) -> list[Ref]:
        """Append the steps of a functional model called on ``inputs``; return its outputs."""
        known: dict[int, Any] = {
            id(tensor): ref for tensor, ref in zip(_flatten(network.inputs), inputs, strict=True)
        }
        for depth in sorted(network._nodes_by_depth, reverse=True):
            for node in network._nodes_by_depth[depth]:
                self._node(node, known, prefix)
        return [known[id(tensor)] for tensor in _flatten(network.outputs)]

    def _node(self, node: Any, known: dict[int, Any], prefix: str) -> None:
        if node.is_input:
            return
        layer, args, kwargs = _call_of(node)
        tensors = [t for t in _flatten((args, kwargs)) if _is_symbolic(t)]
        if any(id(tensor) not in known for tensor in tensors):
            return  # belongs to another use of a shared layer
        args = _map_tensors(args, known)
        kwargs = _map_tensors(kwargs, known)
        outputs = _flatten(node.outputs)
        inner = _with_nodes(layer)
        path = prefix + one_line(layer.name, 120)
        if inner is not None:
            refs = self.unfold(inner, _inner_inputs(inner, args, kwargs), f"{path}/")
        else:
            refs = [self.new() for _ in outputs]
            self.step(path, layer, args, kwargs, refs, [_shape(tensor) for tensor in outputs])
        known.update(zip(map(id, outputs), refs, strict=True))

    def step(
        self,
        path: str,
        layer: Any,
        args: Any,
        kwargs: Any,
        outputs: Sequence[Ref],
        shapes: Sequence[tuple[int | None, ...] | None],
    ) -> None:
        self._calls[path] = self._calls.get(path, 0) + 1
        if self._calls[path] > 1:
            path = f"{path}@{self._calls[path]}"
        kwargs = dict(kwargs)
        if knows_training(layer):
            # Augmentation layers take themselves to be in training unless they are told.
            kwargs["training"] = False
        self.steps.append(
            LayerCall(
                path,
                layer,
                tuple(args),
                kwargs,
                tuple(ref.index for ref in outputs),
                tuple(shapes),
            )
        )

    def opaque(self, model: Any) -> Graph:
        """One step that calls the whole model: its inputs and outputs are all there is to see."""
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or not all(n is None or isinstance(n, int) for n in shape):
            raise ModelError(
                "the model's layers can't be seen and it has not one input of a known shape: "
                "only Sequential and functional models, and exported ones with one input, "
                "can be looked into"
            )
        source, result = self.new(), self.new()
        out = getattr(model, "output_shape", None)
        out = out if isinstance(out, tuple) else None
        self.step(one_line(model.name, 120), model, (source,), {}, [result], [out])
        return Graph(
            tuple(self.steps),
            (Port("input", source.index, shape, "float32"),),
            (Port("output", result.index, out, "float32"),),
        )


def _with_nodes(layer: Any) -> Any | None:
    """Return the object that holds a model's nodes; None for a layer or an opaque model."""
    # A Sequential of Keras 3 keeps its graph in an attribute, and has none before it is built.
    network = getattr(layer, "_functional", None) or layer
    if not getattr(network, "_nodes_by_depth", None):
        return None
    # A subclass of Model that merely calls super().__init__(inputs, outputs) has nodes, and may
    # have a `call` of its own that does something else.
    functional = ("Functional", "Sequential", "Model")
    for base in type(network).__mro__:
        if base.__module__.partition(".")[0] in ("keras", "tf_keras"):
            return network if base.__name__ in functional else None
        if "call" in base.__dict__ or "__call__" in base.__dict__:
            return None
    return None


def _call_of(node: Any) -> tuple[Any, Any, Any]:
    if hasattr(node, "arguments"):  # Keras 3
        return node.operation, node.arguments.args, node.arguments.kwargs
    return node.layer, node.call_args, node.call_kwargs


def _inner_inputs(inner: Any, args: Any, kwargs: Any) -> list[Ref]:
    given = args[0] if args else kwargs.get("inputs")
    names = [_source_name(tensor) for tensor in _flatten(inner.inputs)]
    if isinstance(given, Mapping) and set(names) <= set(given):
        return [given[name] for name in names]
    return list(_refs(given))


def _output_names(model: Any, network: Any, count: int) -> list[str]:
    names = getattr(model, "output_names", None)
    if names is None or len(names) != count:
        names = [_source_name(tensor) for tensor in _flatten(network.outputs)]
    return [one_line(name, 120) for name in names]


def _is_symbolic(value: Any) -> bool:
    return getattr(value, "_keras_history", None) is not None


def knows_training(layer: Any) -> bool:
    """Tell whether a layer or model takes the argument ``training``."""
    return bool(
        getattr(layer, "_call_has_training_arg", False)
        or getattr(layer, "_expects_training_arg", False)
    )


def _source_name(tensor: Any) -> str:
    """Return the name of the layer that a symbolic tensor came out of."""
    history = getattr(tensor, "_keras_history", None)
    return history[0].name if history is not None else "input"


def _shape(tensor: Any) -> tuple[int | None, ...] | None:
    shape = tensor.shape
    if getattr(shape, "rank", 0) is None:
        return None
    return tuple(None if n is None else int(n) for n in shape)


def _dtype(tensor: Any) -> str:
    dtype = tensor.dtype
    return str(getattr(dtype, "name", dtype))


def _map_tensors(structure: Any, known: Mapping[int, Any]) -> Any:
    if _is_symbolic(structure):
        return known[id(structure)]
    return _descend(structure, lambda item: _map_tensors(item, known))


def _map(structure: Any, change: Callable[[Ref], Any]) -> Any:
    if isinstance(structure, Ref):
        return change(structure)
    return _descend(structure, lambda item: _map(item, change))


def _descend(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Rebuild a list, tuple or dict with each item changed; anything else as it is.

    Not TensorFlow's `nest`: that one sorts dicts and has its own mind about TensorFlow's types,
    while arguments of a layer's call are ordinary containers.
    """
    if isinstance(structure, Mapping):
        return {key: change(value) for key, value in structure.items()}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(change(item) for item in structure))
    if isinstance(structure, tuple):
        return tuple(change(item) for item in structure)
    if isinstance(structure, list):
        return [change(item) for item in structure]
    return structure


def _refs(structure: Any) -> list[Ref]:
    return [item for item in _flatten(structure) if isinstance(item, Ref)]


def _flatten(structure: Any) -> list[Any]:
    if isinstance(structure, Mapping):
        # Both families flatten a dict by its sorted keys.
        return [leaf for key in sorted(structure) for leaf in _flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in _flatten(item)]
    return [structure]
