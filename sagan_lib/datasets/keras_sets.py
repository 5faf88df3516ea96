"""The small data sets that Keras knows by name, as a source of images, in colour."""

import numpy as np
from PIL import Image

from sagan_lib import checks
from sagan_lib.datasets.labels import Labels
from sagan_lib.datasets.source import Source

#: Name -> side of its images in pixels.
NAMES = {"cifar10": 32, "cifar100": 32, "fashion_mnist": 28, "mnist": 28}

#: Name -> what its classes are called, in the order of their numbers; words of their authors.
CLASSES = {
    "cifar10": "airplane automobile bird cat deer dog frog horse ship truck",
    "cifar100": (
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus "
        "butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach "
        "couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster "
        "house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree "
        "motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear "
        "pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road "
        "rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar "
        "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip "
        "turtle wardrobe whale willow_tree wolf woman worm"
    ),
    "fashion_mnist": (
        "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle_boot"
    ),
    "mnist": "0 1 2 3 4 5 6 7 8 9",
}


class KerasImages(Source):
    """The training images of one of Keras's data sets; Keras downloads and keeps them.

    Grey becomes colour. At 32 pixels, images of 28 get a border of their own corner's value; at
    other resolutions they are resized with an anti-aliasing filter.

    Args:
        name: of `NAMES`.
        resolution: of the result, 16 to 256 pixels.
        label: "class" labels each image by its class; None for no labels.

    Raises:
        ValueError: unknown name, or no such label.
        OSError: the files are not there and cannot be fetched.
    """

    def __init__(self, name, resolution=32, label=None):
        checks.one_of("data", name, NAMES)
        checks.one_of("label", label, (None, "class"))
        self.resolution = checks.integer("resolution", resolution, 16, 256)
        images, numbers = _load(name)
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
        if label is not None:
            self.label(Labels({"class": CLASSES[name].split()}), numbers.reshape(len(images), 1))

    def taken(self):
        """What was taken, in one line."""
        return f"{self.description}: {self.size}, at {self.resolution} px"


def _load(name):
    import keras

    try:
        (images, numbers), _ = getattr(keras.datasets, name).load_data()
    except Exception as error:  # whatever the download or the file's reader raises
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OSError(
            f"{name}: Keras could not load it ({first}); with a network it is fetched once, "
            "without one put its files into ~/.keras/datasets"
        ) from error
    return np.ascontiguousarray(images), np.asarray(numbers)
