"""Self-attention for feature maps: every position may look at every other.

After Zhang, Goodfellow, Metaxas and Odena (2018), *Self-Attention Generative Adversarial
Networks*, arXiv:1805.08318, equations 1 to 3, and the article's section on attention.
"""

import keras
from keras import ops

from sagan_lib import checks
from sagan_lib.spectral_norm import SNConv2D

VARIANTS = ("article", "paper")


@keras.saving.register_keras_serializable("sagan_lib")
class SelfAttention(keras.layers.Layer):
    """y = x + gamma * o, where o mixes the values of all positions by a softmax map.

    With N = h * w positions and M positions that can be looked at:

    - queries g: (batch, N, c/8), keys f: (batch, M, c/8), both by 1x1 convolutions;
    - map b = softmax over the keys of (g f^T): (batch, N, M), each row sums to 1;
    - output o = b values.

    Args:
        variant: "article": values h have all c channels, M = N, no output convolution (the
            article's code). "paper": keys and values are max-pooled 2x2, so M = N/4; values have
            c/2 channels and a 1x1 convolution takes o back to c (the authors' released code).
        use_sn: spectral normalization of the 1x1 convolutions.

    Input and output (batch, h, w, c): c a multiple of 8; h and w even for "paper".

    Raises:
        ValueError: unknown variant, or an input shape that does not fit it.
    """

    def __init__(self, variant="article", use_sn=True, **options):
        super().__init__(**options)
        self.variant = checks.one_of("variant", variant, VARIANTS)
        self.use_sn = use_sn

    def build(self, input_shape):
        height, width, channels = input_shape[1:]
        if channels % 8:
            raise ValueError(f"channels must be a multiple of 8, got {channels}")
        if self.variant == "paper" and (height % 2 or width % 2):
            raise ValueError(f"variant 'paper' needs even height and width, got {height}x{width}")
        paper = self.variant == "paper"
        self.f = self._conv1x1(channels // 8, "f")
        self.g = self._conv1x1(channels // 8, "g")
        self.h = self._conv1x1(channels // 2 if paper else channels, "h")
        for conv in (self.f, self.g, self.h):
            conv.build(input_shape)
        if paper:
            self.out = self._conv1x1(channels, "out")
            self.out.build((*input_shape[:-1], channels // 2))
        # Starts at 0: the network begins as a plain convolutional one (equation 3).
        self.gamma = self.add_weight((), initializer="zeros", name="gamma")

    def _conv1x1(self, filters, name):
        if self.use_sn:
            return SNConv2D(filters, 1, name=name, dtype=self.dtype_policy)
        return keras.layers.Conv2D(filters, 1, name=name, dtype=self.dtype_policy)

    def call(self, x, training=False, return_attention=False):
        """The layer's output and, on request, its map.

        Returns:
            y of x's shape; with `return_attention` also b, (batch, N, M) in float32. Rows are
            the querying positions, in the order of a flattened (h, w) picture.
        """
        keys, queries = self.f(x, training=training), self.g(x, training=training)
        values = self.h(x, training=training)
        if self.variant == "paper":
            keys, values = (ops.max_pool(t, 2, 2) for t in (keys, values))
        keys, queries, values = (
            ops.reshape(t, (-1, t.shape[1] * t.shape[2], t.shape[3]))  # (b, h, w, c) -> (b, hw, c)
            for t in (keys, queries, values)
        )
        scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))  # (b, N, M)
        weights = ops.softmax(ops.cast(scores, "float32"), axis=-1)
        mixed = ops.matmul(ops.cast(weights, values.dtype), values)  # (b, N, c or c/2)
        mixed = ops.reshape(mixed, (-1, *x.shape[1:3], values.shape[-1]))
        if self.variant == "paper":
            mixed = self.out(mixed, training=training)
        y = x + self.gamma * mixed
        return (y, weights) if return_attention else y

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"variant": self.variant, "use_sn": self.use_sn}


def attention_layers(model):
    """All self-attention layers inside a model."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, SelfAttention)]


def attention_map(model, inputs):
    """The map of a model's attention layer for given inputs.

    Args:
        model: a functional model with exactly one `SelfAttention`, such as `sagan.generator`.
        inputs: what the model takes.

    Returns:
        (outputs, weights): the model's outputs and the map (batch, N, M).

    Raises:
        ValueError: the model has not exactly one attention layer.
    """
    layers = attention_layers(model)
    if len(layers) != 1:
        raise ValueError(f"model must have one SelfAttention, {model.name} has {len(layers)}")
    probe = keras.Model(model.input, [layers[0].input, model.output])
    features, outputs = probe(inputs, training=False)
    return outputs, layers[0](features, training=False, return_attention=True)[1]
