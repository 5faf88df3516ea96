"""Conditional networks against what they must be; a GAN that trains, saves and samples by label."""

import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_gan import same, values

from sagan_lib import conditional, dcgan, penalties, sagan, ttur
from sagan_lib.conditional import ConditionalBatchNormalization, ConditionalGAN
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.source import from_bytes
from sagan_lib.gan import GAN

RNG = np.random.default_rng(3)
HAIR = Faces(16, 100, label="hair")
BOTH = Faces(16, 60, label="hair,long_hair")


def vectors(*numbers):
    return tf.one_hot(numbers, 5)


def networks(kind="sagan", width=5, tell_g="normalize", tell_d="project"):
    keras.utils.set_random_seed(7)
    if kind == "sagan":
        pair = sagan.generator(16, 4, 8, attention_at=None), sagan.discriminator(16, 4)
    else:
        pair = dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4)
    return (conditional.generator(pair[0], width, tell_g),
            conditional.discriminator(pair[1], width, tell_d))  # fmt: skip


def small(kind="sagan", source=HAIR, n_dis=1, traced=False, **how):
    model = ConditionalGAN(*networks(kind, source.labels.width, **how), source.labels)
    model.compile(**ttur.two_time_scale(1e-3, 4e-3, n_dis=n_dis), run_eagerly=not traced)
    return model


def state(model):
    return values(model) + values(model.g_optimizer) + values(model.d_optimizer)


def pair(source=HAIR, n=8):
    return tf.constant(from_bytes(source.images[:n])), tf.constant(source.numbers[:n])


# ---- conditional batch normalization


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(6, 4, 4, 3), (6, 3)])
def test_with_one_class_it_is_plain_batch_normalization(training, shape):
    x = tf.constant(RNG.normal(2, 3, shape), tf.float32)
    gamma, beta = (RNG.normal(size=3).astype(np.float32) for _ in range(2))
    plain, ours = keras.layers.BatchNormalization(), ConditionalBatchNormalization()
    plain(x), ours([x, tf.ones((6, 1))])
    plain.gamma.assign(gamma), plain.beta.assign(beta)
    ours.gains.assign(gamma[None] - 1), ours.offsets.assign(beta[None])
    for _ in range(2):  # the second time with moments that have moved
        wanted = plain(x, training=training)
        np.testing.assert_allclose(ours([x, tf.ones((6, 1))], training=training), wanted, atol=2e-5)
    np.testing.assert_allclose(ours.moving_mean, plain.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, plain.moving_variance, rtol=1e-5)


def test_the_moments_are_of_all_classes_and_gain_and_offset_of_each():
    """By numpy: a class whose images are brighter stays brighter."""
    x = RNG.normal(size=(6, 4, 4, 3)).astype(np.float32)
    x[:3] += 5
    layer, label = ConditionalBatchNormalization(), [0, 0, 0, 1, 1, 1]
    layer([x, tf.one_hot(label, 2)])
    gains, offsets = RNG.normal(size=(2, 2, 3)).astype(np.float32)
    layer.gains.assign(gains), layer.offsets.assign(offsets)
    hat = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + layer.epsilon)
    wanted = hat * (1 + gains[label])[:, None, None] + offsets[label][:, None, None]
    found = layer([x, tf.one_hot(label, 2)], training=True)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_a_mixed_label_has_the_mixed_gain():
    layer, x = ConditionalBatchNormalization(), tf.ones((1, 2))
    layer([x, tf.ones((1, 2))])
    layer.gains.assign([[2.0, 0.0], [0.0, 4.0]])
    layer.offsets.assign([[1.0, 1.0], [3.0, 3.0]])
    hat = 1 / np.sqrt(1 + layer.epsilon)
    found = layer([x, tf.constant([[0.25, 0.75]])])
    np.testing.assert_allclose(found, [[hat * 1.5 + 2.5, hat * 4 + 2.5]], rtol=1e-5)


