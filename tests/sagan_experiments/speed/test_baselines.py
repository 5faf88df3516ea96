"""Other ways to write the step: the same networks, steps that train."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_experiments.speed import baselines
from sagan_experiments.speed import case as cases

pytestmark = pytest.mark.full

TINY = cases.case("16x4", batch=4)


@pytest.mark.parametrize("which", [0, 1], ids=["generator", "discriminator"])
def test_in_plain_layers_a_network_is_the_same_function(which):
    """All but the normalization, which is what differs: it is held against an SVD below."""
    ours = baselines.networks(TINY, sn="none")[which]
    theirs = baselines.remade(ours, lambda layer: layer)
    values = [w + np.float32(0.1) for w in ours.get_weights()]  # gamma too, which begins at 0
    for net in (ours, theirs):
        net.set_weights(values)
    x = tf.random.stateless_normal((4, *ours.input_shape[1:]), (1, 2))
    for training in (True, False):
        np.testing.assert_allclose(
            ours(x, training=training), theirs(x, training=training), rtol=1e-3, atol=1e-5
        )


@pytest.fixture(autouse=True)
def float32_again():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", ["ours_bfloat16", "keras", "article"])
def test_a_step_trains_both_networks(name):
    made = baselines.build(name, TINY)
    nets = made.generator, made.discriminator
    before = [[v.numpy() for v in net.trainable_variables] for net in nets]
    made.step()  # twice: a hinge with no score beyond 1 leaves the last bias where it is
    assert all(np.isfinite(float(loss)) for loss in made.step())
    for old, net in zip(before, nets, strict=True):
        moved = [not np.array_equal(*x) for x in zip(old, net.trainable_variables, strict=True)]
        assert np.mean(moved) > 0.5  # what is behind gamma = 0 waits for gamma
        assert moved[0]
        assert moved[-2]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(keras.layers.Dense(5), (7,)), (keras.layers.Conv2D(5, 4, 2, "same"), (8, 8, 3)),
     (keras.layers.Conv2DTranspose(5, 4, 2, "same"), (8, 8, 3))],
)  # fmt: skip
def test_the_articles_normalization_divides_by_the_largest_singular_value(layer, shape):
    """Of the matrix that the article takes: the last axis as columns."""
    wrapped, x = baselines.ArticleNorm(layer), tf.random.stateless_normal((2, *shape), (3, 4))
    for _ in range(100):
        y = wrapped(x)
    kernel = layer.kernel.numpy()
    sigma = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
    np.testing.assert_allclose(y, layer(x) / sigma, rtol=1e-4, atol=1e-5)
