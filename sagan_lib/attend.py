"""The product of attention, softmax(queries keys^T) values: dense, or block by block.

The blocks are after Rabe and Staats (2021), arXiv:2112.05682, and Dao et al. (2022),
arXiv:2205.14135: exact, and without the whole map in memory.
"""

import tensorflow as tf
from keras import ops

from sagan_lib import checks

METHODS = ("auto", "dense", "chunked")

#: Bytes of a block of the map when `attend` goes block by block: what a processor's caches keep.
BLOCK_BYTES = 16 * 2**20
#: Largest map, in bytes, that "auto" keeps as a whole: where both ways were seen to take the same
#: time on a CPU; on a GPU until its memory begins to hurt.
DENSE_BYTES = {"CPU": 64 * 2**20, "GPU": 2**30}
#: Images that "auto" counts with where the size of the batch is unknown, as in Keras's graphs.
USUAL_BATCH = 64


def attend(queries, keys, values, method="auto", block_bytes=BLOCK_BYTES):
    """softmax(queries keys^T) values, without keeping the whole map where it is large.

    The softmax is over the keys; no scaling by the root of their size, as in SAGAN's equation 1.
    "dense" computes the map of the whole batch and keeps it for the gradient. "chunked" computes
    it block by block, a few images (or rows of one image) at a time, forgets it, and computes each
    block again for the gradient. Both are exact: every row of the map is complete in its block.

    Args:
        queries: (batch, N, d), any float dtype. The batch, N and M may be unknown in a graph.
        keys: (batch, M, d), same dtype.
        values: (batch, M, c), same dtype.
        method: "dense", "chunked", or "auto": dense while the whole map takes at most
            `DENSE_BYTES` of the device (`keeps_map`), and where N or M is unknown.
        block_bytes: of the float32 map in one block; of unknown sizes a block is one image.

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
    if total is None or columns is None:
        return _chunked(queries, keys, values, 1, None)
    # Equal blocks: some images, as many as divide the batch, or some rows of one image's map.
    rows = largest_divisor(total, block_bytes // (4 * columns))
    fit = block_bytes // (4 * total * columns)
    whole = rows == total
    images = largest_divisor(batch, fit) if whole and batch else 1
    return _chunked(queries, keys, values, images, None if whole else rows)


def keeps_map(batch, queries, keys, method="auto"):
    """Whether `attend` keeps the whole map.

    Args:
        batch: images; None if unknown: then as for `USUAL_BATCH`.
        queries: N, the positions that ask; None if unknown, as below: then it is kept.
        keys: M, the positions that can be looked at.
        method: of `attend`.
    """
    if method != "auto":
        return method == "dense"
    if queries is None or keys is None:
        return True
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return 4 * (batch or USUAL_BATCH) * queries * keys <= DENSE_BYTES[device]


def _check_shapes(queries, keys, values):
    known = all(len(s) == 3 and s[2] is not None for s in (queries, keys, values))
    alike = known and all(
        len({s for s in sizes if s is not None}) < 2
        for sizes in ([s[0] for s in (queries, keys, values)], (keys[1], values[1]))
    )
    if not alike or queries[2] != keys[2]:
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
    # Cast first: scores of a few hundred have no digit left in bfloat16, and overflow in float16.
    queries, keys = tf.cast(queries, tf.float32), tf.cast(keys, tf.float32)
    return tf.nn.softmax(tf.matmul(queries, keys, transpose_b=True))


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
    """`attend` with blocks of so many images, or of so many rows of one image's map if given."""

    def split(t):  # (batch, n, c) -> (blocks, images, n, c)
        return tf.reshape(t, (-1, images, *ops.shape(t)[1:]))

    def join(t):
        return tf.reshape(t, (-1, *ops.shape(t)[2:]))

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


def _in_turn(function, rows, *whole):
    """`function` on so many rows of one image (1, N, .) at a time, each when the last is done.

    Unrolled, because XLA takes no second derivative of a loop within a loop.
    """
    done = []
    for start in range(0, whole[0].shape[1], rows):
        with tf.control_dependencies(done[-1:]):  # or the maps of all rows would be there at once
            done.append(function(*(t[:, start : start + rows] for t in whole)))
    return done


def _block(queries, keys, values, rows):
    if rows is None:
        return mix(map_of(queries, keys), values)
    return tf.concat(_in_turn(lambda q: mix(map_of(q, keys), values), rows, queries), 1)


def _block_gradients(queries, keys, values, mixed, upstream, rows):
    def of(q, o, d):
        return _gradients(map_of(q, keys), q, keys, values, o, d)

    if rows is None:
        return of(queries, mixed, upstream)
    on_keys = on_values = 0.0

    def of_rows(q, o, d):
        nonlocal on_keys, on_values
        on_q, on_k, on_v = of(q, o, d)
        on_keys, on_values = on_keys + on_k, on_values + on_v
        with tf.control_dependencies([on_keys, on_values]):
            return tf.identity(on_q)

    on_queries = tf.concat(_in_turn(of_rows, rows, queries, mixed, upstream), 1)
    return on_queries, on_keys, on_values
