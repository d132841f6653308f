"""What a network is: the description that ``kerascnn inspect`` prints."""

from __future__ import annotations

from typing import Any

from kerascnn.network.network import Network
from kerascnn.sizes import size_text


def describe(network: Network) -> dict[str, Any]:
    """Describe a network, as JSON takes it.

    Returns:
        ``format``, ``keras_version``, ``family``, ``input``, ``layers``, ``head``,
        ``preprocessing``, ``warnings`` and more; sizes in pixels, shapes without the batch.
    """
    loaded = network.loaded
    return {
        "path": loaded.path if loaded else None,
        "sha256": loaded.sha256 if loaded else None,
        "format": loaded.format if loaded else None,
        "keras_version": loaded.keras_version if loaded else None,
        "family": network.family,
        "trusted": loaded.trusted if loaded else False,
        "input": {**network.input.to_dict(), "name": network.input_name},
        "layers": [
            {
                "name": layer.name.rpartition("/")[2],
                "path": layer.name,
                "class": layer.kind,
                "output_shape": list(layer.stored_shape),
                "parameters": layer.parameters,
                "weights_per_filter": layer.weights_per_filter,
                "receptive_field": None if layer.field is None else list(layer.field.size),
                "receptive_field_stride": None if layer.field is None else list(layer.field.stride),
            }
            for layer in network.layers
        ],
        "parameters": sum(layer.parameters for layer in network.layers),
        "head": network.head.to_dict(),
        "preprocessing": {"name": network.input.preprocessing, "source": network.input.source},
        "warnings": [*(loaded.warnings if loaded else ()), *network.warnings],
    }


def shape_trace(network: Network) -> str:
    """Return the shapes from input to output as the lecture writes them: 1×28×28 → 25×26×26 → ….

    Maps are written channels first, as the lecture does, whatever the model's own order.
    """
    height, width, channels = network.input.shape
    shapes: list[tuple[int | None, ...]] = [(height, width, channels)]
    shapes += [layer.shape for layer in network.layers]
    steps: list[str] = []
    for shape in shapes:
        ordered = (shape[-1], *shape[:-1]) if len(shape) == 3 else shape
        text = size_text(ordered)
        if not steps or steps[-1] != text:
            steps.append(text)
    return " → ".join(steps)