# ---- networks


@pytest.mark.parametrize("kind", ["sagan", "dcgan"])
def test_with_tables_of_zeros_they_are_the_networks_without_labels(kind):
    keras.utils.set_random_seed(7)
    make = {"sagan": sagan, "dcgan": dcgan}[kind]
    plain = make.generator(16, 4, 8), make.discriminator(16, 4)
    g = conditional.generator(plain[0], 5)
    d = conditional.discriminator(plain[1], 5)
    d.get_layer("label_embedding").kernel.assign(tf.zeros((5, 256)))
    z, y = tf.constant(RNG.normal(size=(3, 8)), tf.float32), vectors(0, 3, 4)
    for training in (False, True):
        images = plain[0](z, training=training)
        np.testing.assert_allclose(g([z, y], training=training), images, atol=1e-5)
        scores = plain[1](images, training=training)
        np.testing.assert_allclose(d([images, y], training=training), scores, atol=1e-5)
    assert not set(map(id, g.variables)) & set(map(id, plain[0].variables)), "a copy"


def linear():
    """D whose features are the pixels: score = psi . x + y^T V x / sigma(V)."""
    x = keras.Input((4, 4, 3))
    score = sagan.SNDense(1, name="score")(keras.layers.Flatten()(x))
    d = conditional.discriminator(keras.Model(x, score), 5)
    x, y = tf.constant(RNG.normal(size=(6, 4, 4, 3)), tf.float32), vectors(0, 1, 2, 3, 4, 1)
    for _ in range(60):
        d([x, y], training=True)  # until u is the singular vector
    return d, d.get_layer("label_embedding"), x, y


def test_the_projection_is_its_formula_and_so_is_its_gradient():
    """Miyato and Koyama, equation 3, by numpy; of the embedding as in Miyato et al., equation 9."""
    d, embedding, x, y = linear()
    v, phi, label = embedding.kernel.numpy(), x.numpy().reshape(6, -1), y.numpy()
    left, sigmas, right = np.linalg.svd(v.astype(np.float64))
    np.testing.assert_allclose(embedding.sigma()[0], sigmas[0], rtol=1e-4)
    psi = d.get_layer("score").kernel.numpy()[:, 0]
    psi = psi / np.linalg.norm(psi)  # sigma of a vector is its length
    with tf.GradientTape() as tape:
        tape.watch(x)
        scores = d([x, y])
    np.testing.assert_allclose(
        scores[:, 0], phi @ psi + np.sum(label @ v / sigmas[0] * phi, 1), rtol=1e-3, atol=1e-4
    )
    of_x, of_v = tape.gradient(scores, [x, embedding.kernel])
    wanted = psi + label @ v / sigmas[0]
    np.testing.assert_allclose(of_x.numpy().reshape(6, -1), wanted, rtol=1e-3, atol=1e-4)
    g = label.T @ phi
    first = np.outer(left[:, 0], right[0])
    wanted = (g - np.sum(g * v / sigmas[0]) * first) / sigmas[0]
    np.testing.assert_allclose(of_v, wanted, rtol=1e-3, atol=1e-3)


def test_joined_labels_are_beside_the_noise_and_at_every_pixel():
    g, d = networks(tell_g="join", tell_d="concatenate")
    assert g.get_layer("project").kernel.shape[0] == 8 + 5
    assert d.get_layer("down8").kernel.shape[-2] == 3 + 5
    seen = keras.Model(d.inputs, d.get_layer("down8").input)
    maps = seen([tf.zeros((2, 16, 16, 3)), vectors(1, 4)])[..., 3:]
    np.testing.assert_array_equal(maps, np.broadcast_to(
        vectors(1, 4).numpy()[:, None, None], (2, 16, 16, 5)))  # fmt: skip
    z, images = tf.zeros((2, 8)), tf.zeros((2, 16, 16, 3))
    for net, given in ((g, z), (d, images)):
        one, other = net([given, vectors(0, 1)]).numpy()
        assert not np.allclose(one, other)


