"""The limits of the scan. Honest files stay far below each."""

from __future__ import annotations

from kerascnn.loading.scan.allowlist import words

MAX_CONFIG_BYTES = 16 << 20
MAX_CONFIG_DEPTH = 120
MAX_CONFIG_NODES = 1_000_000
MAX_CONFIG_OBJECTS = 100_000
MAX_TEXT = 1024
MAX_INTEGER = 2**31
#: Values of one picture or feature map: 2^28 float32 are 1 GiB.
MAX_ELEMENTS = 2**28
#: Values of one feature map of one picture, once the model is built.
MAX_FEATURES = 2**29
MAX_HDF5_OBJECTS = 50_000
MAX_HDF5_DEPTH = 64
MAX_ATTRIBUTE_BYTES = 64 << 20
#: What may be declared beyond what is stored, for data without compression and with.
SLACK_BYTES = 1 << 20
MAX_RATIO = 100
#: Weights a model may make beyond those the file stores (seeds, counters), in values.
SLACK_ELEMENTS = 1 << 20

#: Whole numbers that may be large: random seeds and object identities.
UNBOUNDED_KEYS = words("seed shared_object_id")

#: Numbers that make weights: never more than values stored in the whole file.
WEIGHT_KEYS = words(
    """
    units filters input_dim output_dim num_heads key_dim value_dim head_dim num_query_heads
    num_key_value_heads depth_multiplier lora_rank
    """
)

#: Shapes whose product is bounded by ``MAX_ELEMENTS`` (the first, the batch, taken as it is).
SHAPE_KEYS = words(
    "batch_input_shape batch_shape input_shape build_input_shape shape target_shape output_shape"
)

_CAPS = {
    16: "rank",
    64: "num_chains num_layers num_ops chain_depth",
    1000: "power_iterations",
    4096: "size",
    65536: """
        height width padding cropping strides dilation_rate pool_size num_or_size_splits
        indices_or_sections num bins
        """,
    1 << 24: "n num_tokens",
}
#: The largest values of numbers that make work or feature maps while a model is built.
CAPS = {key: cap for cap, keys in _CAPS.items() for key in keys.split()}
