"""Spectral normalization against numpy's SVD, the paper's closed form and Keras's own wrapper."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import spectral_norm as sn

SHAPES = [(1, 7), (7, 1), (5, 5), (8, 64), (144, 32)]


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


@pytest.mark.parametrize("size", [1e-18, 1.0, 1e15])
def test_a_u_that_is_orthogonal_to_the_matrix_recovers_at_once(size):
    matrix = np.zeros((6, 4), np.float32)
    matrix[:, :2] = size * matrix_of((6, 2))
    lost = np.array([0, 0, 0.6, 0.8], np.float32)
    assert not (matrix @ lost).any()
    for m in (matrix, matrix.T):
        sigma, u, _ = sn.power_iteration(m, lost)
        assert float(sigma) > 0.3 * np.linalg.norm(matrix, 2)
        assert float(sn.power_iteration(m, u, 40)[0]) == pytest.approx(
            np.linalg.norm(matrix, 2), rel=1e-4
        )
    assert float(sn.power_iteration(matrix, np.zeros(4, np.float32), 60)[0]) > 0


@pytest.mark.parametrize("largest", [2, 8, 100])
def test_a_stale_u_recovers_from_another_singular_vector(largest):
    """Exactly one of the others': every product leaves it where it is."""
    matrix = np.diag(np.array([1, largest, 1], np.float32))
    u = np.array([1, 0, 0], np.float32)
    for _ in range(60):
        sigma, u, _ = sn.power_iteration(matrix, u)
    assert float(sigma) == pytest.approx(largest, rel=1e-4)


