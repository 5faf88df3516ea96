"""Generator and discriminator by name and size: the one place that builds the pair."""

from sagan_lib import checks, dcgan, sagan
from sagan_lib.attention import checked_variant
from sagan_lib.spectral_norm import normalized_layers

KINDS = ("dcgan", "sagan")
#: Which networks are spectrally normalized: name -> (G, D).
NORMALIZED = {"both": (True, True), "d": (False, True), "none": (False, False)}


def build(
    kind="sagan", resolution=32, width=32, latent_dim=64, *, attention_at=None, variant="article",
    sn="both", power_iterations=1, batch_norm=True, slope=None,
):  # fmt: skip
    """The untrained pair (generator, discriminator).

    Args:
        kind: "dcgan" or "sagan".
        resolution: of the images in pixels.
        width: channels at full resolution.
        latent_dim: size of the noise vector.
        attention_at: side of the feature map that attends; None for no attention, and for a DCGAN,
            which has none. The next three are SAGAN's, too.
        variant: of attention.
        sn: which networks are normalized: "both", "d" or "none".
        power_iterations: of every normalized layer.
        batch_norm: of both networks of a DCGAN and of SAGAN's generator: False leaves it out.
        slope: of D's leaky ReLU; by default that of the kind.

    Raises:
        TypeError, ValueError: unknown kind or `sn`, or a size that cannot be built.
    """
    checks.one_of("kind", kind, KINDS)
    checks.one_of("sn", sn, NORMALIZED)
    checks.integer("power_iterations", power_iterations, 1)
    slope = {} if slope is None else {"slope": slope}
    if kind == "dcgan":
        checks.one_of("attention_at of a dcgan", attention_at, [None])
        checked_variant(variant)
        return (
            dcgan.generator(resolution, width, latent_dim, batch_norm),
            dcgan.discriminator(resolution, width, batch_norm, **slope),
        )
    place, (in_g, in_d) = {"attention_at": attention_at, "variant": variant}, NORMALIZED[sn]
    pair = (
        sagan.generator(resolution, width, latent_dim, use_sn=in_g, batch_norm=batch_norm, **place),
        sagan.discriminator(resolution, width, use_sn=in_d, **place, **slope),
    )
    for layer in (layer for model in pair for layer in normalized_layers(model)):
        layer.power_iterations = power_iterations
    return pair
