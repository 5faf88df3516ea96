"""SVD in place of power iteration: numpy's sigma, the paper's gradient, in every layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_experiments import exact
from sagan_lib import dcgan, sagan
from sagan_lib.spectral_norm import kernel_matrix, normalized_layers


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 1)])
def test_sigma_is_numpys_and_its_gradient_the_outer_product(shape):
    matrix = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    variable = tf.Variable(matrix)
    with tf.GradientTape() as tape:
        sigma, u = exact.leading(variable)
    np.testing.assert_allclose(sigma, values[0], rtol=1e-5)
    outer = np.outer(left[:, 0], right[0])
    np.testing.assert_allclose(tape.gradient(sigma, variable), outer, atol=1e-5)
    assert u.shape == (min(shape),)


def test_every_layer_divides_by_the_exact_value():
    keras.utils.set_random_seed(3)
    net = sagan.discriminator(16, 8, attention_at=8)
    assert exact.apply(net) == len(normalized_layers(net)) > 3
    for layer in normalized_layers(net):
        matrix = np.asarray(kernel_matrix(layer.normalized_kernel(training=True), layer.kind))
        assert np.linalg.norm(matrix, 2) == pytest.approx(1, rel=1e-4), layer.name


def test_a_network_without_normalized_layers_is_refused():
    with pytest.raises(ValueError, match="normalized"):
        exact.apply(dcgan.discriminator(16, 8))
