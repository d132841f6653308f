"""What a model file may name: every list of the scan, in one place.

Nothing that is not listed here is ever given to Keras. A name is listed only if nothing that a
configuration can hand to it runs code, opens a file or reaches the network: that was read from the
sources of tf_keras and keras, not guessed from the name. Kept out on purpose, for what they do:
see ``REFUSED_CLASSES``.
"""

from __future__ import annotations

import functools
import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Models: graphs of layers.
MODELS = _words("Sequential Functional Model")

#: Layers of both Keras generations.
LAYERS = _words(
    """
    InputLayer Activation ActivityRegularization AddLoss Identity Masking
    Dense EinsumDense Embedding
    Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D
    Conv1DTranspose Conv2DTranspose Conv3DTranspose
    Convolution1DTranspose Convolution2DTranspose Convolution3DTranspose
    DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
    SeparableConvolution1D SeparableConvolution2D LocallyConnected1D LocallyConnected2D
    MaxPooling1D MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D MaxPool3D
    AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
    AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
    BatchNormalization BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization
    LayerNormalization GroupNormalization UnitNormalization RMSNormalization SpectralNormalization
    ReLU LeakyReLU PReLU ELU ThresholdedReLU Softmax
    Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout
    GaussianNoise
    Flatten Reshape Permute RepeatVector
    ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D
    UpSampling1D UpSampling2D UpSampling3D
    Attention AdditiveAttention MultiHeadAttention GroupQueryAttention GroupedQueryAttention
    TimeDistributed Bidirectional RNN SimpleRNN SimpleRNNCell LSTM LSTMCell GRU GRUCell
    StackedRNNCells ConvLSTM1D ConvLSTM2D ConvLSTM3D
    Rescaling Normalization Resizing CenterCrop CategoryEncoding
    RandomFlip RandomCrop RandomRotation RandomTranslation RandomZoom RandomHeight RandomWidth
    RandomContrast RandomBrightness RandomHue RandomSaturation RandomSharpness RandomShear
    RandomGrayscale RandomPosterization RandomColorDegeneration RandomColorJitter RandomInvert
    RandomErasing RandomGaussianBlur RandomPerspective RandomElasticTransform
    AutoContrast Equalization Solarization MixUp CutMix AugMix RandAugment Pipeline
    LayerScale
    """
)

#: Layers that wrap one TensorFlow function (Keras 2), which must be in ``SYMBOLS``.
SYMBOL_LAYERS = _words("TFOpLambda SlicingOpLambda")

#: Operations as nodes of a Keras 3 graph (``keras.ops``): arithmetic on tensors and nothing else.
OPERATIONS = _words(
    """
    Abs Absolute Add All Amax Amin Any Append Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh
    Argmax Argmin Argsort ArraySplit Average BroadcastTo Ceil Clip Concatenate Conj Copy Cos Cosh
    CountNonzero Cross Cumprod Cumsum Diag Diagonal Diff Divide DivideNoNan Dot Einsum Equal Exp
    Exp2 ExpandDims Expm1 Flip Fliplr Flipud Floor FloorDivide FullLike GetItem Greater
    GreaterEqual Hstack Hypot Imag Inner Isclose Isfinite Isinf Isnan Less LessEqual Log Log10
    Log1p Log2 Logaddexp LogicalAnd LogicalNot LogicalOr LogicalXor Matmul Max Maximum Mean Median
    Min Minimum Mod Moveaxis Multiply NanToNum Ndim Negative NotEqual OnesLike Outer Pad Power Prod
    Quantile Ravel Real Reciprocal Repeat Reshape Roll Rot90 Round Sign Sin Sinc Sinh Sort Split
    Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take TakeAlongAxis Tan Tanh Tensordot Tile
    Trace Transpose Tril Triu TrueDivide Trunc Var Vdot Vstack Where ZerosLike
    AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm Celu Conv ConvTranspose DepthToSpace
    DepthwiseConv DotProductAttention Elu Fold Gelu Glu HardShrink HardSigmoid HardSilu HardTanh
    LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot Normalize OneHot RMSNorm
    Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax Softplus Softsign SpaceToDepth
    SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink Threshold Unfold
    Cast SaturateCast ConvertToTensor Slice SliceUpdate StopGradient Unstack
    Erf Erfc Erfinv Logsumexp Rsqrt TopK SegmentMax SegmentSum
    AffineTransform CropImages ExtractPatches GaussianBlur HSVToRGB PadImages RGBToGrayscale
    RGBToHSV Resize SobelEdges
    Det Inv Norm Solve
    """
)

