"""Two time scales: the rates that were asked for are the rates by which weights move."""

import keras
import pytest

from sagan_lib import dcgan, ttur
from sagan_lib.datasets.faces import Faces
from sagan_lib.gan import GAN


@pytest.mark.parametrize("name", ttur.PRESETS)
def test_each_preset_is_two_adams_with_its_numbers(name):
    wanted, made = ttur.PRESETS[name], ttur.preset(name)
    for player, rate in (("g_optimizer", wanted.g_rate), ("d_optimizer", wanted.d_rate)):
        assert type(made[player]) is keras.optimizers.Adam
        found = made[player].get_config()
        numbers = [found[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")]
        assert numbers == pytest.approx([rate, wanted.beta_1, wanted.beta_2, 1e-8])
    assert made["n_dis"] == wanted.n_dis


def test_the_default_is_sagans_rates_in_two_separate_optimizers():
    made = ttur.two_time_scale()
    g, d = made["g_optimizer"], made["d_optimizer"]
    assert g is not d
    assert g.name != d.name
    assert float(d.learning_rate) / float(g.learning_rate) == pytest.approx(4)
    assert float(g.learning_rate) == pytest.approx(1e-4)
    assert (g.beta_1, g.beta_2) == (0.0, 0.9)


def test_what_is_asked_of_two_time_scale_is_what_trains():
    made = ttur.two_time_scale(n_dis=5, decay_steps=10)
    assert made["n_dis"] == 5
    model = GAN(dcgan.generator(16, 4, 4), dcgan.discriminator(16, 4))
    model.compile(**made, run_eagerly=True)
    model.fit(Faces(16, 20), steps=1, batch_size=4, verbose=0)
    assert int(model.d_optimizer.iterations.numpy()) == 5
    assert float(model.d_optimizer.learning_rate) == pytest.approx(4e-4 * (1 - 5 / 50))


def test_rates_that_decay_reach_zero_after_as_many_g_updates_for_both_players():
    made = ttur.preset("sngan_5to1", decay_steps=10)
    g, d = (made[name]._learning_rate for name in ("g_optimizer", "d_optimizer"))
    for share in (0.0, 0.3, 1.0, 1.5):
        expected = 2e-4 * max(1 - share, 0)
        assert float(g(10 * share)) == pytest.approx(expected, abs=1e-10)
        assert float(d(50 * share)) == pytest.approx(expected, abs=1e-10)  # five D updates for one