def test_an_ordinary_u_is_not_changed_by_the_recovery():
    matrix, u = matrix_of((30, 20)), start((30, 20))
    v = tf.linalg.l2_normalize(tf.linalg.matvec(matrix, u))
    plain = tf.linalg.l2_normalize(tf.linalg.matvec(matrix, v, transpose_a=True))
    np.testing.assert_allclose(sn.power_iteration(matrix, u)[1], plain, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("size", [1e-18, 1e-6, 1e6, 1e15])
def test_tiny_and_huge_matrices(size):
    matrix = matrix_of((30, 20)) * np.float32(size)
    sigma, _, _ = sn.power_iteration(matrix, start((30, 20)), power_iterations=200)
    assert float(sigma) == pytest.approx(np.linalg.norm(matrix.astype(float), 2), rel=1e-4)


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
    np.testing.assert_array_equal(sn.kernel_matrix(dense, "embedding"), dense)
    depthwise = np.asarray(sn.kernel_matrix(conv, "depthwise"))  # 4 in, 5 times
    assert depthwise.shape == (9, 20)
    for channel in range(20):
        filtered = conv[:, :, channel // 5, channel % 5]
        np.testing.assert_array_equal(depthwise[:, channel], filtered.ravel())


#: Normalized class, Keras's, what both are given, shape of the inputs.
OPTIONS = {
    "valid": (sn.SNConv2D, "Conv2D", {"filters": 4, "kernel_size": 3, "padding": "valid"},
              (2, 8, 8, 3)),
    "3x5": (sn.SNConv2D, "Conv2D", {"filters": 4, "kernel_size": (3, 5), "strides": (2, 1)},
              (2, 8, 8, 3)),
    "groups": (sn.SNConv2D, "Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2}, (2, 8, 8, 4)),
    "dilated": (sn.SNConv2D, "Conv2D", {"filters": 4, "kernel_size": 3, "dilation_rate": 2},
              (2, 8, 8, 3)),
    "activation": (sn.SNDense, "Dense", {"units": 4, "activation": "tanh"}, (2, 3)),
    "bias": (sn.SNConv2D, "Conv2D", {"filters": 4, "kernel_size": 3, "bias_initializer": "ones"},
             (2, 8, 8, 3)),
    "transposed": (sn.SNConv2DTranspose, "Conv2DTranspose",
                   {"filters": 4, "kernel_size": (3, 4), "strides": 2, "padding": "valid",
                    "output_padding": 1, "activation": "relu"}, (2, 4, 4, 3)),
}  # fmt: skip


def inputs_of(layer, shape, seed=0):
    rng = np.random.default_rng(seed)
    if isinstance(layer, keras.layers.Embedding):
        return rng.integers(0, layer.input_dim, shape)
    return rng.normal(size=shape).astype(np.float32)


def settle(layer):
    """Give u what it would converge to."""
    matrix = np.asarray(layer.matrix())
    left, _, right = np.linalg.svd(matrix)
    layer.u.assign(right[0] if matrix.shape[0] >= matrix.shape[1] else left[:, 0])


def assert_is_kerass_layer_with_the_kernel_over_numpys_sigma(layer, plain, shape):
    x = inputs_of(layer, shape)
    layer.build(shape)
    plain.build(shape)
    settle(layer)
    kernel, *bias = (np.asarray(w) for w in layer.trainable_weights)
    sigma = np.linalg.svd(np.asarray(layer.matrix(), np.float64), compute_uv=False)[0]
    plain.set_weights([kernel / sigma, *bias])
    np.testing.assert_allclose(layer(x), plain(x), rtol=2e-3, atol=2e-4)
    np.testing.assert_array_equal(layer.raw_kernel, kernel)
    assert layer(x).shape == layer.compute_output_shape(x.shape)
    assert [w.name for w in layer.weights] == [*(w.name for w in plain.weights), "u"]


@pytest.mark.parametrize("name", OPTIONS)
def test_layers_take_kerass_options(name):
    ours, keras_name, options, shape = OPTIONS[name]
    layer = ours(power_iterations=2, **options)
    same = {} if name == "activation" else {"padding": "same"}
    plain = getattr(keras.layers, keras_name)(**same | options)
    assert_is_kerass_layer_with_the_kernel_over_numpys_sigma(layer, plain, shape)
    again = ours.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.power_iterations == 2


def example_of(layer_class):
    """(arguments, shape of the inputs) for one of `KIND_OF`."""
    name = layer_class.__name__
    few = {"Dense": ((4,), (2, 3)), "EinsumDense": (("ab,bc->ac", 4), (2, 3)),
           "Embedding": ((9, 4), (2, 5))}  # fmt: skip
    if name in few:
        return few[name]
    sides = next(int(c) for c in name if c.isdigit())
    return ((3,) if "Depthwise" in name else (4, 3)), (2, *(5,) * sides, 3)


@pytest.mark.parametrize("layer_class", sn.KIND_OF, ids=lambda c: c.__name__)
def test_any_keras_layer_can_be_normalized(layer_class, tmp_path):
    arguments, shape = example_of(layer_class)
    made = sn.spectrally_normalized(layer_class)
    assert made is sn.spectrally_normalized(layer_class)
    assert issubclass(made, layer_class)
    layer = made(*arguments)
    plain = layer_class(*arguments)
    assert_is_kerass_layer_with_the_kernel_over_numpys_sigma(layer, plain, shape)
    dtype = "int32" if layer.kind == "embedding" else None
    model = keras.Sequential([keras.Input(shape[1:], dtype=dtype), layer])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert type(again.layers[-1]) is made
    for old, new in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(old, new)


class Scaled(keras.layers.Layer):
    """A layer of a reader's own, which asks for `training`."""

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 3), name="kernel")

    def call(self, inputs, training=False):
        return (2.0 if training else 1.0) * tf.matmul(inputs, self.kernel)


def test_a_layer_of_ones_own_can_be_normalized():
    layer, x = sn.spectrally_normalized(Scaled, "dense")(power_iterations=50), np.eye(4)
    np.testing.assert_allclose(np.linalg.norm(layer(x), 2), 1, rtol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(layer(x, training=True), 2), 2, rtol=1e-3)
    assert np.linalg.norm(layer.kernel, 2) != pytest.approx(1, rel=0.01)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: sn.spectrally_normalized(Scaled), ValueError, "kind must be one of"),
        (lambda: sn.spectrally_normalized(Scaled, "square"), ValueError, "kind must be one of"),
        (lambda: sn.spectrally_normalized(dict), TypeError, "layer_class"),
        (lambda: sn.spectrally_normalized(sn.SNDense), ValueError, "layer_class"),
        (lambda: sn.spectrally_normalized(keras.layers.LSTMCell, "dense")(3).build((1, 4)),
         ValueError, "one weight 'kernel', got .*recurrent_kernel"),
        (lambda: sn.spectrally_normalized(keras.layers.SeparableConv2D, "conv")(3, 3).build(
            (1, 8, 8, 3)), ValueError, "one weight 'kernel', got .*depthwise_kernel"),
        (lambda: sn.spectrally_normalized(keras.layers.EinsumDense)("abc,cde->abde", (None, 2, 3))
         .build((1, 4, 5)), ValueError, "rank 2"),
        (lambda: sn.SNDense(4, lora_rank=2), ValueError, "lora_rank"),
        (lambda: sn.SNDense(4, dtype="int8_from_float32"), ValueError, "quantization_mode"),
        (lambda: sn.SNDense(4).enable_lora(2), ValueError, "enable_lora"),
    ],
)  # fmt: skip
def test_what_cannot_be_normalized_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_one_class_is_normalized_once_and_its_name_is_its_own():
    conv = keras.layers.Conv1D
    assert sn.spectrally_normalized(conv) is sn.spectrally_normalized(conv, "conv")
    with pytest.raises(ValueError, match="must not have the name of Keras's Conv1D"):
        sn.spectrally_normalized(type("Conv1D", (conv,), {}))


