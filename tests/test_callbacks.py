"""What goes on beside a run: the guard, the clock, the file that is kept."""

import keras
import numpy as np
import pytest

from sagan_lib import dcgan, gan, sagan, ttur
from sagan_lib.callbacks import DivergedError
from sagan_lib.datasets.faces import Faces


def small(kind="sagan", seed=0, n_dis=1, loss="hinge", rates=(1e-3, 4e-3)):
    keras.utils.set_random_seed(7)
    if kind == "sagan":
        nets = sagan.generator(16, 4, 8, attention_at=None), sagan.discriminator(16, 8)
    elif kind == "attention":
        nets = sagan.generator(16, 8, 8), sagan.discriminator(16, 8)
    else:
        nets = dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4)
    model = gan.GAN(*nets, seed=seed)
    model.compile(**ttur.two_time_scale(*rates), loss=loss, n_dis=n_dis)
    return model


@pytest.fixture(scope="module")
def images():
    return Faces(16, 100)


def values(holder):
    return [v.numpy().copy() for v in holder.variables]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_divergence_restores_the_last_good_weights(images, tmp_path):
    model = small()
    path = tmp_path / "run.keras"
    model.fit(images, steps=2, batch_size=10, log_every=1, save_to=path, verbose=0)
    good = values(model.generator) + values(model.discriminator)
    model.g_optimizer.learning_rate.assign(float("inf"))
    with pytest.raises(DivergedError, match=r"before step 3.*holds the weights of step 2"):
        model.fit(images, steps=4, batch_size=10, log_every=1, verbose=0)
    assert int(model.step.numpy()) == 2
    assert same(good, values(model.generator) + values(model.discriminator))
    loaded = gan.GAN.load(path)
    assert same(good, values(loaded.generator) + values(loaded.discriminator))


def test_a_killed_save_leaves_the_previous_file(images, tmp_path, monkeypatch):
    path = tmp_path / "run.keras"
    model = small()
    model.fit(images, steps=1, batch_size=10, save_to=path, verbose=0)

    def killed(self, where):
        where.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(gan.GAN, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        model.fit(images, steps=1, batch_size=10, save_to=path, verbose=0)
    assert int(gan.GAN.load(path).step.numpy()) == 1
