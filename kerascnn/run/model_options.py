"""`ModelOptions`: how a model is opened, whoever opens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascnn.network.precision import FLOAT32

if TYPE_CHECKING:
    from kerascnn.network.network import Network


@dataclass(frozen=True)
class ModelOptions:
    """How a saved model is opened; each is the argument of that name of `Network.load`.

    Attributes:
        weights: a file with the weights of a model saved as JSON.
        architecture: ``package.module:function`` that builds the model of a file with weights only.
        trust: load even what could run code.
        preprocessing: how pixel values are scaled; None to find out.
        input: the name of the input that takes the picture; None for the only one.
        output: the name of the output to explain; None for the only one.
        labels: the names of the classes, in order; None for those that are known.
        memory: bytes that work may take; None for a quarter of what is free.
        precision: ``float32``, ``bfloat16`` or ``auto``.
    """

    weights: str | None = None
    architecture: str | None = None
    trust: bool = False
    preprocessing: str | None = None
    input: str | None = None
    output: str | None = None
    labels: tuple[str, ...] | None = None
    memory: int | None = None
    precision: str = FLOAT32

    def open(self, model: str, custom_objects: dict[str, object] | None = None) -> Network:
        """Load a model: a file or folder of any Keras format, or ``builtin:NAME``.

        Raises:
            KerascnnError: what `Network.load` raises.
        """
        from kerascnn.network.network import Network

        return Network.load(model, custom_objects=custom_objects, **vars(self))
