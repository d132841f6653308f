"""A Keras callback that runs visualizers while a model is trained, for both Keras generations.

from kerascnn.callbacks import VisualizeCallback

model.fit(x, y, callbacks=[VisualizeCallback("saliency", x[:4], every=5, folder="maps")])
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascnn.errors import KerascnnError, UsageError, one_line
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.run.question import PREDICTED, question_for
from kerascnn.terminal.progress import say

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.images import Picture
    from kerascnn.run.run import Run


class VisualizeCallback:
    """Runs visualizers every few epochs, and keeps their pictures.

    It is a callback of Keras 2 and of Keras 3: both only call its methods. The failure of a
    visualizer is reported on stderr and never ends the training.

    Args:
        visualizers: names (``"saliency"``) or instances with options (``Saliency(signed=True)``);
            one, or several.
        images: N×H×W×C in the model's own values, or paths; none takes packaged pictures.
        every: after how many epochs; the first time after the first.
        folder: where each picture goes, as ``saliency/epoch-0005.png`` with its values as NPZ.
        tensorboard: a folder of TensorBoard's; the pictures are written to it too.
        target: what the visualizers explain that explain something: ``predicted``, a class index
            or name, or ``layer:channel``.
        **options: of `kerascnn.Network`: ``preprocessing``, ``labels``, ``input``, ``output``.

    Raises:
        UsageError: there is no visualizer, no such one, no folder, or no TensorBoard to write to.
    """

    _supports_tf_logs = False  # asked by Keras 2

    def __init__(
        self,
        visualizers: str | Visualizer | Sequence[str | Visualizer],
        images: np.ndarray | Sequence[str | Path] = (),
        *,
        every: int = 1,
        folder: str | Path | None = None,
        tensorboard: str | Path | None = None,
        target: str = PREDICTED,
        **options: Any,
    ) -> None:
        given = [visualizers] if isinstance(visualizers, (str, Visualizer)) else list(visualizers)
        if not given:
            raise UsageError("VisualizeCallback takes a visualizer at least")
        if every < 1:
            raise UsageError(f"every must be at least 1. Received: {every}")
        if folder is None and tensorboard is None:
            raise UsageError("VisualizeCallback takes a folder, or TensorBoard's, to write to")
        if tensorboard is not None and importlib.util.find_spec("tensorboard") is None:
            raise UsageError(
                "TensorBoard is not installed: python -m pip install tensorboard, or give a folder"
            )
        self.visualizers = [_made(each) for each in given]
        self.every = every
        self._images, self._target, self._options = images, target, options
        self._folder = None if folder is None else Path(folder)
        self._tensorboard = None if tensorboard is None else str(tensorboard)
        self._writer: Any = None
        self.model: Any = None
        self.params: dict[str, Any] = {}

    # --- what both Keras generations call --------------------------------------------------------

    def set_model(self, model: Any) -> None:
        """Keep the model that is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Keep the parameters of the training."""
        self.params = params

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Run the visualizers if this epoch is one of those.

        Args:
            epoch: its number, from 0.
            logs: of Keras; not used.
        """
        if epoch % self.every:
            return
        for visualizer in self.visualizers:
            try:
                self._keep(self._ask(visualizer), epoch + 1)
            except KerascnnError as error:
                say(f"epoch {epoch + 1}, {visualizer.name}: {one_line(error)}")

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close TensorBoard's writer."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __getattr__(self, name: str) -> Any:
        """Return a function that does nothing for every other method of a callback."""
        if name.startswith(("on_", "_implements_")):
            return _nothing
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    # --- what it does ----------------------------------------------------------------------------

    def _ask(self, visualizer: Visualizer) -> Run:
        from kerascnn.network.network import Network
        from kerascnn.run.run import ask

        # A new view each time: an older one may hold what it computed with older weights.
        network = Network(self.model, **self._options)
        return ask(question_for(visualizer, self._pictures(), self._target), network)

    def _pictures(self) -> Sequence[str | Path | Picture]:
        import numpy as np

        from kerascnn.images import Picture

        if not isinstance(self._images, np.ndarray):
            return list(self._images)
        values = np.asarray(self._images, np.float32)
        if values.ndim == 3:  # grey pictures without a channel axis, as MNIST comes
            values = values[..., None]
        return [
            Picture(each, f"picture {number}", "given to the callback", None, each.shape[:2])
            for number, each in enumerate(values)
        ]

    def _keep(self, run: Run, epoch: int) -> None:
        from kerascnn.render import to_png
        from kerascnn.storage.files import write_bytes

        png = to_png(run.figure())
        if self._folder is not None:
            stem = self._folder / run.visualizer.name / f"epoch-{epoch:04d}"
            write_bytes(stem.with_suffix(".png"), png)
            run.result.save(stem.with_suffix(".npz"))
        if self._tensorboard is not None:
            import tensorflow as tf

            if self._writer is None:
                self._writer = tf.summary.create_file_writer(self._tensorboard)
            picture = tf.image.decode_png(png, channels=3)[None]
            with self._writer.as_default():
                tf.summary.image(run.visualizer.name, picture, step=epoch)
            self._writer.flush()


def _nothing(*_arguments: object, **_more: object) -> bool:
    return False


def _made(given: str | Visualizer) -> Visualizer:
    if isinstance(given, Visualizer):
        return given
    from kerascnn.plugin.registry import Registry

    return Registry().discover().get(str(given)).visualizer()
