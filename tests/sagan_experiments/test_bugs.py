"""Each bug does what the article's did, and the library does not: a test that tells them apart."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_experiments import bugs, errata
from sagan_lib import dcgan, gan, sagan, ttur
from sagan_lib import spectral_norm as sn
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.source import shuffled_indices

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("eager")]


def one_layer(layer, shape):
    """A model of this layer alone, with the same weights every time."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


def pair(make, shape, bug):
    """(right layer, the same layer with the bug, both models), of equal weights."""
    models = [one_layer(make(), shape) for _ in range(2)]
    assert bugs.apply(models[1], bug) == 1
    right, wrong = (model.layers[-1] for model in models)
    wrong.set_weights(right.get_weights())
    return right, wrong, *models


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def settled_sigma(layer, power_iterations=100):
    layer.power_iterations = power_iterations
    return float(layer.sigma()[0])


def svd(matrix):
    return np.linalg.svd(np.asarray(matrix, np.float64), compute_uv=False)[0]


CONVS = {
    "conv": (lambda: sn.SNConv2D(32, 4, use_bias=False), (8, 8, 16)),
    "conv to many": (lambda: sn.SNConv2D(64, 4, use_bias=False), (8, 8, 3)),
    "transposed": (lambda: sn.SNConv2DTranspose(16, 4, use_bias=False), (8, 8, 32)),
}


@pytest.mark.parametrize("name", CONVS)
def test_scrambled_misses_a_dominant_direction(name):
    right, wrong, *_ = pair(*CONVS[name], "scrambled")
    rows, columns = sn.kernel_matrix(right.kernel, right.kind).shape
    matrix = 5 * np.outer(random(rows, seed=1), random(columns, seed=2)) + random(rows, columns)
    kernel = matrix.reshape(*right.kernel.shape[:2], -1, columns)
    if name == "transposed":
        kernel = kernel.transpose(0, 1, 3, 2)
    for layer in (right, wrong):
        layer.kernel.assign(kernel)
    assert settled_sigma(right) == pytest.approx(svd(matrix), rel=1e-4)
    assert settled_sigma(wrong) == pytest.approx(svd(kernel.reshape(columns, rows)), rel=1e-3)
    assert settled_sigma(right) > 1.5 * settled_sigma(wrong)
    assert wrong.sigma()[1].shape == wrong.u.shape == (min(rows, columns),)


