"""Losses against their formulas in numpy and against Keras's own cross-entropy."""

import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import losses

RNG = np.random.default_rng(5)
REAL, FAKE = RNG.normal(0, 3, (64, 1)), RNG.normal(0, 3, (64, 1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


#: (loss, its formula as the papers write it, with probabilities instead of scores where they do)
FORMULAS = [
    (
        "hinge",
        lambda real, fake: np.mean(np.maximum(0, 1 - real)) + np.mean(np.maximum(0, 1 + fake)),
        lambda fake: -np.mean(fake),
    ),
    (
        "bce",
        lambda real, fake: -np.mean(np.log(sigmoid(real))) - np.mean(np.log(1 - sigmoid(fake))),
        lambda fake: -np.mean(np.log(sigmoid(fake))),
    ),
    (
        "minimax",
        lambda real, fake: -np.mean(np.log(sigmoid(real))) - np.mean(np.log(1 - sigmoid(fake))),
        lambda fake: np.mean(np.log(1 - sigmoid(fake))),
    ),
    (
        "wasserstein",
        lambda real, fake: np.mean(fake) - np.mean(real),
        lambda fake: -np.mean(fake),
    ),
]


def gradient(loss, scores):
    scores = tf.constant(scores, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        value = loss(scores)
    return tape.gradient(value, scores).numpy()


@pytest.mark.parametrize(("name", "of_d", "of_g"), FORMULAS)
def test_each_loss_is_its_formula(name, of_d, of_g):
    loss_d, loss_g = losses.get(name)
    real, fake = np.float32(REAL), np.float32(FAKE)
    np.testing.assert_allclose(loss_d(real, fake), of_d(REAL, FAKE), rtol=1e-5)
    np.testing.assert_allclose(loss_g(fake), of_g(FAKE), rtol=1e-5)
    assert loss_d(real, fake).shape == loss_g(fake).shape == ()


def test_every_named_loss_has_a_formula_here():
    assert set(losses.LOSSES) == {name for name, _, _ in FORMULAS}


@pytest.mark.parametrize("name", losses.LOSSES)
def test_extreme_scores_give_finite_losses_and_gradients(name):
    loss_d, loss_g = losses.get(name)
    scores = np.float32([[-1e4], [-100], [100], [1e4]])
    for loss in (lambda s: loss_d(s, scores), lambda s: loss_d(scores, s), loss_g):
        assert np.isfinite(loss(scores))
        assert np.isfinite(gradient(loss, scores)).all()
