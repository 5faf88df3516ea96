"""Training images: procedural ones whose truth is known, folders of any pictures, CelebA."""

from pathlib import Path

from sagan_lib.datasets import celeba
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.folder import ImageFolder


def by_name(data, resolution, size=50_000, seed=0):
    """The source of images that a recipe or a command line names.

    Args:
        data: "faces"; or the path of a folder or zip. CelebA is recognised by its names.
        resolution: of the images in pixels.
        size: how many different procedural faces there are.
        seed: which population of them.

    Returns:
        A `source.Source`.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: no image in it can be decoded.
    """
    if data == "faces":
        return Faces(resolution, size, seed)
    if celeba.is_celeba(Path(data)):
        return celeba.CelebA(data, resolution)
    return ImageFolder(data, resolution)
