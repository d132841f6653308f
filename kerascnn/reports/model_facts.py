"""What a model is, as rows of a page's tables."""

from __future__ import annotations

from kerascnn.errors import one_line
from kerascnn.network.network import Network
from kerascnn.sizes import size_text


def model_facts(network: Network) -> list[tuple[str, str]]:
    """Return what is known of the whole model: names and values."""
    loaded, head, spec = network.loaded, network.head, network.input
    path = loaded.path if loaded else "–"
    version = loaded.keras_version if loaded else None
    parameters = sum(layer.parameters for layer in network.layers)
    return [
        ("file", one_line(path, 200)),
        ("SHA-256", (loaded.sha256 if loaded else None) or "–"),
        ("format", f"{loaded.format if loaded else '–'}, Keras {version or '?'}"),
        ("family", network.family),
        ("parameters", f"{parameters:,}"),
        ("input", f"{size_text(spec.shape)}, {spec.preprocessing} ({spec.source})"),
        ("head", one_line(f"{head.kind}, {head.classes or '?'} outputs; {head.why}", 300)),
    ]


def layer_rows(network: Network) -> list[tuple[str, ...]]:
    """Return a row for each layer: name, class, output, parameters, receptive field."""
    rows: list[tuple[str, ...]] = []
    for layer in network.layers:
        field = layer.field
        seen = "" if field is None else f"{size_text(field.size)} every {size_text(field.stride)}"
        rows.append(
            (
                one_line(layer.name, 80),
                one_line(layer.kind, 40),
                size_text(layer.stored_shape),
                f"{layer.parameters:,}",
                seen,
            )
        )
    return rows