def test_what_cannot_be_told_a_label_says_why():
    x = keras.Input((4, 4, 3))
    flat = keras.layers.Flatten()(x)
    twice = keras.layers.Dense(1)(keras.layers.Add()([flat, flat]))
    wrong = {
        "must be a chain of layers": (conditional.discriminator, keras.Model(x, twice)),
        r"must end in Dense\(1\)": (conditional.discriminator, keras.Model(x, flat)),
        "no batch normalization": (conditional.generator, dcgan.generator(16, 4, 8, False)),
    }
    for words, (tell, network) in wrong.items():
        with pytest.raises(ValueError, match=words):
            tell(network, 5)
    g, d = networks()
    for kind in (GAN, penalties.PenalizedGAN):
        with pytest.raises(ValueError, match=r"one input each, got .* 2; conditional\.Conditional"):
            kind(g, d)
    with pytest.raises(ValueError, match="must take the same labels, got"):
        ConditionalGAN(g, networks(width=4)[1], 5)
    with pytest.raises(ValueError, match=r"labels \(None, 4\) of class \(0, 1, 2, 3\), got"):
        ConditionalGAN(g, d, 4)
    with pytest.raises(ValueError, match="discriminator takes"):
        ConditionalGAN(conditional.generator(dcgan.generator(32, 4, 8), 5), d, 5)


# ---- training


@pytest.mark.parametrize("kind", ["sagan", "dcgan"])
def test_each_step_changes_its_own_network_only(kind):
    model = small(kind)
    real, z = model._checked(pair()), model.noise(8)
    g = values(model.generator)
    model.d_step(real, z)
    assert same(g, values(model.generator))
    d = values(model.discriminator)
    model.g_step(z, real)
    assert same(d, values(model.discriminator))
    moved = [not np.array_equal(a, b) for a, b in zip(g, values(model.generator), strict=True)]
    assert all(moved), "gains and offsets, too"


def test_a_fake_has_the_label_of_the_real_image_beside_it(monkeypatch):
    """So D sees each label as often with fakes as with real images, in both players' steps."""
    model, asked, shown = small(n_dis=2), [], []
    plain_g, plain_scores = model._shown, model._scores
    monkeypatch.setattr(model, "_shown", lambda fake, z: asked.append(z[1]) or plain_g(fake, z))
    monkeypatch.setattr(
        model, "_scores", lambda real, fake: shown.append((real, fake)) or plain_scores(real, fake)
    )
    images, numbers = pair(n=8)
    model.train_step((images, numbers))
    wanted = tf.one_hot(numbers[:, 0], 5).numpy()
    assert [y.shape for y in asked] == [(4, 5)] * 3
    np.testing.assert_array_equal(np.concatenate(asked), np.concatenate([wanted, wanted[4:]]))
    for part, (real, fake) in enumerate(shown):
        np.testing.assert_array_equal(real[0], images[4 * part : 4 * part + 4])
        np.testing.assert_array_equal(real[1], wanted[4 * part : 4 * part + 4])
        np.testing.assert_array_equal(real[1], fake[1])


def test_real_and_fake_go_through_d_in_one_call_where_they_may():
    for kind, calls in (("sagan", 1), ("dcgan", 2)):
        model = small(kind)
        real = model._checked(pair())
        model.discriminator = Mock(wraps=model.discriminator)
        model._scores(real, real)
        assert model.discriminator.call_count == calls, kind


