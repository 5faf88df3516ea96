"""Spectral normalization: Keras's layers with the kernel divided by its largest singular value.

After Miyato, Kataoka, Koyama and Yoshida (2018), *Spectral Normalization for Generative
Adversarial Networks*, arXiv:1802.05957: equation 8 is the normalization, algorithm 1 the power
iteration, equation 9 the gradient.
"""

import functools
import inspect

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from sagan_lib import checks

#: How the kernel of a layer is folded into a matrix -> the ranks (least, largest) it may have.
KINDS = {
    "conv": (3, 5), "conv_transpose": (3, 5), "depthwise": (3, 4), "dense": (2, 2),
    "embedding": (2, 2),
}  # fmt: skip
WARM_UP = 15  #: rounds at build, as many as PyTorch takes
NUDGE = 1e-16  #: is added to every u, see `power_iteration`


def kernel_matrix(kernel, kind):
    """The matrix whose largest singular value spectral normalization uses.

    One column for each output channel, so that a column holds the weights of one output:

    - "conv": kernel (h, w, in, out) -> (h * w * in, out), and likewise in one or three
      dimensions. With groups `in` is a group's;
    - "conv_transpose": kernel (h, w, out, in) -> (h * w * in, out). The last two axes must be
      swapped first, because Keras stores a transposed convolution's input channel last;
    - "depthwise": kernel (h, w, in, times) -> (h * w, in * times);
    - "dense": kernel (in, out), as it is;
    - "embedding": (vocabulary, dim), as it is.

    PyTorch's `spectral_norm` takes the same, transposed, grouped convolutions included. Between
    groups nothing is mixed, so there sigma is at least that of each group: the bound holds, and
    is not tight.

    Args:
        kernel: a layer's kernel, any float dtype.
        kind: of the layer, one of `KINDS`.

    Returns:
        (rows, out) in the kernel's dtype.

    Raises:
        ValueError: unknown kind, or a kernel of the wrong rank.
    """
    checks.one_of("kind", kind, KINDS)
    low, high = KINDS[kind]
    if not low <= len(kernel.shape) <= high:
        wanted = f"rank {low}" if low == high else f"rank {low} to {high}"
        raise ValueError(f"kernel of a {kind} must have {wanted}, got shape {tuple(kernel.shape)}")
    columns = kernel.shape[-1]
    if kind == "conv_transpose":
        columns = kernel.shape[-2]
        kernel = ops.swapaxes(kernel, -1, -2)
    if kind == "depthwise":
        columns *= kernel.shape[-2]
    return ops.reshape(kernel, (-1, columns))


def exact_sigma(matrix):
    """The largest singular value by a full singular value decomposition.

    Args:
        matrix: (rows, columns), any float dtype; computed in float64.

    Returns:
        float64 scalar tensor.

    Raises:
        ValueError: it is no matrix, such as a kernel of a convolution as it is stored, or it
            holds NaN or infinity.
    """
    if len(matrix.shape) != 2:
        raise ValueError(f"matrix must have rank 2, got shape {tuple(matrix.shape)}; kernel_matrix "
                         "makes one of a kernel")  # fmt: skip
    exact = tf.cast(matrix, tf.float64)
    if tf.executing_eagerly() and not np.isfinite(exact).all():
        raise ValueError("matrix must be finite, got NaN or infinity")
    return tf.linalg.svd(exact, compute_uv=False)[0]


def _unit(vector, otherwise):
    """`vector` scaled to length 1, or `otherwise` where it is zero and has no direction."""
    largest = tf.reduce_max(tf.abs(vector))  # taken out first: squares of tiny numbers underflow
    scaled = vector / tf.where(largest > 0, largest, 1.0)
    length = tf.norm(scaled)
    return tf.where(length > 0, scaled / tf.where(length > 0, length, 1.0), otherwise)


