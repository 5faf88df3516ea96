"""Spectral normalization: layers whose kernel is divided by its largest singular value.

After Miyato, Kataoka, Koyama and Yoshida (2018), *Spectral Normalization for Generative
Adversarial Networks*, arXiv:1802.05957: equation 8 is the normalization, algorithm 1 the power
iteration, equation 9 the gradient.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from sagan_lib import checks

KINDS = ("conv", "conv_transpose", "dense")


def kernel_matrix(kernel, kind):
    """The matrix whose largest singular value spectral normalization uses.

    One column for each output channel, so that a column holds the weights of one output:

    - "conv": kernel (h, w, in, out) -> (h * w * in, out);
    - "conv_transpose": kernel (h, w, out, in) -> (h * w * in, out). The last two axes must be
      swapped first, because Keras stores a transposed convolution's input channel last;
    - "dense": kernel (in, out), as it is.

    Args:
        kernel: a layer's kernel, any float dtype.
        kind: of the layer, one of `KINDS`.

    Returns:
        (rows, out) in the kernel's dtype.

    Raises:
        ValueError: unknown kind, or a kernel of the wrong rank.
    """
    checks.one_of("kind", kind, KINDS)
    rank = 2 if kind == "dense" else 4
    if len(kernel.shape) != rank:
        raise ValueError(f"kernel of a {kind} must have rank {rank}, got shape {kernel.shape}")
    if kind == "conv_transpose":
        kernel = ops.transpose(kernel, (0, 1, 3, 2))
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


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

    The vector that is kept from call to call, `u`, lives on the smaller side of the matrix.

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

    v = tf.zeros((max(matrix.shape),), matrix.dtype)
    for _ in range(power_iterations):
        v = _unit(up(u), v)
        u = _unit(down(v), u)
    u, v = tf.stop_gradient(u), tf.stop_gradient(v)
    left, right = (v, u) if tall else (u, v)
    sigma = tf.tensordot(left, tf.linalg.matvec(matrix, right), 1)
    return sigma, u, v


class _SpectralNorm(keras.layers.Layer):
    """What the three layers share: kernel, bias, the persistent `u`, the normalized kernel."""

    kind = None

    def __init__(
        self, units, use_bias=True, kernel_initializer="glorot_uniform", power_iterations=1,
        **options,
    ):  # fmt: skip
        super().__init__(**options)
        self._units = checks.integer("filters" if self.kind != "dense" else "units", units, 1)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.power_iterations = checks.integer("power_iterations", power_iterations, 1)

    def _check_rank(self, shape, low, high=math.inf):
        if not low <= len(shape) <= high:
            wanted = "(batch, h, w, c)" if low == 4 else "(..., c)"
            raise ValueError(f"inputs of {self.name} must have shape {wanted}, got {tuple(shape)}")

    def _add_weights(self, shape):
        # autocast=False: sigma is computed from the float32 kernel whatever the compute dtype.
        self.kernel = self.add_weight(
            shape, initializer=self.kernel_initializer, name="kernel", autocast=False
        )
        if self.use_bias:
            self.bias = self.add_weight((self._units,), initializer="zeros", name="bias")
        rows, columns = kernel_matrix(self.kernel, self.kind).shape
        self.u = self.add_weight(
            (min(rows, columns),), initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False, name="u", dtype="float32", autocast=False,
        )  # fmt: skip

    def sigma(self):
        """(estimate, improved u): one estimate of the raw kernel's largest singular value.

        The estimate is float32 and starts from the stored `u`, which it does not change.
        """
        matrix = ops.cast(kernel_matrix(self.kernel, self.kind), "float32")
        estimate, u, _ = power_iteration(matrix, self.u, self.power_iterations)
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
        kernel = self.kernel / ops.where(estimate > 0, estimate, 1.0)  # a zero kernel stays zero
        return ops.cast(kernel, self.compute_dtype)

    def _add_bias(self, outputs):
        return outputs + self.bias if self.use_bias else outputs

    def get_config(self):
        return super().get_config() | {
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "power_iterations": self.power_iterations,
        }

    @classmethod
    def from_config(cls, config):
        if "rounds" in config:  # the name of `power_iterations` in older files
            config = config | {"power_iterations": config["rounds"]}
            del config["rounds"]
        return cls(**config)


@keras.saving.register_keras_serializable("sagan_lib")
class SNDense(_SpectralNorm):
    """`keras.layers.Dense` with a spectrally normalized kernel: (..., in) -> (..., units).

    Args:
        units: size of the output.
        use_bias: add a bias, which is not normalized.
        kernel_initializer: as in Keras.
        power_iterations: for each call; 1 suffices because `u` is kept between calls.
        options: those of every Keras layer, such as `name` and `dtype`.
    """

    kind = "dense"

    def __init__(self, units, **options):
        super().__init__(units, **options)

    def build(self, input_shape):
        self._check_rank(input_shape, 2)
        self._add_weights((input_shape[-1], self._units))

    def call(self, inputs, training=False):
        return self._add_bias(ops.matmul(inputs, self.normalized_kernel(training)))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self._units)

    def get_config(self):
        return super().get_config() | {"units": self._units}


class _SNConv(_SpectralNorm):
    """What the two convolutions share: square kernel, square stride, padding "same"."""

    def __init__(self, filters, kernel_size, strides=1, **options):
        super().__init__(filters, **options)
        self.kernel_size = checks.integer("kernel_size", kernel_size, 1)
        self.strides = checks.integer("strides", strides, 1)

    def get_config(self):
        return super().get_config() | {
            "filters": self._units, "kernel_size": self.kernel_size, "strides": self.strides,
        }  # fmt: skip


@keras.saving.register_keras_serializable("sagan_lib")
class SNConv2D(_SNConv):
    """`keras.layers.Conv2D(padding="same")`, spectrally normalized.

    (batch, h, w, in) -> (batch, ceil(h / strides), ceil(w / strides), filters)

    Args:
        filters: output channels.
        kernel_size: side of the kernel in pixels.
        strides: step of the kernel in pixels.
        options: `use_bias`, `kernel_initializer` and `power_iterations` as in `SNDense`, and
            those of every Keras layer.
    """

    kind = "conv"

    def build(self, input_shape):
        self._check_rank(input_shape, 4, 4)
        self._add_weights((self.kernel_size, self.kernel_size, input_shape[-1], self._units))

    def call(self, inputs, training=False):
        kernel = self.normalized_kernel(training)
        return self._add_bias(ops.conv(inputs, kernel, self.strides, "same"))

    def compute_output_shape(self, input_shape):
        height, width = (side and -(-side // self.strides) for side in input_shape[1:3])
        return (input_shape[0], height, width, self._units)


@keras.saving.register_keras_serializable("sagan_lib")
class SNConv2DTranspose(_SNConv):
    """`keras.layers.Conv2DTranspose(padding="same")`, spectrally normalized by output channel.

    (batch, h, w, in) -> (batch, h * strides, w * strides, filters)

    Args:
        filters: output channels.
        kernel_size: side of the kernel in pixels.
        strides: by how much the side grows.
        options: as in `SNConv2D`.
    """

    kind = "conv_transpose"

    def build(self, input_shape):
        self._check_rank(input_shape, 4, 4)
        self._add_weights((self.kernel_size, self.kernel_size, self._units, input_shape[-1]))

    def call(self, inputs, training=False):
        kernel = self.normalized_kernel(training)
        return self._add_bias(ops.conv_transpose(inputs, kernel, self.strides, "same"))

    def compute_output_shape(self, input_shape):
        height, width = (side and side * self.strides for side in input_shape[1:3])
        return (input_shape[0], height, width, self._units)


def normalized_layers(model):
    """All spectrally normalized layers inside a model or layer, nested ones too."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, _SpectralNorm)]
