"""Direct measurements behind the book's statements: each a number for a seed, without a GAN run.

Every function takes a seed and returns one float; `claims` says what it is held against. Ratios
are returned as natural logarithms, so that twice and half are equally far from no effect.
"""

import functools
import math
import time
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from sagan_experiments import bugs
from sagan_lib import dcgan, sagan, spectral_norm, ttur
from sagan_lib.attention import SelfAttention
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.source import from_bytes
from sagan_lib.gan import GAN
from sagan_lib.penalties import PenalizedGAN
from sagan_lib.spectral_norm import (
    SNConv2D,
    exact_sigma,
    kernel_matrix,
    normalized_layers,
    power_iteration,
)

MEASURES = {}


def measure(name):
    """Register a measurement under a name."""

    def keep(function):
        MEASURES[name] = function
        return function

    return keep


def _kernel(seed, shape=(3, 3, 64, 128)):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.02, shape).astype(np.float32)


@functools.cache
def _drifting(seed, kept, steps=150, rate=4e-4):
    """Relative errors of one power iteration while a kernel walks as Adam would move it."""
    rng = np.random.default_rng(seed)
    kernel, push = _kernel(seed), rng.normal(size=(3, 3, 64, 128))
    u = rng.normal(size=128).astype(np.float32)
    errors = []
    for step in range(steps):
        # A step of Adam is about the rate for each weight; its direction changes slowly.
        push = 0.9 * push + rng.normal(size=push.shape)
        kernel += (rate * np.sign(push)).astype(np.float32)
        matrix = kernel_matrix(tf.constant(kernel), "conv")
        start = u if kept else rng.normal(size=128).astype(np.float32)
        sigma, new, _ = power_iteration(matrix, start)
        u = new.numpy()
        if step % 10 == 9 and step > steps // 3:
            exact = float(exact_sigma(matrix))
            errors.append(abs(float(sigma) / exact - 1))
    return float(np.median(errors))


@measure("kept_u_error")
def kept_u_error(seed):
    """Median relative error of one power iteration a step when `u` is kept."""
    return _drifting(seed, kept=True)


@measure("fresh_u_error")
def fresh_u_error(seed):
    """The same when every step starts from a new random `u`: log of the ratio of both errors."""
    return math.log(_drifting(seed, kept=False) / _drifting(seed, kept=True))


def _log_time_ratio(first, second, turns, warm):
    """Log of the time of one call over another's: medians; they take turns, `warm` do not count."""
    times = [[], []]
    for turn in range(turns):
        for call, kept in zip((first, second), times, strict=True):
            start = time.perf_counter()
            call().numpy()
            if turn >= warm:
                kept.append(time.perf_counter() - start)
    return math.log(np.median(times[0]) / np.median(times[1]))


@measure("svd_cost")
def svd_cost(seed):
    """Log of the time of a full SVD over one power iteration's, for a 4x4 kernel of 128 x 256."""
    matrix = kernel_matrix(tf.constant(_kernel(seed, (4, 4, 128, 256))), "conv")
    u = tf.random.stateless_normal((256,), (seed, 1))
    calls = (
        tf.function(lambda: tf.linalg.svd(matrix + 0.0, compute_uv=False)[0]),
        tf.function(lambda: power_iteration(matrix + 0.0, u)[0]),
    )
    return _log_time_ratio(*calls, turns=4, warm=1)


@measure("r1_cost")
def r1_cost(seed):
    """Log of the time of a step with R1 over that of one with SN in both networks."""
    models = []
    for make, use_sn, how in ((PenalizedGAN, False, {"loss": "bce", "penalty": "r1"}),
                              (GAN, True, {"loss": "hinge"})):  # fmt: skip
        keras.utils.set_random_seed(seed)
        nets = (net(32, 16, attention_at=None, use_sn=use_sn)
                for net in (sagan.generator, sagan.discriminator))  # fmt: skip
        models.append(make(*nets, seed=seed))
        models[-1].compile(**ttur.two_time_scale(4e-4, 1.6e-3), **how)
    batch = tf.constant(from_bytes(Faces(32, 32).images))
    steps = [tf.function(model.train_step) for model in models]
    calls = [lambda step=step: step(batch)["g_loss"] for step in steps]
    return _log_time_ratio(*calls, turns=12, warm=2)


