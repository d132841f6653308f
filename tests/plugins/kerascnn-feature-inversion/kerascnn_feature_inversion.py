"""Feature inversion: a picture out of what a layer says of it."""

from kerascnn import Images, UsageError, Visualizer, hookimpl, option


class FeatureInversion(Visualizer):
    """What a layer still knows of a picture.

    From an even grey, a picture is sought of which the layer says the same as of the original:
    ‖a(x) − a(x₀)‖² / ‖a(x₀)‖² is made small, with a penalty on the differences of neighbouring
    pixels (Mahendran and Vedaldi 2015). What comes back the layer has kept; the rest is lost.
    """

    name = "feature-inversion"
    layer: tuple[str, ...] = option((), "layers; default: first-conv and last-conv")
    steps: int = option(200, "steps of the ascent", ge=1, le=100_000)
    rate: float = option(0.1, "how far a step goes", gt=0, le=10)
    smooth: float = option(1e-3, "weight of the differences of neighbouring pixels", ge=0, le=100)

    def visualize(self, network, images, target):
        """Invert each layer in turn; all pictures of a layer at once."""
        import numpy as np

        from kerascnn.ascent import maximise, start, total_variation

        layers = network.select(*(self.layer or ("first-conv", "last-conv")))
        begin = np.repeat(start(network, "constant", images.shape[1:3]), len(images), axis=0)
        columns, captions, errors = [images], ["the picture"], {}
        for layer in layers:
            goal = network.activations(images, layer)
            size = (goal.reshape(len(goal), -1) ** 2).sum(axis=1)
            if not size.all():
                raise UsageError(f"--layer {layer.name} gives 0 for a picture: nothing to invert")
            pixels = images[0].size
            objective = _likeness(layer.name, goal, size)
            objective = objective - (self.smooth / pixels**0.5) * total_variation()
            found = maximise(
                network, objective, begin, steps=self.steps, rate=self.rate, seed=self.seed
            ).images
            left = network.activations(found, layer) - goal
            share = (left.reshape(len(left), -1) ** 2).sum(axis=1) / size
            errors[layer.name] = [float(value) for value in share]
            columns.append(found)
            captions.append(f"what {layer.name} kept")
        count = len(images)
        return Images(
            np.stack(columns, axis=1).reshape(-1, *images.shape[1:]),
            title="feature inversion",
            captions=captions * count,
            facts={"error": errors},
        )


def _likeness(layer, goal, size):
    """Return −‖a − goal‖² / ‖goal‖² of a layer, a goal for each picture."""
    import numpy as np

    from kerascnn.ascent import measure

    flat = goal.reshape(len(goal), -1) / np.sqrt(size)[:, None]
    scale = (1 / np.sqrt(size))[:, None]

    def likeness(values, items):
        import tensorflow as tf

        wanted, by = items[:, :-1], items[:, -1:]
        given = tf.reshape(values, (-1, wanted.shape[1])) * by
        return -tf.reduce_sum((given - wanted) ** 2, -1)

    return measure(likeness, layer, items=np.concatenate([flat, scale], 1).astype(np.float32))


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield FeatureInversion
