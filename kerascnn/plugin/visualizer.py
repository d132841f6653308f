"""`Visualizer`: a question to a network as a typed record whose fields are its options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from kerascnn.errors import PluginError, one_line
from kerascnn.plugin.options import OptionRecord, option

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.network.network import Network
    from kerascnn.network.target import Target
    from kerascnn.results.base import Result

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Visualizer(OptionRecord):
    """A question to a network: its fields are the options, `visualize` computes the result.

    A subclass sets ``name``, declares options as typed fields, and writes `visualize`. Instances
    are immutable, comparable and picklable: ``Saliency(smooth=25)``.

    Attributes:
        name: what ``--plugin`` takes: lower case words joined by hyphens.
        reads_images: False for a visualizer of the network alone; `visualize` then gets None for
            the images and the target.
        streams: True for a visualizer that can process any number of pictures. `visualize` is then
            called with some of them at a time (and None for the target), and the results are
            combined by their ``merge``: memory does not grow with the number of pictures, and an
            interrupted run resumes where it stopped.
        any_size: True for a visualizer that runs only layers whose filters slide: the picture comes
            in its own size, one at a time, whatever the model's, and the target is None.
        variants: the options that a report runs it with, one set for each figure; by default once
            with the defaults.
    """

    variants: ClassVar[tuple[Mapping[str, object], ...]] = ({},)
    reads_images: ClassVar[bool] = True
    streams: ClassVar[bool] = False
    any_size: ClassVar[bool] = False

    seed: int = option(0, "seed of whatever is random: same seed, same numbers", ge=0, lt=2**32)

    @classmethod
    def takes_target(cls) -> bool:
        """Return whether it explains a class or a unit; if not, `visualize` gets None for it."""
        return cls.reads_images and not cls.streams and not cls.any_size

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> Result:
        """Compute the result: arguments in, values out; nothing printed, drawn or written.

        Args:
            network: the model, ready to be queried.
            images: N×H×W×C float32, as the model sees them (channels last whatever the model
                uses), or None where ``reads_images`` is False. Not to be changed.
            target: what to explain: one class index for each image, or a `Unit`; None where
                `takes_target` is False.

        Returns:
            Values with their meaning: a `Heatmap`, `Images`, ….
        """
        raise PluginError(f"visualizer {self.name!r} has no method 'visualize'")


def variants_of(visualizer: type[Visualizer], given: Visualizer) -> list[Visualizer]:
    """Return what a report runs: the given options with each variant that changes none of them."""
    said = {name: getattr(given, name) for name in given.model_fields_set}
    free = [variant for variant in visualizer.variants if not set(said) & set(variant)]
    return [visualizer(**{**said, **variant}) for variant in free] or [given]


def summary(visualizer: type[Visualizer]) -> str:
    """Return the first sentence of a visualizer's docstring, for lists."""
    lines = inspect.cleandoc(visualizer.__doc__ or "").partition("\n\n")[0]
    return one_line(lines, 120).rstrip(".")
