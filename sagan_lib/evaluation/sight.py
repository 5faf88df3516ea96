"""How far a discriminator can see: which changes of a picture it can relate to each other.

A score that is a sum of what its parts found cannot hold one part against another, whatever its
weights. The mixed second difference tells: it is zero exactly where nothing relates the two.
"""

import numpy as np

from sagan_lib.datasets.source import as_images


def related(discriminator, pictures):
    """How much a score depends on two changes together, against how much on each by itself.

    With s the score of a picture, ``|s(both) - s(first) - s(second) + s(neither)|`` is held against
    the mean of ``|s(first) - s(neither)|`` and ``|s(second) - s(neither)|``.

    Args:
        discriminator: a model that gives a score for each image.
        pictures: four batches (n, h, w, 3) in [-1, 1] of the same pictures: with neither change,
            the first, the second, both; such as `discs.recoloured` gives.

    Returns:
        The ratio of the two means over the pictures: 0 if the score is a sum of one part that sees
        the first change only and one that sees the second only; rounding leaves about 1e-6.

    Raises:
        ValueError: there are not four batches of one shape, or neither change moves the score.
    """
    pictures = [as_images(f"pictures[{k}]", batch) for k, batch in enumerate(pictures)]
    shapes = {batch.shape for batch in pictures}
    if len(pictures) != 4 or len(shapes) != 1:
        raise ValueError(f"pictures must be four batches of one shape, got {len(pictures)} of "
                         f"{sorted(shapes)}")  # fmt: skip
    scores = np.array([
        np.asarray(discriminator(batch, training=False), float).reshape(len(batch), -1).sum(1)
        for batch in pictures
    ])  # fmt: skip
    neither, first, second, both = scores
    alone = np.abs(first - neither).mean() + np.abs(second - neither).mean()
    if not alone > 0:
        raise ValueError("pictures must differ in what the discriminator scores")
    return float(np.abs(both - first - second + neither).mean() / (alone / 2))
