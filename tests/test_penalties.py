"""Penalties against written-out gradients; a step moves D by them and leaves G alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import kstest

from sagan_lib import dcgan, penalties, sagan
from sagan_lib.datasets import faces
from sagan_lib.gan import GAN

RNG = np.random.default_rng(7)
SHAPE = (16, 16, 3)
REAL, FAKE = (tf.constant(RNG.normal(size=(6, *SHAPE)), tf.float32) for _ in range(2))
WEIGHTS = RNG.normal(0, 0.1, (np.prod(SHAPE), 1)).astype(np.float32)


def linear():
    """A discriminator whose slope is known: the length of its weights."""
    images = keras.Input(SHAPE)
    score = keras.layers.Dense(1, use_bias=False, name="score")
    net = keras.Model(images, score(keras.layers.Flatten()(images)))
    score.kernel.assign(WEIGHTS)
    return net


def small(loss="bce", penalty="none", weight=None, rate=0.1, discriminator=None):
    keras.utils.set_random_seed(2)
    discriminator = discriminator or linear()
    model = penalties.PenalizedGAN(dcgan.generator(16, 4, 5), discriminator, seed=3)
    optimizers = (keras.optimizers.SGD(rate) for _ in range(2))
    model.compile(*optimizers, loss=loss, penalty=penalty, weight=weight, run_eagerly=True)
    return model


def test_it_looks_between_real_and_fake_and_nowhere_else():
    seen = []

    def record(images, training):
        seen.append(images)
        return tf.reduce_sum(images, axis=(1, 2, 3), keepdims=False)[:, None]

    penalties.one_centred(record, REAL, FAKE, tf.constant([0.0, 1.0, 0.5, 0.25, 0.0, 1.0]))
    np.testing.assert_allclose(seen[0][0], REAL[0], atol=1e-6)
    np.testing.assert_allclose(seen[0][1], FAKE[1], atol=1e-6)
    np.testing.assert_allclose(seen[0][2], (REAL[2] + FAKE[2]) / 2, atol=1e-6)


def test_mixtures_are_drawn_apart_from_the_noise(monkeypatch):
    """A share that followed from z would tell which fake is how near to its real image."""
    seen = []

    def record(discriminator, real, fake, shares):
        seen.append(shares.numpy())
        return 0.0

    monkeypatch.setattr(penalties, "one_centred", record)
    model = small("wasserstein", "gp")
    for z in (model.noise(6), model.noise(6) + 1):
        model.d_step(REAL, z)
    np.testing.assert_array_equal(*seen)  # not a function of z
    model.d_step(REAL, model.noise(6), 1)
    model.step.assign(1)
    model.d_step(REAL, model.noise(6))
    assert len({shares.tobytes() for shares in seen}) == 3  # fresh in each D step
    many = tf.zeros((4000, 1, 1, 1))
    monkeypatch.setattr(model, "_scores", lambda *_: (tf.zeros((1, 1)), tf.zeros((1, 1))))
    penalties.PenalizedGAN._d_loss(model, many, many, 0)
    assert kstest(seen[-1], "uniform").pvalue > 1e-3


def d_moves(penalty, weight=None, loss="bce"):
    """By how much one step of D moves the linear weights."""
    model = small(loss, penalty, weight)
    before = [w.numpy() for w in model.generator.weights]
    model.d_step(REAL, model.noise(6, 0))
    for old, new in zip(before, model.generator.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    return model.discriminator.get_layer("score").kernel.numpy() - WEIGHTS


def test_the_step_of_d_has_the_gradient_of_its_penalty():
    """For a linear D the gradient of R1 is weight * w, of R1 + R2 twice that, of GP known too; the
    default weight is 10, as in their papers."""
    plain, length = d_moves("none"), np.sqrt(np.sum(WEIGHTS**2))
    np.testing.assert_allclose(d_moves("r1") - plain, -0.1 * 10 * WEIGHTS, atol=2e-5)
    np.testing.assert_allclose(d_moves("r1", 3.0) - plain, -0.1 * 3 * WEIGHTS, atol=2e-5)
    np.testing.assert_allclose(d_moves("r1r2") - plain, -0.1 * 20 * WEIGHTS, atol=5e-5)
    wanted = -0.1 * 10 * 2 * (length - 1) * WEIGHTS / length
    np.testing.assert_allclose(d_moves("gp") - plain, wanted, atol=2e-4)


@pytest.mark.parametrize("weight", [None, 0.01])
def test_clipping_keeps_every_weight_of_d_inside_its_bound(weight):
    """By default that of Arjovsky et al., algorithm 1: 0.01."""
    model = small("wasserstein", "clip", weight)
    model.d_step(REAL, model.noise(6, 0))
    assert np.abs(model.discriminator.get_layer("score").kernel).max() <= 0.01


def test_pairs_are_scored_as_the_paper_writes_them():
    real, fake = RNG.normal(size=(2, 50, 1)).astype(np.float32)
    of_d = np.mean(np.log(1 + np.exp(fake - real)))
    of_g = np.mean(np.log(1 + np.exp(real - fake)))
    np.testing.assert_allclose(penalties.relativistic_d(real, fake), of_d, rtol=1e-5)
    np.testing.assert_allclose(penalties.relativistic_g(fake, real), of_g, rtol=1e-5)


def test_a_paired_step_of_g_depends_on_the_real_images():
    moved = []
    for real in (REAL, REAL + 3):
        model = small("relativistic", rate=1.0)
        model.g_step(model.noise(6, 1), real)
        moved.append(np.concatenate([w.numpy().ravel() for w in model.generator.weights]))
    assert np.abs(moved[0] - moved[1]).max() > 1e-4


@pytest.mark.parametrize(("loss", "penalty"), [("wasserstein", "gp"), ("relativistic", "r1r2")])
def test_it_trains_saves_and_goes_on(tmp_path, loss, penalty):
    net = sagan.discriminator(16, 4, attention_at=None, use_sn=False)
    model = small(loss, penalty, 1.0, 0.01, net)
    model.fit(faces.Faces(16, 32), steps=2, batch_size=4, verbose=0)
    model.save(tmp_path / "run.keras")
    again = GAN.load(tmp_path / "run.keras")
    again.run_eagerly = True
    assert isinstance(again, penalties.PenalizedGAN)
    assert (again.loss_name, again.penalty, again.penalty_weight) == (loss, penalty, 1.0)
    history = again.fit(faces.Faces(16, 32), steps=1, batch_size=4, verbose=0).history
    assert np.isfinite(history["d_loss"]).all()
    assert int(again.step.numpy()) == 3


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"penalty": "r3"}, "penalty"),
        ({"penalty": "gp", "weight": 0}, "weight"),
        ({"penalty": "none", "weight": 10}, "weight must not be given without a penalty, got 10"),
    ],
)
def test_what_does_not_exist_is_refused(options, word):
    with pytest.raises(ValueError, match=word):
        small(**options)


def test_a_discriminator_that_normalizes_by_batch_is_refused():
    with pytest.raises(ValueError, match="batch statistics"):
        small("bce", "r1", discriminator=dcgan.discriminator(16, 4))
