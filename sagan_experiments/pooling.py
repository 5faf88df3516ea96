"""DCGAN's discriminator with pooling in place of strides: what the first of its rules replaced."""

import keras
from keras import layers

from sagan_lib import checks, dcgan


def discriminator(resolution=32, width=32, slope=0.2, name="discriminator"):
    """As `dcgan.discriminator`, but every convolution keeps the size and a 2x2 maximum halves it.

    The kernels have the same shapes, so both networks have the same number of parameters; this one
    computes four times as much, because it convolves before it throws positions away.

    Args:
        resolution: of the images in pixels.
        width: channels at full resolution.
        slope: of the leaky ReLU, in [0, 1].
        name: of the model.

    Returns:
        A `keras.Model`: images (batch, resolution, resolution, 3) -> scores (batch, 1).
    """
    dcgan.check_size(resolution, width)
    checks.number("slope", slope, 0, 1)
    init = keras.initializers.RandomNormal(stddev=0.02)
    x = images = keras.Input((resolution, resolution, 3), name="images")
    for side in dcgan.down_sides(resolution):  # (b, 2 side, 2 side, c/2) -> (b, side, side, c)
        first = side == resolution // 2
        channels = dcgan.channels_at(resolution, side, width)
        x = layers.Conv2D(channels, 4, 1, "same", use_bias=first, kernel_initializer=init,
                          name=f"conv{side}")(x)  # fmt: skip
        x = layers.MaxPooling2D()(x)
        if not first:
            x = dcgan.BatchNormalization(momentum=0.9, name=f"bn{side}")(x)
        x = layers.LeakyReLU(slope)(x)
    x = layers.Flatten()(x)
    score = layers.Dense(1, kernel_initializer=init, dtype="float32", name="score")(x)
    return keras.Model(images, score, name=name)