@pytest.mark.parametrize("traced", [False, pytest.param(True, marks=pytest.mark.full)])
@pytest.mark.parametrize("source", [HAIR, pytest.param(BOTH, marks=pytest.mark.full)])
@pytest.mark.book
def test_n_and_n_steps_are_2n_steps_bit_for_bit(source, traced, tmp_path):
    whole = small(source=source, n_dis=2, traced=traced)
    whole.fit(source, steps=4, batch_size=6, log_every=3, verbose=0)
    first = small(source=source, n_dis=2, traced=traced)
    first.fit(source, steps=2, batch_size=6, log_every=2, verbose=0)
    first.save(tmp_path / "run.keras")
    second = ConditionalGAN.load(tmp_path / "run.keras")
    second.run_eagerly = not traced
    assert second.labels == source.labels
    assert same(state(first), state(second))
    second.fit(source, steps=2, batch_size=6, log_every=2, verbose=0)
    assert same(state(whole), state(second))
    assert not same(values(whole.generator), values(whole.ema_generator))


@pytest.mark.book
def test_own_pairs_train_as_a_source_does():
    """A dataset, arrays and `train_on_batch` take (images, labels)."""
    images, numbers = pair()
    moved = []
    for way in ("dataset", "arrays", "batch"):
        model = small()
        if way == "dataset":
            both = tf.data.Dataset.from_tensors((images, numbers[:, 0]))  # of one factor
            model.fit(both, verbose=0)
        elif way == "arrays":
            model.fit(images.numpy(), y=numbers.numpy(), batch_size=8, shuffle=False, verbose=0)
        else:
            model.train_on_batch(images.numpy(), numbers.numpy())
        moved.append(values(model.generator))
    assert int(model.step.numpy()) == 1
    model = small()
    model.train_step((images, numbers))
    for each in moved:
        assert same(values(model.generator), each)


IMAGES, NUMBERS = (x.numpy() for x in pair())


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ((IMAGES,), r"pair \(images, labels\)"),
        ((IMAGES, None), r"pair \(images, labels\)"),
        ((IMAGES, NUMBERS, NUMBERS), r"pair \(images, labels\)"),
        ((IMAGES, NUMBERS / 2), r"integers of shape \(8, 1\), got float64 \(8, 1\)"),
        ((IMAGES, np.eye(5, dtype=int)[NUMBERS[:, 0]]), r"of shape \(8, 1\), got int64 \(8, 5\)"),
        ((IMAGES, NUMBERS[:4]), r"of shape \(8, 1\), got int32 \(4, 1\)"),
        ((IMAGES, NUMBERS + 4), "each one of hair .black, brown, blond, red, grey."),
        ((IMAGES, NUMBERS - 1), "each one of hair"),
        ((IMAGES[:, :8], NUMBERS), r"float images .* of shape \(n, 16, 16, 3\)"),
    ],
)
def test_a_batch_that_is_no_labelled_one_is_refused_and_nothing_moves(batch, words):
    model = small()
    before = state(model)
    tensors = tuple(x if x is None else tf.constant(x) for x in batch)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=words):
        model.train_step(tensors)
    assert same(before, state(model))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "uint32", "int64"])
def test_labels_may_be_integers_of_any_type_though_it_holds_not_all_classes(dtype):
    model, numbers = ConditionalGAN(*networks(width=300), 300), [3, 0, 120]
    model.compile(**ttur.two_time_scale(1e-3, 4e-3))
    _, y = model._checked((tf.constant(IMAGES[:3]), tf.constant(numbers, dtype)))
    np.testing.assert_array_equal(y, np.eye(300)[numbers])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Faces(16, 20), "got none"),
        (BOTH, "the labels hair .* got those of hair .*; long"),
    ],
)
def test_a_source_must_have_the_labels_of_the_model(source, words):
    with pytest.raises(ValueError, match=words):
        small().fit(source, steps=1, batch_size=4, verbose=0)