@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose", "Conv1D"])
def test_channels_first_is_refused_by_name(kind):
    layer = sn.spectrally_normalized(getattr(keras.layers, kind))
    with pytest.raises(ValueError, match=r"data_format must be .*_last.*got 'channels_first'"):
        layer(4, 3, data_format="channels_first")
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="data_format must be"):
            layer(4, 3)
        layer(4, 3, data_format="channels_last")
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(sn.SNDense(5), (4, 6)), (sn.SNConv2D(5, 3), (2, 8, 8, 4)),
     (sn.SNConv2D(5, 4, 2), (2, 9, 9, 4)), (sn.SNConv2DTranspose(5, 4, 2), (2, 4, 4, 3))],
)  # fmt: skip
def test_u_moves_in_training_only_and_by_one_round(layer, shape):
    x = inputs_of(layer, shape)
    layer(x, training=False)
    before = np.asarray(layer.u)
    layer(x)
    layer(x, training=False)
    np.testing.assert_array_equal(layer.u, before)
    layer(x, training=True)
    _, u, _ = sn.power_iteration(layer.matrix(), before)
    np.testing.assert_allclose(layer.u, u, rtol=1e-3, atol=1e-5)
    assert not np.array_equal(layer.u, before)


def test_gradient_is_the_papers_closed_form():
    """d/dW of <A, W/sigma> is (A - <A, W/sigma> u v^T) / sigma (the paper's equation 9)."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(10, 6)), rng.normal(size=(10, 4))
    layer = sn.SNDense(4, use_bias=False)
    layer.build(x.shape)
    settle(layer)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * target)
    gradient = tape.gradient(loss, layer.kernel)
    w = np.asarray(layer.kernel, np.float64)
    left, singular, right = np.linalg.svd(w)
    plain = x.T @ target  # gradient by the normalized kernel
    inner = np.sum(plain * w / singular[0])
    closed = (plain - inner * np.outer(left[:, 0], right[0])) / singular[0]
    np.testing.assert_allclose(gradient, closed, rtol=2e-3, atol=2e-3)


def test_no_gradient_flows_through_u_and_v():
    matrix = tf.Variable(matrix_of((8, 5)))
    with tf.GradientTape() as tape:
        sigma, u, v = sn.power_iteration(matrix, start((8, 5)))
    np.testing.assert_allclose(
        tape.gradient(sigma, matrix), np.outer(v, u), rtol=1e-5, atol=1e-6
    )  # after one round only: u and v are not yet singular vectors, and are constants all the same


@pytest.mark.parametrize("compute", ["bfloat16", "float16"])
def test_mixed_precision_keeps_the_norm_in_float32(compute):
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32)
    layer = sn.SNConv2D(6, 3, dtype=f"mixed_{compute}")
    layer.build(x.shape)
    settle(layer)
    assert layer(x).dtype == layer.normalized_kernel().dtype == compute
    assert layer.sigma()[0].dtype == "float32"
    assert (layer.kernel.dtype, layer.u.dtype) == ("float32", "float32")
    sigma = float(layer.sigma()[0])
    truth = np.linalg.svd(np.asarray(layer.kernel).reshape(-1, 6), compute_uv=False)[0]
    assert sigma == pytest.approx(truth, rel=1e-5)  # bfloat16 alone would be off by about 1e-3


def first_error(layer):
    """Share by which the first estimate of sigma is too small."""
    return 1 - float(layer.sigma()[0]) / float(sn.exact_sigma(layer.matrix()))


class Block(keras.layers.Layer):
    """Has no `build`: Keras makes its weights after it asked for the shapes."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def build_in(way, layer):
    if way == "tf.function":
        tf.function(lambda x: layer(x))(tf.ones((2, 50)))
    elif way == "another layer":
        inputs = keras.Input((50,))
        keras.Model(inputs, Block(layer)(inputs))
    elif way == "strategy":
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            layer.build((None, 50))
    else:
        layer.build((None, 50))


