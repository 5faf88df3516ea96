"""The product of attention, softmax(queries keys^T) values: dense, or block by block.

The blocks are after Rabe and Staats (2021), arXiv:2112.05682, and Dao et al. (2022),
arXiv:2205.14135: exact, and without the whole map in memory.
"""

import tensorflow as tf

from sagan_lib import checks

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
    block again for the gradient. Both are exact: every row of the map is complete in its block.

    Args:
        queries: (batch, N, d), any float dtype; all sizes but the batch known, here and below.
        keys: (batch, M, d), same dtype.
        values: (batch, M, c), same dtype.
        method: "dense", "chunked", or "auto": dense while the whole map takes at most
            `DENSE_BYTES` of the device.
        block_bytes: of the float32 map in one block.

    Returns:
        (batch, N, c) in the values' dtype. Scores and softmax are float32 inside.

    Raises:
        TypeError: a dtype that is no float.
        ValueError: unknown method, or shapes that do not belong together.
    """
    checks.one_of("method", method, METHODS)
    queries, keys, values = map(tf.convert_to_tensor, (queries, keys, values))
    if not all(t.dtype.is_floating for t in (queries, keys, values)):
        kinds = [t.dtype.name for t in (queries, keys, values)]
        raise TypeError(f"queries, keys and values must be of a float dtype, got {kinds}")
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
    """Whether `attend` keeps the whole map.

    Args:
        batch: images; None if unknown.
        queries: N, the positions that ask.
        keys: M, the positions that can be looked at.
        method: of `attend`.
    """
    if method != "auto":
        return method == "dense"
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return batch is not None and 4 * batch * queries * keys <= DENSE_BYTES[device]


def _check_shapes(queries, keys, values):
    known = all(len(s) == 3 and None not in s[1:] for s in (queries, keys, values))
    alike = len({s[0] for s in (queries, keys, values) if len(s) and s[0] is not None}) < 2
    if not known or not alike or queries[2] != keys[2] or keys[1] != values[1]:
        raise ValueError(
            "queries (batch, N, d), keys (batch, M, d) and values (batch, M, c) of the same batch "
            f"expected, got {queries}, {keys} and {values}"
        )


def largest_divisor(number, limit):
    """The largest divisor of `number` that is at most `limit`; 1 if the limit is below 1."""
    return max(d for d in range(1, number + 1) if number % d == 0 and (d <= limit or d == 1))


def map_of(queries, keys):
    """softmax(queries keys^T), float32 (batch, N, M): each row sums to 1. SAGAN's equation 1.

    Args:
        queries: (batch, N, d), any float dtype.
        keys: (batch, M, d), same dtype.
    """
    return tf.nn.softmax(tf.cast(tf.matmul(queries, keys, transpose_b=True), tf.float32))


def mix(weights, values):
    """The values of all positions, added up as a map says: (batch, N, c). SAGAN's equation 2.

    Args:
        weights: a map (batch, N, M).
        values: (batch, M, c); theirs is the dtype of the result.
    """
    return tf.matmul(tf.cast(weights, values.dtype), values)


def _gradients(weights, queries, keys, values, mixed, upstream):
    """(d queries, d keys, d values) of one block, from its map (g, N, M).

    The gradient through a row p of the softmax is p * (r - <p, r>), where r is the gradient on p.
    <p, r> equals <mixed, upstream>, a sum over c numbers and not over M; and one more column in
    the product that makes r subtracts it, so the map is gone through only once.
    """
    with tf.name_scope("attention"):
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
    weights = map_of(queries, keys)
    mixed = mix(weights, values)
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
        return mix(map_of(queries, keys), values)
    parts = _one_by_one(
        lambda part: (mix(map_of(part, keys), values),),
        _row_parts(queries, rows),
        ((1, rows, values.shape[2]), values.dtype),
    )[0]
    return tf.reshape(parts, (1, -1, values.shape[2]))


def _block_gradients(queries, keys, values, mixed, upstream, rows):
    if rows == queries.shape[1]:
        return _gradients(map_of(queries, keys), queries, keys, values, mixed, upstream)
    q, o, d = (_row_parts(t, rows) for t in (queries, mixed, upstream))
    parts = queries.shape[1] // rows

    def body(i, d_keys, d_values, d_queries):
        on_q, on_k, on_v = _gradients(map_of(q[i], keys), q[i], keys, values, o[i], d[i])
        return i + 1, d_keys + on_k, d_values + on_v, d_queries.write(i, on_q)

    start = (0, tf.zeros_like(keys), tf.zeros_like(values), tf.TensorArray(q.dtype, parts))
    _, d_keys, d_values, d_queries = tf.while_loop(lambda i, *_: i < parts, body, start, None, 1)
    return tf.reshape(d_queries.stack(), tf.shape(queries)), d_keys, d_values
