"""Self-attention for feature maps: every position may look at every other.

After Zhang, Goodfellow, Metaxas and Odena (2018), *Self-Attention Generative Adversarial
Networks*, arXiv:1805.08318, equations 1 to 3, and the article's section on attention.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from sagan_lib import checks
from sagan_lib.spectral_norm import SNConv2D

VARIANTS = ("article", "paper")
METHODS = ("auto", "dense", "chunked")

#: Bytes of a block of the map when `attend` goes block by block: what a processor's caches keep.
BLOCK_BYTES = 16 * 2**20
#: Largest map, in bytes, that "auto" keeps as a whole: where both ways were seen to take the same
#: time on a CPU; on a GPU until its memory begins to hurt.
DENSE_BYTES = {"CPU": 64 * 2**20, "GPU": 2**30}


def attend(queries, keys, values, method="auto", block_bytes=BLOCK_BYTES):
    """softmax(queries keys^T) values, without keeping the whole map where it is large.

    The softmax is over the keys; no scaling by the root of their size, as in SAGAN's equation 1.
    "dense" computes the map of the whole batch and keeps it for the gradient. "chunked" computes
    it block by block, a few images (or rows of one image) at a time, forgets it, and computes each
    block again for the gradient (Rabe and Staats 2021, arXiv:2112.05682; Dao et al. 2022,
    arXiv:2205.14135). Both are exact: every row of the map is complete within its block.

    Args:
        queries (batch, N, d), keys (batch, M, d), values (batch, M, c): one float dtype; all
            sizes but the batch known.
        method: "auto" is dense while the whole map takes at most `DENSE_BYTES` of the device.
        block_bytes: of the float32 map in one block.

    Returns:
        (batch, N, c) in the values' dtype. Scores and softmax are float32 inside.

    Raises:
        ValueError: unknown method, or shapes that do not belong together.
    """
    checks.one_of("method", method, METHODS)
    queries, keys, values = map(tf.convert_to_tensor, (queries, keys, values))
    _check_shapes(queries.shape, keys.shape, values.shape)
    checks.integer("block_bytes", block_bytes, 4)
    batch, total, columns = queries.shape[0], queries.shape[1], keys.shape[1]
    if keeps_map(batch, total, columns, method):
        return _dense(queries, keys, values)
    # Equal blocks: some images, as many as divide the batch, or some rows of one image's map.
    rows = largest_divisor(total, block_bytes // (4 * columns))
    fit = block_bytes // (4 * total * columns)
    images = largest_divisor(batch, fit) if rows == total and batch else 1
    return _chunked(queries, keys, values, images, rows)


def keeps_map(batch, queries, keys, method="auto"):
    """Whether `attend` keeps the whole map (batch, queries, keys); a batch of None is unknown."""
    if method != "auto":
        return method == "dense"
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return batch is not None and 4 * batch * queries * keys <= DENSE_BYTES[device]


def _check_shapes(queries, keys, values):
    known = all(len(s) == 3 and None not in s[1:] for s in (queries, keys, values))
    if not known or queries[2] != keys[2] or keys[1] != values[1]:
        raise ValueError(
            "queries (batch, N, d), keys (batch, M, d) and values (batch, M, c) expected, "
            f"got {queries}, {keys} and {values}"
        )


def largest_divisor(number, limit):
    """The largest divisor of `number` that is at most `limit`; 1 if the limit is below 1."""
    return max(d for d in range(1, number + 1) if number % d == 0 and (d <= limit or d == 1))


def _map(queries, keys):
    return tf.nn.softmax(tf.cast(tf.matmul(queries, keys, transpose_b=True), tf.float32))


def _mix(weights, values):
    return tf.matmul(tf.cast(weights, values.dtype), values)


def _gradients(weights, queries, keys, values, mixed, upstream):
    """(d queries, d keys, d values) of one block, from its map (g, N, M).

    The gradient through a row p of the softmax is p * (r - <p, r>), where r is the gradient on p.
    <p, r> equals <mixed, upstream>, a sum over c numbers and not over M; and one more column in
    the product that makes r subtracts it, so the map is gone through only once.
    """
    inner = tf.reduce_sum(mixed * upstream, -1, keepdims=True)
    extended = tf.concat([values, tf.ones_like(values[..., :1])], -1)
    on_map = tf.matmul(tf.concat([upstream, -inner], -1), extended, transpose_b=True)
    on_scores = tf.cast(weights * tf.cast(on_map, tf.float32), queries.dtype)
    return (
        tf.matmul(on_scores, keys),
        tf.matmul(on_scores, queries, transpose_a=True),
        tf.matmul(tf.cast(weights, values.dtype), upstream, transpose_a=True),
    )


@tf.custom_gradient
def _dense(queries, keys, values):
    weights = _map(queries, keys)
    mixed = _mix(weights, values)
    return mixed, lambda d: _gradients(weights, queries, keys, values, mixed, d)


def _one_by_one(function, inputs, *outputs):
    """`function` on each block in turn, so that memory holds one block's map at a time."""
    specs = tuple(tf.TensorSpec(shape, dtype) for shape, dtype in outputs)
    return tf.map_fn(function, inputs, fn_output_signature=specs, parallel_iterations=1)


