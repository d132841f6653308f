"""`InputSpec`, compared with hand-computed values and keras.applications' own code."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerascnn.errors import UsageError
from kerascnn.network.applications import preprocessing_of_application
from kerascnn.network.input_spec import PREPROCESSINGS, InputSpec

# Lowest and highest value a channel, by hand: (0 - mean) / std and (255 - mean) / std.
BOUNDS = {
    "unit": ([0, 0, 0], [1, 1, 1]),
    "symmetric": ([-1, -1, -1], [1, 1, 1]),
    "raw": ([0, 0, 0], [255, 255, 255]),
    "caffe": ([-103.939, -116.779, -123.68], [151.061, 138.221, 131.32]),
    "torch": ([-2.1179, -2.0357, -1.8044], [2.2489, 2.4286, 2.64]),
}

# Module of keras.applications: names its networks give themselves, in Keras 3 and in Keras 2.
OUTSIDE = {
    "vgg16": ["vgg16"],
    "vgg19": ["vgg19"],
    "resnet": ["resnet50", "resnet101", "resnet152"],
    "resnet_v2": ["resnet50v2", "resnet101v2", "resnet152v2"],
    "densenet": ["densenet121", "densenet169", "densenet201"],
    "inception_v3": ["inception_v3"],
    "inception_resnet_v2": ["inception_resnet_v2"],
    "xception": ["xception"],
    "nasnet": ["nasnet_mobile", "nasnet_large", "NASNet"],
    "mobilenet": ["mobilenet_1.00_224", "mobilenet_0.25_128", "mobilenet_1.00_None"],
    "mobilenet_v2": ["mobilenetv2_1.00_224", "mobilenetv2_0.35_96"],
}
INCLUDING = {
    "mobilenet_v3": ["MobileNetV3Small", "MobileNetV3Large", "MobilenetV3small"],
    "efficientnet": ["efficientnetb0", "efficientnetb7"],
    "efficientnet_v2": ["efficientnetv2-b0", "efficientnetv2-s", "efficientnetv2-l"],
    "convnext": ["convnext_tiny", "convnext_xlarge"],
}
INCLUDING_IN_KERAS_2 = {
    "regnet": ["regnetx002", "regnety320"],
    "resnet_rs": ["resnet-rs-50", "resnet-rs-420"],
}


def input_spec(preprocessing: str, channels: int = 3) -> InputSpec:
    return InputSpec((4, 5, channels), preprocessing, "a test")


def channels_of(preprocessing: str) -> st.SearchStrategy[int]:
    return st.just(3) if preprocessing in ("caffe", "torch") else st.integers(1, 5)


@pytest.mark.parametrize("preprocessing", PREPROCESSINGS)
def test_bounds_are_those_computed_by_hand(preprocessing: str) -> None:
    low, high = (np.array(bound) for bound in BOUNDS[preprocessing])
    spec = input_spec(preprocessing)
    for found, wanted in [
        (spec.low, low),
        (spec.high, high),
        (spec.grey, (low + high) / 2),
        (spec.noise_scale, high - low),
    ]:
        assert found.dtype == np.float32
        assert found.shape == (3,)
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_caffe_puts_blue_first() -> None:
    orange = np.array([[[1.0, 0.5, 0.0]]])
    values = input_spec("caffe").encode(orange)
    np.testing.assert_allclose(values[0, 0], [-103.939, 127.5 - 116.779, 255 - 123.68], atol=1e-5)
    np.testing.assert_allclose(input_spec("caffe").decode(values), orange, atol=1e-6)
    assert input_spec("caffe").channel_order == "BGR"
    assert [input_spec("unit", c).channel_order for c in (1, 3, 4)] == ["grey", "RGB", ""]


@pytest.mark.parametrize("preprocessing", PREPROCESSINGS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_decode_undoes_encode(preprocessing: str, data: st.DataObject) -> None:
    channels = data.draw(channels_of(preprocessing))
    lead = data.draw(st.lists(st.integers(1, 2), max_size=2))
    shape = (*lead, data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4)), channels)
    unit = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    spec = input_spec(preprocessing, channels)
    values = spec.encode(unit)
    assert values.dtype == np.float32
    assert values.shape == unit.shape
    slack = 1e-5 * spec.noise_scale
    assert (values >= spec.low - slack).all()
    assert (values <= spec.high + slack).all()
    np.testing.assert_array_equal(spec.clip(values), np.clip(values, spec.low, spec.high))
    back = spec.decode(values)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, unit, atol=1e-6)


@pytest.mark.parametrize("preprocessing", PREPROCESSINGS)
def test_display_clips_what_is_out_of_range(preprocessing: str) -> None:
    spec = input_spec(preprocessing)
    far = np.array([[spec.low - 9 * spec.noise_scale, spec.high + 9 * spec.noise_scale]])
    np.testing.assert_array_equal(spec.decode(far), [[[0, 0, 0], [1, 1, 1]]])
    np.testing.assert_array_equal(spec.clip(far), [[spec.low, spec.high]])


@pytest.mark.parametrize("preprocessing", PREPROCESSINGS)
def test_encoding_leaves_its_argument_alone(preprocessing: str) -> None:
    unit = np.full((2, 2, 3), 0.25, np.float32)
    spec = input_spec(preprocessing)
    spec.decode(spec.encode(unit))
    assert (unit == 0.25).all()


def test_it_goes_into_a_manifest() -> None:
    spec = InputSpec((None, 224, 3), "caffe", "keras.applications vgg16")
    found = json.loads(json.dumps(spec.to_dict()))
    assert found == {
        "shape": [None, 224, 3],
        "preprocessing": "caffe",
        "source": "keras.applications vgg16",
        "low": pytest.approx(BOUNDS["caffe"][0], abs=1e-4),
        "high": pytest.approx(BOUNDS["caffe"][1], abs=1e-4),
        "channel_order": "BGR",
    }


def test_unknown_preprocessing_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"must be one of unit, .*Received: tf$"):
        input_spec("tf")


@pytest.mark.parametrize("preprocessing", ["caffe", "torch"])
@pytest.mark.parametrize("channels", [1, 4])
def test_means_of_colours_need_three_channels(preprocessing: str, channels: int) -> None:
    with pytest.raises(UsageError, match=rf"{preprocessing} .* takes {channels} channel"):
        input_spec(preprocessing, channels)


@pytest.mark.parametrize(
    "name", ["", "model", "my_vgg16", "vgg16_1", "resnet18", "mobilenet", "sequential_1"]
)
def test_other_names_have_no_known_preprocessing(name: str) -> None:
    assert preprocessing_of_application(name) is None


def applications() -> list[tuple[str, str, list[str]]]:
    both = {**OUTSIDE, **INCLUDING}
    rows = [("keras", module, names) for module, names in both.items()]
    return rows + [
        ("tf_keras", module, names) for module, names in {**both, **INCLUDING_IN_KERAS_2}.items()
    ]


@pytest.mark.parametrize(("family", "module", "names"), applications())
def test_encoding_equals_preprocess_input(family: str, module: str, names: list[str]) -> None:
    source = importlib.import_module(f"{family}.src.applications.{module}")
    pictures = np.random.default_rng(0).integers(0, 256, (2, 6, 7, 3)).astype(np.float32)
    wanted = source.preprocess_input(pictures.copy())
    for name in names:
        preprocessing = preprocessing_of_application(name)
        assert preprocessing is not None, name
        found = input_spec(preprocessing).encode(pictures / 255.0)
        scale = input_spec(preprocessing).noise_scale
        np.testing.assert_allclose(found / scale, wanted / scale, atol=1e-6, err_msg=name)
        # What comes straight from a file is in double precision, and exact.
        found = input_spec(preprocessing).encode(pictures.astype(np.float64) / 255.0)
        np.testing.assert_allclose(found, wanted, atol=1e-5, err_msg=name)


# One of each family: arguments that keep it small.
SMALLEST = {
    "vgg16.VGG16": {},
    "vgg19.VGG19": {},
    "resnet.ResNet50": {},
    "resnet_v2.ResNet50V2": {},
    "densenet.DenseNet121": {},
    "inception_v3.InceptionV3": {},
    "inception_resnet_v2.InceptionResNetV2": {},
    "xception.Xception": {},
    "nasnet.NASNetMobile": {},
    "mobilenet.MobileNet": {"alpha": 0.25},
    "mobilenet_v2.MobileNetV2": {"alpha": 0.35},
    "mobilenet_v3.MobileNetV3Small": {"minimalistic": True},
    "efficientnet.EfficientNetB0": {},
    "efficientnet_v2.EfficientNetV2B0": {},
    "efficientnet_v2.EfficientNetV2S": {},
    "convnext.ConvNeXtTiny": {},
    "regnet.RegNetX002": {},
    "resnet_rs.ResNetRS50": {},
}


@pytest.mark.long
@pytest.mark.parametrize("family", ["keras", "tf_keras"])
@pytest.mark.parametrize("network", SMALLEST)
def test_networks_call_themselves_so_and_scale_so(family: str, network: str) -> None:
    module, _, builder = network.partition(".")
    if family == "keras" and module in INCLUDING_IN_KERAS_2:
        pytest.skip("Keras 3 has no such network")
    source = importlib.import_module(f"{family}.src.applications.{module}")
    model = getattr(source, builder)(
        weights=None, include_top=False, input_shape=(96, 96, 3), **SMALLEST[network]
    )
    assert preprocessing_of_application(model.name) is not None
    scaling = [
        layer
        for layer in model.layers[1:4]
        if type(layer).__name__ in ("Rescaling", "Normalization") or "prestem" in layer.name
    ]
    included = preprocessing_of_application(model.name) == "raw"
    assert bool(scaling) == included
    # The first EfficientNets carry means as weights, which a net without weights hasn't.
    if not included or module == "efficientnet":
        return
    pictures = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype(np.float32)
    inside = pictures
    for layer in scaling:
        inside = layer(inside)
    mode = preprocessing_of_application(model.name, included=False)
    assert mode is not None
    # EfficientNetV2-S divides by 128 where others divide by 127.5.
    np.testing.assert_allclose(
        input_spec(mode).encode(pictures / 255.0), np.asarray(inside), atol=0.01
    )
