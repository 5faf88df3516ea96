"""Self-attention for feature maps: every position may look at every other.

After Zhang, Goodfellow, Metaxas and Odena (2018), *Self-Attention Generative Adversarial
Networks*, arXiv:1805.08318, equations 1 to 3, and the article's section on attention.
"""

import math

import keras
import tensorflow as tf
from keras import ops

from sagan_lib import checks
from sagan_lib.attend import METHODS, attend, map_of, mix
from sagan_lib.spectral_norm import SNConv2D

#: Each variant: (keys and values are pooled 2x2, values have half the channels).
VARIANTS = {"article": (False, False), "pooled": (True, True),
            "pooled_keys": (True, False), "half_values": (False, True)}  # fmt: skip
OLD_NAMES = {"paper": "pooled"}  # in files that were written before


def checked_variant(name):
    """The variant of `VARIANTS` that a name means, which an old file may have.

    Args:
        name: of `VARIANTS` or `OLD_NAMES`.

    Raises:
        ValueError: it is none; the message lists those there are.
    """
    return checks.one_of("variant", OLD_NAMES.get(name, name), VARIANTS)


@keras.saving.register_keras_serializable("sagan_lib")
class SelfAttention(keras.layers.Layer):
    """y = x + gamma * o, where o mixes the values of all positions by a softmax map.

    With N = h * w positions and M positions that can be looked at:

    - queries g: (batch, N, c/8), keys f: (batch, M, c/8), both by 1x1 convolutions;
    - map b = softmax over the keys of (g f^T): (batch, N, M), each row sums to 1;
    - output o = b values.

    Input and output are (batch, h, w, c): c a multiple of 8; h and w even where keys are pooled.
    Height and width may be unknown (None), as in a network for pictures of any size.

    Args:
        variant: "article": values h have all c channels, M = N, no output convolution (the
            article's code). "pooled" is the layer of the authors' released code, which differs
            in three things: keys and values are max-pooled 2x2, so M = N/4; values have c/2
            channels; a 1x1 convolution takes o back to c. "pooled_keys" does the first alone,
            "half_values" the other two.
        use_sn: spectral normalization of the 1x1 convolutions.
        use_bias: of the 1x1 convolutions; the authors' code has none.
        method: of `attend.attend`: "auto", "dense" or "chunked".
        options: those of every Keras layer, such as `name` and `dtype`.

    Raises:
        ValueError: unknown variant, an input shape that does not fit it, or Keras's
            image_data_format is channels_first.
    """

    def __init__(self, variant="article", use_sn=True, use_bias=True, method="auto", **options):
        super().__init__(**options)
        checks.one_of("image_data_format", keras.config.image_data_format(), ("channels_last",))
        self.variant = checked_variant(variant)
        self.pools, self.halves = VARIANTS[self.variant]
        self.method = checks.one_of("method", method, METHODS)
        self.use_sn, self.use_bias = use_sn, use_bias

    def build(self, input_shape):
        if len(input_shape) != 4:
            raise ValueError(f"inputs must have shape (batch, h, w, c), got {tuple(input_shape)}")
        height, width, channels = input_shape[1:]
        if channels is None or channels % 8:
            raise ValueError(f"channels must be a multiple of 8, got {channels}")
        if self.pools and any(side and side % 2 for side in (height, width)):
            raise ValueError(f"{self.variant!r} needs even height and width, got {height}x{width}")
        self._sides = (height, width)
        self.f = self._conv1x1(channels // 8, "f")
        self.g = self._conv1x1(channels // 8, "g")
        self.h = self._conv1x1(channels // 2 if self.halves else channels, "h")
        for conv in (self.f, self.g, self.h):
            conv.build(input_shape)
        if self.halves:
            self.out = self._conv1x1(channels, "out")
            self.out.build((*input_shape[:-1], channels // 2))
        # Starts at 0: the network begins as a plain convolutional one (equation 3).
        self.gamma = self.add_weight((), initializer="zeros", name="gamma")

    def _conv1x1(self, filters, name):
        conv = SNConv2D if self.use_sn else keras.layers.Conv2D
        return conv(filters, 1, use_bias=self.use_bias, name=name, dtype=self.dtype_policy)

    def map_shape(self):
        """(N, M): how many positions ask, how many can be looked at.

        Raises:
            ValueError: the layer was built for pictures of any size.
        """
        if None in self._sides:
            raise ValueError(f"height and width of {self.name} are unknown, got {self._sides}")
        positions = math.prod(self._sides)
        return positions, positions // (4 if self.pools else 1)

    def map_flops(self):
        """Floating-point operations of the two products with the map, forward, for one image."""
        channels = self.f.kernel.shape[-1] + self.h.kernel.shape[-1]
        return 2 * math.prod(self.map_shape()) * channels

    def flops(self):
        """Floating-point operations of one forward pass for one image: all matrix products'."""
        convs = [self.f, self.g, self.h, *([self.out] if self.halves else [])]
        on_positions = sum(math.prod(conv.kernel.shape) for conv in convs)
        return self.map_flops() + 2 * self.map_shape()[0] * on_positions

    def _project(self, x, training):
        """Keys f, values h, queries g of x: three 1x1 convolutions as one matrix product.

        Keys and values are pooled together: pooling few channels costs as much as pooling many.
        """
        convs = (self.f, self.h, self.g)
        kernels = [c.normalized_kernel(training) if self.use_sn else c.kernel for c in convs]
        sizes = [kernel.shape[-1] for kernel in kernels]  # c/8, c or c/2, c/8
        kernel = ops.concatenate([ops.cast(k[0, 0], x.dtype) for k in kernels], -1)  # (c, all)
        joined = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel)  # (b h w, all)
        if self.use_bias:
            joined += ops.concatenate([ops.cast(conv.bias, x.dtype) for conv in convs], -1)
        joined = ops.reshape(joined, (-1, *ops.shape(x)[1:3], sum(sizes)))  # (b, h, w, all)
        if not self.pools:
            return tf.split(joined, sizes, -1)  # 3 x (b, h, w, its size)
        looked_at, queries = tf.split(joined, [sum(sizes[:2]), sizes[2]], -1)
        looked_at = ops.max_pool(looked_at, 2, 2)  # (b, h, w, .) -> (b, h/2, w/2, .)
        return (*tf.split(looked_at, sizes[:2], -1), queries)

    def call(self, x, training=False, return_attention=False, weights=None):
        """The layer's output and, on request, its map.

        Args:
            x: feature maps (batch, h, w, c).
            training: move the `u` of the normalized convolutions.
            return_attention: give the map too.
            weights: a map (batch, N, M) to be used in place of the layer's own.

        Returns:
            y of x's shape; with `return_attention` also b, (batch, N, M) in float32. Rows are
            the querying positions, in the order of a flattened (h, w) picture.
        """
        # 3 x (b, h, w, .) -> (b, hw, .)
        keys, values, queries = (_by_position(t) for t in self._project(x, training))
        if return_attention or weights is not None:
            weights = map_of(queries, keys) if weights is None else weights  # (b, N, M)
            mixed = mix(weights, values)  # (b, N, c or c/2)
        else:
            mixed = attend(queries, keys, values, self.method)  # (b, N, c or c/2)
        mixed = ops.reshape(mixed, (-1, *ops.shape(x)[1:3], values.shape[-1]))  # (b, h, w, .)
        if self.halves:
            mixed = self.out(mixed, training=training)  # (b, h, w, c/2) -> (b, h, w, c)
        y = x + self.gamma * mixed
        return (y, weights) if return_attention else y

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, x, training=False, return_attention=False, weights=None):
        y = keras.KerasTensor(x.shape, self.compute_dtype)
        if not return_attention:
            return y
        shape = (None, None) if None in self._sides else self.map_shape()
        return y, keras.KerasTensor((x.shape[0], *shape), "float32")

    def get_config(self):
        names = ("variant", "use_sn", "use_bias", "method")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _by_position(t):
    """(batch, h, w, c) -> (batch, h * w, c)."""
    _, height, width, channels = ops.shape(t)
    return ops.reshape(t, (-1, height * width, channels))


def attention_layers(model):
    """All self-attention layers inside a model."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, SelfAttention)]
