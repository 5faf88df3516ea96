"""A discriminator that sees patches: what it can enforce is what fits into its receptive field.

With strides of 2 and 4x4 kernels, n convolutions see 10, 22, 46 pixels for n = 2, 3, 4. A 1x1
convolution scores every patch and the mean counts; the idea of scoring patches is that of Isola et
al. (2017), arXiv:1611.07004. A rule between places further apart than a patch is invisible to it.
Attention between the convolutions is the only way round.
"""

import keras
from keras import layers

from sagan_lib import checks
from sagan_lib.attention import SelfAttention
from sagan_lib.spectral_norm import SNConv2D


def receptive_field(depth):
    """Side in pixels of what one score of `discriminator` sees without attention.

    Args:
        depth: convolutions of stride 2.
    """
    field = 1
    for _ in range(checks.integer("depth", depth, 1)):
        field = 2 * field + 2  # kernel 4, stride 2
    return field


def discriminator(resolution, width, depth, attention_at=None, slope=0.1, name="discriminator"):
    """Images (batch, resolution, resolution, 3) -> mean scores of patches (batch, 1).

    Args:
        resolution: of the images in pixels, a multiple of 2**depth.
        width: channels as those of `sagan.discriminator`: `width` times 2 at half the resolution,
            doubled each time the side is halved.
        depth: convolutions of stride 2.
        attention_at: side of the feature map that attends; None for no attention.
        slope: of the leaky ReLU.
        name: of the model.

    Returns:
        A `keras.Model` with spectral normalization everywhere.

    Raises:
        ValueError: the resolution does not fit, or no feature map has the side `attention_at`.
    """
    receptive_field(depth)
    if resolution % 2**depth:
        raise ValueError(f"resolution must be a multiple of {2**depth}, got {resolution}")
    sides = [resolution // 2**k for k in range(1, depth + 1)]
    checks.one_of("attention_at", attention_at, [None, *sides])
    x = images = keras.Input((resolution, resolution, 3), name="images")
    for side in sides:
        x = SNConv2D(width * resolution // side, 4, strides=2, name=f"down{side}")(x)
        x = layers.LeakyReLU(slope)(x)
        if side == attention_at:
            x = SelfAttention(name="attention")(x)
    scores = SNConv2D(1, 1, name="score", dtype="float32")(x)  # (batch, side, side, 1)
    return keras.Model(images, layers.GlobalAveragePooling2D()(scores), name=name)
