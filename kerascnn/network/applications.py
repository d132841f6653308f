"""What the networks of ``keras.applications`` take, by the names that they give themselves."""

from __future__ import annotations

import re

# Model names as keras.applications gives them (both generations), lower case.
# Those that hold their own Rescaling or Normalization layer, unless built without:
_INCLUDING = (
    (r"efficientnetb[0-7]", "torch"),
    (r"efficientnetv2-b[0-3]", "torch"),
    (r"efficientnetv2-[sml]", "symmetric"),
    (r"mobilenetv3(small|large)", "symmetric"),
    (r"convnext_(tiny|small|base|large|xlarge)", "torch"),
    (r"regnet[xy][0-9]{3}", "unit"),
    (r"resnet-rs-[0-9]{2,3}", "torch"),
)
# Those that leave it to preprocess_input:
_OUTSIDE = (
    (r"vgg(16|19)", "caffe"),
    (r"resnet(50|101|152)", "caffe"),
    (r"resnet(50|101|152)v2", "symmetric"),
    (r"densenet(121|169|201)", "torch"),
    (r"inception_v3|inception_resnet_v2|xception", "symmetric"),
    (r"nasnet(_mobile|_large)?", "symmetric"),
    (r"mobilenet(v2)?_[0-9.]+_([0-9]+|none)", "symmetric"),
)


def preprocessing_of_application(model_name: str, included: bool = True) -> str | None:
    """Return the preprocessing of a network of ``keras.applications``.

    Args:
        model_name: what ``model.name`` says, such as ``"vgg16"`` or ``"mobilenetv2_1.00_224"``.
        included: whether networks that come with their own Rescaling or Normalization layer
            (EfficientNet, ConvNeXt, MobileNetV3 …) have it; those built with
            ``include_preprocessing=False`` don't.

    Returns:
        One of `kerascnn.network.input_spec.PREPROCESSINGS`, or None for a name that no such
        network has.
    """
    name = model_name.lower()
    for pattern, mode in _INCLUDING:
        if re.fullmatch(pattern, name):
            return "raw" if included else mode
    for pattern, mode in _OUTSIDE:
        if re.fullmatch(pattern, name):
            return mode
    return None