#: Initializers, by class and by the short names that configurations use.
INITIALIZERS = _words(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal
    LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal
    VarianceScaling Zeros
    constant glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform
    normal one ones orthogonal random_normal random_uniform truncated_normal uniform
    variance_scaling zero zeros
    """
)

REGULARIZERS = _words(
    """
    L1 L1L2 L2 OrthogonalRegularizer SoftOrthogonalConstraint
    l1 l1_l2 l2 orthogonal_regularizer
    """
)

CONSTRAINTS = _words(
    """
    MaxNorm MinMaxNorm NonNeg RadialConstraint UnitNorm
    max_norm maxnorm min_max_norm minmaxnorm non_neg nonneg radial_constraint unit_norm unitnorm
    """
)

#: Activation functions. Layers used as activations are in ``LAYERS``.
ACTIVATIONS = _words(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh
    leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax
    softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink
    threshold
    """
)

#: Layers that the name of an activation may stand for.
ACTIVATION_LAYERS = _words("ELU LeakyReLU PReLU ReLU Softmax ThresholdedReLU")

POLICIES = _words("Policy DTypePolicy FloatDTypePolicy")

#: Element types and precision policies, as strings.
DTYPES = _words(
    """
    float16 float32 float64 bfloat16 half float double int8 int16 int32 int64 int uint8 uint16
    uint32 uint64 bool complex64 complex128 mixed_float16 mixed_bfloat16 infer _infer
    """
)

#: What a training configuration may name. It is never given to Keras; it is looked at because a
#: file that hides code there is not to be loaded at all.
OPTIMIZERS = _words(
    """
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer
    LossScaleOptimizerV3 Muon Nadam RMSprop SGD ScheduleFreeAdamW
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
    PolynomialDecay LearningRateSchedule
    """
)
LOSSES = _words(
    """
    BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy
    CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge Circle
    CosineSimilarity Dice Hinge Huber KLDivergence LogCosh LossFunctionWrapper MeanAbsoluteError
    MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    SparseCategoricalCrossentropy SquaredHinge Tversky LossesContainer MetricsContainer
    """
)
METRICS = _words(
    """
    AUC Accuracy BinaryAccuracy BinaryIoU CategoricalAccuracy ConcordanceCorrelation F1Score
    FBetaScore FalseNegatives FalsePositives IoU LogCoshError Mean MeanIoU MeanMetricWrapper
    MeanRelativeError MeanTensor OneHotIoU OneHotMeanIoU PearsonCorrelation Precision
    PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError
    SensitivityAtSpecificity SparseCategoricalAccuracy SparseTopKCategoricalAccuracy
    SpecificityAtSensitivity Sum TopKCategoricalAccuracy TrueNegatives TruePositives
    """
)

CLASSES = (
    MODELS
    | LAYERS
    | SYMBOL_LAYERS
    | OPERATIONS
    | INITIALIZERS
    | REGULARIZERS
    | CONSTRAINTS
    | POLICIES
)
TRAINING_CLASSES = CLASSES | OPTIMIZERS | LOSSES | METRICS

#: Functions that an object of the class ``function`` may name, as part of the model.
FUNCTIONS = ACTIVATIONS | INITIALIZERS | REGULARIZERS | CONSTRAINTS

