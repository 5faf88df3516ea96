"""Going on from a trained pair: its weights, D's frozen layers, an exact resume, other shapes."""

import numpy as np
import pytest
import tensorflow as tf
from small_gan import same, small, state, values

from sagan_lib import dcgan, finetune, gan, sagan, ttur
from sagan_lib.datasets.faces import Faces

pytestmark = pytest.mark.usefixtures("eager")
RNG = np.random.default_rng(3)


@pytest.fixture
def trained():
    """A GAN with attention whose every weight is another than at first, and whose average lags."""
    model = small("attention")
    for net in (model.generator, model.discriminator):
        net.set_weights(
            [w + RNG.normal(0, 0.1, w.shape).astype(w.dtype) for w in net.get_weights()]
        )
    return model


def pair():
    return sagan.generator(16, 8, 8), sagan.discriminator(16, 8)


def continued(trained, frozen=0, nets=None):
    nets = nets or pair()
    finetune.start(nets, trained, frozen)
    model = gan.GAN(*nets, seed=5)
    model.compile(**ttur.two_time_scale(), augment="color", run_eagerly=True)
    return model


def test_a_new_gan_begins_with_the_weights_of_the_last_step_at_step_0(trained):
    before = values(trained.generator) + values(trained.discriminator)
    model = continued(trained)
    assert same(before, values(model.generator) + values(model.discriminator))
    assert same(values(model.ema_generator), values(trained.generator))
    assert not same(values(trained.ema_generator), values(trained.generator))
    assert int(model.step.numpy()) == int(model.d_optimizer.iterations.numpy()) == 0
    model.train_step(tf.constant(RNG.uniform(-1, 1, (8, 16, 16, 3)).astype("float32")))
    assert same(before, values(trained.generator) + values(trained.discriminator))  # a copy


@pytest.mark.parametrize(
    ("frozen", "stay"),
    [(0, set()), (1, {"down8", "attention"}), (2, {"down8", "attention", "down4"})],
)
def test_the_first_layers_of_d_stay_with_what_stands_between_them(trained, frozen, stay):
    model = continued(trained, frozen)
    kernels = [w for w in model.discriminator.weights if w.name == "kernel"]
    before = [w.numpy() for w in kernels]
    model.train_step(tf.constant(RNG.uniform(-1, 1, (8, 16, 16, 3)).astype("float32")))
    for old, kernel in zip(before, kernels, strict=True):
        kept = np.array_equal(old, kernel)
        assert kept == (kernel.path.split("/")[0] in stay), kernel.path


def test_a_frozen_batch_normalization_keeps_its_moments():
    trained = small("dcgan")
    model = continued(trained, 2, (dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4)))
    norms = [x for x in model.discriminator.layers if isinstance(x, dcgan.BatchNormalization)]
    before = [x.moving_mean.numpy() for x in norms]
    model.train_step(tf.constant(RNG.uniform(-1, 1, (8, 16, 16, 3)).astype("float32")))
    assert norms
    assert same(before, [x.moving_mean.numpy() for x in norms])


def test_n_and_n_steps_are_2n_steps_and_the_frozen_layers_stay_frozen(trained, tmp_path):
    data = Faces(16, 40)
    whole, first = (continued(trained, 1) for _ in range(2))
    whole.fit(data, steps=4, batch_size=8, verbose=0)
    first.fit(data, steps=2, batch_size=8, verbose=0)
    first.save(tmp_path / "run.keras")
    second = gan.GAN.load(tmp_path / "run.keras")
    second.run_eagerly = True
    second.fit(data, steps=2, batch_size=8, verbose=0)
    assert same(state(whole), state(second))
    kernels = [m.discriminator.get_layer("down8").kernel.numpy() for m in (trained, second)]
    assert same(kernels[:1], kernels[1:])


@pytest.mark.parametrize(
    ("nets", "words"),
    [
        (lambda: (sagan.generator(16, 4, 8), pair()[1]),
         r"got project/kernel \(8, 512\) in its generator for project/kernel \(8, 256\): give the"),
        (lambda: (pair()[0], sagan.discriminator(16, 8, attention_at=None)),
         r"in its discriminator for"),
        (lambda: (sagan.generator(32, 4, 8), sagan.discriminator(32, 4)), "in its generator for"),
        (lambda: (dcgan.generator(16, 8, 8), dcgan.discriminator(16, 8)), "in its generator for"),
    ],
)  # fmt: skip
def test_networks_of_another_shape_are_refused_and_stay_as_they_are(trained, nets, words):
    nets = nets()
    before = [x for net in nets for x in values(net)]
    with pytest.raises(ValueError, match=words):
        finetune.start(nets, trained, 1)
    assert same(before, [x for net in nets for x in values(net)])
    assert all(layer.trainable for layer in nets[1].layers)
