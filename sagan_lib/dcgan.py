"""DCGAN: convolutional generator and discriminator that follow all of its guidelines.

After Radford, Metz and Chintala (2015), *Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks*, arXiv:1511.06434, section 3. Kernels are 4x4 as in
the article's code (the paper's are 5x5): with stride 2, every output then sees the same number of
inputs.
"""

import functools

import keras
import tensorflow as tf
from keras import layers

from sagan_lib import checks

RESOLUTIONS = (16, 32, 64, 128, 256)


@keras.saving.register_keras_serializable("sagan_lib")
class BatchNormalization(layers.BatchNormalization):
    """Keras's layer, by TensorFlow's fused kernel where there is one: fewer passes over a batch.

    Maps (batch, h, w, c) of a batch in training are normalized by it; vectors, inference, and
    batches that several devices share go Keras's way. The numbers are Keras's, up to rounding.
    """

    def call(self, inputs, training=None, mask=None):
        ours = training and self.trainable and len(inputs.shape) == 4 and self.axis in (-1, 3)
        if not ours or self.synchronized or mask is not None or getattr(self, "renorm", False):
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        gamma = self.gamma.value if self.scale else tf.ones(channels)
        beta = self.beta.value if self.center else tf.zeros(channels)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, gamma, beta, epsilon=self.epsilon
        )
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
        biased = variance * (count - 1) / count  # as Keras keeps it; the kernel divides by n - 1
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, biased)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return outputs


def channels_at(resolution, side, width):
    """Channels of the feature map of that side: doubled each time the side is halved."""
    return width * resolution // side


def check_size(resolution, width):
    """Refuse sizes that cannot build a network, and say what is allowed.

    Args:
        resolution: one of `RESOLUTIONS`.
        width: a multiple of 4 from 4 to 128.

    Raises:
        TypeError, ValueError: it is none of these.
    """
    # As ~/.keras/keras.json may have it otherwise.
    checks.one_of("image_data_format", keras.config.image_data_format(), ("channels_last",))
    checks.one_of("resolution", resolution, RESOLUTIONS)
    checks.integer("width", width, 4, 128)
    if width % 4:
        raise ValueError(f"width must be a multiple of 4, got {width}")


def sides(resolution):
    """Sides of the generator's feature maps after the first: 8, 16, ..., resolution."""
    return [side for side in (8, 16, 32, 64, 128, 256) if side <= resolution]


def down_sides(resolution):
    """Sides of the discriminator's feature maps: resolution / 2, ..., 8, 4."""
    return [*reversed(sides(resolution)[:-1]), 4]


def generator(resolution=32, width=32, latent_dim=128, batch_norm=True, name="generator"):
    """DCGAN's generator: z (batch, latent_dim) -> images (batch, resolution, resolution, 3).

    Transposed convolutions of stride 2, batch normalization and ReLU after each but the last,
    tanh at the end, weights from N(0, 0.02).

    Args:
        resolution: of the images in pixels: 16, 32, 64, 128 or 256.
        width: channels at full resolution if there were no output layer; a multiple of 4, at
            most 128.
        latent_dim: size of the noise vector.
        batch_norm: False leaves it out, to measure what it does.
        name: of the model.

    Returns:
        A `keras.Model`; its images are float32 in [-1, 1].

    Raises:
        TypeError, ValueError: a size that cannot be built.
    """
    check_size(resolution, width)
    checks.integer("latent_dim", latent_dim, 1)
    init = keras.initializers.RandomNormal(stddev=0.02)
    up = functools.partial(
        layers.Conv2DTranspose, kernel_size=4, strides=2, padding="same", kernel_initializer=init
    )
    first, bias = channels_at(resolution, 4, width), not batch_norm

    def activate(x, side):
        if batch_norm:
            x = BatchNormalization(momentum=0.9, name=f"bn{side}")(x)
        return layers.ReLU()(x)

    z = keras.Input((latent_dim,), name="z")  # (batch, latent_dim) -> (batch, 4, 4, first)
    x = layers.Dense(4 * 4 * first, use_bias=bias, kernel_initializer=init, name="project")(z)
    x = activate(layers.Reshape((4, 4, first))(x), 4)
    for side in sides(resolution)[:-1]:  # (batch, side/2, side/2, 2c) -> (batch, side, side, c)
        x = up(channels_at(resolution, side, width), use_bias=bias, name=f"up{side}")(x)
        x = activate(x, side)
    # No batch normalization at the output, so that G can learn the data's mean and scale.
    x = up(3, name="to_rgb")(x)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(x), name=name)


def discriminator(resolution=32, width=32, batch_norm=True, slope=0.2, name="discriminator"):
    """DCGAN's discriminator: images (batch, resolution, resolution, 3) -> scores (batch, 1).

    Convolutions of stride 2 instead of pooling, batch normalization after each but the first,
    leaky ReLU, weights from N(0, 0.02). The score is unbounded; the loss applies the sigmoid.

    Args:
        resolution: of the images in pixels, as in `generator`.
        width: channels at full resolution, as in `generator`.
        batch_norm: False leaves it out, as chapter 1 does.
        slope: of the leaky ReLU for negative inputs, in [0, 1]; 0 is plain ReLU.
        name: of the model.

    Returns:
        A `keras.Model`; its scores are float32 logits.

    Raises:
        TypeError, ValueError: a size that cannot be built, or a slope out of range.
    """
    check_size(resolution, width)
    checks.number("slope", slope, 0, 1)
    init = keras.initializers.RandomNormal(stddev=0.02)
    images = keras.Input((resolution, resolution, 3), name="images")
    x = images
    for side in down_sides(resolution):  # (batch, 2 side, 2 side, c/2) -> (batch, side, side, c)
        plain = not batch_norm or side == resolution // 2
        x = layers.Conv2D(
            channels_at(resolution, side, width), 4, 2, "same", use_bias=plain,
            kernel_initializer=init, name=f"down{side}",
        )(x)  # fmt: skip
        if not plain:
            x = BatchNormalization(momentum=0.9, name=f"bn{side}")(x)
        x = layers.LeakyReLU(slope)(x)
    x = layers.Flatten()(x)
    score = layers.Dense(1, kernel_initializer=init, dtype="float32", name="score")(x)
    return keras.Model(images, score, name=name)