_NAMES = {
    "activation": ACTIVATIONS | ACTIVATION_LAYERS,
    "initializer": INITIALIZERS,
    "regularizer": REGULARIZERS,
    "constraint": CONSTRAINTS,
}


@functools.lru_cache(maxsize=256)
def names_for(key: str) -> frozenset[str] | None:
    """Return the names that a text under ``key`` may be, or None where any text goes."""
    return _NAMES.get(key.rpartition("_")[2])


#: Kept out on purpose, each with what it does.
REFUSED_CLASSES = {
    "Lambda": "a Lambda layer, which runs Python code kept in the file",
    "__lambda__": "Python code kept in the file (__lambda__)",
    "__typespec__": "a __typespec__, which calls a class that the file chooses",
    "TypeSpec": "a TypeSpec, which calls a class that the file chooses",
    "CompositeTensor": "a CompositeTensor, which calls a class that the file chooses",
    "TFSMLayer": "a TFSMLayer, which loads and runs another SavedModel",
    "TorchModuleWrapper": "a TorchModuleWrapper, which unpickles Python objects",
    "JaxLayer": "a JaxLayer, which runs code kept in the file",
    "FlaxLayer": "a FlaxLayer, which runs code kept in the file",
    "TensorFlowOpLayer": "a TensorFlowOpLayer, which runs any TensorFlow operation",
    "ClassMethod": "a ClassMethod layer, which calls a method that the file chooses",
    "InstanceMethod": "an InstanceMethod layer, which calls a method that the file chooses",
    "InstanceProperty": "an InstanceProperty layer, which reads an attribute the file chooses",
    "ModuleWrapper": "a ModuleWrapper, which calls a method that the file chooses",
    "ResidualWrapper": "a ResidualWrapper, which runs Python code kept in the file",
    "DropoutWrapper": "a DropoutWrapper, which runs Python code kept in the file",
    "DeviceWrapper": "a DeviceWrapper, which wraps code kept in the file",
    "StringLookup": "a StringLookup layer, which reads vocabulary files",
    "IntegerLookup": "an IntegerLookup layer, which reads vocabulary files",
    "TextVectorization": "a TextVectorization layer, which reads vocabulary files",
}

#: Arguments that are not to be true: what they make grows with the input's shape, not the file.
REFUSED_SWITCHES = {
    "stateful": "a recurrent layer that keeps states of any size",
    "unroll": "an unrolled recurrent layer, whose graph may have any size",
}

#: Modules that Keras may import on a file's word. Tests and command lines inside Keras' own
#: packages are modules too, hence the closed list of rooms and the bar on ``*_test``.
_ROOMS = (
    "layers|models|engine|ops|initializers|regularizers|constraints|activations|losses|metrics|"
    "optimizers|mixed_precision|dtype_policies"
)
_MODULE = re.compile(
    rf"(?:tf_)?keras(?:\.(?:{_ROOMS})|\.src\.(?:{_ROOMS}|applications\.convnext)(?:\.\w+)*"
    r"|\.layers\.experimental(?:\.preprocessing)?|\.optimizers\.(?:legacy|schedules|experimental))?"
)


@functools.lru_cache(maxsize=256)
def module_is_allowed(module: str) -> bool:
    """Tell whether Keras may import ``module`` because a file says so."""
    return _MODULE.fullmatch(module) is not None and not module.endswith("_test")


