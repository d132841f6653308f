"""What a model file may name: every list of the scan, in one place.

Nothing that is not listed here is ever given to Keras. A name is listed only if nothing that a
configuration can hand to it runs code, opens a file or reaches the network: that was read from the
sources of tf_keras and keras, not guessed from the name. Kept out on purpose, for what they do:
see ``REFUSED_CLASSES``.
"""

from __future__ import annotations

import functools
import re


def words(text: str, ranks: str = "") -> frozenset[str]:
    """Return the words of a text; with ranks, each word once for each, in the place of ``#``."""
    words = text.split()
    return frozenset(word.replace("#", rank) for word in words for rank in ranks or "#")


#: Models: graphs of layers.
MODELS = words("Sequential Functional Model")

#: Layers of both Keras generations.
LAYERS = words(
    """
    InputLayer Activation ActivityRegularization AddLoss Identity Masking
    Dense EinsumDense Embedding
    DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
    SeparableConvolution1D SeparableConvolution2D LocallyConnected1D LocallyConnected2D
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
    BatchNormalization BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization
    LayerNormalization GroupNormalization UnitNormalization RMSNormalization SpectralNormalization
    ReLU LeakyReLU PReLU ELU ThresholdedReLU Softmax
    Dropout AlphaDropout GaussianDropout GaussianNoise Flatten Reshape Permute RepeatVector
    Attention AdditiveAttention MultiHeadAttention GroupQueryAttention GroupedQueryAttention
    TimeDistributed Bidirectional RNN SimpleRNN SimpleRNNCell LSTM LSTMCell GRU GRUCell
    StackedRNNCells Rescaling Normalization Resizing CenterCrop CategoryEncoding
    RandomFlip RandomCrop RandomRotation RandomTranslation RandomZoom RandomHeight RandomWidth
    RandomContrast RandomBrightness RandomHue RandomSaturation RandomSharpness RandomShear
    RandomGrayscale RandomPosterization RandomColorDegeneration RandomColorJitter RandomInvert
    RandomErasing RandomGaussianBlur RandomPerspective RandomElasticTransform
    AutoContrast Equalization Solarization MixUp CutMix AugMix RandAugment Pipeline LayerScale
    """
) | words(
    """
    Conv#D Convolution#D Conv#DTranspose Convolution#DTranspose ConvLSTM#D
    MaxPooling#D MaxPool#D AveragePooling#D AvgPool#D AdaptiveAveragePooling#D AdaptiveMaxPooling#D
    GlobalAveragePooling#D GlobalAvgPool#D GlobalMaxPooling#D GlobalMaxPool#D
    SpatialDropout#D ZeroPadding#D Cropping#D UpSampling#D
    """,
    "123",
)

#: Layers that wrap one TensorFlow function (Keras 2), which must be in ``SYMBOLS``.
SYMBOL_LAYERS = words("TFOpLambda SlicingOpLambda")

