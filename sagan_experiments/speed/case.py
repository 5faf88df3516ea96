"""What is measured: sizes, contenders, and what attention's maps need at least.

TensorFlow is imported where it is used: a contender that is PyTorch's must not share its threads.
"""

import math
import re
from dataclasses import dataclass

from sagan_lib import checks

CONTENDERS = (
    "ours", "ours_bfloat16", "ours_no_sn", "ours_no_attention", "ours_article", "ours_pooled",
    "keras",
    "keras_default", "article", "article_default", "article_eager", "torch", "torch_tuned",
    "torch_compile",
)  # fmt: skip
#: As a user gets it, who sets nothing: TensorFlow decides by the processor whether oneDNN is on.
#: The other TensorFlow contenders have it on. PyTorch uses it always; "torch_tuned" also lays
#: images out as oneDNN's convolutions want them (channels last).
AS_IT_COMES = "_default"
SIZES = ("32x16", "32x32", "64x32")
RESOLUTIONS = (16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Case:
    """What is trained: SAGAN's sizes, its kind of attention, the images in a D step."""

    resolution: int
    width: int
    batch: int = 64
    variant: str = "article"
    attention_at: int = 16
    latent_dim: int = 128


def case(size, variant="article", batch=64):
    """The case of a size; attention is at its default place.

    Args:
        size: RESOLUTIONxWIDTH, such as "32x16".
        variant: of attention.
        batch: images in a D step.

    Raises:
        TypeError, ValueError: no such size or variant.
    """
    found = re.fullmatch(r"(\d+)x(\d+)", str(size))
    if not found:
        raise ValueError(f"size must be RESOLUTIONxWIDTH, such as 32x16, got {size!r}")
    resolution, width = map(int, found.groups())
    checks.one_of(f"resolution of size {size}", resolution, RESOLUTIONS)
    checks.integer(f"width of size {size}", width, 4, 128)
    if width % 4:
        raise ValueError(f"width of size {size} must be a multiple of 4, got {width}")
    checks.one_of("variant", variant, ("article", "pooled"))
    checks.integer("batch", batch, 1)
    return Case(resolution, width, batch, variant, min(32, resolution // 2))


def attention_work(generator, discriminator, batch):
    """(flops, exps) that attention's maps need in one step, at least.

    One image's map of N x M takes 2 N M (c_qk + c_v) operations forward and twice that backward.
    A step of `GAN` runs G forward on 2 batches and backward on 1, D forward on 3 and backward on
    3 (real, fake, and G's step). A map that is kept needs no new exponentials backward.

    Args:
        generator: with or without attention.
        discriminator: likewise.
        batch: real images in a D step.
    """
    from sagan_lib.attention import attention_layers

    flops = exps = 0
    for model, forward, backward in ((generator, 2, 1), (discriminator, 3, 3)):
        for layer in attention_layers(model):
            flops += batch * layer.map_flops() * (forward + 2 * backward)
            exps += batch * math.prod(layer.map_shape()) * forward
    return flops, exps


def exp_rate(size=2**24, seconds=0.2):
    """Measured float32 exponentials a second of `tf.exp` on this device.

    Args:
        size: of the array.
        seconds: to measure for.
    """
    import tensorflow as tf

    from sagan_lib import cost

    x = tf.random.stateless_uniform((size,), (1, 2), -1.0, 0.0)
    return size / cost.best_time(tf.exp, x, seconds)
