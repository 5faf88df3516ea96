"""SAGAN: DCGAN's skeleton with spectral normalization in both nets and self-attention.

After Zhang et al. (2018), arXiv:1805.08318, section 3, and the article's "implementation notes".
At 128 pixels and width 16 the channels are the article's: G 512, 256, 128, 64, 32, 16 from 4x4 to
128x128, D 32, 64, 128, 256, 512 from 64x64 to 4x4.
"""

import functools

import keras
from keras import layers

from sagan_lib import checks
from sagan_lib.attention import SelfAttention, checked_variant
from sagan_lib.dcgan import BatchNormalization, channels_at, check_size, down_sides, sides
from sagan_lib.spectral_norm import SNConv2D, SNConv2DTranspose, SNDense


def default_attention(resolution):
    """Side of the feature map that attends: the article's 32, or half of a smaller picture."""
    return min(32, resolution // 2)


def _attend(side, attention_at, variant, use_sn):
    """The attention layer if this is its place, else nothing."""
    return SelfAttention(variant, use_sn, name="attention") if side == attention_at else lambda x: x


def _check_attention(resolution, attention_at, variant):
    checked_variant(variant)
    if attention_at == "default":
        return default_attention(resolution)
    allowed = [None, *(side for side in sides(resolution) if side < resolution)]
    return checks.one_of("attention_at", attention_at, allowed)


def generator(
    resolution=128, width=16, latent_dim=128, attention_at="default", variant="article",
    use_sn=True, batch_norm=True, name="generator",
):  # fmt: skip
    """SAGAN's generator: z (batch, latent_dim) -> images (batch, resolution, resolution, 3).

    Args:
        resolution: of the images in pixels: 16, 32, 64, 128 or 256.
        width: channels at full resolution, a multiple of 4, at most 128.
        latent_dim: size of the noise vector.
        attention_at: side of the feature map that attends, None for no attention; by default 32,
            or half of the resolution where that is smaller.
        variant: of `SelfAttention`.
        use_sn: spectral normalization of every kernel, the dense layer's too.
        batch_norm: False leaves it out, and gives the convolutions a bias instead.
        name: of the model.

    Returns:
        A `keras.Model`; its images are float32 in [-1, 1].

    Raises:
        TypeError, ValueError: a size, place or variant that cannot be built.
    """
    check_size(resolution, width)
    checks.integer("latent_dim", latent_dim, 1)
    attention_at = _check_attention(resolution, attention_at, variant)
    dense = SNDense if use_sn else layers.Dense
    up = functools.partial(
        SNConv2DTranspose if use_sn else functools.partial(layers.Conv2DTranspose, padding="same"),
        kernel_size=4, strides=2, use_bias=not batch_norm,
    )  # fmt: skip
    conv = SNConv2D if use_sn else functools.partial(layers.Conv2D, padding="same")
    normalize = functools.partial(BatchNormalization, momentum=0.9)
    normalize = normalize if batch_norm else layers.Identity
    first = channels_at(resolution, 4, width)

    z = keras.Input((latent_dim,), name="z")  # (batch, latent_dim) -> (batch, 4, 4, first)
    x = layers.Reshape((4, 4, first))(dense(4 * 4 * first, name="project")(z))
    x = layers.ReLU()(normalize(name="bn4")(x))
    for side in sides(resolution):  # (batch, side/2, side/2, 2c) -> (batch, side, side, c)
        x = up(channels_at(resolution, side, width), name=f"up{side}")(x)
        x = layers.ReLU()(normalize(name=f"bn{side}")(x))
        x = _attend(side, attention_at, variant, use_sn)(x)
    x = conv(3, kernel_size=3, name="to_rgb")(x)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(x), name=name)


def discriminator(
    resolution=128, width=16, attention_at="default", variant="article", use_sn=True, slope=0.1,
    name="discriminator",
):  # fmt: skip
    """SAGAN's discriminator: images (batch, resolution, resolution, 3) -> scores (batch, 1).

    No batch normalization: spectral normalization takes its place. The scores are unbounded.

    Args:
        resolution: of the images in pixels, as in `generator`.
        width: channels at full resolution, as in `generator`.
        attention_at: side of the feature map that attends, as in `generator`.
        variant: of `SelfAttention`, as in `generator`.
        use_sn: spectral normalization, as in `generator`.
        slope: of the leaky ReLU. The article's code has 0.1, its text 0.02, DCGAN 0.2; the
            authors of SAGAN use plain ReLU, which is 0.
        name: of the model.

    Returns:
        A `keras.Model`; its scores are float32 logits.

    Raises:
        TypeError, ValueError: as in `generator`, or a slope outside of [0, 1].
    """
    check_size(resolution, width)
    checks.number("slope", slope, 0, 1)
    attention_at = _check_attention(resolution, attention_at, variant)
    conv = SNConv2D if use_sn else functools.partial(layers.Conv2D, padding="same")
    dense = SNDense if use_sn else layers.Dense

    images = keras.Input((resolution, resolution, 3), name="images")
    x = images
    for side in down_sides(resolution):  # (batch, 2 side, 2 side, c/2) -> (batch, side, side, c)
        filters = channels_at(resolution, side, width)
        x = conv(filters, kernel_size=4, strides=2, name=f"down{side}")(x)
        x = _attend(side, attention_at, variant, use_sn)(layers.LeakyReLU(slope)(x))
    score = dense(1, name="score", dtype="float32")(layers.Flatten()(x))
    return keras.Model(images, score, name=name)