@measure("frobenius")
def frobenius(seed):
    """Log of a kernel's l2 (Frobenius) norm over its largest singular value."""
    matrix = kernel_matrix(tf.constant(_kernel(seed)), "conv")
    return math.log(float(tf.norm(matrix)) / float(exact_sigma(matrix)))


@measure("operator_norm")
def operator_norm(seed, side=16):
    """Log of a convolution's own norm over the reshaped kernel's: FFT, circular padding.

    After Sedghi, Gupta and Long (2019), arXiv:1805.10408.
    """
    kernel = _kernel(seed, (3, 3, 32, 32))
    waves = np.fft.fft2(kernel, (side, side), axes=(0, 1))
    largest = np.linalg.norm(waves, 2, axis=(2, 3)).max()
    return math.log(largest / float(exact_sigma(kernel_matrix(tf.constant(kernel), "conv"))))


@measure("scrambled_sigma")
def scrambled_sigma(seed):
    """Log of how far the scrambled matrix misses sigma when one direction dominates, as in E1."""
    rng = np.random.default_rng(seed)
    layer = SNConv2D(64, 3)
    layer.build((None, 8, 8, 64))
    rows, columns = rng.normal(size=(9 * 64, 1)), rng.normal(size=(1, 64))
    kernel = 0.02 * rng.normal(size=(9 * 64, 64)) + 0.02 * rows @ columns
    layer.kernel.assign(kernel.reshape(3, 3, 64, 64).astype(np.float32))
    wrong = np.linalg.norm(np.asarray(layer.kernel).reshape(64, -1), 2)
    return math.log(np.linalg.norm(kernel, 2) / wrong)


@measure("frozen_error")
def frozen_error(seed):
    """Median relative error of sigma over attention's convolutions when `u` never moves (E3)."""
    errors = []
    for offset in range(3):
        keras.utils.set_random_seed(31 * seed + offset)
        layer = SelfAttention()
        with mock.patch.object(spectral_norm, "WARM_UP", 0):  # the article's `u` stays random
            layer.build((None, 8, 8, 64))
        for conv in normalized_layers(layer):
            exact = float(exact_sigma(kernel_matrix(conv.kernel, "conv")))
            errors.append(abs(float(conv.sigma()[0]) / exact - 1))
    return float(np.median(errors))


@functools.cache
def _images():
    return from_bytes(Faces(32, 64).images)


def _image_gradient(seed, slope=0.2, batch_norm=True):
    """Norm of the gradient that reaches the images through an untrained DCGAN discriminator."""
    keras.utils.set_random_seed(seed)
    model = dcgan.discriminator(32, 16, batch_norm, slope)
    images = tf.constant(_images())
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = model(images, training=True)
    return float(tf.norm(tape.gradient(scores, images)))


@measure("leaky_gradient_02")
def leaky_gradient_02(seed):
    """Log of the image gradient with slope 0.2 over that with ReLU, no batch normalization."""
    return math.log(_image_gradient(seed, 0.2, False) / _image_gradient(seed, 0.0, False))


@measure("leaky_gradient_002")
def leaky_gradient_002(seed):
    """The same with the article's slope of 0.02."""
    return math.log(_image_gradient(seed, 0.02, False) / _image_gradient(seed, 0.0, False))


@measure("leaky_gradient_bn")
def leaky_gradient_bn(seed):
    """The same with slope 0.2 and batch normalization: DCGAN's own discriminator."""
    return math.log(_image_gradient(seed, 0.2) / _image_gradient(seed, 0.0))


@measure("bn_gradient")
def bn_gradient(seed):
    """Log of the image gradient with batch normalization over that without."""
    return math.log(_image_gradient(seed) / _image_gradient(seed, batch_norm=False))


