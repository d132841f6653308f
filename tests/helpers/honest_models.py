"""Small honest models of every make, for whoever needs models to try something on.

``HONEST`` maps names to functions that take a Keras (the module ``tf_keras`` or ``keras``) and
return a model with seeded random weights. All of them build in both generations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

HONEST: dict[str, Callable[[Any], Any]] = {}

#: What Keras 3 itself can't read back from HDF5 (it looks operations up among the layers).
NOT_IN_HDF5_OF_KERAS3 = {"arithmetic", "slicing", "mean_of_axes", "mobilenet_v3"}

#: What needs more than a second to build.
LARGE = {"mobilenet_v2", "mobilenet_v3", "efficientnet", "resnet50", "densenet"}

SIDE = 12


def honest(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Register a model; give it seeded weights when it is built."""

    def seeded(k: Any) -> Any:
        return shake(build(k))

    HONEST[build.__name__] = seeded
    return seeded


def shake(model: Any, seed: int = 7) -> Any:
    """Move every weight a little, at random; what is one (scales, variances) stays positive."""
    generator = np.random.default_rng(seed)
    model.set_weights([_shaken(value, generator) for value in model.get_weights()])
    _finalize(model)
    return model


def _shaken(value: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if value.dtype.kind != "f":
        return value
    noise = generator.normal(0, 0.1, value.shape)
    return np.abs(value + noise) + 0.1 if (value == 1).all() else value + noise


def _finalize(model: Any) -> None:
    # Normalization keeps what it was adapted to beside its weights, and reads it back from there.
    for layer in getattr(model, "layers", ()):
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()
        _finalize(layer)


def pictures(model: Any, count: int = 2, seed: int = 11) -> list[np.ndarray]:
    """Return random inputs that fit a model; free sizes become ``SIDE``."""
    generator = np.random.default_rng(seed)
    return [
        generator.uniform(
            0, 1, (count, *(SIDE if size is None else size for size in tensor.shape[1:]))
        ).astype("float32")
        for tensor in model.inputs
    ]


def outputs(model: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Return a model's outputs as a list of arrays, in inference mode."""
    given = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    given = list(given.values()) if isinstance(given, dict) else given
    return [np.asarray(out) for out in (given if isinstance(given, (list, tuple)) else [given])]


def _picture(k: Any, channels: int = 3, side: int | None = SIDE) -> Any:
    return k.Input((side, side, channels))


def _features(k: Any, x: Any, filters: int = 4) -> Any:
    x = k.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return k.layers.MaxPooling2D()(x)


def _head(k: Any, x: Any, units: int = 3, activation: str | None = "softmax") -> Any:
    return k.layers.Dense(units, activation=activation)(k.layers.GlobalAveragePooling2D()(x))


# --- kinds of models ------------------------------------------------------------------------


@honest
def sequential(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            k.Input((SIDE, SIDE, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


@honest
def sequential_with_input_shape(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Conv2D(4, 3, strides=2, input_shape=(SIDE, SIDE, 3), name="first"),
            layers.Activation("relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(3, activation="softmax"),
        ],
        name="with_input_shape",
    )


@honest
def functional(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _head(k, _features(k, x)))


@honest
def nested(k: Any) -> Any:
    base = k.Sequential([k.Input((SIDE, SIDE, 3)), k.layers.Conv2D(4, 3, activation="relu")])
    x = _picture(k)
    return k.Model(x, _head(k, base(x)))


@honest
def nested_twice(k: Any) -> Any:
    inner = k.Sequential(
        [k.Input((SIDE, SIDE, 4)), k.layers.Conv2D(4, 3, activation="relu", name="deep")],
        name="inner",
    )
    x = _picture(k)
    middle = k.Model(x, k.layers.MaxPooling2D()(inner(k.layers.Conv2D(4, 1)(x))), name="middle")
    y = _picture(k)
    return k.Model(y, _head(k, middle(y)), name="outer")


@honest
def sequential_around_functional(k: Any) -> Any:
    x = _picture(k)
    base = k.Model(x, _features(k, x), name="base")
    return k.Sequential(
        [
            k.Input((SIDE, SIDE, 3)),
            base,
            k.layers.GlobalAveragePooling2D(),
            k.layers.Dropout(0.5),
            k.layers.Dense(3, activation="softmax"),
        ]
    )


@honest
def shared_layer(k: Any) -> Any:
    a, b = _picture(k), _picture(k)
    conv = k.layers.Conv2D(4, 3, name="shared")
    both = k.layers.Subtract()([conv(a), conv(b)])
    return k.Model([a, b], _head(k, both))


@honest
def shared_model(k: Any) -> Any:
    tower = k.Sequential([k.Input((SIDE, SIDE, 3)), k.layers.Conv2D(4, 3)], name="tower")
    a, b = _picture(k), _picture(k)
    both = k.layers.Average()([tower(a), tower(b)])
    return k.Model([a, b], _head(k, both))


@honest
def two_inputs(k: Any) -> Any:
    picture, facts = _picture(k), k.Input((5,))
    seen = k.layers.GlobalAveragePooling2D()(_features(k, picture))
    both = k.layers.Concatenate()([seen, k.layers.Dense(4, activation="relu")(facts)])
    return k.Model([picture, facts], k.layers.Dense(3, activation="softmax")(both))


@honest
def two_outputs(k: Any) -> Any:
    x = _picture(k)
    seen = _features(k, x)
    kind = k.layers.Dense(3, activation="softmax", name="kind")
    place = k.layers.Dense(4, name="place")
    flat = k.layers.Flatten()(seen)
    return k.Model(x, [kind(flat), place(flat)])


@honest
def lecture(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            k.Input((1, 28, 28)),
            layers.Conv2D(8, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2), padding="same"),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


# --- heads ----------------------------------------------------------------------------------


@honest
def many_sigmoids(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _head(k, _features(k, x), 5, "sigmoid"))


@honest
def one_sigmoid(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _head(k, _features(k, x), 1, "sigmoid"))


@honest
def activation_layer(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, k.layers.Activation("softmax")(_head(k, _features(k, x), 3, None)))


@honest
def softmax_layer(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, k.layers.Softmax()(_head(k, _features(k, x), 3, None)))


@honest
def linear(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _head(k, _features(k, x), 3, None))


@honest
def headless(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _features(k, _features(k, x), 6))


@honest
def headless_pooled(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, k.layers.GlobalMaxPooling2D()(_features(k, x)))


@honest
def fully_convolutional(k: Any) -> Any:
    x = _picture(k, side=None)
    return k.Model(x, k.layers.Conv2D(3, 1, activation="softmax")(_features(k, x)))


@honest
def dense_alone(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((SIDE, SIDE)),
            k.layers.Flatten(),
            k.layers.Dense(8, activation="tanh"),
            k.layers.Dense(3, activation="softmax"),
        ]
    )


# --- layers ---------------------------------------------------------------------------------


@honest
def batch_normalization(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Conv2D(4, 3, use_bias=False)(x)
    y = k.layers.ReLU()(k.layers.BatchNormalization()(y))
    y = k.layers.BatchNormalization(scale=False, center=False)(k.layers.Conv2D(4, 1)(y))
    return k.Model(x, _head(k, y))


@honest
def depthwise(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu")(x)
    return k.Model(x, _head(k, k.layers.Conv2D(4, 1)(y)))


@honest
def separable(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _head(k, k.layers.SeparableConv2D(5, 3, activation="relu")(x)))


@honest
def residual(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Conv2D(4, 3, padding="same")(x)
    z = k.layers.Conv2D(4, 3, padding="same", activation="relu")(y)
    return k.Model(x, _head(k, k.layers.ReLU()(k.layers.Add()([y, z]))))


@honest
def concatenated(k: Any) -> Any:
    x = _picture(k)
    towers = [k.layers.Conv2D(3, size, padding="same")(x) for size in (1, 3, 5)]
    towers.append(k.layers.MaxPooling2D(3, 1, padding="same")(x))
    return k.Model(x, _head(k, k.layers.Concatenate()(towers)))


@honest
def dense_block(k: Any) -> Any:
    x = y = _picture(k)
    for _ in range(3):
        y = k.layers.Concatenate()([y, k.layers.Conv2D(2, 3, padding="same")(y)])
    return k.Model(x, _head(k, y))


@honest
def unet(k: Any) -> Any:
    x = _picture(k)
    a = k.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    b = k.layers.Conv2D(6, 3, padding="same", activation="relu")(k.layers.MaxPooling2D()(a))
    up = k.layers.Conv2DTranspose(4, 2, strides=2)(b)
    return k.Model(x, k.layers.Conv2D(1, 1, activation="sigmoid")(k.layers.Add()([a, up])))


@honest
def channels_first(k: Any) -> Any:
    x = k.Input((3, SIDE, SIDE))
    conv = k.layers.Conv2D(4, 3, activation="relu", data_format="channels_first")
    pool = k.layers.GlobalAveragePooling2D(data_format="channels_first")
    return k.Model(x, k.layers.Dense(3, activation="softmax")(pool(conv(x))))


@honest
def free_size(k: Any) -> Any:
    x = _picture(k, side=None)
    return k.Model(x, _head(k, _features(k, x)))


@honest
def mixed_precision(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Conv2D(4, 3, activation="relu", dtype="mixed_float16")(x)
    y = k.layers.GlobalAveragePooling2D(dtype="mixed_float16")(y)
    return k.Model(x, k.layers.Dense(3, activation="softmax", dtype="float32")(y))


@honest
def rescaling(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _head(k, _features(k, k.layers.Rescaling(1 / 127.5, offset=-1.0)(x))))


@honest
def normalization(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.05, 0.05, 0.05])(x)
    return k.Model(x, _head(k, _features(k, y)))


@honest
def normalization_adapted(k: Any) -> Any:
    layer = k.layers.Normalization()
    layer.adapt(np.random.default_rng(3).normal(2, 3, (16, SIDE, SIDE, 3)).astype("float32"))
    x = _picture(k)
    return k.Model(x, _head(k, _features(k, layer(x))))


@honest
def augmentation(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            k.Input((SIDE, SIDE, 3)),
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.RandomTranslation(0.1, 0.1),
            layers.RandomContrast(0.1),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


@honest
def resized(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.CenterCrop(8, 8)(k.layers.Resizing(10, 10)(x))
    return k.Model(x, _head(k, _features(k, y)))


@honest
def arithmetic(k: Any) -> Any:
    x = _picture(k)
    y = _function(k, "relu")(x * 2.0 - 1.0)
    y = k.layers.Conv2D(4, 3)(y)
    return k.Model(x, _head(k, y + 1.0) / 2.0)


@honest
def slicing(k: Any) -> Any:
    x = _picture(k)
    return k.Model(x, _head(k, k.layers.Conv2D(4, 3)(x[:, 1:-1, ::2, :])))


@honest
def mean_of_axes(k: Any) -> Any:
    x = _picture(k)
    y = _function(k, "mean")(k.layers.Conv2D(4, 3)(x), axis=[1, 2])
    return k.Model(x, k.layers.Dense(3, activation="softmax")(y))


def _function(k: Any, name: str) -> Callable[..., Any]:
    if hasattr(k, "ops"):
        return getattr(k.ops, name)
    import tensorflow as tf

    return {"relu": tf.nn.relu, "mean": tf.reduce_mean}[name]


@honest
def upsampling(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.UpSampling2D(2, interpolation="bilinear")(_features(k, x))
    return k.Model(x, k.layers.Conv2D(2, 1, activation="sigmoid")(y))


@honest
def transposed(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Conv2DTranspose(4, 3, strides=2, activation="relu")(_features(k, x))
    return k.Model(x, _head(k, y))


@honest
def rectifiers(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.PReLU(shared_axes=[1, 2])(k.layers.Conv2D(4, 3)(x))
    y = k.layers.LeakyReLU()(k.layers.Conv2D(4, 1)(y))
    y = k.layers.ELU(0.5)(k.layers.Conv2D(4, 1)(y))
    y = k.layers.ReLU(6.0)(k.layers.Conv2D(4, 1)(y))
    return k.Model(x, _head(k, y))


@honest
def activations(k: Any) -> Any:
    x = y = _picture(k)
    for name in ("elu", "selu", "softplus", "softsign", "tanh", "hard_sigmoid", "swish", "gelu"):
        y = k.layers.Conv2D(3, 1, activation=name)(y)
    return k.Model(x, _head(k, y))


@honest
def group_normalization(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.GroupNormalization(groups=2)(k.layers.Conv2D(4, 3)(x))
    return k.Model(x, _head(k, y))


@honest
def layer_normalization(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.LayerNormalization()(k.layers.Conv2D(4, 3)(x))
    return k.Model(x, _head(k, y))


@honest
def dropouts(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.SpatialDropout2D(0.3)(k.layers.GaussianNoise(0.1)(x))
    y = k.layers.GaussianDropout(0.2)(k.layers.AlphaDropout(0.2)(_features(k, y)))
    return k.Model(x, _head(k, k.layers.Dropout(0.4)(y)))


@honest
def padded_and_cropped(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Cropping2D(((1, 0), (0, 1)))(k.layers.ZeroPadding2D((2, 3))(x))
    y = k.layers.AveragePooling2D(3, 2)(k.layers.Conv2D(4, 3)(y))
    return k.Model(x, _head(k, y))


@honest
def dilated_and_grouped(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Conv2D(4, 3, dilation_rate=2, padding="same", activation="relu")(x)
    y = k.layers.Conv2D(4, 3, groups=2)(y)
    return k.Model(x, _head(k, y))


@honest
def squeeze_and_excite(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Conv2D(4, 3)(x)
    s = k.layers.Reshape((1, 1, 4))(k.layers.GlobalAveragePooling2D()(y))
    s = k.layers.Conv2D(4, 1, activation="sigmoid")(k.layers.Conv2D(2, 1, activation="relu")(s))
    return k.Model(x, _head(k, k.layers.Multiply()([y, s])))


@honest
def merged_every_way(k: Any) -> Any:
    x = _picture(k)
    a, b = k.layers.Conv2D(4, 3)(x), k.layers.Conv2D(4, 3)(x)
    y = k.layers.Concatenate()(
        [k.layers.Maximum()([a, b]), k.layers.Minimum()([a, b]), k.layers.Average()([a, b])]
    )
    return k.Model(x, _head(k, y))


@honest
def reshaped(k: Any) -> Any:
    x = k.Input((SIDE * SIDE * 3,))
    y = k.layers.Permute((2, 1, 3))(k.layers.Reshape((SIDE, SIDE, 3))(x))
    return k.Model(x, _head(k, _features(k, y)))


@honest
def one_dimensional(k: Any) -> Any:
    x = k.Input((32, 2))
    y = k.layers.MaxPooling1D()(k.layers.Conv1D(4, 5, activation="relu")(x))
    return k.Model(x, k.layers.Dense(3)(k.layers.GlobalAveragePooling1D()(y)))


@honest
def three_dimensional(k: Any) -> Any:
    x = k.Input((6, 6, 6, 1))
    y = k.layers.MaxPooling3D()(k.layers.Conv3D(2, 3, activation="relu")(x))
    return k.Model(x, k.layers.Dense(3)(k.layers.Flatten()(y)))


@honest
def over_time(k: Any) -> Any:
    x = k.Input((3, SIDE, SIDE, 3))
    y = k.layers.TimeDistributed(k.layers.Conv2D(2, 3, activation="relu"))(x)
    y = k.layers.TimeDistributed(k.layers.GlobalAveragePooling2D())(y)
    return k.Model(x, k.layers.Dense(3)(k.layers.GlobalAveragePooling1D()(y)))


@honest
def attention(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Reshape((9, 8))(k.layers.Conv2D(8, 4, strides=4)(x))
    y = k.layers.Add()([y, k.layers.MultiHeadAttention(2, 4)(y, y)])
    y = k.layers.GlobalAveragePooling1D()(k.layers.LayerNormalization()(y))
    return k.Model(x, k.layers.Dense(3, activation="softmax")(y))


@honest
def grayscale(k: Any) -> Any:
    x = _picture(k, channels=1)
    return k.Model(x, _head(k, _features(k, x)))


@honest
def regularized(k: Any) -> Any:
    x = _picture(k)
    y = k.layers.Conv2D(
        4,
        3,
        kernel_initializer="he_normal",
        bias_initializer=k.initializers.Constant(0.1),
        kernel_regularizer=k.regularizers.L1L2(1e-4, 1e-3),
        bias_regularizer="l2",
        kernel_constraint=k.constraints.MaxNorm(2.0),
        activity_regularizer="l1",
    )(x)
    y = k.layers.Conv2D(
        4,
        3,
        kernel_initializer=k.initializers.VarianceScaling(2.0, "fan_out"),
        kernel_constraint="non_neg",
    )(k.layers.ActivityRegularization(l2=1e-5)(y))
    return k.Model(x, _head(k, y))


@honest
def trained(k: Any) -> Any:
    model = sequential(k)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    generator = np.random.default_rng(5)
    model.train_on_batch(
        generator.uniform(size=(4, SIDE, SIDE, 3)).astype("float32"),
        np.eye(3, dtype="float32")[[0, 1, 2, 0]],
    )
    return model


@honest
def odd_names(k: Any) -> Any:
    x = k.Input((SIDE, SIDE, 3), name="picture-1")
    y = k.layers.Conv2D(4, 3, name="block_1.conv")(x)
    return k.Model(x, _head(k, k.layers.ReLU(name="Lambda")(y)), name="open_system_os")


# --- whole networks -------------------------------------------------------------------------


@honest
def mobilenet_v2(k: Any) -> Any:
    return k.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=5)


@honest
def mobilenet_v3(k: Any) -> Any:
    return k.applications.MobileNetV3Small((32, 32, 3), alpha=0.75, weights=None, classes=5)


@honest
def efficientnet(k: Any) -> Any:
    return k.applications.EfficientNetB0(
        input_shape=(32, 32, 3), weights=None, classes=5, classifier_activation=None
    )


@honest
def resnet50(k: Any) -> Any:
    return k.applications.ResNet50(input_shape=(32, 32, 3), weights=None, classes=5)


@honest
def densenet(k: Any) -> Any:
    return k.applications.DenseNet121(input_shape=(32, 32, 3), weights=None, include_top=False)