def power_iteration(matrix, u, power_iterations=1):
    """Estimate the largest singular value by alternating products (algorithm 1 of the paper).

    The vector that is kept from call to call, `u`, lives on the smaller side of the matrix. One
    that has no part of the leading vector, say another matrix's, gets one: the algorithm alone
    would never find it.

    Args:
        matrix: float32 (rows, columns).
        u: float32 (min(rows, columns),), a first guess of the singular vector of that side.
        power_iterations: how many times both products are taken, at least 1.

    Returns:
        (sigma, u, v): sigma a float32 scalar, at most the true value; u and v the improved unit
        vectors of the smaller and of the larger side. Gradients flow through `matrix` in sigma
        only: u and v are constants, so that d sigma / d matrix is their outer product, as in the
        paper's equation 9.

    Raises:
        TypeError: the matrix is of integers.
        ValueError: `u` does not fit the smaller side, or `power_iterations` is below 1.
    """
    checks.integer("power_iterations", power_iterations, 1)
    matrix, u = tf.convert_to_tensor(matrix), tf.convert_to_tensor(u)
    if len(matrix.shape) != 2 or None in matrix.shape:
        raise ValueError(f"matrix must have rank 2 and known sides, got shape {matrix.shape}")
    if not matrix.dtype.is_floating:
        raise TypeError(f"matrix must be of a float dtype, got {matrix.dtype.name}")
    small = min(matrix.shape)
    if tuple(u.shape) != (small,):
        raise ValueError(f"u must have shape ({small},), got {tuple(u.shape)}")
    tall = matrix.shape[0] >= matrix.shape[1]
    frozen = tf.stop_gradient(matrix)

    def up(vector):  # smaller side -> larger side
        return tf.linalg.matvec(frozen, vector, transpose_a=not tall)

    def down(vector):  # larger side -> smaller side
        return tf.linalg.matvec(frozen, vector, transpose_a=tall)

    # Products enlarge the parts that u has and make no new ones. The nudge is lost in rounding
    # beside an ordinary u; where u is exactly orthogonal it grows with every round. That a matrix
    # is orthogonal to these cosines too does not happen by any pattern.
    u += tf.constant(NUDGE * np.cos(np.arange(1, small + 1)), matrix.dtype)
    v = tf.zeros((max(matrix.shape),), matrix.dtype)
    for _ in range(power_iterations):
        v = _unit(up(u), v)
        u = _unit(down(v), u)
    u, v = tf.stop_gradient(u), tf.stop_gradient(v)
    left, right = (v, u) if tall else (u, v)
    sigma = tf.tensordot(left, tf.linalg.matvec(matrix, right), 1)
    return sigma, u, v


class _SpectralNorm(keras.layers.Layer):
    """Stands before a Keras layer's class: its `call` then sees the normalized kernel.

    All else is Keras's: options, weights' names, shapes, regularizers and constraints (of the raw
    kernel), config. Two weights differ: the kernel is never cast, and `u` is added and saved.
    """

    kind = None  # of `KINDS`

    def __init__(self, *arguments, power_iterations=1, **options):
        super().__init__(*arguments, **options)
        self.power_iterations = checks.integer("power_iterations", power_iterations, 1)
        layout = getattr(self, "data_format", "channels_last")
        checks.one_of("data_format", layout, ("channels_last",))
        for name in ("lora_rank", "quantization_mode"):  # both compute with another kernel
            if (value := getattr(self, name, None)) is not None:
                raise ValueError(f"{name} of a normalized layer must be None, got {value!r}")

    def build(self, input_shape=None):
        with tf.init_scope():  # a layer that is built inside of a tf.function is warmed up as well
            super().build(input_shape)
            kernels = [w.name for w in self.weights if w.name.endswith(("kernel", "embeddings"))]
            if kernels not in (["kernel"], ["embeddings"]):
                raise ValueError(f"{self.name} must have one weight 'kernel', got {kernels}")
            start = keras.initializers.RandomNormal(stddev=1.0)
            self.u = self.add_weight(
                shape=(min(self.matrix().shape),), trainable=False, name="u", dtype="float32",
                autocast=False, initializer=lambda *a, **k: self._warmed_up(start(*a, **k)),
            )  # fmt: skip

    def add_weight(self, *arguments, name=None, **options):
        if name in ("kernel", "embeddings"):  # sigma needs its float32, whatever is computed in
            options["autocast"] = False
        return super().add_weight(*arguments, name=name, **options)

    def _warmed_up(self, u):
        """`u` after `WARM_UP` rounds, by numpy: as many small operations of TensorFlow take longer
        than building the layer."""
        if not tf.executing_eagerly():
            return u  # nobody's first value: a stand-in while Keras asks for shapes only
        u, matrix = np.asarray(u), np.asarray(self.matrix(), np.float64)
        tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        for _ in range(WARM_UP):
            improved = tall.T @ (tall @ u)
            if not (length := np.linalg.norm(improved)):
                break  # a zero kernel has no direction
            u = improved / length
        return tf.constant(u, tf.float32)

    @property
    def raw_kernel(self):
        """The variable that is trained: the layer's `kernel`, or an embedding's `embeddings`."""
        return self.embeddings if self.kind == "embedding" else self.kernel

    def matrix(self):
        """The raw kernel as `kernel_matrix` folds it, in float32."""
        return ops.cast(kernel_matrix(self.raw_kernel, self.kind), "float32")

    def sigma(self):
        """(estimate, improved u): one estimate of the raw kernel's largest singular value.

        The estimate is float32 and starts from the stored `u`, which it does not change.
        """
        estimate, u, _ = power_iteration(self.matrix(), self.u, self.power_iterations)
        return estimate, u

    def normalized_kernel(self, training=False):
        """kernel / sigma in the compute dtype; only `training` moves the stored `u`.

        Inference divides too: the network that is sampled is the one that was trained.

        Args:
            training: keep the improved `u` for the next call.
        """
        estimate, u = self.sigma()
        if training:
            self.u.assign(u)
        kernel = self.raw_kernel / ops.where(estimate > 0, estimate, 1.0)  # a zero one stays zero
        return ops.cast(kernel, self.compute_dtype)

    def call(self, inputs, training=False):
        raw, normalized = self.raw_kernel, self.normalized_kernel(training)
        # Keras's own call, on a copy of this layer that has the normalized kernel for the raw one:
        # the layer itself stays as it is, whoever else is calling it.
        twin = object.__new__(type(self))
        vars(twin).update({k: normalized if v is raw else v for k, v in vars(self).items()})
        call = super(_SpectralNorm, twin).call
        takes = inspect.signature(call).parameters
        return call(inputs, training=training) if "training" in takes else call(inputs)

    def compute_output_spec(self, inputs, training=False):
        return super().compute_output_spec(inputs)  # an embedding's takes nothing else

    # Those of Keras's layers know of kernel and bias only.
    save_own_variables = keras.layers.Layer.save_own_variables
    load_own_variables = keras.layers.Layer.load_own_variables
    quantize = keras.layers.Layer.quantize

    def enable_lora(self, *arguments, **options):
        """Refused with a ValueError: low-rank parts would be added after the division."""
        raise ValueError(f"enable_lora: {self.name} is spectrally normalized")

    def get_config(self):
        return super().get_config() | {"power_iterations": self.power_iterations}

    @classmethod
    def from_config(cls, config):
        if "rounds" in config:  # the name of `power_iterations` in older files
            config = config | {"power_iterations": config["rounds"]}
            del config["rounds"]
        return super().from_config(config)