def _chunked(queries, keys, values, images, rows):
    """`attend` with blocks of so many images and, where that is one, so many rows of its map."""

    def split(t):  # (batch, n, c) -> (blocks, images, n, c)
        return tf.reshape(t, (-1, images, *t.shape[1:]))

    def join(t):
        return tf.reshape(t, (-1, *t.shape[2:]))

    @tf.custom_gradient
    def run(queries, keys, values):
        blocks = tuple(map(split, (queries, keys, values)))
        shape = (images, queries.shape[1], values.shape[2])
        mixed = _one_by_one(lambda b: (_block(*b, rows),), blocks, (shape, values.dtype))[0]

        def gradients(upstream):
            inputs = (*blocks, mixed, split(upstream))
            like = [(t.shape[1:], t.dtype) for t in blocks]
            return tuple(
                map(join, _one_by_one(lambda b: _block_gradients(*b, rows), inputs, *like))
            )

        return join(mixed), gradients

    return run(queries, keys, values)


def _row_parts(t, rows):
    """One image's (1, N, c) as (N / rows, 1, rows, c)."""
    return tf.reshape(t, (-1, 1, rows, t.shape[-1]))


def _block(queries, keys, values, rows):
    if rows == queries.shape[1]:
        return _mix(_map(queries, keys), values)
    parts = _one_by_one(
        lambda part: (_mix(_map(part, keys), values),),
        _row_parts(queries, rows),
        ((1, rows, values.shape[2]), values.dtype),
    )[0]
    return tf.reshape(parts, (1, -1, values.shape[2]))


