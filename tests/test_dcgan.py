"""DCGAN: shapes, its guidelines, and clear refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import dcgan


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize("resolution", dcgan.RESOLUTIONS)
def test_shapes_at_every_resolution(resolution):
    g, d = dcgan.generator(resolution, 4, 10), dcgan.discriminator(resolution, 4)
    images = g(np.zeros((2, 10), np.float32))
    assert images.shape == (2, resolution, resolution, 3)
    assert d(images).shape == (2, 1)


def test_channels_double_as_the_side_halves():
    g = dcgan.generator(64, 8)
    assert [g.get_layer(f"up{side}").output.shape[1:] for side in (8, 16, 32)] == [
        (8, 8, 64), (16, 16, 32), (32, 32, 16),
    ]  # fmt: skip
    d = dcgan.discriminator(64, 8)
    assert d.get_layer("down4").output.shape[1:] == (4, 4, 128)


def test_guidelines():
    g, d = dcgan.generator(32, 8), dcgan.discriminator(32, 8)
    assert not {"MaxPooling2D", "AveragePooling2D", "UpSampling2D"} & {*kinds(g), *kinds(d)}
    for layer in g.layers + d.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            assert layer.strides == (2, 2)
    assert kinds(g).count("BatchNormalization") == 3  # 4x4, 8x8, 16x16; not at the output
    assert kinds(d).count("BatchNormalization") == 2  # not at the input
    assert "LeakyReLU" not in kinds(g)
    assert "ReLU" not in kinds(d)
    assert {x.negative_slope for x in d.layers if type(x).__name__ == "LeakyReLU"} == {0.2}
    assert g.layers[-1].activation is keras.activations.tanh


def test_weights_start_from_a_normal_of_deviation_002():
    for model in (dcgan.generator(32, 16), dcgan.discriminator(32, 16)):
        kernels = [x.kernel.numpy().ravel() for x in model.layers if hasattr(x, "kernel")]
        values = np.concatenate(kernels)
        assert values.std() == pytest.approx(0.02, rel=0.02)
        assert values.mean() == pytest.approx(0, abs=2e-4)


def normalized(kind, x, policy="float32", trainable=True, training=True):
    """(outputs, d loss / d inputs, gamma and beta, both moments) of a layer of this kind."""
    layer = kind(momentum=0.9, dtype=policy)
    layer.build(x.shape)
    layer.gamma.assign(np.linspace(0.5, 2, x.shape[-1]))
    layer.beta.assign(np.linspace(-1, 1, x.shape[-1]))
    layer.trainable = trainable
    x = tf.cast(x, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training)
        loss = tf.reduce_sum(tf.sin(3 * tf.cast(y, tf.float32)))
    wanted = [x, layer.gamma.value, layer.beta.value]
    gradients = tape.gradient(loss, wanted)
    assert y.dtype == layer.compute_dtype
    return [np.asarray(tf.cast(t, tf.float32)) for t in (y, *gradients, *layer.variables[2:])]


@pytest.mark.parametrize("shape", [(8, 6, 6, 5), (3, 1, 2, 5), (16, 5)])
@pytest.mark.parametrize("how", [{}, {"training": False}, {"trainable": False}], ids=str)
def test_batch_normalization_is_keras_own(shape, how):
    x = np.random.default_rng(0).normal(2, 3, shape).astype(np.float32)
    ours = normalized(dcgan.BatchNormalization, x, **how)
    for mine, keras_own in zip(
        ours, normalized(keras.layers.BatchNormalization, x, **how), strict=True
    ):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-4, atol=1e-4)
    still = bool(how)
    assert np.allclose(ours[4], 0) == still, "the mean moves in training alone"


def test_batch_normalization_in_bfloat16():
    x = np.random.default_rng(0).normal(0, 1, (8, 6, 6, 5)).astype(np.float32)
    for mine, plain in zip(
        normalized(dcgan.BatchNormalization, x, "mixed_bfloat16"),
        normalized(keras.layers.BatchNormalization, x, "mixed_bfloat16"), strict=True,
    ):  # fmt: skip
        assert np.abs(mine - plain).max() <= 0.03 * np.abs(plain).max()


def test_an_axis_that_the_kernel_has_not_goes_kerass_way():
    x = np.random.default_rng(0).normal(2, 3, (4, 5, 6, 7)).astype(np.float32)
    ours, keras_own = (kind.BatchNormalization(axis=1) for kind in (dcgan, keras.layers))
    np.testing.assert_allclose(ours(x, training=True), keras_own(x, training=True), atol=1e-5)
    assert ours.moving_mean.shape == (5,)


def test_both_networks_use_the_fused_layer():
    for model in (dcgan.generator(32, 8), dcgan.discriminator(32, 8)):
        found = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
        assert {type(x) for x in found} == {dcgan.BatchNormalization}


def test_the_fused_layer_without_gamma_and_beta_is_keras_one():
    x = np.random.default_rng(1).normal(3, 2, (6, 4, 4, 2)).astype(np.float32)
    options = {"scale": False, "center": False, "momentum": 0.9}
    ours, plain = dcgan.BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    np.testing.assert_allclose(ours(x, training=True), plain(x, training=True), atol=1e-4)
    np.testing.assert_allclose(ours.moving_variance, plain.moving_variance, rtol=1e-5)
