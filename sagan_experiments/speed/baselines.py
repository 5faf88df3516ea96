"""Other ways to write the same SAGAN in TensorFlow, to measure this book's speed against.

Every network here has the layers and the trainable parameters of `sagan.generator` and
`sagan.discriminator`; every step trains D once and G once, with the same batch, loss and
optimizers. Only `ours` also keeps an averaged generator. None of this is used for training.
"""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import keras
import tensorflow as tf
from keras import layers, ops

from sagan_lib import checks, devices, gan, losses, networks, ttur
from sagan_lib.dcgan import channels_at, down_sides, sides

#: What `build` makes.
NAMES = (
    "ours", "ours_bfloat16", "ours_no_sn", "ours_no_attention", "ours_article", "ours_pooled",
    "keras",
    "keras_default", "article", "article_default", "article_eager",
)  # fmt: skip


@dataclass(frozen=True)
class Contender:
    """A way to train: `step()` does one step of D and of G and gives (d_loss, g_loss)."""

    step: object
    generator: keras.Model
    discriminator: keras.Model

    @property
    def parameters(self):
        """Trainable numbers in both networks."""
        both = self.generator.trainable_variables + self.discriminator.trainable_variables
        return sum(math.prod(v.shape) for v in both)


def build(name, case):
    """The contender of that name.

    Args:
        name: of `NAMES`.
        case: a `case.Case`.

    Raises:
        ValueError: unknown name; it lists those there are.
    """
    checks.one_of("contender", name, NAMES)
    keras.utils.set_random_seed(0)
    if name.startswith("article"):
        return _article(case, eager=name == "article_eager")
    model = _ours(name, case) if name.startswith("ours") else KerasGAN(*skeleton(case, KERAS))
    # Both use XLA on a GPU and not on a CPU: Keras's default and ours.
    model.compile(**ttur.two_time_scale())
    model.make_train_function()  # what `fit` calls, on an iterator over batches
    data = iter(tf.data.Dataset.from_tensors(images(case)).repeat())

    def step():
        logs = model.train_function(data)
        return logs["d_loss"], logs["g_loss"]

    return Contender(step, model.generator, model.discriminator)


def images(case):
    """One batch (batch, h, w, 3) of uniform numbers in [-1, 1]; reading files is not measured."""
    shape = (case.batch, case.resolution, case.resolution, 3)
    return tf.random.stateless_uniform(shape, (1, 2), -1.0, 1.0)


def our_networks(case, variant=None, attention=True, use_sn=True):
    """(generator, discriminator) of `sagan` for a case, or with a part left out or exchanged.

    Args:
        case: a `case.Case`.
        variant: of attention; default: the case's.
        attention: False leaves it out.
        use_sn: False leaves spectral normalization out.
    """
    return networks.build(
        "sagan", case.resolution, case.width, case.latent_dim,
        attention_at=case.attention_at if attention else None,
        variant=variant or case.variant, sn="both" if use_sn else "none",
    )  # fmt: skip


def _ours(name, case):
    """The book's GAN: attention and normalization as asked for by the contender's name."""
    part = name.removeprefix("ours").removeprefix("_")
    variant = part if part in ("article", "pooled") else None
    devices.setup(mixed=part == "bfloat16")
    g, d = our_networks(case, variant, part != "no_attention", part != "no_sn")
    return gan.GAN(g, d)


