"""The article's mistakes as switches: each is off until it is applied to an ordinary network.

`apply` overrides two methods of single layers, so the library itself has no trace of a bug, and a
network that is built afterwards is right. ERRATA.md tells each mistake; its experiments ask
whether the mistake changes the outcome.
"""

import functools
import zlib

import keras
import tensorflow as tf
from keras import ops

from sagan_lib import checks
from sagan_lib.attention import attention_layers
from sagan_lib.datasets.source import Source
from sagan_lib.gan import GAN
from sagan_lib.spectral_norm import normalized_layers, power_iteration

#: The erratum that tells of each bug: `errata.ERRATA` says what stands there and what is right.
BUGS = {
    "scrambled": "E1", "raw_inference": "E2", "frozen_u": "E3", "leaky_gradient": "E4",
    "plain_dense": "E5", "one_forward": "E6", "double_count": "E12", "short_shuffle": "E15",
}  # fmt: skip

#: Those that `apply` puts onto layers; the others are `OneForward`, `double_count`, `ShortShuffle`.
LAYER_BUGS = ("scrambled", "raw_inference", "frozen_u", "leaky_gradient", "plain_dense")


def apply(model, bug, everywhere=False):
    """Put a layer bug onto every layer that can carry it; several on one layer add up.

    Names of weights stay, so files of weights fit both ways. A bug is no part of a config: a copy,
    a loaded model and a GAN's averaged generator are right unless it is applied to them too; given
    a whole `GAN`, this reaches all three networks. Apply it before the first `fit`: a compiled step
    keeps what it was traced with.

    Args:
        model: generator, discriminator or `GAN`, built.
        bug: one of `LAYER_BUGS`. "scrambled" is for convolutions and transposed convolutions,
            "plain_dense" for dense layers. "frozen_u" draws `u` at random and keeps it, as the
            article does: ours is warmed up when a layer is built.
        everywhere: "frozen_u" on all normalized layers; by default, as in the article, on
            attention's 1x1 convolutions only.

    Returns:
        How many layers carry the bug now.

    Raises:
        ValueError: unknown bug, no layer can carry it, or `everywhere` with another bug.
    """
    checks.one_of("bug", bug, LAYER_BUGS)
    if everywhere and bug != "frozen_u":
        raise ValueError(f"everywhere is for 'frozen_u' only, got bug {bug!r}")
    found = _carriers(model, bug, everywhere)
    if not found:
        raise ValueError(f"no layer of {model.name} can carry the bug {bug!r}")
    for layer in found:
        if bug == "frozen_u":  # the article's stays at its random start, ours was warmed up
            key = zlib.crc32(layer.kernel.numpy().tobytes()) % 2**31  # a copy's is the same
            layer.u.assign(tf.random.stateless_normal(layer.u.shape, (key, 3)))
        layer.bugs = getattr(layer, "bugs", frozenset()) | {bug}
        layer.sigma = functools.partial(_sigma, layer)
        layer.normalized_kernel = functools.partial(_normalized_kernel, layer)
    return len(found)


def _carriers(model, bug, everywhere):
    if bug == "frozen_u" and not everywhere:
        return [c for a in attention_layers(model) for c in normalized_layers(a)]
    found = normalized_layers(model)
    if bug == "plain_dense":
        return [layer for layer in found if layer.kind == "dense"]
    if bug == "scrambled":  # E1 is about the four axes of a convolution's kernel
        return [layer for layer in found if layer.kind not in ("dense", "embedding")]
    return found


def _sigma(layer):
    """Instead of a layer's `sigma`: (estimate, improved u), by the matrix that its bugs see."""
    matrix = layer.matrix()
    if "scrambled" in layer.bugs:  # as many rows and columns: `u` fits, smaller side as before
        kernel = ops.cast(layer.raw_kernel, "float32")
        matrix = ops.reshape(kernel, (matrix.shape[1], matrix.shape[0]))
    if "leaky_gradient" in layer.bugs:
        return leaky_iteration(matrix, layer.u, layer.power_iterations)
    return power_iteration(matrix, layer.u, layer.power_iterations)[:2]


def _normalized_kernel(layer, training=False):
    """Instead of a layer's `normalized_kernel`."""
    training = training and "frozen_u" not in layer.bugs
    if "plain_dense" in layer.bugs or ("raw_inference" in layer.bugs and not training):
        return ops.cast(layer.raw_kernel, layer.compute_dtype)
    return type(layer).normalized_kernel(layer, training)


