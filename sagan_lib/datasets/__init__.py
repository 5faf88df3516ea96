"""Training images: procedural ones whose truth is known, folders of any pictures, known sets."""

import os
from pathlib import Path

from sagan_lib.datasets import celeba
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.folder import ImageFolder
from sagan_lib.datasets.keras_sets import NAMES, KerasImages


def by_name(data, resolution, size=50_000, seed=0, crop=None):
    """The source of images that a recipe or a command line names.

    Args:
        data: "faces"; a name of `keras_sets.NAMES`, such as "cifar10"; or the path of a folder or
            zip. CelebA is recognised by its names.
        resolution: of the images in pixels.
        size: how many different procedural faces there are.
        seed: which population of them.
        crop: side of the centred square of own pictures, in pixels of the file; None takes the
            largest square, of CelebA's aligned images the customary 178 pixels.

    Returns:
        A `source.Source`.

    Raises:
        FileNotFoundError: no such folder or zip.
        TypeError: `data` is neither a text nor a path.
        ValueError: no image in it can be decoded, or it is empty.
    """
    if not isinstance(data, str | os.PathLike):
        raise TypeError(f"data must be a name or a path, got {data!r}")
    if not str(data):  # which would be the folder one happens to be in
        raise ValueError(f"data must be a name or a path, got {data!r}")
    if crop is not None and data in ("faces", *NAMES):
        raise ValueError(f"crop is for pictures from files, got {crop} with data {data!r}")
    if data == "faces":
        return Faces(resolution, size, seed)
    if data in NAMES:
        return KerasImages(data, resolution)
    if celeba.is_celeba(Path(data)):
        return celeba.CelebA(data, resolution, crop=crop or celeba.CROP)
    return ImageFolder(data, resolution, crop)
