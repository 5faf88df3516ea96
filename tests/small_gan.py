"""A GAN that trains in a moment, and its weights compared."""

import keras
import numpy as np

from sagan_lib import dcgan, gan, sagan, ttur


def small(kind="sagan", seed=0, n_dis=1, loss="hinge", traced=False, decay_steps=None):
    """A pair that is not traced unless that is asked for: it would take as long as ten steps."""
    keras.utils.set_random_seed(7)
    if kind == "sagan":
        nets = sagan.generator(16, 4, 8, attention_at=None), sagan.discriminator(16, 8)
    elif kind == "attention":
        nets = sagan.generator(16, 8, 8), sagan.discriminator(16, 8)
    else:
        nets = dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4)
    model = gan.GAN(*nets, seed=seed)
    rates = ttur.two_time_scale(1e-3, 4e-3, n_dis=n_dis, decay_steps=decay_steps)
    model.compile(**rates, loss=loss, run_eagerly=not traced)
    return model


def values(holder):
    return [v.numpy().copy() for v in holder.variables]


def state(model):
    """All that a run is made of, but the means of its losses."""
    nets = model.generator, model.discriminator, model.ema_generator
    parts = (*nets, model.g_optimizer, model.d_optimizer)
    return [value for each in parts for value in values(each)] + [model.step.numpy()]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