def skeleton(case, kit):
    """(generator, discriminator) from a kit of layers: the skeleton of `sagan`.

    Args:
        case: a `case.Case`.
        kit: has `dense(units)`, `conv(filters, kernel_size, strides)`,
            `up(filters)` (kernel 4, stride 2, no bias) and `attention(variant)`.
    """
    resolution = case.resolution

    def attend(side, x):
        return kit.attention(case.variant)(x) if side == case.attention_at else x

    def normalize(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    z = keras.Input((case.latent_dim,))
    first = channels_at(resolution, 4, case.width)
    x = normalize(layers.Reshape((4, 4, first))(kit.dense(16 * first)(z)))
    for side in sides(resolution):
        x = attend(side, normalize(kit.up(channels_at(resolution, side, case.width))(x)))
    fake = layers.Activation("tanh")(kit.conv(3, 3, 1)(x))

    x = real = keras.Input((resolution, resolution, 3))
    for side in down_sides(resolution):
        x = kit.conv(channels_at(resolution, side, case.width), 4, 2)(x)
        x = attend(side, layers.LeakyReLU(0.1)(x))
    return keras.Model(z, fake), keras.Model(real, kit.dense(1)(layers.Flatten()(x)))


class PlainAttention(layers.Layer):
    """SAGAN's attention with a map (batch, N, M) and Keras's own gradient.

    Args:
        conv: makes a 1x1 convolution from its number of filters.
        variant: as in `SelfAttention`.
    """

    def __init__(self, conv, variant):
        super().__init__()
        self.conv, self.pooled = conv, variant == "pooled"

    def build(self, shape):
        c = shape[-1]
        self.f, self.g = self.conv(c // 8), self.conv(c // 8)
        self.h = self.conv(c // 2 if self.pooled else c)
        for layer in (self.f, self.g, self.h):
            layer.build(shape)
        if self.pooled:
            self.out = self.conv(c)
            self.out.build((*shape[:-1], c // 2))
        self.gamma = self.add_weight((), initializer="zeros", name="gamma")

    def call(self, x, training=False):
        keys, queries, values = (layer(x, training=training) for layer in (self.f, self.g, self.h))
        if self.pooled:
            keys, values = (ops.max_pool(t, 2, 2) for t in (keys, values))
        q, k, v = (
            ops.reshape(t, (-1, t.shape[1] * t.shape[2], t.shape[3]))
            for t in (queries, keys, values)
        )
        mixed = ops.matmul(ops.softmax(ops.matmul(q, ops.transpose(k, (0, 2, 1)))), v)
        mixed = ops.reshape(mixed, (-1, *x.shape[1:3], v.shape[-1]))
        return x + self.gamma * (self.out(mixed, training=training) if self.pooled else mixed)


def _kit(wrap):
    """Keras's own layers, each wrapped by `wrap`."""

    def conv(filters, kernel_size, strides):
        return wrap(layers.Conv2D(filters, kernel_size, strides, "same"))

    def up(filters):
        return wrap(layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False))

    return SimpleNamespace(
        conv=conv,
        up=up,
        dense=lambda units: wrap(layers.Dense(units)),
        attention=lambda variant: PlainAttention(lambda filters: conv(filters, 1, 1), variant),
    )


class ArticleNorm(layers.Wrapper):
    """The article's normalization: one round at every call, whoever calls.

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
        return self._apply(inputs, kernel / sigma)

    def _apply(self, x, kernel):
        layer = self.layer
        if isinstance(layer, layers.Dense):
            x = tf.matmul(x, kernel)
        elif isinstance(layer, layers.Conv2DTranspose):
            shape = (tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], layer.filters)
            x = tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME")
        else:
            x = tf.nn.conv2d(x, kernel, layer.strides, "SAME")
        return tf.nn.bias_add(x, layer.bias) if layer.use_bias else x

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


KERAS = _kit(layers.SpectralNormalization)
ARTICLE = _kit(ArticleNorm)


class KerasGAN(keras.Model):
    """A GAN as Keras's own examples write it: D on real and fake images joined, then G."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.latent_dim = generator.input_shape[-1]
        self.d_mean, self.g_mean = keras.metrics.Mean("d_loss"), keras.metrics.Mean("g_loss")
        self.built = True

    @property
    def metrics(self):
        return [self.d_mean, self.g_mean]

    def compile(self, g_optimizer, d_optimizer, **options):
        super().compile(**options)
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
        g_optimizer.build(self.generator.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)

    def train_step(self, real):
        batch = tf.shape(real)[0]
        fake = self.generator(tf.random.normal((batch, self.latent_dim)), training=True)
        with tf.GradientTape() as tape:
            scores = self.discriminator(tf.concat([real, fake], 0), training=True)
            d_loss = losses.hinge_d(*tf.split(scores, 2))
        _descend(self.d_optimizer, tape, d_loss, self.discriminator)
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((batch, self.latent_dim)), training=True)
            g_loss = losses.hinge_g(self.discriminator(fake, training=True))
        _descend(self.g_optimizer, tape, g_loss, self.generator)
        self.d_mean.update_state(d_loss)
        self.g_mean.update_state(g_loss)
        return {"d_loss": self.d_mean.result(), "g_loss": self.g_mean.result()}


def _descend(optimizer, tape, loss, model):
    weights = model.trainable_variables
    optimizer.apply(tape.gradient(loss, weights), weights)


def _article(case, eager):
    """The article's way: D called on real and on fake images apart, a plain `tf.function`."""
    g, d = skeleton(case, ARTICLE)
    optimizers, real = ttur.two_time_scale(), images(case)
    for name, model in (("g_optimizer", g), ("d_optimizer", d)):
        optimizers[name].build(model.trainable_variables)

    def noise():
        return tf.random.normal((case.batch, case.latent_dim))

    def step():
        fake = g(noise(), training=True)
        with tf.GradientTape() as tape:
            d_loss = losses.hinge_d(d(real, training=True), d(fake, training=True))
        _descend(optimizers["d_optimizer"], tape, d_loss, d)
        with tf.GradientTape() as tape:
            g_loss = losses.hinge_g(d(g(noise(), training=True), training=True))
        _descend(optimizers["g_optimizer"], tape, g_loss, g)
        return d_loss, g_loss

    return Contender(step if eager else tf.function(step), g, d)
