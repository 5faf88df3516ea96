"""Two discs of one colour, near or far from each other: a data set with a rule of known range.

A face has much to learn besides its eyes. Here the rule is nearly all there is: the two discs
always have the same colour. How far apart they are is the only thing that is varied.
"""

import numpy as np

from sagan_lib import checks
from sagan_lib.datasets.faces import BACKGROUND, HELD_OUT, IRIS, REFERENCE, trainable
from sagan_lib.datasets.source import Source, as_images, from_bytes, to_bytes

RADIUS, JITTER = 3.0, 1.5  # pixels; a disc covers its nominal centre wherever jitter moves it


def _centers(resolution, distance):
    return (resolution - distance) / 2, (resolution + distance) / 2


def _check(resolution, distance):
    checks.integer("resolution", resolution, 20, 256)
    checks.integer("distance", distance, 10, resolution - 10)


class Discs(Source):
    """`size` pictures of two discs of one colour, on a row, on one of five backgrounds.

    Each disc is moved by up to 1.5 pixels on its own, so that they share nothing but colour.

    Args:
        resolution: 20 to 256 pixels.
        size: how many pictures.
        population: which pictures, 0 to 2^64 - 1, but none of `faces.RESERVED`.
        distance: between the discs' nominal centres, in pixels: 10 (they do not overlap) to
            `resolution` - 10 (they stay inside).

    Attributes:
        colours: int (size,), which of `faces.IRIS` both discs have.

    Raises:
        TypeError, ValueError: an argument is out of range, or the population is kept for scoring.
    """

    endless = True
    extractor = "judge"  # it has never seen discs; its features serve them as any network's would
    description = f"pairs of discs of populations {REFERENCE} and {HELD_OUT}, kept for scoring"

    def __init__(self, resolution=32, size=8192, population=0, distance=22):
        _check(resolution, distance)
        checks.integer("size", size, 1)
        self.resolution, self.size, self.distance = resolution, size, distance
        self.population = trainable(population)
        self.images, self.colours = _draw(resolution, size, self.population, distance)

    def held_out(self, real, held_out):
        """As `Source.held_out`: pairs of two populations that nothing is trained on."""
        sizes = {"real": real, "held_out": held_out}
        return tuple(
            from_bytes(_draw(self.resolution, checks.integer(*n, 1), kept, self.distance)[0])
            for n, kept in zip(sizes.items(), (REFERENCE, HELD_OUT), strict=True)
        )


def _draw(resolution, size, population, distance, turns=(0, 0)):
    """(images, uint8 (size, resolution, resolution, 3); colours, int (size,)) of a population.

    `turns` takes the left and the right disc so many colours on.
    """
    rng = np.random.default_rng(population)
    colours = rng.integers(0, len(IRIS), size)
    canvas = np.empty((size, resolution, resolution, 3), np.float32)
    canvas[:] = BACKGROUND[rng.integers(0, len(BACKGROUND), size)][:, None, None]
    axis = np.arange(resolution, dtype=np.float32) + 0.5
    for center, turn in zip(_centers(resolution, distance), turns, strict=True):
        move = rng.uniform(-JITTER, JITTER, (2, size, 1, 1)).astype(np.float32)
        x, y = axis[None, None] - center - move[0], axis[:, None] - resolution / 2 - move[1]
        cover = np.clip(RADIUS + 0.5 - np.hypot(x, y), 0, 1)[..., None]  # edge: one pixel
        inside = IRIS[(colours + turn) % len(IRIS)]
        canvas += cover * (inside[:, None, None] - canvas)
    return to_bytes(canvas * 2 - 1), colours


def recoloured(size, resolution=32, distance=22, turn=1):
    """Pictures in which one disc, the other or both have another colour: does D relate the two?

    Args:
        size: how many pictures, of the population kept for scoring.
        resolution: as for `Discs`.
        distance: likewise.
        turn: so many colours on, at least 1 and fewer than there are.

    Returns:
        float32 (4, size, resolution, resolution, 3) in [-1, 1]: neither disc changed, the left,
        the right, both.
    """
    _check(resolution, distance)
    checks.integer("size", size, 1)
    checks.integer("turn", turn, 1, len(IRIS) - 1)
    turns = (0, 0), (turn, 0), (0, turn), (turn, turn)
    drawn = [_draw(resolution, size, HELD_OUT, distance, pair)[0] for pair in turns]
    return np.stack([from_bytes(images) for images in drawn])


def read(images, distance):
    """The colours of the two discs: the nearest of `faces.IRIS` at their nominal centres.

    Args:
        images: float (n, h, h, 3) in [-1, 1], or uint8.
        distance: as for `Discs`, in pixels.

    Returns:
        int (n, 2): left and right. It always names a colour, whatever is there.
    """
    images = as_images("images", images)
    if images.shape[1] != images.shape[2]:
        raise ValueError(f"images must have shape (n, h, h, 3), got {images.shape}")
    side = images.shape[1]
    _check(side, distance)
    row = slice(side // 2 - 1, side // 2 + 1)
    spots = [
        images[:, row, round(center) - 1 : round(center) + 1].mean((1, 2))
        for center in _centers(side, distance)
    ]
    seen = (np.stack(spots, 1) + 1) / 2
    return ((seen[:, :, None] - IRIS) ** 2).sum(-1).argmin(-1)
