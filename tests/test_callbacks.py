"""What goes on beside a run: the guard, the clock, the file that is kept."""

import pytest
from small_gan import same, small, values

from sagan_lib import gan
from sagan_lib.callbacks import DivergedError
from sagan_lib.datasets.faces import Faces


@pytest.fixture(scope="module")
def images():
    return Faces(16, 100)


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
