"""The small data sets that Keras knows by name, as a source of images: no labels, in colour."""

import numpy as np
from PIL import Image

from sagan_lib import checks
from sagan_lib.datasets.source import Source

#: Name -> side of its images in pixels.
NAMES = {"cifar10": 32, "cifar100": 32, "fashion_mnist": 28, "mnist": 28}


class KerasImages(Source):
    """The training images of one of Keras's data sets; Keras downloads and keeps them.

    Grey becomes colour. At 32 pixels, images of 28 get a border of their own corner's value; at
    other resolutions they are resized with an anti-aliasing filter.

    Args:
        name: of `NAMES`.
        resolution: of the result, 16 to 256 pixels.

    Raises:
        ValueError: unknown name.
        OSError: the files are not there and cannot be fetched.
    """

    def __init__(self, name, resolution=32):
        checks.one_of("data", name, NAMES)
        self.resolution = checks.integer("resolution", resolution, 16, 256)
        images = _load(name)
        if images.ndim == 3:
            images = np.repeat(images[..., None], 3, -1)  # (n, h, w) -> (n, h, w, 3)
        if images.shape[1] == 28 and resolution == 32:
            images = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), "edge")
        elif images.shape[1] != resolution:
            size = (resolution, resolution)
            resized = (Image.fromarray(i).resize(size, Image.Resampling.LANCZOS) for i in images)
            images = np.stack([np.asarray(image) for image in resized])
        self.images, self.size = images, len(images)
        self.description = f"Keras's {name}: its training images"

    def taken(self):
        """What was taken, in one line."""
        return f"{self.description}: {self.size}, at {self.resolution} px"


def _load(name):
    import keras

    try:
        (images, _), _ = getattr(keras.datasets, name).load_data()
    except Exception as error:  # whatever the download or the file's reader raises
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OSError(
            f"{name}: Keras could not load it ({first}); with a network it is fetched once, "
            "without one put its files into ~/.keras/datasets"
        ) from error
    return np.ascontiguousarray(images)
