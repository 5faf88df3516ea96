"""What D is shown of a picture: differentiable augmentation, for those who have few pictures.

With few pictures D learns them by heart, and may then tell G less and less. So D never sees a
picture as it is: real and generated ones alike are changed at random first, and the gradient runs
back through the change to G (Zhao et al., 2020, *Differentiable Augmentation for Data-Efficient GAN
Training*, arXiv:2006.10738, equations 4 to 6, whose three policies with their ranges these are).
As both are changed alike, G has no reason to draw the change itself, unless it hides too much
(Karras et al., 2020, arXiv:2006.06676, section 2.2).

"flip" is of another kind: it mirrors real pictures alone, half of them. So it says that a mirrored
picture would be a picture of yours as well, and G will draw such ones. Of faces that is so; of
letters, clocks or cars in traffic it is not.

An augmentation is a function of pictures and of numbers from 0 to 1; who draws the numbers decides
what is repeated. `GAN` draws them from (seed, step), so that a resumed run is exact.
"""

import dataclasses
from dataclasses import dataclass

import tensorflow as tf

from sagan_lib import checks


def color(images, draws, strength=1.0):
    """Brightness by up to 0.5, saturation by a factor of 0 to 2, contrast by one of 0.5 to 1.5.

    Args:
        images: float (n, h, w, 3) in [-1, 1].
        draws: three numbers from 0 to 1 for each image, (n, 3).
        strength: 0 leaves the images as they are, 1 is the paper's.
    """
    brightness, saturation, contrast = (x[:, None, None, None] for x in tf.unstack(draws, axis=1))
    images += strength * (brightness - 0.5)
    grey = tf.reduce_mean(images, 3, keepdims=True)  # (n, h, w, 1)
    images = grey + (1 + strength * (2 * saturation - 1)) * (images - grey)
    mean = tf.reduce_mean(images, (1, 2, 3), keepdims=True)  # (n, 1, 1, 1)
    return mean + (1 + strength * (contrast - 0.5)) * (images - mean)


def _moved(size, draws, most):
    """Matrices that move by -`most` to `most` places: 0 and 1, (n, size, size)."""
    shift = tf.floor(draws * (2 * most + 1)) - most
    origin = tf.range(size) - tf.cast(shift, tf.int32)[:, None]  # (n, size)
    return tf.one_hot(origin, size, dtype=draws.dtype)  # a row of zeros where none comes from


def translation(images, draws, strength=1.0):
    """A move by up to an eighth of the side, both ways; what comes in is grey, 0.

    Args:
        images: float (n, h, w, 3).
        draws: two numbers for each image, (n, 2): of the move down and to the right.
        strength: of an eighth.
    """
    height, width = images.shape[1:3]
    rows = _moved(height, draws[:, 0], int(strength * height / 8))
    columns = _moved(width, draws[:, 1], int(strength * width / 8))
    # As products: their gradient is a product, too, while that of a look-up adds in any order.
    return tf.einsum("nxj,nyjc->nyxc", columns, tf.einsum("nyi,nijc->nyjc", rows, images))


def _inside(size, draws, side):
    """Which places lie in an interval of length `side` around any place: bool (n, size)."""
    first = tf.floor(draws * (size + 1 - side % 2)) - side // 2
    place = tf.range(size, dtype=draws.dtype) - first[:, None]
    return (place >= 0) & (place < side)


def cutout(images, draws, strength=1.0):
    """A square of half the side, around any place, becomes grey, 0.

    Args:
        images: float (n, h, w, 3).
        draws: two numbers for each image, (n, 2): of the square's row and column.
        strength: of half the side.
    """
    height, width = images.shape[1:3]
    rows = _inside(height, draws[:, 0], int(strength * height / 2))
    columns = _inside(width, draws[:, 1], int(strength * width / 2))
    hidden = rows[:, :, None] & columns[:, None, :]  # (n, h, w)
    return tf.where(hidden[..., None], tf.zeros_like(images), images)


#: Name -> (the policy, its columns of the draws). They are applied in this order.
POLICIES = {"color": (color, slice(0, 3)), "translation": (translation, slice(3, 5)),
            "cutout": (cutout, slice(5, 7))}  # fmt: skip
COIN, FLIP = 7, 8
#: Numbers that an image takes, whichever policies are chosen: so "color" alone draws the same
#: colours as "color,cutout".
DRAWS = 9


@dataclass(frozen=True)
class Augmentation:
    """Chosen policies, as a function.

    Args:
        policies: names of `POLICIES` and "flip", with commas, such as "color,translation,cutout".
        probability: that a picture is changed at all, 0 to 1. Flips do not ask it.
        strength: of each policy, 0 to 1.

    Raises:
        TypeError, ValueError: an unknown policy, none or one twice, or a number that cannot be.
    """

    policies: str
    probability: float = 1.0
    strength: float = 1.0

    def __post_init__(self):
        if not isinstance(self.policies, str):
            raise TypeError(f"policies must be a text, got {self.policies!r}")
        for name in self.names:
            checks.one_of("policies", name, [*POLICIES, "flip"])
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"policies must name each one once, got {self.policies!r}")
        checks.number("probability", self.probability, 0, 1)
        checks.number("strength", self.strength, 0, 1)

    @property
    def names(self):
        """The chosen policies, a list."""
        return [name.strip() for name in self.policies.split(",")]

    def __call__(self, images, draws, real=False):
        """The images as D is to see them.

        Args:
            images: float (n, h, w, 3) in [-1, 1].
            draws: numbers from 0 to 1, float (n, DRAWS).
            real: whether they are real ones, of which "flip" mirrors half.

        Returns:
            Images of the same shape; brightness and contrast may leave [-1, 1].

        Raises:
            ValueError: images or draws of other shapes.
        """
        if len(images.shape) != 4 or images.shape[3] != 3 or None in images.shape[1:]:
            raise ValueError(f"images must have shape (n, h, w, 3), got {images.shape}")
        if len(draws.shape) != 2 or draws.shape[1] != DRAWS:
            raise ValueError(f"draws must have shape (n, {DRAWS}), got {draws.shape}")
        draws = tf.cast(draws, images.dtype)
        coin = draws[:, COIN, None, None, None]
        if real and "flip" in self.names:
            mirrored = draws[:, FLIP, None, None, None] < 0.5
            images = tf.where(mirrored, tf.reverse(images, [2]), images)
        changed = images
        for name, (policy, columns) in POLICIES.items():
            if name in self.names:
                changed = policy(changed, draws[:, columns], self.strength)
        if self.probability == 1:
            return changed
        return tf.where(coin < self.probability, changed, images)

    def get_config(self):
        """What makes it again, a dict."""
        return dataclasses.asdict(self)


def augmentation(augment):
    """An `Augmentation`, or None for none.

    Args:
        augment: one, its policies as a text, its config, or None.

    Raises:
        TypeError, ValueError: it is none of them.
    """
    if augment is None or isinstance(augment, Augmentation):
        return augment
    if isinstance(augment, dict):
        return Augmentation(**augment)
    if not isinstance(augment, str):
        raise TypeError(f"augment must be a text or an Augmentation, got {augment!r}")
    try:
        return Augmentation(augment)
    except ValueError as error:
        raise ValueError(f"augment: {error}") from None