#: TensorFlow functions that Keras 2 graphs may call: arithmetic, shapes, neural-network
#: operations and picture geometry. No files, no Python callbacks, no control flow, no codecs, no
#: random state, no strings.
SYMBOLS = _words(
    """
    __operators__.add __operators__.eq __operators__.getitem __operators__.ne
    argsort boolean_mask broadcast_to cast clip_by_norm clip_by_value concat convert_to_tensor
    cumsum einsum ensure_shape expand_dims fill gather gather_nd identity one_hot ones_like pad rank
    repeat reshape reverse roll round scatter_nd sequence_mask shape size slice sort
    space_to_batch split squeeze stack stop_gradient strided_slice tensor_scatter_nd_add
    tensor_scatter_nd_update tile transpose unstack where zeros_like
    batch_to_space saturate_cast meshgrid norm
    math.abs math.accumulate_n math.acos math.acosh math.add math.add_n math.argmax math.argmin
    math.asin math.asinh math.atan math.atan2 math.atanh math.ceil math.conj math.cos math.cosh
    math.count_nonzero math.cumprod math.cumsum math.divide math.divide_no_nan math.equal math.erf
    math.erfc math.exp math.expm1 math.floor math.floordiv math.floormod math.greater
    math.greater_equal math.imag math.is_finite math.is_inf math.is_nan math.l2_normalize math.less
    math.less_equal math.log math.log1p math.log_sigmoid math.log_softmax math.logical_and
    math.logical_not math.logical_or math.logical_xor math.maximum math.minimum math.mod
    math.multiply math.multiply_no_nan math.negative math.not_equal math.pow math.real
    math.reciprocal math.reciprocal_no_nan math.reduce_all math.reduce_any
    math.reduce_euclidean_norm math.reduce_logsumexp math.reduce_max math.reduce_mean
    math.reduce_min math.reduce_prod math.reduce_std math.reduce_sum math.reduce_variance math.rint
    math.round math.rsqrt math.scalar_mul math.sigmoid math.sign math.sin math.sinh math.softmax
    math.softplus math.softsign math.sqrt math.square math.squared_difference math.subtract math.tan
    math.tanh math.top_k math.truediv math.xdivy math.xlogy math.zero_fraction
    nn.atrous_conv2d nn.avg_pool nn.avg_pool1d nn.avg_pool2d nn.avg_pool3d nn.batch_normalization
    nn.bias_add nn.conv1d nn.conv2d nn.conv2d_transpose nn.conv3d nn.convolution nn.crelu
    nn.depth_to_space nn.depthwise_conv2d nn.dilation2d nn.elu nn.erosion2d nn.gelu nn.l2_loss
    nn.l2_normalize nn.leaky_relu nn.local_response_normalization nn.log_softmax nn.lrn nn.max_pool
    nn.max_pool1d nn.max_pool2d nn.max_pool3d nn.moments nn.normalize_moments nn.pool nn.relu
    nn.relu6 nn.selu nn.separable_conv2d nn.sigmoid nn.silu nn.softmax nn.softplus nn.softsign
    nn.space_to_batch nn.space_to_depth nn.swish nn.tanh nn.top_k nn.zero_fraction
    image.adjust_brightness image.adjust_contrast image.adjust_gamma image.adjust_hue
    image.adjust_saturation image.central_crop image.convert_image_dtype image.crop_and_resize
    image.crop_to_bounding_box image.extract_patches image.flip_left_right image.flip_up_down
    image.grayscale_to_rgb image.hsv_to_rgb image.image_gradients image.pad_to_bounding_box
    image.per_image_standardization image.resize image.resize_bilinear
    image.resize_nearest_neighbor image.resize_with_crop_or_pad image.resize_with_pad
    image.rgb_to_grayscale image.rgb_to_hsv image.rgb_to_yiq image.rgb_to_yuv image.rot90
    image.sobel_edges image.total_variation image.transpose image.yiq_to_rgb image.yuv_to_rgb
    linalg.adjoint linalg.band_part linalg.diag linalg.diag_part linalg.einsum linalg.l2_normalize
    linalg.matmul linalg.matrix_transpose linalg.matvec linalg.norm linalg.normalize linalg.set_diag
    linalg.tensordot linalg.trace
    keras.activations.elu keras.activations.exponential keras.activations.gelu
    keras.activations.hard_sigmoid keras.activations.linear keras.activations.mish
    keras.activations.relu keras.activations.selu keras.activations.sigmoid
    keras.activations.softmax keras.activations.softplus keras.activations.softsign
    keras.activations.swish keras.activations.tanh
    keras.backend.abs keras.backend.batch_dot keras.backend.batch_flatten
    keras.backend.batch_normalization keras.backend.bias_add keras.backend.cast keras.backend.clip
    keras.backend.concatenate keras.backend.conv2d keras.backend.cos keras.backend.depthwise_conv2d
    keras.backend.dot keras.backend.elu keras.backend.exp keras.backend.expand_dims
    keras.backend.flatten keras.backend.hard_sigmoid keras.backend.l2_normalize keras.backend.log
    keras.backend.max keras.backend.maximum keras.backend.mean keras.backend.min
    keras.backend.minimum keras.backend.permute_dimensions keras.backend.pool2d keras.backend.pow
    keras.backend.prod keras.backend.relu keras.backend.reshape keras.backend.resize_images
    keras.backend.reverse keras.backend.sigmoid keras.backend.sign keras.backend.sin
    keras.backend.softmax keras.backend.softplus keras.backend.softsign
    keras.backend.spatial_2d_padding keras.backend.sqrt keras.backend.square keras.backend.squeeze
    keras.backend.stack keras.backend.std keras.backend.sum keras.backend.tanh
    keras.backend.transpose keras.backend.var
    """
)


