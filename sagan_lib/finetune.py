"""Going on from a trained pair with pictures of another kind, of which there are few.

Both networks begin with the trained ones' weights: D's matter more than G's (Wang et al., 2018,
*Transferring GANs*, arXiv:1805.01677). The first layers of D may stay as they are meanwhile: what
they see is no matter of the kind, and fewer weights learn few pictures by heart less soon (Mo, Cho
and Shin, 2020, *Freeze the Discriminator*, arXiv:2002.10964).
"""

from itertools import zip_longest

import keras

from sagan_lib import checks


def start(pair, trained, frozen=0):
    """Give networks the weights of a trained pair; then make a new `GAN` of them and compile it.

    Args:
        pair: the (generator, discriminator) that are to go on, of the trained ones' shapes.
        trained: the `GAN` to go on from. Its generator of the last step counts, not the averaged
            one, for it is the one that its discriminator stands against.
        frozen: so many first layers of D stay as they are, as in `freeze`.

    Raises:
        TypeError: `trained` is no GAN.
        ValueError: a weight of another name or shape, which the message names; nothing is changed
            then. Or D has no more layers than `frozen`.
    """
    if not hasattr(trained, "ema_generator"):
        raise TypeError(f"trained must be a GAN, got {type(trained).__name__}")
    sources = trained.generator, trained.discriminator
    for ours, theirs in zip(pair, sources, strict=True):
        _check_alike(ours, theirs)
    freeze(pair[1], frozen)
    for ours, theirs in zip(pair, sources, strict=True):
        ours.set_weights(theirs.get_weights())


def freeze(discriminator, frozen):
    """Let the first layers of D stay as they are, before the `GAN` is made or compiled.

    Args:
        discriminator: a functional model.
        frozen: how many of its layers with a kernel, counted from the images, 0 to all but one.
            What stands between them stays, too, such as a batch normalization: its moments then
            are those that it has.

    Raises:
        TypeError, ValueError: no such count, or no model.
    """
    if not isinstance(discriminator, keras.Model):
        raise TypeError(f"discriminator must be a keras.Model, got {discriminator!r}")
    kernels = [k for k, layer in enumerate(discriminator.layers) if hasattr(layer, "kernel")]
    checks.integer("frozen", frozen, 0, len(kernels) - 1)
    for layer in discriminator.layers[: kernels[frozen]] if frozen else ():
        layer.trainable = False


def freeze_again(*networks):
    """Freeze in loaded networks what was frozen: Keras forgets it of layers inside of layers.

    Args:
        networks: functional models.
    """
    for layer in (layer for net in networks for layer in net.layers if not layer.trainable):
        layer.trainable = True  # else Keras takes what follows for no change
        layer.trainable = False


def _check_alike(ours, theirs):
    """ValueError unless two networks have weights of the same names and shapes."""
    named = [[(w.path, tuple(w.shape)) for w in net.weights] for net in (ours, theirs)]
    for pair in zip_longest(*named, fillvalue=("nothing", ())):
        if pair[0] != pair[1]:
            (name, shape), (other, before) = pair
            raise ValueError(
                f"trained must be a pair of the same networks, got {other} {before} in its "
                f"{theirs.name} for {name} {shape}: give the same kind, resolution, width, "
                "latent_dim, attention and label"
            )
