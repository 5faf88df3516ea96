"""The discriminator of patches: it sees what its receptive field says, and no further."""

import numpy as np
import pytest
import tensorflow as tf

from sagan_experiments import patches
from sagan_lib.attention import attention_layers


def seen(model, resolution=32):
    """Side in pixels of what the middle patch's score depends on."""
    inner = tf.keras.Model(model.input, model.get_layer("score").output)
    images = tf.random.stateless_normal((1, resolution, resolution, 3), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = inner(images)
        score = scores[0, scores.shape[1] // 2 - 1, scores.shape[2] // 2 - 1, 0]
    moved = np.abs(tape.gradient(score, images)[0].numpy()).sum(-1) > 0
    return moved.any(1).sum(), moved.any(0).sum()


@pytest.mark.parametrize(("depth", "field"), [(2, 10), (3, 22)])
def test_a_patch_sees_its_receptive_field(depth, field):
    assert patches.receptive_field(depth) == field
    assert patches.receptive_field(4) == 46, "more than there is to see"
    assert seen(patches.discriminator(32, 4, depth)) == (field, field)


def test_attention_sees_all():
    model = patches.discriminator(32, 8, 2, attention_at=16)
    (layer,) = attention_layers(model)
    assert layer.input.shape[1:3] == (16, 16)
    layer.gamma.assign(1.0)
    assert seen(model) == (32, 32)


def test_the_score_is_the_mean_of_the_patches():
    model = patches.discriminator(32, 4, 2)
    images = tf.random.stateless_normal((3, 32, 32, 3), (1, 2))
    inner = tf.keras.Model(model.input, model.get_layer("score").output)
    assert inner(images).shape == (3, 8, 8, 1)
    np.testing.assert_allclose(model(images), tf.reduce_mean(inner(images), (1, 2)), rtol=1e-5)