#: Operations as nodes of a Keras 3 graph (``keras.ops``): arithmetic on tensors and nothing else.
OPERATIONS = words(
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
INITIALIZERS = words(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal
    LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal
    VarianceScaling Zeros
    constant glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform
    normal one ones orthogonal random_normal random_uniform truncated_normal uniform
    variance_scaling zero zeros
    """
)

REGULARIZERS = words(
    """
    L1 L1L2 L2 OrthogonalRegularizer SoftOrthogonalConstraint
    l1 l1_l2 l2 orthogonal_regularizer
    """
)

CONSTRAINTS = words(
    """
    MaxNorm MinMaxNorm NonNeg RadialConstraint UnitNorm
    max_norm maxnorm min_max_norm minmaxnorm non_neg nonneg radial_constraint unit_norm unitnorm
    """
)

#: Activation functions. Layers used as activations are in ``LAYERS``.
ACTIVATIONS = words(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh
    leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax
    softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink
    threshold
    """
)

#: Layers that the name of an activation may stand for.
ACTIVATION_LAYERS = words("ELU LeakyReLU PReLU ReLU Softmax ThresholdedReLU")

POLICIES = words("Policy DTypePolicy FloatDTypePolicy")

#: Element types and precision policies, as strings.
DTYPES = words(
    """
    float16 float32 float64 bfloat16 half float double int8 int16 int32 int64 int uint8 uint16
    uint32 uint64 bool complex64 complex128 mixed_float16 mixed_bfloat16 infer _infer
    """
)

#: What a training configuration may name. It is never given to Keras; it is looked at because a
#: file that hides code there is not to be loaded at all.
OPTIMIZERS = words(
    """
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer
    LossScaleOptimizerV3 Muon Nadam RMSprop SGD ScheduleFreeAdamW
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
    PolynomialDecay LearningRateSchedule
    """
)
LOSSES = words(
    """
    BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy
    CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge Circle
    CosineSimilarity Dice Hinge Huber KLDivergence LogCosh LossFunctionWrapper MeanAbsoluteError
    MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    SparseCategoricalCrossentropy SquaredHinge Tversky LossesContainer MetricsContainer
    """
)
METRICS = words(
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
#: packages are modules too, hence the closed list of packages and no ``*_test``.
_PACKAGES = (
    "layers|models|engine|ops|initializers|regularizers|constraints|activations|losses|metrics|"
    "optimizers|mixed_precision|dtype_policies"
)
_MODULE = re.compile(
    rf"(?:tf_)?keras(?:\.(?:{_PACKAGES})|\.src\.(?:{_PACKAGES}|applications\.convnext)(?:\.\w+)*"
    r"|\.layers\.experimental(?:\.preprocessing)?|\.optimizers\.(?:legacy|schedules|experimental))?"
)


@functools.lru_cache(maxsize=256)
def module_is_allowed(module: str) -> bool:
    """Tell whether Keras may import ``module`` because a file says so."""
    return _MODULE.fullmatch(module) is not None and not module.endswith("_test")


#: TensorFlow functions that Keras 2 graphs may call: arithmetic, shapes, neural-network
#: operations and picture geometry. No files, no Python callbacks, no control flow, no codecs, no
#: random state, no strings.
_SYMBOLS = {
    "__operators__": """
        add eq getitem ne
    """,
    "": """
        argsort boolean_mask broadcast_to cast clip_by_norm clip_by_value concat convert_to_tensor
        cumsum einsum ensure_shape expand_dims fill gather gather_nd identity one_hot ones_like pad
        rank repeat reshape reverse roll round scatter_nd sequence_mask shape size slice sort
        space_to_batch split squeeze stack stop_gradient strided_slice tensor_scatter_nd_add
        tensor_scatter_nd_update tile transpose unstack where zeros_like batch_to_space
        saturate_cast meshgrid norm
    """,
    "math": """
        abs accumulate_n acos acosh add add_n argmax argmin asin asinh atan atan2 atanh ceil conj
        cos cosh count_nonzero cumprod cumsum divide divide_no_nan equal erf erfc exp expm1 floor
        floordiv floormod greater greater_equal imag is_finite is_inf is_nan l2_normalize less
        less_equal log log1p log_sigmoid log_softmax logical_and logical_not logical_or logical_xor
        maximum minimum mod multiply multiply_no_nan negative not_equal pow real reciprocal
        reciprocal_no_nan reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max
        reduce_mean reduce_min reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt
        scalar_mul sigmoid sign sin sinh softmax softplus softsign sqrt square squared_difference
        subtract tan tanh top_k truediv xdivy xlogy zero_fraction
    """,
    "nn": """
        atrous_conv2d avg_pool avg_pool1d avg_pool2d avg_pool3d batch_normalization bias_add conv1d
        conv2d conv2d_transpose conv3d convolution crelu depth_to_space depthwise_conv2d dilation2d
        elu erosion2d gelu l2_loss l2_normalize leaky_relu local_response_normalization log_softmax
        lrn max_pool max_pool1d max_pool2d max_pool3d moments normalize_moments pool relu relu6 selu
        separable_conv2d sigmoid silu softmax softplus softsign space_to_batch space_to_depth swish
        tanh top_k zero_fraction
    """,
    "image": """
        adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation central_crop
        convert_image_dtype crop_and_resize crop_to_bounding_box extract_patches flip_left_right
        flip_up_down grayscale_to_rgb hsv_to_rgb image_gradients pad_to_bounding_box
        per_image_standardization resize resize_bilinear resize_nearest_neighbor
        resize_with_crop_or_pad resize_with_pad rgb_to_grayscale rgb_to_hsv rgb_to_yiq rgb_to_yuv
        rot90 sobel_edges total_variation transpose yiq_to_rgb yuv_to_rgb
    """,
    "linalg": """
        adjoint band_part diag diag_part einsum l2_normalize matmul matrix_transpose matvec norm
        normalize set_diag tensordot trace
    """,
    "keras.activations": """
        elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign
        swish tanh
    """,
    "keras.backend": """
        abs batch_dot batch_flatten batch_normalization bias_add cast clip concatenate conv2d cos
        depthwise_conv2d dot elu exp expand_dims flatten hard_sigmoid l2_normalize log max maximum
        mean min minimum permute_dimensions pool2d pow prod relu reshape resize_images reverse
        sigmoid sign sin softmax softplus softsign spatial_2d_padding sqrt square squeeze stack std
        sum tanh transpose var
    """,
}
SYMBOLS = frozenset(
    f"{module}.{name}".lstrip(".") for module, names in _SYMBOLS.items() for name in names.split()
)


def symbol_is_allowed(symbol: str) -> bool:
    """Tell whether a Keras 2 graph may call the TensorFlow function ``symbol``."""
    return symbol.removeprefix("compat.v1.") in SYMBOLS


#: Texts that an operation's arguments may hold (padding, resampling, padding mode …).
OPERATION_TEXTS = words(
    """
    SAME VALID same valid NHWC NCHW NWC NCW NDHWC NCDHW channels_last channels_first
    CONSTANT REFLECT SYMMETRIC EDGE constant reflect symmetric edge
    AVG MAX avg max mean sum bilinear nearest bicubic area gaussian lanczos3 lanczos5 mitchellcubic
    right left euclidean fro ASCENDING DESCENDING
    """
)

#: Arguments of operations whose text is a name or an element type, checked by their own rules.
OPERATION_NAME_KEYS = words("name")
DTYPE_KEYS = words(
    "dtype input_dtype output_dtype out_type Tout variable_dtype compute_dtype storage_dtype"
)

#: Members a .keras archive may have.
MEMBERS = words("config.json metadata.json model.weights.h5")

#: HDF5 filters (compression): those that libhdf5 brings itself, by number, never a plug-in.
FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset"}
