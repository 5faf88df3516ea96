"""Labels: a generator that is asked for a kind of picture, and a discriminator that checks it.

- conditional batch normalization: Dumoulin, Shlens and Kudlur (2016), arXiv:1610.07629, equation 5;
  de Vries et al. (2017), arXiv:1707.00683;
- the projection discriminator: Miyato and Koyama (2018), *cGANs with Projection Discriminator*,
  arXiv:1802.05637, equation 3;
- labels joined to the inputs: Mirza and Osindero (2014), arXiv:1411.1784.

A label is a vector y, with a 1 for each value that an image has (`datasets.labels`).
"""

import itertools

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from sagan_lib import checks
from sagan_lib.callbacks import Gap
from sagan_lib.datasets.labels import Labels
from sagan_lib.dcgan import BatchNormalization
from sagan_lib.gan import GAN
from sagan_lib.sampling import generate
from sagan_lib.spectral_norm import SNDense

#: How a generator is told the label, and how a discriminator is.
TELL_G, TELL_D = ("normalize", "join"), ("project", "concatenate")


@keras.saving.register_keras_serializable("sagan_lib")
class ConditionalBatchNormalization(BatchNormalization):
    """Batch normalization with a gain and an offset for each class; moments of all together.

    [x, y] -> x_hat * (1 + y G) + y B, x_hat being x less its mean, by its deviation. G and B start
    at zero, so that all classes begin alike.

    Args:
        options: of `keras.layers.BatchNormalization`; "scale" and "center", whose gamma and beta
            are the classes' here, must be False where they are given.

    Attributes:
        gains: G, (width of y, channels). offsets: B, likewise.
    """

    def __init__(self, **options):
        for name in ("scale", "center"):
            checks.one_of(name, options.setdefault(name, False), [False])
        super().__init__(**options)

    def build(self, input_shape):
        inputs, label = input_shape
        super().build(inputs)
        self.input_spec = None  # Keras's speaks of one input
        shape = label[-1], inputs[self.axis]
        self.gains = self.add_weight(shape, "zeros", name="gains")
        self.offsets = self.add_weight(shape, "zeros", name="offsets")

    def call(self, inputs, training=None):
        x, y = inputs  # (batch, ..., c), (batch, width)
        x, y = super().call(x, training=training), ops.cast(y, self.compute_dtype)
        spread = (-1, *[1] * (len(x.shape) - 2), x.shape[-1])  # (batch, c) -> (batch, 1, 1, c)
        gain, offset = (ops.reshape(y @ table, spread) for table in (self.gains, self.offsets))
        return x * (1 + gain) + offset

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def generator(network, width, how="normalize"):
    """A generator that is told a label: [z (batch, latent_dim), y (batch, width)] -> images.

    Its layers are the given network's, with the same weights. What is told starts anew: the batch
    normalizations that become conditional, or, where y is joined, the first layer, which sees more.

    Args:
        network: a generator without labels, a chain of layers such as `sagan.generator` makes.
        width: of a label's vector, `Labels.width`.
        how: "normalize": each batch normalization becomes a conditional one; "join": y is joined
            to z.

    Returns:
        A `keras.Model`.

    Raises:
        ValueError: the network is no chain, or has no batch normalization to tell.
    """
    chain = _chain(network)
    checks.one_of("how", how, TELL_G)
    z, y = network.inputs[0], keras.Input((checks.integer("width", width, 1),), name="label")
    z = keras.Input(z.shape[1:], name="z")
    norms = [layer for layer in chain if isinstance(layer, layers.BatchNormalization)]
    if how == "normalize" and not norms:
        raise ValueError(f"network {network.name} has no batch normalization, so how must be "
                         "'join', got 'normalize'")  # fmt: skip
    x = z if how == "normalize" else layers.Concatenate()([z, y])
    for layer in chain:
        if how == "normalize" and layer in norms:
            plain = layer.get_config() | {"scale": False, "center": False}
            x = ConditionalBatchNormalization.from_config(plain)([x, y])
        else:
            x = _again(layer, x)
    return keras.Model([z, y], x, name=network.name)


