"""What is measured. Free of TensorFlow, whose threads a contender in PyTorch must not share."""

import re
from typing import NamedTuple

CONTENDERS = (
    "ours", "ours_bfloat16", "ours_no_sn", "ours_no_attention", "ours_pooled", "keras",
    "keras_default", "article", "article_default", "torch", "torch_tuned", "torch_compile",
)  # fmt: skip
#: As a user gets it, who sets nothing: TensorFlow decides by the processor whether oneDNN is on.
#: The other TensorFlow contenders have it on. PyTorch uses it always; "torch_tuned" also lays
#: images out as oneDNN's convolutions want them (channels last).
AS_IT_COMES = "_default"
#: The contenders with other attention than the article's.
VARIANT = {"ours_no_attention": "none", "ours_pooled": "pooled"}
SIZES = ("32x16", "32x32", "64x32")


class Case(NamedTuple):
    """What is trained: SAGAN's sizes, and the images in a D step."""

    resolution: int
    width: int
    batch: int = 64
    attention_at: int = 16
    latent_dim: int = 128


class Contender(NamedTuple):
    """A way to train: `step()` does one step of D and of G and gives (d_loss, g_loss)."""

    step: object
    generator: object
    discriminator: object


def case(size, batch=64):
    """The case of a size; attention is at its default place.

    Args:
        size: RESOLUTIONxWIDTH, such as "32x16"; what cannot be built is told when it is built.
        batch: images in a D step.

    Raises:
        ValueError: not of this form.
    """
    found = re.fullmatch(r"(\d+)x(\d+)", str(size))
    if not found:
        raise ValueError(f"size must be RESOLUTIONxWIDTH, such as 32x16, got {size!r}")
    resolution, width = map(int, found.groups())
    return Case(resolution, width, batch, min(32, resolution // 2))