@measure("gamma_start")
def gamma_start(seed):
    """Largest difference that an untrained attention layer makes: 0 if it is the identity."""
    keras.utils.set_random_seed(seed)
    x = tf.random.stateless_normal((2, 8, 8, 16), (seed, 3))
    return float(tf.reduce_max(tf.abs(SelfAttention()(x) - x)))


def _copy_grids(n, rng, distance=None, side=16):
    """Grids with one coloured pixel and, `distance` columns to its right, a mark."""
    d = rng.integers(1, 13, n) if distance is None else np.full(n, distance)
    row, column, colour = rng.integers(0, side, n), rng.integers(0, side - d), rng.integers(0, 4, n)
    grid = np.zeros((n, side, side, 5), np.float32)
    grid[np.arange(n), row, column, colour] = 1
    grid[np.arange(n), row, column + d, 4] = 1
    return tf.constant(grid), tf.constant(np.stack([row, column + d], 1)), tf.constant(colour)


@functools.cache  # two measurements need the convolutions
def _copy_accuracy(seed, attend, distance=10, steps=250):
    """Accuracy at one distance of four convolutions, or of one attention layer."""
    keras.utils.set_random_seed(seed)
    rng, inputs = np.random.default_rng(seed), keras.Input((16, 16, 5))
    if attend:
        x = keras.layers.Conv2D(16, 1, activation="relu")(inputs)
        x = keras.layers.Conv2D(16, 1, activation="relu")(SelfAttention(use_sn=False)(x))
    else:
        x = inputs
        for _ in range(4):
            x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Conv2D(4, 1)(x))
    adam = keras.optimizers.Adam(5e-3)

    def scores(grids, marks):
        return tf.gather_nd(model(grids), marks, batch_dims=1)

    @tf.function
    def step(grids, marks, colours):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(
                colours, scores(grids, marks), from_logits=True
            )
        adam.apply(tape.gradient(losses, model.trainable_variables), model.trainable_variables)

    for _ in range(steps):
        step(*_copy_grids(64, rng))
    grids, marks, colours = _copy_grids(1000, rng, distance)
    return float(tf.reduce_mean(tf.cast(tf.argmax(scores(grids, marks), 1) == colours, tf.float32)))


@measure("copy_convolutions")
def copy_convolutions(seed):
    """Accuracy above chance (1/4) of four 3x3 convolutions at a distance of 10 pixels."""
    return _copy_accuracy(seed, attend=False) - 0.25


@measure("copy_attention")
def copy_attention(seed):
    """Accuracy of one attention layer less that of four convolutions, at 10 pixels."""
    return _copy_accuracy(seed, attend=True) - _copy_accuracy(seed, attend=False)


@measure("short_shuffle_spread")
def short_shuffle_spread(seed, n=20_000, buffer=1000, batch=64):
    """Colours that the first batch of a sorted file holds under a short buffer, less the truth.

    The file holds ten colours one after another. The truth is a full shuffle's first batch.
    """
    classes = np.arange(n) * 10 // n
    seen = len(set(classes[bugs.short_shuffle_order(n, buffer, seed)[:batch]]))
    full = np.random.default_rng(seed).permutation(n)[:batch]
    return float(len(set(classes[full])) - seen)


@measure("double_count")
def double_count(seed):
    """Share of the counted steps that are G steps when both optimizers move one counter (E12)."""
    return bugs.double_count(100 + 2 * seed) / (100 + 2 * seed)


@measure("same_images")
def same_images(seed):
    """Largest difference after G's step between one forward pass for both and alternation (E6)."""
    generators = []
    for make in (bugs.OneForward, GAN):
        keras.utils.set_random_seed(seed)
        model = make(sagan.generator(16, 8, 8), sagan.discriminator(16, 8), seed=seed)
        sgd = (keras.optimizers.SGD(0.1) for _ in range(2))
        model.compile(*sgd, loss="hinge", jit_compile=False)
        model.train_step(tf.constant(from_bytes(Faces(16, 16).images)))
        generators.append(np.concatenate([w.numpy().ravel() for w in model.generator.weights]))
    return float(np.abs(generators[0] - generators[1]).max())