@pytest.mark.parametrize("way", ["build", "tf.function", "another layer", "strategy"])
def test_u_is_warmed_up_wherever_a_layer_is_built(way, monkeypatch):
    keras.utils.set_random_seed(1)
    layer = sn.SNDense(40)
    build_in(way, layer)
    monkeypatch.setattr(sn, "WARM_UP", 0)
    keras.utils.set_random_seed(1)
    cold = sn.SNDense(40)
    build_in("build", cold)
    np.testing.assert_array_equal(cold.kernel, layer.kernel)
    assert first_error(layer) < 0.03 < 0.1 < first_error(cold)
    _, u, _ = sn.power_iteration(cold.kernel, cold.u, 15)
    np.testing.assert_allclose(layer.u, u, rtol=1e-2, atol=1e-4)


def test_warming_up_draws_no_random_number(monkeypatch):
    drawn = []
    for rounds in (15, 0):
        monkeypatch.setattr(sn, "WARM_UP", rounds)
        keras.utils.set_random_seed(1)
        sn.SNConv2D(4, 3).build((None, 8, 8, 3))
        last = keras.random.normal((2,)), tf.random.normal((2,))
        drawn.append([random.random(), np.random.rand(), *np.ravel(last)])  # noqa: NPY002
    assert drawn[0] == drawn[1]


def test_a_zero_kernel_keeps_its_random_u_and_gives_the_bias():
    layer, x = sn.SNDense(4, kernel_initializer="zeros"), np.ones((2, 6), np.float32)
    layer.build(x.shape)
    before = np.asarray(layer.u)
    assert np.abs(before).min() > 0
    np.testing.assert_array_equal(layer(x, training=True), np.zeros((2, 4)))
    np.testing.assert_array_equal(layer.u, before)


def test_a_regularizer_sees_the_raw_kernel():
    layer = sn.SNConv2D(4, 3, kernel_regularizer=keras.regularizers.L2(0.5), bias_regularizer="l1")
    layer.build((None, 8, 8, 3))
    layer.kernel.assign(3 * layer.kernel)
    layer(np.ones((1, 8, 8, 3), np.float32))
    assert len(layer.losses) == 2
    assert float(layer.losses[0]) == pytest.approx(0.5 * np.sum(np.square(layer.kernel)), rel=1e-5)


def test_a_config_of_an_older_version_still_fits():
    old = {"name": "down", "trainable": True, "dtype": "float32", "use_bias": False,
           "kernel_initializer": "glorot_uniform", "rounds": 2, "filters": 4, "kernel_size": 4,
           "strides": 2}  # fmt: skip
    layer = sn.SNConv2D.from_config(old)
    assert (layer.power_iterations, layer.padding, layer.use_bias) == (2, "same", False)
    assert layer.compute_output_shape((1, 8, 8, 3)) == (1, 4, 4, 4)
    assert "rounds" in old