def _block_gradients(queries, keys, values, mixed, upstream, rows):
    if rows == queries.shape[1]:
        return _gradients(_map(queries, keys), queries, keys, values, mixed, upstream)
    q, o, d = (_row_parts(t, rows) for t in (queries, mixed, upstream))
    parts = queries.shape[1] // rows

    def body(i, d_keys, d_values, d_queries):
        on_q, on_k, on_v = _gradients(_map(q[i], keys), q[i], keys, values, o[i], d[i])
        return i + 1, d_keys + on_k, d_values + on_v, d_queries.write(i, on_q)

    start = (0, tf.zeros_like(keys), tf.zeros_like(values), tf.TensorArray(q.dtype, parts))
    _, d_keys, d_values, d_queries = tf.while_loop(lambda i, *_: i < parts, body, start, None, 1)
    return tf.reshape(d_queries.stack(), tf.shape(queries)), d_keys, d_values


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
        method: of `attend`: "auto", "dense" or "chunked".

    Input and output (batch, h, w, c): c a multiple of 8; h and w even for "paper".

    Raises:
        ValueError: unknown variant, or an input shape that does not fit it.
    """

    def __init__(self, variant="article", use_sn=True, method="auto", **options):
        super().__init__(**options)
        self.variant = checks.one_of("variant", variant, VARIANTS)
        self.method = checks.one_of("method", method, METHODS)
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

    def _project(self, x, training):
        """Keys f, values h, queries g of x: three 1x1 convolutions as one matrix product.

        Keys and values are pooled together: pooling few channels costs as much as pooling many.
        """
        convs = (self.f, self.h, self.g)
        kernels = [c.normalized_kernel(training) if self.use_sn else c.kernel for c in convs]
        sizes = [kernel.shape[-1] for kernel in kernels]
        kernel = ops.concatenate([ops.cast(k[0, 0], x.dtype) for k in kernels], -1)
        bias = ops.concatenate([ops.cast(conv.bias, x.dtype) for conv in convs], -1)
        joined = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel) + bias
        joined = ops.reshape(joined, (-1, *x.shape[1:3], sum(sizes)))
        if self.variant == "article":
            return tf.split(joined, sizes, -1)
        looked_at, queries = tf.split(joined, [sum(sizes[:2]), sizes[2]], -1)
        return (*tf.split(ops.max_pool(looked_at, 2, 2), sizes[:2], -1), queries)

    def call(self, x, training=False, return_attention=False, weights=None):
        """The layer's output and, on request, its map.

        Args:
            weights: a map (batch, N, M) to be used in place of the layer's own.

        Returns:
            y of x's shape; with `return_attention` also b, (batch, N, M) in float32. Rows are
            the querying positions, in the order of a flattened (h, w) picture.
        """
        keys, values, queries = (
            ops.reshape(t, (-1, t.shape[1] * t.shape[2], t.shape[3]))  # (b, h, w, c) -> (b, hw, c)
            for t in self._project(x, training)
        )
        if return_attention or weights is not None:
            weights = _map(queries, keys) if weights is None else weights  # (b, N, M)
            mixed = _mix(weights, values)
        else:
            mixed = attend(queries, keys, values, self.method)  # (b, N, c or c/2)
        mixed = ops.reshape(mixed, (-1, *x.shape[1:3], values.shape[-1]))
        if self.variant == "paper":
            mixed = self.out(mixed, training=training)
        y = x + self.gamma * mixed
        return (y, weights) if return_attention else y

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {
            "variant": self.variant, "use_sn": self.use_sn, "method": self.method,
        }  # fmt: skip


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
    layer = _only(model)
    probe = keras.Model(model.input, [layer.input, model.output])
    features, outputs = probe(inputs, training=False)
    return outputs, layer(features, training=False, return_attention=True)[1]


def _only(model):
    layers = attention_layers(model)
    if len(layers) != 1:
        raise ValueError(f"model must have one SelfAttention, {model.name} has {len(layers)}")
    return layers[0]


def with_map(model, inputs, change):
    """A model's outputs for given inputs with its attention's map changed on the way.

    Args:
        model, inputs: as in `attention_map`.
        change: function of the map, an array (batch, N, M), that gives the map to be used.

    Raises:
        ValueError: the model has not exactly one attention layer.
    """
    layer = _only(model)
    features = keras.Model(model.input, layer.input)(inputs, training=False)
    weights = layer(features, training=False, return_attention=True)[1].numpy()
    mixed = layer(features, training=False, weights=tf.constant(change(weights), tf.float32))
    return keras.Model(layer.output, model.output)(mixed, training=False)


def looks_at(weights, query, target, width=3 / 16):
    """How much of one point's attention falls on a square around another point.

    Args:
        weights: a map (batch, N, M); N and M are square numbers, row by row.
        query, target: (row, column) as fractions of the picture, 0 to below 1.
        width: side of the square, as a fraction of the picture.

    Returns:
        (share, even): the share for each picture, (batch,), and the share that attention spread
        evenly would give. The square is cut off at the border of the picture.
    """
    (asks, side), query = _sides(weights), _check_point("query", query)
    checks.number("width", width, 0, 1, open_low=True)
    row = int(query[0] * asks) * asks + int(query[1] * asks)
    square = _square(_check_point("target", target), side, width)
    return weights[:, row, square].sum(1), square.mean()


def cut(weights, query, target, width=3 / 16):
    """A map in which the square around one point does not look at the square around another.

    What these rows gave to the target goes to all other places in equal parts.

    Args:
        weights, query, target, width: as in `looks_at`; the width is that of both squares.

    Returns:
        A new map, (batch, N, M).
    """
    asks, side = _sides(weights)
    checks.number("width", width, 0, 1, open_low=True)
    rows = _square(_check_point("query", query), asks, width)
    taken = _square(_check_point("target", target), side, width)
    changed = np.array(weights)
    part = changed[:, rows]
    part[..., ~taken] += part[..., taken].sum(-1, keepdims=True) / np.sum(~taken)
    part[..., taken] = 0
    changed[:, rows] = part
    return changed


def _sides(weights):
    """(side of the map that asks, side of the one that is looked at)."""
    if weights.ndim != 3:
        raise ValueError(f"weights must have shape (batch, N, M), got {weights.shape}")
    sides = [round(n**0.5) for n in weights.shape[1:]]
    if [side * side for side in sides] != list(weights.shape[1:]):
        raise ValueError(f"weights must be those of square maps, got {weights.shape}")
    return sides


def _check_point(name, point):
    if not (len(point) == 2 and all(0 <= x < 1 for x in point)):
        raise ValueError(f"{name} must be (row, column) from 0 to below 1, got {point!r}")
    return point


def _square(point, side, width):
    """Which of side * side positions lie in the square around a point: bool, flat."""
    reach = int(width * side / 2)
    near = [abs(np.arange(side) - int(x * side)) <= reach for x in point]
    return np.outer(*near).ravel()