@pytest.mark.book
def test_the_gap_of_d_is_that_of_images_with_their_labels():
    """By D's own scores; and labels that are exchanged give others."""
    model = small()
    source, held_out = HAIR.split(9)
    assert held_out[1].shape == (9, 1)
    history = model.fit(
        source, steps=1, batch_size=4, log_every=1, verbose=0, held_out=held_out
    ).history
    vectors = model.labels.vectors(held_out[1])
    wanted = model.discriminator([held_out[0], vectors]).numpy().mean()
    assert history["d_held_out"] == [pytest.approx(wanted, rel=1e-4)]
    fake = model.sample(9, ema=False, label=held_out[1])
    wanted = model.discriminator([fake, vectors]).numpy().mean()
    assert history["d_fake"] == [pytest.approx(wanted, rel=1e-4)]
    with pytest.raises(ValueError, match=r"a pair \(images, labels\), got ndarray"):
        model.fit(source, steps=1, batch_size=4, verbose=0, held_out=held_out[0])


def test_as_many_labels_as_images_must_be_held_out():
    for images, labels in ((5, 4), (4, 5)):
        with pytest.raises(ValueError, match=f"held_out must be .* got {images} and {labels}"):
            conditional.LabelledGap(HAIR, (IMAGES[:images], NUMBERS[:labels]), HAIR.labels)


def test_sampling_by_label():
    model = small(source=BOTH)
    red = model.sample(3, seed=1, label="red, long")
    np.testing.assert_array_equal(red, model.sample(3, 1, label={"hair": 3, "long_hair": "long"}))
    given = model.sample(5, 1, label=np.array([[3, 1]] * 3 + [[0, 0]] * 2), batch_size=2)
    np.testing.assert_allclose(given[:3], red, atol=1e-5)
    drawn = model.labels.numbers(3, "red", seed=1)
    np.testing.assert_array_equal(model.sample(3, 1, label="red"), model.sample(3, 1, label=drawn))
    mixed = np.float32([[0, 0, 0, 0.5, 0.5, 0, 1]])
    assert model.sample(1, label=mixed).shape == (1, 16, 16, 3)
    one = small()
    np.testing.assert_array_equal(one.sample(2, label=3), one.sample(2, label="red"))
    with pytest.raises(ValueError, match=r"label 'green' is none of hair .*grey"):
        one.sample(2, label="green")
    with pytest.raises(ValueError, match=r"label must be of shapes \[\(2, 5\)\].*got \[\(2, 4\)"):
        one.sample(2, label=np.zeros((2, 4), np.float32))


@pytest.mark.book
def test_in_bfloat16_the_scores_are_float32_and_finite():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small()
        real = model._checked(pair())
        made = model.generator([model.noise(8), real[1]], training=True)
        scores = model.discriminator(real, training=True)
        assert (made.dtype, scores.dtype) == (tf.float32, tf.float32)
        assert model.generator.get_layer("bn8").compute_dtype == "bfloat16"
        assert all(np.isfinite(x) for x in model.train_step(pair()).values())
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("kind", ["sagan", "dcgan"])
@pytest.mark.full
def test_the_step_that_xla_compiles_is_the_plain_one(kind):
    def stepped(jit):
        model = ConditionalGAN(*networks(kind), HAIR.labels)
        model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01))
        real, z = model._checked(pair()), model.noise(8)
        for step, given in ((model.d_step, (real, z)), (model.g_step, (z, real))):
            (tf.function(step, jit_compile=True) if jit else step)(*given)
        return values(model.discriminator) + values(model.generator)

    tf.function(small(kind).train_step, jit_compile=True)(pair())  # whole
    for plain, compiled in zip(stepped(False), stepped(True), strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-2, atol=2e-4)


@pytest.mark.full
def test_two_devices_train_the_run_of_one(tmp_path):
    program = Path(__file__).with_name("device_runs.py")
    subprocess.run([sys.executable, program, "2", tmp_path, "conditional"], check=True)
    one, two = (dict(np.load(tmp_path / f"conditional{n}.npz")) for n in (1, 2))
    assert one.keys() == two.keys()
    assert any("gains" in name for name in one)
    for name, value in one.items():
        bound = 2e-5 * (np.abs(value).max() + 1e-3)  # a new gamma is small
        assert np.abs(two[name].astype(float) - value).max() < bound, name
