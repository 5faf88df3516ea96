"""Spectral normalization against numpy's SVD, the paper's closed form and finite differences."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import spectral_norm as sn

SHAPES = [(1, 1), (1, 7), (7, 1), (5, 5), (64, 8), (8, 64), (144, 32)]


def matrix_of(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def start(shape, seed=1):
    return np.random.default_rng(seed).normal(size=min(shape)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_sigma_converges_to_numpys_svd(shape):
    matrix = matrix_of(shape)
    truth = np.linalg.svd(matrix, compute_uv=False)[0]
    sigma, u, v = sn.power_iteration(matrix, start(shape), power_iterations=300)
    assert float(sigma) == pytest.approx(truth, rel=1e-4)
    assert float(sn.exact_sigma(matrix)) == pytest.approx(truth, rel=1e-6)
    assert float(tf.norm(u)) == pytest.approx(1, rel=1e-5)
    assert float(tf.norm(v)) == pytest.approx(1, rel=1e-5)
    assert (u.shape[0], v.shape[0]) == (min(shape), max(shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_sigma_is_never_too_large_and_grows_with_rounds(shape):
    matrix, truth = matrix_of(shape, 2), np.linalg.svd(matrix_of(shape, 2), compute_uv=False)[0]
    sigmas = [float(sn.power_iteration(matrix, start(shape), r)[0]) for r in (1, 2, 4, 8, 16)]
    assert max(sigmas) <= truth * (1 + 1e-5)
    assert all(b >= a * (1 - 1e-5) for a, b in itertools.pairwise(sigmas))


def test_rounds_in_one_call_equal_calls_that_keep_u():
    matrix, u = matrix_of((40, 12)), start((40, 12))
    for _ in range(5):
        sigma, u, _ = sn.power_iteration(matrix, u)
    together, u5, _ = sn.power_iteration(matrix, start((40, 12)), power_iterations=5)
    np.testing.assert_allclose(sigma, together, rtol=1e-6)
    np.testing.assert_allclose(u, u5, rtol=1e-4, atol=1e-6)


def test_zero_matrix_gives_zero_and_keeps_the_direction():
    u = start((6, 4))
    sigma, after, _ = sn.power_iteration(np.zeros((6, 4), np.float32), u)
    assert float(sigma) == 0
    np.testing.assert_array_equal(after, u)


@pytest.mark.parametrize("size", [1e-18, 1e-6, 1e6, 1e15])
def test_tiny_and_huge_matrices(size):
    matrix = matrix_of((30, 20)) * np.float32(size)
    truth = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)[0]
    sigma, _, _ = sn.power_iteration(matrix, start((30, 20)), power_iterations=200)
    assert float(sigma) == pytest.approx(truth, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.ones((3, 2), np.float32), np.ones(3, np.float32), 1), ValueError, "u must have shape"),
        ((np.ones((3, 2), np.float32), np.ones(2, np.float32), 0), ValueError, "power_iterations"),
        ((np.ones((3, 2), np.float32), np.ones(2, np.float32), 1.5), TypeError, "power_iterations"),
        ((np.ones(3, np.float32), np.ones(3, np.float32), 1), ValueError, "rank 2"),
    ],
)
def test_power_iteration_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        sn.power_iteration(*arguments)


def test_kernel_matrix_has_one_column_for_each_output_channel():
    conv = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    dense = np.random.default_rng(1).normal(size=(6, 5)).astype(np.float32)
    for channel in range(5):
        column = np.asarray(sn.kernel_matrix(conv, "conv"))[:, channel]
        np.testing.assert_array_equal(column, conv[..., channel].ravel())
    transposed = np.asarray(sn.kernel_matrix(conv, "conv_transpose"))  # 4 out, 5 in
    assert transposed.shape == (45, 4)
    for channel in range(4):
        np.testing.assert_array_equal(transposed[:, channel], conv[:, :, channel, :].ravel())
    np.testing.assert_array_equal(sn.kernel_matrix(dense, "dense"), dense)


def test_kernel_matrix_is_the_layers_map_from_a_patch_to_its_outputs():
    """A convolution whose kernel covers the whole input is exactly that matrix."""
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    image = np.random.default_rng(1).normal(size=(1, 3, 3, 4)).astype(np.float32)
    by_matrix = image.reshape(1, -1) @ np.asarray(sn.kernel_matrix(kernel, "conv"))
    by_layer = tf.nn.conv2d(image, kernel, 1, "VALID")
    np.testing.assert_allclose(np.ravel(by_layer), by_matrix[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "kind", "words"),
    [((3, 3, 4, 5), "pool", "kind"), ((3, 4), "conv", "rank 4"), ((3, 3, 1, 1), "dense", "rank 2")],
)
def test_kernel_matrix_refuses(shape, kind, words):
    with pytest.raises(ValueError, match=words):
        sn.kernel_matrix(np.zeros(shape), kind)


LAYERS = [
    (lambda **o: sn.SNDense(5, **o), keras.layers.Dense(5), (4, 6)),
    (lambda **o: sn.SNConv2D(5, 3, **o), keras.layers.Conv2D(5, 3, padding="same"), (2, 8, 8, 4)),
    (
        lambda **o: sn.SNConv2D(5, 4, 2, **o),
        keras.layers.Conv2D(5, 4, 2, padding="same"),
        (2, 9, 9, 4),
    ),
    (
        lambda **o: sn.SNConv2DTranspose(5, 4, 2, **o),
        keras.layers.Conv2DTranspose(5, 4, 2, padding="same"),
        (2, 4, 4, 3),
    ),
]
IDS = ["dense", "conv", "strided conv", "transposed conv"]


def converge(layer, x, times=200):
    for _ in range(times):
        layer(x, training=True)


@pytest.mark.parametrize(("make", "plain", "shape"), LAYERS, ids=IDS)
def test_layer_equals_keras_layer_with_the_kernel_over_numpys_sigma(make, plain, shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    layer = make()
    converge(layer, x)
    kernel = np.asarray(layer.kernel)
    flat = np.asarray(sn.kernel_matrix(kernel, layer.kind), np.float64)
    plain = plain.from_config(plain.get_config())
    plain.build(shape)
    plain.set_weights([kernel / np.linalg.svd(flat, compute_uv=False)[0], np.asarray(layer.bias)])
    np.testing.assert_allclose(layer(x), plain(x), rtol=2e-3, atol=2e-4)
    assert layer(x).shape == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize(("make", "plain", "shape"), LAYERS, ids=IDS)
def test_u_moves_in_training_only_and_by_one_round(make, plain, shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    layer = make()
    layer(x, training=False)
    before = np.asarray(layer.u)
    layer(x)
    layer(x, training=False)
    np.testing.assert_array_equal(layer.u, before)
    layer(x, training=True)
    flat = np.asarray(sn.kernel_matrix(layer.kernel, layer.kind))
    expected = flat.T @ (flat @ before) if len(before) == flat.shape[1] else None
    if expected is None:
        expected = flat @ (flat.T @ before)
    np.testing.assert_allclose(layer.u, expected / np.linalg.norm(expected), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("make", "plain", "shape"), LAYERS, ids=IDS)
def test_inference_is_normalized_too(make, plain, shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    layer = make()
    converge(layer, x, 50)
    layer.kernel.assign(layer.kernel * 7.0)  # sigma undoes any scale
    scaled = layer(x, training=False)
    layer.kernel.assign(layer.kernel / 7.0)
    np.testing.assert_allclose(scaled, layer(x, training=False), rtol=1e-4, atol=1e-5)


def test_zero_kernel_gives_the_bias():
    layer = sn.SNDense(3, kernel_initializer="zeros")
    np.testing.assert_array_equal(layer(np.ones((2, 4), np.float32)), np.zeros((2, 3)))


def loss_and_gradient(layer, x, target):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * target)
    return loss, np.asarray(tape.gradient(loss, layer.kernel), np.float64)


def test_gradient_is_the_papers_closed_form():
    """d/dW of <A, W/sigma> is (A - <A, W/sigma> u v^T) / sigma (the paper's equation 9)."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(10, 6)), rng.normal(size=(10, 4))
    layer = sn.SNDense(4, use_bias=False)
    converge(layer, x, 200)
    _, gradient = loss_and_gradient(layer, x, target)
    w = np.asarray(layer.kernel, np.float64)
    left, singular, right = np.linalg.svd(w)
    plain = x.T @ target  # gradient by the normalized kernel
    inner = np.sum(plain * w / singular[0])
    closed = (plain - inner * np.outer(left[:, 0], right[0])) / singular[0]
    np.testing.assert_allclose(gradient, closed, rtol=2e-3, atol=2e-3)


def test_gradient_against_finite_differences():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1, 5, 5, 2)).astype(np.float32)
    target = rng.normal(size=(1, 5, 5, 3)).astype(np.float32)
    layer = sn.SNConv2D(3, 3, use_bias=False)
    converge(layer, x, 200)
    _, gradient = loss_and_gradient(layer, x, target)
    w = np.asarray(layer.kernel, np.float64)
    for place in [(0, 0, 0, 0), (1, 1, 0, 2), (2, 1, 1, 1)]:
        values = []
        for step in (1e-2, -1e-2):
            moved = w.copy()
            moved[place] += step
            sigma = np.linalg.svd(moved.reshape(-1, 3), compute_uv=False)[0]
            out = tf.nn.conv2d(x.astype(np.float64), moved / sigma, 1, "SAME")
            values.append(float(tf.reduce_sum(out * target)))
        numeric = (values[0] - values[1]) / 2e-2
        assert gradient[place] == pytest.approx(numeric, rel=2e-2, abs=2e-2)


