"""A Keras model as a flat list of layer calls, run on tensors of our own.

The calls are repeated on plain tensors, so that every value between two layers is at hand, can be
replaced, and can be differentiated by; see README.md of ``kerascnn/network``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from kerascnn.errors import ModelError
from kerascnn.graph.live_types import KerasLayer, Tensor
from kerascnn.graph.structure import leaves, map_leaves

Shape: TypeAlias = tuple[int | None, ...]
"""A tensor's sizes, the batch axis included; None for a size that is open."""

Args: TypeAlias = tuple[Any, ...]
Kwargs: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Ref:
    """A tensor that flows between two calls, by number."""

    index: int


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of one layer.

    Attributes:
        path: the layer's name, after those of the models it is nested in: ``base/conv1``; a
            second call of a shared layer ends in ``@2``.
        layer: the live layer (in Keras 3, an operation at times).
        args: positional arguments of the call, a `Ref` in place of each tensor.
        kwargs: the same by keyword.
        outputs: the numbers of the tensors that the call returns.
        shapes: their shapes, None where unknown until a picture comes.
    """

    path: str
    layer: KerasLayer
    args: Args
    kwargs: Kwargs
    outputs: tuple[int, ...]
    shapes: tuple[Shape | None, ...]

    @property
    def kind(self) -> str:
        """The layer's class name."""
        return type(self.layer).__name__

    @property
    def inputs(self) -> tuple[int, ...]:
        """The numbers of the tensors that go in."""
        found = leaves((self.args, self.kwargs))
        return tuple(leaf.index for leaf in found if isinstance(leaf, Ref))

    def run(self, values: Mapping[int, Tensor], replace: Replace | None = None) -> list[Tensor]:
        """Call the layer, or what replaces it, on values by tensor number.

        Returns:
            A value for each of `outputs`.
        """

        def bound(leaf: Any) -> Any:
            return values[leaf.index] if isinstance(leaf, Ref) else leaf

        args, kwargs = map_leaves(self.args, bound), map_leaves(self.kwargs, bound)
        result = replace(self, args, kwargs) if replace else self.layer(*args, **kwargs)
        return leaves(result)


Replace: TypeAlias = Callable[[LayerCall, Args, Kwargs], Tensor]
"""What is done instead of a call: takes the call and its arguments, values in place of tensors."""


@dataclass(frozen=True)
class Port:
    """An input or output of the whole model."""

    name: str
    index: int
    shape: Shape | None
    dtype: str


@dataclass(frozen=True, eq=False)
class Graph:
    """A model's layer calls in an order in which they can be run."""

    calls: tuple[LayerCall, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def run(
        self,
        inputs: Mapping[int, Tensor],
        wanted: Sequence[int],
        replace: Mapping[LayerCall, Replace] | None = None,
    ) -> list[Tensor]:
        """Run what is needed to get some tensors from others.

        Args:
            inputs: tensor number → value; any tensors, not only the model's inputs.
            wanted: numbers of the tensors to return.
            replace: what is done instead of some calls.

        Returns:
            The wanted tensors, in order.
        """
        values = dict(inputs)
        replace = replace or {}
        for call in self._needed(frozenset(inputs), frozenset(wanted)):
            result = call.run(values, replace.get(call))
            values.update(zip(call.outputs, result, strict=True))
        return [values[index] for index in wanted]

    def producer(self, index: int) -> LayerCall | None:
        """Return the call that a tensor comes out of; None for an input of the model."""
        return next((call for call in self.calls if index in call.outputs), None)

    def consumers(self, index: int) -> list[LayerCall]:
        """Return the calls that a tensor goes into."""
        return [call for call in self.calls if index in call.inputs]

    def between(self, source: int, result: int) -> list[LayerCall]:
        """Return the calls on the ways from one tensor to another, in order."""
        given = frozenset({source, *(port.index for port in self.inputs)})
        reached, found = {source}, []
        for call in self._needed(given, frozenset({result})):
            if reached.intersection(call.inputs):
                reached.update(call.outputs)
                found.append(call)
        return found

    def _needed(self, given: frozenset[int], wanted: frozenset[int]) -> list[LayerCall]:
        missing, needed = set(wanted - given), []
        for call in reversed(self.calls):
            if missing.intersection(call.outputs):
                needed.append(call)
                missing.difference_update(call.outputs)
                missing.update(set(call.inputs) - given)
        if missing:
            raise ModelError("the model's graph has a tensor that nothing computes")
        return needed[::-1]
