"""Other ways to write the same SAGAN in TensorFlow, to measure this book's speed against.

The others' networks are the book's own with every layer of ours exchanged: attention and batch
normalization for plain ones, spectral normalization for Keras's or for the article's. Every step
trains D once and G once, with the same batch, loss and optimizers. Only `ours` also keeps an
averaged generator. None of this is used for training.
"""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from sagan_experiments.speed.case import CONTENDERS, VARIANT, Contender
from sagan_lib import checks, devices, gan, losses, ttur
from sagan_lib import networks as our_networks
from sagan_lib.attention import SelfAttention


def parameters(*nets):
    """Trainable numbers in some networks."""
    return sum(math.prod(v.shape) for net in nets for v in net.trainable_variables)


def build(name, case):
    """The contender of that name.

    Args:
        name: of `CONTENDERS`, but for PyTorch's; another is refused by a ValueError.
        case: a `case.Case`.
    """
    checks.one_of("contender", name, [x for x in CONTENDERS if not x.startswith("torch")])
    keras.utils.set_random_seed(0)
    devices.setup(mixed=name == "ours_bfloat16")
    if name.startswith("ours"):
        return _ours(name, case)
    wrap = ArticleNorm if name.startswith("article") else layers.SpectralNormalization
    return _plain(case, wrap)


def networks(case, variant="article", sn="both"):
    """The book's (generator, discriminator) for a case.

    Args:
        case: a `case.Case`.
        variant: of attention; "none" leaves it out.
        sn: as in `networks.build` of the library.
    """
    place = {"attention_at": case.attention_at, "variant": variant} if variant != "none" else {}
    return our_networks.build("sagan", case.resolution, case.width, case.latent_dim, sn=sn, **place)


def images(case):
    """One batch (batch, h, w, 3) of uniform numbers in [-1, 1]; reading files is not measured."""
    shape = (case.batch, case.resolution, case.resolution, 3)
    return tf.random.stateless_uniform(shape, (1, 2), -1.0, 1.0)


def _ours(name, case):
    """The book's GAN, a part of it left out or exchanged as its name says."""
    sn = "none" if name == "ours_no_sn" else "both"
    model = gan.GAN(*networks(case, VARIANT.get(name, "article"), sn))
    model.compile(**ttur.two_time_scale())
    model.make_train_function()  # what `fit` calls, on an iterator over batches
    data = iter(tf.data.Dataset.from_tensors(images(case)).repeat())

    def step():
        logs = model.train_function(data)
        return logs["d_loss"], logs["g_loss"]

    return Contender(step, model.generator, model.discriminator)


class PlainAttention(layers.Layer):
    """SAGAN's attention with a map (batch, N, N), Keras's own gradient, convolutions wrapped."""

    def __init__(self, wrap):
        super().__init__()
        self.wrap = wrap

    def build(self, shape):
        c = shape[-1]
        self.f, self.g, self.h = (self.wrap(layers.Conv2D(n, 1)) for n in (c // 8, c // 8, c))
        for layer in (self.f, self.g, self.h):
            layer.build(shape)
        self.gamma = self.add_weight((), initializer="zeros", name="gamma")

    def call(self, x, training=False):
        keys, queries, values = (
            ops.reshape(y, (-1, y.shape[1] * y.shape[2], y.shape[3]))  # (b, h, w, c) -> (b, hw, c)
            for y in (layer(x, training=training) for layer in (self.f, self.g, self.h))
        )
        scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
        mixed = ops.matmul(ops.softmax(scores), values)
        return x + self.gamma * ops.reshape(mixed, (-1, *x.shape[1:]))


class ArticleNorm(layers.Wrapper):
    """The article's normalization: one power iteration at every call, whoever calls.

    The kernel is flattened with its last axis as columns, transposed convolutions' too.
    """

    def build(self, input_shape):
        super().build(input_shape)
        kernel = self.layer.kernel
        self.u = self.add_weight(
            (1, kernel.shape[-1]), initializer="random_normal", trainable=False, name="u"
        )

    def call(self, inputs):
        kernel = tf.convert_to_tensor(self.layer.kernel)
        matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
        v = tf.stop_gradient(tf.math.l2_normalize(tf.matmul(self.u, matrix, transpose_b=True)))
        u = tf.stop_gradient(tf.math.l2_normalize(tf.matmul(v, matrix)))
        sigma = tf.matmul(tf.matmul(v, matrix), u, transpose_b=True)[0, 0]
        self.u.assign(u)
        with keras.StatelessScope([(self.layer.kernel, kernel / sigma)]):  # the layer reads that
            return self.layer(inputs)


def remade(model, wrap):
    """A network of the book without SN, in plain layers, each with a kernel wrapped by `wrap`."""

    def make(layer):
        if isinstance(layer, SelfAttention):
            return PlainAttention(wrap)
        if isinstance(layer, layers.BatchNormalization):  # ours is one fused operation
            return layers.BatchNormalization.from_config(layer.get_config())
        again = type(layer).from_config(layer.get_config())
        return wrap(again) if hasattr(layer, "kernel") else again

    return keras.models.clone_model(model, clone_function=make)


def _plain(case, wrap):
    """A step as Keras's examples write it; the article's calls D on real and fake images apart."""
    g, d = (remade(net, wrap) for net in networks(case, sn="none"))
    real, joined = images(case), wrap is not ArticleNorm
    adam_g, adam_d = (ttur.two_time_scale()[name] for name in ("g_optimizer", "d_optimizer"))
    for adam, net in ((adam_g, g), (adam_d, d)):
        adam.build(net.trainable_variables)

    def fake():
        return g(tf.random.normal((case.batch, case.latent_dim)), training=True)

    def step():
        drawn = fake()
        with tf.GradientTape() as tape:
            if joined:
                scores = tf.split(d(tf.concat([real, drawn], 0), training=True), 2)
            else:
                scores = d(real, training=True), d(drawn, training=True)
            d_loss = losses.hinge_d(*scores)
        adam_d.apply(tape.gradient(d_loss, d.trainable_variables), d.trainable_variables)
        with tf.GradientTape() as tape:
            g_loss = losses.hinge_g(d(fake(), training=True))
        adam_g.apply(tape.gradient(g_loss, g.trainable_variables), g.trainable_variables)
        return d_loss, g_loss

    # Keras's `fit` compiles with XLA on a GPU and not on a CPU.
    return Contender(tf.function(step, jit_compile=joined and bool(devices.gpus())), g, d)