def test_no_gradient_flows_through_u_and_v():
    matrix = tf.Variable(matrix_of((8, 5)))
    with tf.GradientTape() as tape:
        sigma, u, v = sn.power_iteration(matrix, start((8, 5)))
    np.testing.assert_allclose(
        tape.gradient(sigma, matrix), np.outer(v, u), rtol=1e-5, atol=1e-6
    )  # after one round only: u and v are not yet singular vectors, and are constants all the same


def test_saving_keeps_u(tmp_path):
    x = np.ones((1, 8, 8, 3), np.float32)
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), sn.SNConv2D(4, 3), sn.SNConv2DTranspose(2, 4)]
    )
    converge(model, x, 3)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    for old, new in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(model(x), again(x))


@pytest.mark.parametrize(("make", "plain", "shape"), LAYERS, ids=IDS)
def test_config_round_trip(make, plain, shape):
    layer = make(use_bias=False, kernel_initializer="orthogonal", power_iterations=2)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_mixed_precision_keeps_the_norm_in_float32():
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32)
    layer = sn.SNConv2D(6, 3, dtype="mixed_bfloat16")
    converge(layer, x, 100)
    assert layer(x).dtype == "bfloat16"
    assert (layer.kernel.dtype, layer.u.dtype) == ("float32", "float32")
    sigma = float(layer.sigma()[0])
    truth = np.linalg.svd(np.asarray(layer.kernel).reshape(-1, 6), compute_uv=False)[0]
    assert sigma == pytest.approx(truth, rel=1e-5)  # bfloat16 alone would be off by about 1e-3


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: sn.SNDense(0), ValueError, "units"),
        (lambda: sn.SNConv2D(4, 0), ValueError, "kernel_size"),
        (lambda: sn.SNConv2D(4, 3, 1.5), TypeError, "strides"),
        (lambda: sn.SNConv2D(4, 3, power_iterations=0), ValueError, "power_iterations"),
    ],
)
def test_layers_refuse(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_where_keras_own_layer_differs():
    """Keras's wrapper writes the normalized kernel back; ours leaves the weight alone."""
    x = np.ones((1, 6), np.float32)
    theirs = keras.layers.SpectralNormalization(keras.layers.Dense(4, use_bias=False))
    theirs.build((1, 6))
    ours = sn.SNDense(4, use_bias=False)
    ours.build((1, 6))
    for layer, kernel in ((theirs, theirs.layer.kernel), (ours, ours.kernel)):
        kernel.assign(np.diag([8.0] * 4 + [0, 0])[:, :4])
        layer(x, training=True)
    assert np.abs(np.asarray(theirs.layer.kernel)).max() == pytest.approx(1, rel=1e-3)
    assert np.abs(np.asarray(ours.kernel)).max() == 8


def test_keras_own_layer_runs_the_stored_kernel_at_inference():
    x = np.eye(6, dtype=np.float32)[:1]
    theirs = keras.layers.SpectralNormalization(keras.layers.Dense(4, use_bias=False))
    theirs.build((1, 6))
    ours = sn.SNDense(4, use_bias=False)
    ours.build((1, 6))
    for kernel in (theirs.layer.kernel, ours.kernel):
        kernel.assign(np.diag([8.0] * 4 + [0, 0])[:, :4])
    assert float(tf.reduce_max(theirs(x, training=False))) == 8
    assert float(tf.reduce_max(ours(x, training=False))) < 8.1 / float(ours.sigma()[0])
    assert float(tf.reduce_max(ours(x, training=False))) == pytest.approx(1, rel=0.2)


def test_normalized_layers_finds_nested_ones():
    from sagan_lib import sagan

    names = [layer.name for layer in sn.normalized_layers(sagan.discriminator(16, 4))]
    assert sorted(names) == ["down4", "down8", "f", "g", "h", "score"]