def discriminator(network, width, how="project"):
    """A discriminator that is told a label: [images, y (batch, width)] -> scores (batch, 1).

    Its layers are the given network's, with the same first weights; but where y is concatenated,
    the first layer sees more and so has fresh ones.

    Args:
        network: a discriminator without labels, a chain of layers that ends in a dense one.
        width: of a label's vector, `Labels.width`.
        how: "project" adds y^T V phi to the score, phi being what the last layer sees, V an
            embedding that is spectrally normalized where the last layer is; "concatenate" lays y
            beside the colours of every pixel.

    Returns:
        A `keras.Model`; its scores are float32 logits.

    Raises:
        ValueError: the network is no chain, or does not end in a dense layer of one unit.
    """
    *chain, last = _chain(network)
    checks.one_of("how", how, TELL_D)
    if not isinstance(last, layers.Dense) or last.units != 1:
        raise ValueError(f"network {network.name} must end in Dense(1), got {last}")
    images = keras.Input(network.inputs[0].shape[1:], name="images")
    y = keras.Input((checks.integer("width", width, 1),), name="label")
    x = images
    if how == "concatenate":  # (batch, width) -> (batch, h, w, width)
        height, across = images.shape[1:3]
        maps = layers.Reshape((height, across, width))(layers.RepeatVector(height * across)(y))
        x = layers.Concatenate()([images, maps])
    for layer in chain:
        x = _again(layer, x)
    score = _again(last, x)
    if how == "project":
        dense = SNDense if isinstance(last, SNDense) else layers.Dense
        embedding = dense(x.shape[-1], use_bias=False, name="label_embedding", dtype="float32")
        matched = layers.Dot(1, dtype="float32", name="match")([embedding(y), x])  # y^T V phi
        score = layers.Add(dtype="float32", name="score_of_both")([score, matched])
    return keras.Model([images, y], score, name=network.name)


def _chain(network):
    """The layers of a network after its input, each of which takes what the one before gives."""
    checks.network("network", network)
    for before, after in itertools.pairwise(network.layers):
        if after.input is not before.output:
            raise ValueError(
                f"network {network.name} must be a chain of layers, but {after.name} does not take "
                f"what {before.name} gives, or not it alone"
            )
    return network.layers[1:]


def _again(layer, x):
    """The output of a layer's copy on `x`; it has the layer's weights where their shapes fit."""
    copy = layer.__class__.from_config(layer.get_config())
    x, weights = copy(x), layer.get_weights()
    if [w.shape for w in weights] == [tuple(w.shape) for w in copy.weights]:
        copy.set_weights(weights)
    return x


class LabelledGap(Gap):
    """As `callbacks.Gap`, each image with its label; generated ones have those of the held-out.

    Args:
        source: the `Source` that is trained on, with labels.
        held_out: a pair: images float (n, h, w, 3) in [-1, 1], and their labels, int (n, factors).
        labels: the `Labels`.

    Raises:
        TypeError, ValueError: `held_out` is no such pair, or not as many of both.
    """

    def __init__(self, source, held_out, labels):
        if not isinstance(held_out, tuple | list) or len(held_out) != 2:
            raise ValueError("held_out must be a pair (images, labels), got "
                             f"{type(held_out).__name__}")  # fmt: skip
        images, numbers = held_out
        super().__init__(source, images)
        numbers = labels.checked(numbers)
        if len(images) != len(numbers):
            raise ValueError("held_out must be as many images as labels, got "
                             f"{len(images)} and {len(numbers)}")  # fmt: skip
        some = source.pairs(len(self.training), count=1)  # the images of `Gap`, once more
        both = next(iter(some))[1].numpy(), numbers[: len(self.held_out)]
        self.vectors = [labels.vectors(each) for each in both]

    def sets(self):
        """As `Gap.sets`."""
        of_training, others = self.vectors
        fake = self.model.sample(len(others), ema=False, label=others)
        return (self.training, of_training), (self.held_out, others), (fake, others)


