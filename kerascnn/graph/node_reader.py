"""A model's Keras nodes, read once into a `Graph`, nested models unfolded at any depth.

Both families keep a functional model as a graph of nodes, under names that differ; those names are
known here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kerascnn.errors import ModelError, one_line
from kerascnn.graph.live_types import KerasLayer, KerasModel, Structure, Tensor
from kerascnn.graph.model_graph import Args, Graph, Kwargs, LayerCall, Port, Ref, Shape
from kerascnn.graph.structure import leaves, map_leaves


def read_graph(model: KerasModel) -> Graph:
    """Read a model's nodes into a `Graph`.

    A model that is not made of nodes (subclassed, or exported) becomes a single call.

    Args:
        model: a built model of Keras 2 or 3.

    Raises:
        ModelError: the model was never built, so that its shapes are unknown.
    """
    reader = _Reader()
    network = _with_nodes(model)
    if network is None:
        return reader.opaque(model)
    ports = [reader.port(tensor) for tensor in leaves(network.inputs)]
    outputs = reader.unfold(network, [Ref(port.index) for port in ports], prefix="")
    named = _output_names(model, network, len(outputs))
    return Graph(
        calls=tuple(reader.calls),
        inputs=tuple(ports),
        outputs=tuple(
            Port(name, ref.index, shape_of(tensor), _dtype(tensor))
            for name, ref, tensor in zip(named, outputs, leaves(network.outputs), strict=True)
        ),
    )


def call_model(model: KerasModel, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Call a whole model, as its owner would; inputs and outputs in the graph's order."""
    structure = getattr(model, "_nested_inputs", None)  # Keras 2
    structure = getattr(model, "_inputs_struct", structure)  # Keras 3
    given = inputs[0] if len(inputs) == 1 else list(inputs)
    if isinstance(structure, dict):
        given = dict(zip(sorted(structure), inputs, strict=True))
    return leaves(model(given, **_as_in_use(model)))


def shape_of(tensor: Tensor) -> Shape | None:
    """Return a tensor's shape; None where not even its rank is known."""
    shape = tensor.shape
    if getattr(shape, "rank", 0) is None:
        return None
    return tuple(None if n is None else int(n) for n in shape)


class _Reader:
    """Numbers tensors and collects calls while models are unfolded into one another."""

    def __init__(self) -> None:
        self.calls: list[LayerCall] = []
        self._count = 0
        self._uses: dict[str, int] = {}

    def new(self) -> Ref:
        self._count += 1
        return Ref(self._count - 1)

    def port(self, tensor: Tensor) -> Port:
        name = one_line(_source_name(tensor), 120)
        return Port(name, self.new().index, shape_of(tensor), _dtype(tensor))

    def unfold(self, network: KerasModel, inputs: Sequence[Ref], prefix: str) -> list[Ref]:
        """Append the calls of a functional model called on ``inputs``; return its outputs."""
        known = {
            id(tensor): ref for tensor, ref in zip(leaves(network.inputs), inputs, strict=True)
        }
        for depth in sorted(network._nodes_by_depth, reverse=True):
            for node in network._nodes_by_depth[depth]:
                self._node(node, known, prefix)
        return [known[id(tensor)] for tensor in leaves(network.outputs)]

    def _node(self, node: Any, known: dict[int, Ref], prefix: str) -> None:
        if node.is_input:
            return
        layer, args, kwargs = _call_of(node)
        tensors = [leaf for leaf in leaves((args, kwargs)) if _is_symbolic(leaf)]
        if any(id(tensor) not in known for tensor in tensors):
            return  # belongs to another use of a shared layer

        def numbered(leaf: Any) -> Any:
            return known[id(leaf)] if _is_symbolic(leaf) else leaf

        args, kwargs = map_leaves(args, numbered), map_leaves(kwargs, numbered)
        outputs = leaves(node.outputs)
        inner = _with_nodes(layer)
        path = prefix + one_line(layer.name, 120)
        if inner is not None:
            refs = self.unfold(inner, _inner_inputs(inner, args, kwargs), f"{path}/")
        else:
            refs = [self.new() for _ in outputs]
            self._add(
                path, layer, args, kwargs, dict(zip(refs, map(shape_of, outputs), strict=True))
            )
        known.update(zip(map(id, outputs), refs, strict=True))

    def _add(
        self,
        path: str,
        layer: KerasLayer,
        args: Args,
        kwargs: Kwargs,
        outputs: Mapping[Ref, Shape | None],
    ) -> None:
        self._uses[path] = self._uses.get(path, 0) + 1
        if self._uses[path] > 1:
            path = f"{path}@{self._uses[path]}"
        indices, shapes = tuple(ref.index for ref in outputs), tuple(outputs.values())
        kwargs = {**kwargs, **_as_in_use(layer)}
        self.calls.append(LayerCall(path, layer, tuple(args), kwargs, indices, shapes))

    def opaque(self, model: KerasModel) -> Graph:
        """Return one call of the whole model: its input and output are all there is to see."""
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
        self._add(one_line(model.name, 120), model, (source,), {}, {result: out})
        return Graph(
            tuple(self.calls),
            (Port("input", source.index, shape, "float32"),),
            (Port("output", result.index, out, "float32"),),
        )


def _as_in_use(layer: KerasLayer) -> dict[str, bool]:
    """Return the arguments that tell a layer or model that it is not in training.

    Augmentation layers take themselves to be in training unless they are told.
    """
    names = ("_call_has_training_arg", "_expects_training_arg")
    return {"training": False} if any(getattr(layer, name, False) for name in names) else {}


def _with_nodes(layer: KerasLayer) -> KerasModel | None:
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


def _call_of(node: Any) -> tuple[KerasLayer, Structure, Structure]:
    if hasattr(node, "arguments"):  # Keras 3
        return node.operation, node.arguments.args, node.arguments.kwargs
    return node.layer, node.call_args, node.call_kwargs


def _inner_inputs(inner: KerasModel, args: Args, kwargs: Kwargs) -> list[Ref]:
    given = args[0] if args else kwargs.get("inputs")
    names = [_source_name(tensor) for tensor in leaves(inner.inputs)]
    if isinstance(given, Mapping) and set(names) <= set(given):
        return [given[name] for name in names]
    return [leaf for leaf in leaves(given) if isinstance(leaf, Ref)]


def _output_names(model: KerasModel, network: KerasModel, count: int) -> list[str]:
    names = getattr(model, "output_names", None)
    if names is None or len(names) != count:
        names = [_source_name(tensor) for tensor in leaves(network.outputs)]
    return [one_line(name, 120) for name in names]


def _is_symbolic(value: object) -> bool:
    return getattr(value, "_keras_history", None) is not None


def _source_name(tensor: Tensor) -> str:
    """Return the name of the layer that a symbolic tensor came out of."""
    history = getattr(tensor, "_keras_history", None)
    return str(history[0].name) if history is not None else "input"


def _dtype(tensor: Tensor) -> str:
    dtype = tensor.dtype
    return str(getattr(dtype, "name", dtype))