def leaky_iteration(matrix, u, power_iterations=1):
    """Power iteration whose gradient runs through u and v as well (E4).

    The numbers of (sigma, u) are those of `spectral_norm.power_iteration`. Where `u` has converged
    the gradient is right too: sigma is then largest, thus flat, in u and v.

    Args:
        matrix: float32 (rows, columns).
        u: float32 (min(rows, columns),).
        power_iterations: how many times both products are taken, at least 1.
    """
    matrix, u = tf.convert_to_tensor(matrix), tf.convert_to_tensor(u)
    if matrix.shape[0] < matrix.shape[1]:
        matrix = tf.transpose(matrix)
    for _ in range(checks.integer("power_iterations", power_iterations, 1)):
        v = tf.math.l2_normalize(tf.linalg.matvec(matrix, u))
        u = tf.math.l2_normalize(tf.linalg.matvec(matrix, v, transpose_a=True))
    return tf.tensordot(v, tf.linalg.matvec(matrix, u), 1), u


@keras.saving.register_keras_serializable("sagan_lib")
class OneForward(GAN):
    """A GAN whose players learn from one forward pass: simultaneous, not alternating (E6).

    The noise of step k is that of the ordinary GAN's D step. One device only.
    """

    def compile(self, g_optimizer, d_optimizer, loss="hinge", n_dis=1, **options):
        """As `GAN.compile`; ValueError unless n_dis is 1, or with several devices."""
        if n_dis != 1:
            raise ValueError(f"n_dis must be 1 with one forward pass for both, got {n_dis}")
        if (count := self.distribute_strategy.num_replicas_in_sync) > 1:
            raise ValueError(f"OneForward trains on one device, got {count}")
        super().compile(g_optimizer, d_optimizer, loss, n_dis, **options)

    def train_step(self, real):
        """Both gradients from the same fakes and the same D; then both networks move."""
        batch = real.shape[0] or tf.shape(real)[0]
        z = self.noise(batch)
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(z, training=True)
            real_scores, fake_scores = self._scores(real, fake)
            d_loss = self._game[0](real_scores, fake_scores)
            g_loss = self._game[1](fake_scores)
        of_d, of_g = self.discriminator.trainable_variables, self.generator.trainable_variables
        d_gradients, g_gradients = tape.gradient(d_loss, of_d), tape.gradient(g_loss, of_g)
        del tape  # it holds the whole pass
        self.d_optimizer.apply(d_gradients, of_d)
        self.g_optimizer.apply(g_gradients, of_g)
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        self._update_ema()
        self.step.assign_add(1)
        return self.get_metrics_result()


def _buffered(n, buffer, seed):
    checks.integer("n", n, 1)
    checks.integer("buffer", buffer, 1)
    checks.integer("seed", seed, 0)
    return tf.data.Dataset.range(n).shuffle(buffer, seed=seed)


def short_shuffle_order(n, buffer=1000, seed=0):
    """The order in which items leave a shuffle buffer, from tf.data itself (E15).

    Args:
        n: items.
        buffer: how many wait in it.
        seed: of the shuffle.

    Returns:
        int64 (n,), a permutation in which no item comes `buffer` or more places early. Like all
        of tf.data's shuffles it depends on `tf.random.set_seed` too, where that was called.
    """
    return next(iter(_buffered(n, buffer, seed).batch(n))).numpy()


class ShortShuffle(Source):
    """Another source in the order of its file, through a short shuffle buffer (E15).

    Args:
        source: any `Source`.
        buffer: how many images wait in it, at least 1.
    """

    def __init__(self, source, buffer=1000):
        if not isinstance(source, Source):
            raise TypeError(f"source must be a Source, got {type(source).__name__}")
        self.buffer = checks.integer("buffer", buffer, 1)
        self.size, self.resolution, self.images = source.size, source.resolution, source.images
        self.extractor, self.description = source.extractor, source.description

    def batches(self, batch_size, seed=0, start=0, count=None):
        """As `Source.batches`; the first epoch is `short_shuffle_order(size, buffer, seed)`.

        A buffer has a past, so what lies before `start` is drawn and dropped: indices only.
        """
        checks.integer("batch_size", batch_size, 1, self.size)
        checks.integer("start", start, 0)
        order = _buffered(self.size, self.buffer, seed).repeat().batch(batch_size).skip(start)
        if count is not None:
            order = order.take(checks.integer("count", count, 1))
        return self.look_up(order, lambda indices: indices, batch_size)


def double_count(steps):
    """G's updates until a counter that both optimizers advance says `steps`: half of it (E12).

    Shown with two real optimizers of the article's kind, which take the counter as an argument.
    `steps` is 1 to 10,000; from an odd one a step is left over.
    """
    checks.integer("steps", steps, 1, 10_000)
    counter, updates = tf.Variable(0, dtype=tf.int64), 0
    players = [(tf.compat.v1.train.AdamOptimizer(), tf.Variable(1.0)) for _ in range(2)]
    while int(counter) + len(players) <= steps:
        for optimizer, weight in players:
            optimizer.apply_gradients([(tf.constant(0.5), weight)], global_step=counter)
        updates += 1
    return updates