def test_raw_inference_is_another_network():
    x = random(2, 8, 8, 3)
    make = lambda: sn.SNConv2D(5, 3, kernel_initializer="ones")  # noqa: E731
    right, wrong, right_model, wrong_model = pair(make, (8, 8, 3), "raw_inference")
    sigma = float(right.sigma()[0])
    assert sigma > 2
    sampled = [model(x, training=False) for model in (right_model, wrong_model)]
    trained = [model(x, training=True) for model in (right_model, wrong_model)]  # from the same u
    np.testing.assert_allclose(trained[0], trained[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sampled[0], trained[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sampled[1], trained[1] * sigma, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(right.u, wrong.u)


def draw_u(*models):
    """A random `u` for each layer, as in the article: one that is warmed up hardly moves."""
    for layer in (layer for model in models for layer in sn.normalized_layers(model)):
        layer.u.assign(random(*layer.u.shape))


@pytest.mark.parametrize("everywhere", [False, True])
def test_frozen_u_never_moves(everywhere):
    models = sagan.discriminator(16, 8), sagan.discriminator(16, 8)
    draw_u(*models)
    count = bugs.apply(models[1], "frozen_u", everywhere=everywhere)
    assert count == (len(sn.normalized_layers(models[1])) if everywhere else 3)
    for model, bugged in zip(models, (False, True), strict=True):
        before = {layer.name: layer.u.numpy() for layer in sn.normalized_layers(model)}
        model(random(2, 16, 16, 3), training=True)
        for layer in sn.normalized_layers(model):
            frozen = bugged and (everywhere or layer.name in ("f", "g", "h"))
            assert np.array_equal(before[layer.name], layer.u) == frozen, layer.name


def test_frozen_u_is_random_and_that_of_the_averaged_generator_too():
    """Warmed up it would be near the kernel's own, and no mistake at all."""
    model = network(bug="frozen_u")
    live, average = (sn.normalized_layers(net) for net in (model.generator, model.ema_generator))
    for layer, copy in zip(live, average, strict=True):
        np.testing.assert_array_equal(layer.u, copy.u)
    layers = sn.normalized_layers(model.discriminator)
    shares = [float(x.sigma()[0]) / svd(sn.kernel_matrix(x.kernel, x.kind)) for x in layers]
    assert np.median(shares) < 0.9


def gradient_of(layer, x, target):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.matmul(x, layer.normalized_kernel(True)) * target)
    return np.asarray(tape.gradient(loss, layer.kernel))


def test_leaky_gradient_is_not_equation_9():
    x = random(10, 20)
    right, wrong, *_ = pair(lambda: sn.SNDense(16, use_bias=False), (20,), "leaky_gradient")
    start, kernel = right.u.numpy(), right.kernel.numpy()
    target = x @ kernel  # along the kernel, where sigma's share of the gradient is large
    sigma, u, v = (np.asarray(t) for t in sn.power_iteration(kernel, start))
    plain = x.T @ target
    closed = (plain - np.sum(plain * kernel / sigma) * np.outer(v, u)) / sigma
    found = gradient_of(wrong, x, target)
    np.testing.assert_allclose(gradient_of(right, x, target), closed, rtol=1e-3, atol=1e-4)
    assert np.abs(found - closed).max() > 0.05 * np.abs(closed).max()


def test_plain_dense_is_not_normalized():
    x = random(3, 6)
    right, wrong, right_model, wrong_model = pair(lambda: sn.SNDense(4), (6,), "plain_dense")
    before = right_model(x), wrong_model(x)
    for layer in (right, wrong):
        layer.kernel.assign(layer.kernel * 7.0)
    np.testing.assert_allclose(right_model(x), before[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(wrong_model(x), 7 * before[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(wrong_model(x, training=True), x @ wrong.kernel, rtol=1e-4)


def network(make=gan.GAN, kind="sagan", optimizer=None, bug=None):
    keras.utils.set_random_seed(7)
    if kind == "sagan":
        nets = sagan.generator(16, 4, 8, attention_at=None), sagan.discriminator(16, 4, None)
    else:
        nets = dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4)
    draw_u(*nets)
    model = make(*nets)
    if bug:
        bugs.apply(model, bug, everywhere=bug == "frozen_u")
    rates = ttur.two_time_scale(1e-3, 4e-3)
    model.compile(**(optimizer or rates), jit_compile=False)
    return model


def values(model):
    return np.concatenate([w.numpy().ravel() for w in model.weights])


def real_images(n=8):
    return tf.constant(Faces(16, n).images, tf.float32) / 127.5 - 1


@pytest.fixture(scope="module")
def trained(eager):
    model = network()
    model.fit(Faces(16, 32), steps=2, batch_size=8, verbose=0)
    return values(model.generator), values(model.discriminator), model.sample(2)


@pytest.mark.parametrize("bug", bugs.LAYER_BUGS)
def test_a_bug_trains_inside_fit(bug, trained):
    model = network(bug=bug)
    us = [layer.u.numpy() for layer in sn.normalized_layers(model.discriminator)]
    history = model.fit(Faces(16, 32), steps=2, batch_size=8, verbose=0).history
    assert np.isfinite(history["d_loss"] + history["g_loss"]).all()
    assert np.isfinite(model.sample(2)).all()
    for found, expected in ((model.generator, trained[0]), (model.discriminator, trained[1])):
        # raw_inference touches no training step, so its weights are the library's
        assert np.allclose(values(found), expected, atol=1e-6) == (bug == "raw_inference")
    assert not np.allclose(model.sample(2), trained[2], atol=1e-4)  # the average has the bug too
    after = [layer.u.numpy() for layer in sn.normalized_layers(model.discriminator)]
    still = [np.array_equal(a, b) for a, b in zip(us, after, strict=True)]
    assert all(still) if bug == "frozen_u" else not still[0]


def test_files_of_weights_fit_both_ways_and_a_loaded_model_is_right(tmp_path):
    x = random(2, 16, 16, 3)
    right, wrong = sagan.discriminator(16, 8), sagan.discriminator(16, 8)
    for bug in bugs.LAYER_BUGS:
        bugs.apply(wrong, bug)
    wrong.save_weights(tmp_path / "w.weights.h5")
    right.load_weights(tmp_path / "w.weights.h5")
    wrong.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(values(loaded), values(wrong))
    np.testing.assert_allclose(loaded(x), right(x), rtol=1e-5, atol=1e-6)
    assert np.abs(np.asarray(wrong(x) - right(x))).max() > 1e-3
    wrong.load_weights(tmp_path / "w.weights.h5")


@pytest.mark.parametrize("kind", ["sagan", "dcgan"])
def test_one_forward_uses_the_old_discriminator(kind):
    together, ordinary, by_hand = (
        network(make, kind, {f"{x}_optimizer": keras.optimizers.SGD(0.5) for x in "gd"})
        for make in (bugs.OneForward, gan.GAN, gan.GAN)
    )
    together.train_step(real_images())
    ordinary.train_step(real_images())
    with tf.GradientTape() as tape:  # D as it was, and the noise of D's step
        fake = by_hand.generator(by_hand.noise(8, 0), training=True)
        scores = gan.frozen_call(by_hand.discriminator, fake)
        loss = -tf.reduce_mean(scores)
    variables = by_hand.generator.trainable_variables
    for variable, slope in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign(variable - 0.5 * slope)
    np.testing.assert_allclose(
        values(together.discriminator), values(ordinary.discriminator), rtol=1e-4, atol=1e-5
    )
    expected = values(by_hand.generator)
    np.testing.assert_allclose(values(together.generator), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(values(ordinary.generator) - expected).max() > 1e-3
    assert float(together.g_loss.result()) == pytest.approx(float(loss), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("buffer", [1, 10, 100])
def test_a_short_shuffle_cannot_carry_far(buffer):
    order = bugs.short_shuffle_order(1000, buffer)
    assert sorted(order) == list(range(1000))
    early = order - np.arange(1000)
    assert early.max() == buffer - 1 if buffer < 100 else 50 < early.max() < buffer
    first = order[:64]
    assert first.max() < 64 + buffer
    full = np.asarray(shuffled_indices(0, 64, 1000, 0))
    assert full.max() > 900


def test_short_shuffles_batches_are_its_order_and_go_on_where_asked():
    faces = Faces(16, 50)
    source = bugs.ShortShuffle(faces, 5)
    batches = [batch.numpy() for batch in source.batches(10, 4).take(8)]
    order = bugs.short_shuffle_order(50, 5, 4)
    expected = faces.images[order] / np.float32(127.5) - 1
    np.testing.assert_allclose(np.concatenate(batches[:5]), expected, atol=1e-6)
    again = [batch.numpy() for batch in source.batches(10, 4, 5).take(3)]
    np.testing.assert_array_equal(again, batches[5:])
    assert not np.array_equal(again, batches[:3])  # the second epoch has an order of its own
    assert not np.array_equal(order, bugs.short_shuffle_order(50, 5, 3))


def test_two_optimizers_on_one_counter_count_double():
    """And the library counts each step once."""
    for steps, updates in [(1, 0), (2, 1), (7, 3), (100, 50)]:
        assert bugs.double_count(steps) == updates
    model = network()
    for _ in range(3):
        model.train_step(real_images())
    assert int(model.step) == int(model.g_optimizer.iterations) == 3


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: bugs.apply(sagan.discriminator(16, 8), "one_forward"), ValueError, "bug must be"),
        (lambda: bugs.apply(dcgan.discriminator(16, 4), "scrambled"), ValueError, "no layer of"),
        (lambda: bugs.apply(sagan.discriminator(16, 4, None), "frozen_u"), ValueError, "no layer"),
        (lambda: bugs.apply(sagan.discriminator(16, 8), "scrambled", everywhere=True), ValueError,
         "everywhere"),
        (lambda: network(bugs.OneForward).compile("a", "b", n_dis=2), ValueError, "n_dis"),
        (lambda: bugs.short_shuffle_order(0), ValueError, "n must be"),
        (lambda: bugs.ShortShuffle(Faces(16, 5), 0), ValueError, "buffer must be"),
        (lambda: bugs.ShortShuffle([1, 2]), TypeError, "source"),
        (lambda: bugs.ShortShuffle(Faces(16, 5)).batches(6), ValueError, "batch_size"),
        (lambda: bugs.leaky_iteration(np.eye(2), np.ones(2), 0), ValueError, "power_iterations"),
        (lambda: bugs.double_count(0), ValueError, "steps"),
    ],
)  # fmt: skip
def test_refuses(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_every_bug_is_told_among_the_errata():
    assert set(bugs.LAYER_BUGS) <= set(bugs.BUGS)
    assert set(bugs.BUGS.values()) <= set(errata.ERRATA)
    assert len(set(bugs.BUGS.values())) == len(bugs.BUGS)