@keras.saving.register_keras_serializable("sagan_lib")
class ConditionalGAN(GAN):
    """A `GAN` on images with labels: G is asked for a label, D is told what was asked.

    A generated image gets the label of the real image beside it: so both have the same labels, D
    can tell nothing from a label alone, and the labels of step k are those of its images.

    `fit` takes a `Source` with labels, arrays with `y=`, or a dataset of (images, labels); its
    `held_out` is a pair of both. Labels are integers (n, factors), or (n,) of one factor.

    Args:
        generator: functional model, [z, y] -> images, such as `generator` makes.
        discriminator: functional model, [images, y] -> scores.
        labels: a `Labels`, or what it is made of: {factor: names}, or the number of classes.
        options: of `GAN`.

    Attributes:
        labels: the `Labels`.
    """

    _unused = ("sample_weight", "class_weight")

    def __init__(self, generator, discriminator, labels, **options):
        super().__init__(generator, discriminator, **options)
        self.labels = labels if isinstance(labels, Labels) else Labels(labels)
        takes = [tuple(x.shape) for x in generator.inputs[1:]]
        if takes != [(None, self.labels.width)]:
            raise ValueError(f"generator must take z and labels (None, {self.labels.width}) of "
                             f"{self.labels}, got {takes}")  # fmt: skip

    def d_step(self, real, z, index=0):
        """As `GAN.d_step`.

        Args:
            real: [images (batch, h, w, 3), y (batch, width)].
            z: noise (batch, latent_dim).
            index: number of this D step within the training step.
        """
        return super().d_step(real, [z, real[1]], index)

    def g_step(self, z, real):
        """As `GAN.g_step`.

        Args:
            z: noise (batch, latent_dim).
            real: as in `d_step`; its labels are what G is asked for.
        """
        return super().g_step([z, real[1]], real)

    def sample(self, n, seed=0, truncation=None, ema=True, batch_size=64, label=None):
        """Generate images of a label.

        Args:
            n: how many.
            seed: of the noise, and of labels that are drawn; image i is the same for every n.
            truncation: as in `GAN.sample`.
            ema: use the averaged generator, else the current one.
            batch_size: images at a time.
            label: as in `Labels.numbers`: one for all or a list, None draws; or vectors as the
                generator takes them, float (n, width), such as mixtures of two labels.

        Returns:
            numpy float32 (n, h, w, 3) in [-1, 1].

        Raises:
            ValueError: no such label; the message lists those there are.
        """
        if not (isinstance(label, np.ndarray) and label.dtype.kind == "f"):
            label = self.labels.vectors(self.labels.numbers(n, label, seed))
        model = self.ema_generator if ema else self.generator
        return generate(model, n, seed, truncation, batch_size, label)

    def _check_inputs(self):
        """Networks of two inputs are right here."""

    def _checked(self, pair):
        """[images, y] of a batch (images, labels)."""
        pair = pair if isinstance(pair, tuple) else (pair,)
        if len(pair) < 2 or any(each is not None for each in pair[2:]) or pair[1] is None:
            raise ValueError("a batch must be a pair (images, labels), got "
                             f"{[type(each).__name__ for each in pair]}")  # fmt: skip
        images, labels = super()._checked(pair[0]), tf.convert_to_tensor(pair[1])
        if len(self.labels.sizes) == 1 and len(labels.shape) == 1:
            labels = labels[:, None]
        wanted = images.shape[0], len(self.labels.sizes)
        if not labels.dtype.is_integer or not labels.shape.is_compatible_with(wanted):
            raise ValueError(f"labels of a batch must be integers of shape {wanted}, got "
                             f"{labels.dtype.name} {labels.shape}")  # fmt: skip
        labels = tf.cast(labels, tf.int64)  # uint8 does not hold all sizes; one_hot takes few types
        known = tf.reduce_all((labels >= 0) & (labels < self.labels.sizes))
        alike = tf.equal(tf.shape(images)[0], tf.shape(labels)[0])
        said = [f"as many labels as images, and each one of {self.labels}; got", labels]
        with tf.control_dependencies([tf.debugging.Assert(known & alike, said)]):
            columns = zip(tf.unstack(labels, axis=1), self.labels.sizes, strict=True)
            return [images, tf.concat([tf.one_hot(x, size) for x, size in columns], 1)]

    def _parts(self, real):
        return [[*part] for part in zip(*(tf.split(x, self.n_dis) for x in real), strict=True)]

    def _shown(self, fake, z):
        return [fake, z[1]]

    def _batches(self, source, *which):
        if source.labels != self.labels:
            has = f"those of {source.labels}" if source.labels else "none"
            raise ValueError(f"x must have the labels {self.labels}, got {has}")
        return source.pairs(*which)

    def _gap(self, source, held_out):
        return LabelledGap(source, held_out, self.labels)

    def get_config(self):
        return super().get_config() | {"labels": self.labels.factors}
