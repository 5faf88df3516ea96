"""The attention product: kept whole or block by block, the same numbers, less memory."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import attend

SHAPES = {"square": (6, 16, 16, 4, 8), "pooled": (6, 16, 4, 4, 8)}  # batch, N, M, d, c
ROW = 4 * 16  # bytes of a row of the square map
TOLERANCE = 1e-5  # of the largest number; seen: up to 2e-6, most on a processor without AVX-512


def tensors(batch, n, m, d, c, dtype="float32", scale=1.0):
    draw = np.random.default_rng(0).normal
    sizes = ((batch, n, d), (batch, m, d), (batch, m, c), (batch, n, c))
    return [tf.constant(scale * draw(size=size), dtype) for size in sizes]


def plain(queries, keys, values):
    return tf.matmul(tf.nn.softmax(tf.matmul(queries, keys, transpose_b=True)), values)


def with_gradients(function, queries, keys, values, upstream):
    with tf.GradientTape() as tape:
        tape.watch([queries, keys, values])
        mixed = function(queries, keys, values)
    return [mixed, *tape.gradient(mixed, [queries, keys, values], upstream)]


def exact(*inputs):
    """TensorFlow's own operations and their gradients, in float64."""
    return with_gradients(plain, *(tf.cast(t, tf.float64) for t in inputs))


def assert_close(found, expected, tolerance):
    for a, b in zip(found, expected, strict=True):
        scale = max(1.0, np.abs(b).max())
        np.testing.assert_allclose(tf.cast(a, tf.float64), b, atol=tolerance * scale, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("method", "block_bytes"),
    [("dense", 4), ("chunked", 10**6), ("chunked", 32 * ROW), ("chunked", 16 * ROW),
     ("chunked", 5 * ROW), ("chunked", 4)],
    ids=["dense", "one block", "2 images", "1 image", "4 rows", "1 row"],
)  # fmt: skip
def test_value_and_gradient_are_those_of_the_plain_form(shape, method, block_bytes):
    inputs = tensors(*SHAPES[shape])

    def ours(*qkv):
        return attend.attend(*qkv, method=method, block_bytes=block_bytes)

    found = tf.function(lambda *t: with_gradients(ours, *t))(*inputs)
    assert_close(found, exact(*inputs), TOLERANCE)


@pytest.mark.parametrize("method", attend.METHODS)
def test_large_scores_neither_overflow_nor_vanish(method):
    inputs = tensors(*SHAPES["square"], scale=30.0)
    found = with_gradients(lambda *t: attend.attend(*t, method, 16 * ROW), *inputs)
    assert all(np.isfinite(t).all() for t in found)
    assert_close(found[:1], exact(*inputs)[:1], TOLERANCE)


@pytest.mark.parametrize("known", ["sizes", "channels"])
@pytest.mark.parametrize("method", attend.METHODS)
def test_the_batch_and_the_numbers_of_positions_may_be_unknown(method, known):
    inputs = tensors(*SHAPES["pooled"])
    spec = [
        tf.TensorSpec((None, *t.shape[1:]) if known == "sizes" else (None, None, t.shape[-1]))
        for t in inputs
    ]

    @tf.function(input_signature=spec)
    def ours(*t):
        return with_gradients(lambda *qkv: attend.attend(*qkv, method), *t)

    assert_close(ours(*inputs), exact(*inputs), TOLERANCE)


def slopes(function, queries, keys, values):
    """A penalty on the gradient, and its own gradient: derivatives of derivatives."""
    with tf.GradientTape() as outer:
        outer.watch([queries, keys, values])
        with tf.GradientTape() as inner:
            inner.watch([queries, keys, values])
            out = tf.reduce_sum(tf.square(function(queries, keys, values)))
        first = inner.gradient(out, [queries, keys, values])
        penalty = sum(tf.reduce_sum(tf.square(g)) for g in first)
    return [penalty, *outer.gradient(penalty, [queries, keys, values])]


@pytest.mark.parametrize(
    "jit", [False, pytest.param(True, marks=pytest.mark.book)], ids=["plain", "xla"]
)
@pytest.mark.parametrize(
    ("method", "block_bytes"),
    [("dense", 4), ("chunked", 32 * ROW), ("chunked", 5 * ROW)],
    ids=["dense", "2 images", "4 rows"],
)
def test_second_derivatives_are_those_of_the_plain_form(method, block_bytes, jit):
    inputs = tensors(*SHAPES["square"])[:3]

    @tf.function(jit_compile=jit)
    def ours(*t):
        return slopes(lambda *qkv: attend.attend(*qkv, method, block_bytes), *t)

    expected = slopes(plain, *(tf.cast(t, tf.float64) for t in inputs))
    assert_close(ours(*inputs), expected, TOLERANCE)


@pytest.mark.parametrize(("dtype", "scale"), [("bfloat16", 3.0), ("float16", 200.0)])
def test_scores_and_softmax_are_float32_whatever_the_dtype(dtype, scale):
    """In float16, 200 * 200 * 8 is infinite; in bfloat16, scores of 30 are off by a tenth."""
    queries, keys, _, _ = tensors(*SHAPES["square"][:3], 8, 8, dtype=dtype, scale=scale)
    exact_scores = np.asarray(queries, np.float64) @ np.asarray(keys, np.float64).swapaxes(1, 2)
    found = attend.map_of(queries, keys)
    assert found.dtype == tf.float32
    expected = tf.nn.softmax(tf.constant(exact_scores))
    np.testing.assert_allclose(found, expected, atol=2e-6 * scale)


def test_auto_goes_by_size(monkeypatch):
    used = []
    monkeypatch.setattr(attend, "_dense", lambda *t: used.append("dense"))
    monkeypatch.setattr(attend, "_chunked", lambda *t: used.append("chunked"))
    monkeypatch.setitem(attend.DENSE_BYTES, "CPU", 6 * 16 * ROW)
    monkeypatch.setitem(attend.DENSE_BYTES, "GPU", 6 * 16 * ROW)
    attend.attend(*tensors(*SHAPES["square"])[:3])
    attend.attend(*tensors(7, *SHAPES["square"][1:])[:3])
    attend.attend(*tensors(*SHAPES["square"])[:3], method="chunked")
    attend.attend(*tensors(7, *SHAPES["square"][1:])[:3], method="dense")
    assert used == ["dense", "chunked", "chunked", "dense"]


def test_an_unknown_batch_is_taken_for_a_usual_one():
    """Or a plain `tf.data.batch(16)` in `fit`, whose batch is unknown, would go image by image."""
    limit = min(attend.DENSE_BYTES.values())
    assert attend.keeps_map(None, 256, 256) == attend.keeps_map(64, 256, 256) == True  # noqa: E712
    positions = 8 * int((limit / 4) ** 0.5)
    assert not attend.keeps_map(None, positions, positions)
    assert attend.keeps_map(None, None, None)


def peak(method, batch):
    size = ["--sides", "64", "--batch", str(batch)]
    line = [sys.executable, "-m", "sagan_experiments.speed.memory", "--method", method, *size]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout)


@pytest.mark.full
def test_blocks_take_less_than_an_eighth_of_the_memory():
    """At a 64x64 map. What a process holds is no exact figure: 32 images leave a wide margin."""
    one_map = 4 * 64**4 / 2**20  # MiB
    dense = peak("dense", 8)
    assert dense > 8 * 2 * one_map * 0.9, "the map and its gradient, for each of 8 images"
    assert peak("chunked", 32) < 4 * dense / 8