def symbol_is_allowed(symbol: str) -> bool:
    """Tell whether a Keras 2 graph may call the TensorFlow function ``symbol``."""
    return symbol.removeprefix("compat.v1.") in SYMBOLS


#: Texts that an operation's arguments may hold (padding, resampling, padding mode …).
OPERATION_TEXTS = _words(
    """
    SAME VALID same valid NHWC NCHW NWC NCW NDHWC NCDHW channels_last channels_first
    CONSTANT REFLECT SYMMETRIC EDGE constant reflect symmetric edge
    AVG MAX avg max mean sum bilinear nearest bicubic area gaussian lanczos3 lanczos5 mitchellcubic
    right left euclidean fro ASCENDING DESCENDING
    """
)

#: Arguments of operations whose text is a name or an element type, checked by their own rules.
OPERATION_NAME_KEYS = _words("name")
DTYPE_KEYS = _words(
    "dtype input_dtype output_dtype out_type Tout variable_dtype compute_dtype storage_dtype"
)

#: Members a .keras archive may have.
MEMBERS = _words("config.json metadata.json model.weights.h5")

#: HDF5 filters (compression): those that libhdf5 brings itself, by number, never a plug-in.
FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset"}

# Bounds. Honest files stay far below each; see tests for the largest known ones.
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
UNBOUNDED_KEYS = _words("seed shared_object_id")

#: Numbers that make weights: never more than values stored in the whole file.
WEIGHT_KEYS = _words(
    """
    units filters input_dim output_dim num_heads key_dim value_dim head_dim num_query_heads
    num_key_value_heads depth_multiplier lora_rank
    """
)

#: Shapes whose product is bounded by ``MAX_ELEMENTS`` (the first, the batch, taken as it is).
SHAPE_KEYS = _words(
    "batch_input_shape batch_shape input_shape build_input_shape shape target_shape output_shape"
)

#: The largest value of numbers that make work or pictures at build time.
CAPS = {
    "size": 4096,
    "height": 65536,
    "width": 65536,
    "padding": 65536,
    "cropping": 65536,
    "strides": 65536,
    "dilation_rate": 65536,
    "pool_size": 65536,
    "n": 1 << 24,
    "num_tokens": 1 << 24,
    "num_or_size_splits": 65536,
    "indices_or_sections": 65536,
    "num": 65536,
    "num_chains": 64,
    "num_layers": 64,
    "num_ops": 64,
    "chain_depth": 64,
    "bins": 65536,
    "rank": 16,
    "power_iterations": 1000,
}