def _sides(name, value):
    """An integer, or several; how many there must be is Keras's to check."""
    if isinstance(value, tuple | list):
        return tuple(checks.integer(name, side, 1) for side in value)
    return checks.integer(name, value, 1)


@keras.saving.register_keras_serializable("sagan_lib")
class SNDense(_SpectralNorm, keras.layers.Dense):
    """`keras.layers.Dense` with a spectrally normalized kernel: (..., in) -> (..., units).

    Args:
        units: size of the output.
        power_iterations: for each call; 1 suffices because `u` is kept between calls.
        options: all others of the Keras layer. A `kernel_regularizer` sees the raw kernel. No
            LoRA and no quantization.
    """

    kind = "dense"

    def __init__(self, units, **options):
        super().__init__(checks.integer("units", units, 1), **options)


class _SNConv(_SpectralNorm):
    """What the two convolutions share: the order of their arguments, and padding "same"."""

    def __init__(self, filters, kernel_size, strides=1, padding="same", **options):
        super().__init__(
            checks.integer("filters", filters, 1), _sides("kernel_size", kernel_size),
            _sides("strides", strides), padding, **options,
        )  # fmt: skip


@keras.saving.register_keras_serializable("sagan_lib")
class SNConv2D(_SNConv, keras.layers.Conv2D):
    """`keras.layers.Conv2D`, spectrally normalized, with padding "same" unless told otherwise.

    (batch, h, w, in) -> (batch, ceil(h / strides), ceil(w / strides), filters)

    Args:
        filters: output channels.
        kernel_size: side of the kernel in pixels, or (height, width).
        strides: step of the kernel in pixels, or two.
        padding: "same" or "valid".
        options: `power_iterations` as in `SNDense`, and all others of the Keras layer;
            `data_format` is "channels_last".
    """

    kind = "conv"


