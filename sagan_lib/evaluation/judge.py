"""A small network that reads a face's factors, and the counts the chapters make with it.

It is trained on faces whose two eyes are **independent**, so it is blind to the rule it checks:
it has never learned that a left eye says anything about a right one.
"""

import keras
import numpy as np
from keras import layers

from sagan_lib import checks, shipped
from sagan_lib.datasets import faces
from sagan_lib.datasets.source import as_images, from_bytes, to_bytes

RESOLUTION, BATCH = 32, 128
WEIGHTS = "judge32.weights.h5"


def build():
    """The judge: images (batch, 32, 32, 3) in [-1, 1] -> a dict of class scores (logits)."""
    images = keras.Input((RESOLUTION, RESOLUTION, 3), name="images")
    x = images
    for block, filters in enumerate((24, 48, 64)):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{block}")(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"bn{block}")(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(64, activation="relu", name="features")(layers.Flatten()(x))
    heads = {name: layers.Dense(n, name=name)(x) for name, n in faces.CATEGORIES.items()}
    return keras.Model(images, heads, name="judge")


def train(path, size=40_000, epochs=8, seed=0):
    """Train the judge and write its weights. The recorded command: `python -m sagan_lib judge`.

    Args:
        path: of the file to write.
        size: faces to train on, at least `BATCH`.
        epochs: passes over them.
        seed: of weights, shuffles and noise.

    Returns:
        Its accuracy on fresh faces, {factor: share}.
    """
    checks.integer("size", size, BATCH)
    checks.integer("epochs", epochs, 1)
    checks.integer("seed", seed, 0, 2**31 - 1)
    if not str(path).endswith(".weights.h5"):  # Keras would say so after the training
        raise ValueError(f"path must end in .weights.h5, got {path}")
    keras.utils.set_random_seed(seed)
    record = faces.factors(np.arange(size), faces.JUDGE_TRAINING, independent_eyes=True)
    images = from_bytes(to_bytes(faces.render(record, RESOLUTION)))  # of 256 levels, as data is
    rng = np.random.default_rng(seed)
    images += rng.normal(0, 0.05, images.shape).astype(np.float32)  # generated faces are not clean
    labels = {name: getattr(record, name) for name in faces.CATEGORIES}
    model = build()
    steps = epochs * (size // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), dict.fromkeys(labels, loss))
    model.fit(images, labels, batch_size=BATCH, epochs=epochs, verbose=2)
    model.save_weights(path)
    return accuracy(model)


def accuracy(model, n=4000):
    """Share of fresh faces with independent eyes that are read rightly, {factor: share}.

    Args:
        model: a judge.
        n: faces.
    """
    checks.integer("n", n, 1)
    truth = faces.factors(np.arange(n), faces.JUDGE_TEST, independent_eyes=True)
    reading = read(faces.render(truth, RESOLUTION), model)
    return {
        name: float(np.mean(getattr(reading, name) == getattr(truth, name)))
        for name in faces.CATEGORIES
    }


class Reading(faces.Kinds):
    """What the judge sees: an integer array of length n for each categorical factor."""


_loaded = {}


def load():
    """The trained judge that comes with the book (its checksum is verified)."""
    if not _loaded:
        model = build()
        model.load_weights(shipped.path(WEIGHTS))
        _loaded["judge"] = model
    return _loaded["judge"]


def prepare(images):
    """Images as the judge takes them: checked, float32, resized to 32 pixels with antialias.

    Args:
        images: float (n, h, w, 3) in [-1, 1], or uint8; 32 pixels or larger.

    Raises:
        ValueError: the images have another shape, or values that are not finite.
    """
    images = as_images("images", images)
    if min(images.shape[1:3]) < RESOLUTION:
        raise ValueError(f"images must be at least {RESOLUTION} pixels, got {images.shape[1:3]}")
    if images.shape[1:3] != (RESOLUTION, RESOLUTION):
        size = (RESOLUTION, RESOLUTION)
        images = keras.ops.convert_to_numpy(keras.ops.image.resize(images, size, antialias=True))
    return images


def read(images, model=None):
    """Read the factors of images.

    Args:
        images: float (n, h, w, 3) in [-1, 1], or uint8; 32 pixels or larger; resized with
            antialias.
        model: a judge; by default the one that comes with the book.

    Returns:
        A `Reading` of length n.

    Raises:
        ValueError: the images have another shape, or values that are not finite.
    """
    images = prepare(images)
    scores = (model or load()).predict(images, batch_size=256, verbose=0)
    return Reading(**{name: value.argmax(1).astype(np.int32) for name, value in scores.items()})


def heterochromia(reading):
    """Share of faces whose two irises are read as different colours (0 in the data set)."""
    return float(np.mean(reading.left_iris != reading.right_iris))


def coverage(reading, names=("hair", "skin", "background", "long_hair")):
    """How many combinations of attributes appear: (seen, possible).

    With n images at most n can appear; `expected_coverage` says how many a perfect generator
    shows, which is the number to compare with.

    Args:
        reading: a `Reading`.
        names: the attributes that are combined.
    """
    for name in names:
        checks.one_of("name", name, faces.CATEGORIES)
    table = np.stack([getattr(reading, name) for name in names], 1)
    possible = int(np.prod([faces.CATEGORIES[name] for name in names]))
    return len(np.unique(table, axis=0)), possible


def expected_coverage(n, possible):
    """Distinct combinations that uniform draws show on average: p (1 - (1 - 1/p)^n).

    Args:
        n: draws.
        possible: p, the combinations there are.
    """
    checks.integer("n", n, 1)
    checks.integer("possible", possible, 1)
    return possible * (1 - (1 - 1 / possible) ** n)
