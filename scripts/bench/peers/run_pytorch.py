"""PyTorch: Captum's works, and an iteration of style transfer written by hand, all in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common import Turns, main

_VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


def _features(until: int | None = None) -> Any:
    """Return VGG16's convolutions, all or up to the one of that number, with random weights."""
    import torch

    layers: list[Any] = []
    before, seen = 3, 0
    for width in _VGG16:
        if isinstance(width, str):
            layers.append(torch.nn.MaxPool2d(2))
            continue
        layers += [torch.nn.Conv2d(before, width, 3, padding=1), torch.nn.ReLU()]
        before, seen = width, seen + 1
        if seen == until:
            break
    return torch.nn.Sequential(*layers).eval().requires_grad_(False)


def _classifier() -> Any:
    import torch

    nn = torch.nn
    head = (nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU())
    return nn.Sequential(_features(), *head, nn.Linear(4096, 1000)).eval().requires_grad_(False)


def saliency() -> Turns:
    """Captum's gradients of 8 pictures in one batch."""
    import torch
    from captum.attr import Saliency

    model = _classifier()
    images = torch.randn(8, 3, 224, 224)
    explainer = Saliency(model)

    def bare() -> object:
        x = images.clone().requires_grad_(True)
        return torch.autograd.grad(model(x).diagonal().sum(), x)

    return lambda: explainer.attribute(images.clone(), target=list(range(8))), bare


def occlusion() -> Turns:
    """Captum's map of one picture: patch 32, stride 32, 49 positions."""
    import torch
    from captum.attr import Occlusion

    model = _classifier()
    image = torch.randn(1, 3, 224, 224)
    explainer = Occlusion(model)

    def peer() -> object:
        return explainer.attribute(
            image, (3, 32, 32), strides=(3, 32, 32), target=0, perturbations_per_eval=16
        )

    def bare() -> object:
        with torch.no_grad():
            return [model(image.expand(7, -1, -1, -1)) for _ in range(7)]

    return peer, bare


def style(size: int) -> Callable[[], Turns]:
    """Return neural-style's loss and gradient: five layers of Gram matrices, one of content."""

    def make() -> Turns:
        import torch

        network = _features(11)
        gram_at, content_at = {1, 6, 11, 18, 25}, 20
        picture = torch.rand(1, 3, size, size) * 100

        def taps(x: Any) -> tuple[list[Any], Any]:
            grams, content = [], None
            for index, layer in enumerate(network):
                x = layer(x)
                if index in gram_at:
                    flat = x.reshape(x.shape[1], -1)
                    grams.append(flat @ flat.T / flat.numel())
                if index == content_at:
                    content = x
            return grams, content

        with torch.no_grad():
            wanted, kept = taps(torch.rand(1, 3, size, size) * 100)

        def peer() -> object:
            x = picture.clone().requires_grad_(True)
            grams, content = taps(x)
            loss = 5 * (content - kept).square().mean()
            for gram, target in zip(grams, wanted, strict=True):
                loss = loss + 100 * (gram - target).square().mean()
            return torch.autograd.grad(loss, x)

        def bare() -> object:
            x = picture.clone().requires_grad_(True)
            return torch.autograd.grad(network(x).square().sum(), x)

        peer()
        return peer, bare

    return make


if __name__ == "__main__":
    main(
        {
            "saliency": saliency,
            "occlusion-32-16": occlusion,
            "style-256": style(256),
            "style-512": style(512),
        }
    )