@keras.saving.register_keras_serializable("sagan_lib")
class SNConv2DTranspose(_SNConv, keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose(padding="same")`, spectrally normalized by output channel.

    (batch, h, w, in) -> (batch, h * strides, w * strides, filters)

    Args:
        filters: output channels.
        kernel_size: side of the kernel in pixels, or (height, width).
        strides: by how much the side grows, or two.
        padding: "same" or "valid".
        options: as in `SNConv2D`.
    """

    kind = "conv_transpose"


@keras.saving.register_keras_serializable("sagan_lib")
class SNDepthwiseConv2D(_SpectralNorm, keras.layers.DepthwiseConv2D):
    """`keras.layers.DepthwiseConv2D(padding="same")`, spectrally normalized.

    (batch, h, w, in) -> (batch, ceil(h / strides), ceil(w / strides), in * depth_multiplier)

    Args:
        kernel_size: side of the kernel in pixels, or (height, width).
        strides: step of the kernel in pixels.
        padding: "same" or "valid".
        depth_multiplier: output channels for each input channel.
        options: as in `SNConv2D`.
    """

    kind = "depthwise"

    def __init__(self, kernel_size, strides=1, padding="same", depth_multiplier=1, **options):
        super().__init__(
            _sides("kernel_size", kernel_size), _sides("strides", strides), padding,
            checks.integer("depth_multiplier", depth_multiplier, 1), **options,
        )  # fmt: skip


@keras.saving.register_keras_serializable("sagan_lib")
class SNEmbedding(_SpectralNorm, keras.layers.Embedding):
    """`keras.layers.Embedding`, spectrally normalized: integers (...) -> (..., output_dim).

    Args:
        input_dim: size of the vocabulary.
        output_dim: of the vectors.
        options: `power_iterations` as in `SNDense`, and all others of the Keras layer but
            `weights`.
    """

    kind = "embedding"

    def __init__(self, input_dim, output_dim, **options):
        super().__init__(
            checks.integer("input_dim", input_dim, 1), checks.integer("output_dim", output_dim, 1),
            **options,
        )  # fmt: skip


#: Keras's layers that have one kernel, and how it is folded.
KIND_OF = {
    keras.layers.Dense: "dense", keras.layers.EinsumDense: "dense",
    keras.layers.Embedding: "embedding",
    keras.layers.Conv1D: "conv", keras.layers.Conv2D: "conv", keras.layers.Conv3D: "conv",
    keras.layers.Conv1DTranspose: "conv_transpose", keras.layers.Conv2DTranspose: "conv_transpose",
    keras.layers.Conv3DTranspose: "conv_transpose",
    keras.layers.DepthwiseConv1D: "depthwise", keras.layers.DepthwiseConv2D: "depthwise",
}  # fmt: skip


def spectrally_normalized(layer_class, kind=None):
    """A Keras layer's class with a spectrally normalized kernel: no wrapper, the layer itself.

    `spectrally_normalized(keras.layers.Conv1D)(8, 3)` is a Conv1D with all of Keras's options and
    defaults, weights of the same names and a `u`. It can be saved and loaded; for a class of your
    own, make the normalized one before loading too.

    Args:
        layer_class: of `KIND_OF` or derived from one, or any layer that computes with `kernel`.
        kind: how the kernel is folded, one of `KINDS`; by default as in `KIND_OF`.

    Returns:
        The class, named "Normalized" and as the given one; the same one for the same arguments.

    Raises:
        TypeError: `layer_class` is no Keras layer's class.
        ValueError: it is normalized already, it has the name of one of Keras's layers, or `kind` is
            unknown or must be told. On building: the layer has more than one kernel, or one of
            another rank.
    """
    if not (inspect.isclass(layer_class) and issubclass(layer_class, keras.layers.Layer)):
        raise TypeError(f"layer_class must be a class of Keras layers, got {layer_class!r}")
    name = layer_class.__name__
    if issubclass(layer_class, _SpectralNorm):
        raise ValueError(f"layer_class must not be normalized yet, got {name}")
    if kind is None:
        kind = next((k for base, k in KIND_OF.items() if issubclass(layer_class, base)), None)
    if layer_class not in KIND_OF and name in {known.__name__ for known in KIND_OF}:
        raise ValueError(f"layer_class must not have the name of Keras's {name}: a saved model "
                         "would be loaded as the other one")  # fmt: skip
    return _normalized(layer_class, checks.one_of("kind", kind, KINDS))


@functools.cache
def _normalized(layer_class, kind):
    name = layer_class.__name__
    body = {"kind": kind, "__module__": __name__, "__doc__": f"`{name}`, spectrally normalized."}
    made = type(f"Normalized{name}", (_SpectralNorm, layer_class), body)
    return keras.saving.register_keras_serializable("sagan_lib")(made)


for _known in KIND_OF:  # so that a file that holds one can be loaded
    spectrally_normalized(_known)


def normalized_layers(model):
    """All spectrally normalized layers inside a model or layer, nested ones too."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, _SpectralNorm)]
