"""Images of a trained generator: the noise of image i is the same however many are made."""

import math

import numpy as np
import tensorflow as tf

from sagan_lib import checks


def generate(generator, n, seed=0, truncation=None, batch_size=64, label=None):
    """Images of a generator: float32 (n, h, w, 3) in [-1, 1].

    Args:
        generator: model, (batch, latent_dim) -> images.
        n: how many.
        seed: of the noise; image i is the same for every n.
        truncation: as in `GAN.sample`.
        batch_size: images at a time.
        label: vectors that a conditional generator takes, float (n, width).

    Raises:
        TypeError: the generator is no network, such as a `GAN`, of which it is `ema_generator`.
        ValueError: the generator takes labels and got none, none and got some, or others.
    """
    checks.network("generator", generator)
    checks.integer("n", n, 1)
    checks.integer("batch_size", batch_size, 1)
    takes = [(n, *x.shape[1:]) for x in generator.inputs[1:]]
    if takes != (given := [] if label is None else [np.shape(label)]):
        raise ValueError(f"label must be of shapes {takes}, as the generator takes it, got {given}")
    z = latent(n, generator.inputs[0].shape[-1], seed, truncation)
    given = [z, tf.cast(label, tf.float32)] if takes else z
    parts = []
    for i in range(0, n, batch_size):
        some = tf.nest.map_structure(lambda x: x[i : i + batch_size], given)  # noqa: B023 (now)
        parts.append(generator(some, training=False).numpy())
    return np.concatenate(parts)


def latent(n, latent_dim, seed=0, truncation=None):
    """Noise z, float32 (n, latent_dim), from a normal distribution.

    Args:
        n: rows.
        latent_dim: size of each.
        seed: of the noise, 0 to 2**31 - 1.
        truncation: cut the normal off at plus and minus this value, if given.
    """
    checks.integer("n", n, 1)
    checks.integer("latent_dim", latent_dim, 1)
    checks.integer("seed", seed, 0, 2**31 - 1)
    key = tf.constant([seed, 2**40 + 7], tf.int64)  # far from the draws of training
    if truncation is None:
        return tf.random.stateless_normal((n, latent_dim), key, alg="philox")
    checks.number("truncation", truncation, 0, open_low=True)
    edge = min(math.erf(truncation / 2**0.5), 1 - 2**-24)  # at 1 the noise would be infinite
    quantile = tf.random.stateless_uniform((n, latent_dim), key, -edge, edge, alg="philox")
    return tf.math.erfinv(quantile) * 2**0.5
