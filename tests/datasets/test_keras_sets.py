"""Keras's data sets by name: colours, sizes, batches, and a network that is not there."""

import keras
import numpy as np
import pytest

from sagan_lib.datasets import keras_sets, registry
from sagan_lib.datasets.keras_sets import KerasImages


def pretend(monkeypatch, name, images, numbers=None):
    """Keras gives these images; no download."""
    loaded = (images, np.zeros(len(images)) if numbers is None else numbers), (images, None)
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: loaded)


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist"])
def test_grey_becomes_colour_with_a_border(monkeypatch, name):
    grey = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    pretend(monkeypatch, name, grey)
    source = registry.by_name(name, 32)
    assert isinstance(source, KerasImages)
    assert source.images.shape == (5, 32, 32, 3)
    np.testing.assert_array_equal(source.images[:, 2:-2, 2:-2], np.stack([grey] * 3, -1))
    np.testing.assert_array_equal(source.images[:, 0, 0, 0], grey[:, 0, 0])
    assert source.taken() == f"Keras's {name}: its training images: 5, at 32 px"


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_colours_are_kept_and_other_sizes_resized(monkeypatch, name, resolution):
    images = np.zeros((3, 32, 32, 3), np.uint8) + np.uint8([250, 100, 5])
    pretend(monkeypatch, name, images)
    source = KerasImages(name, resolution)
    assert source.images.shape == (3, resolution, resolution, 3)
    assert np.abs(source.images.astype(int) - [250, 100, 5]).max() <= 1
    batch = next(iter(source.batches(2)))
    assert batch.shape == (2, resolution, resolution, 3)


def test_a_set_that_cannot_be_fetched_is_one_line(monkeypatch):
    def fail():
        raise Exception("URL fetch failure on https://...: None -- no route\nmore")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", fail)
    with pytest.raises(OSError, match=r"cifar10: Keras could not load it \(URL fetch.*no route\)"):
        KerasImages("cifar10")


@pytest.mark.filterwarnings("ignore:.*no image")
@pytest.mark.parametrize("name", keras_sets.NAMES)
def test_classes_are_the_labels(monkeypatch, name):
    images, numbers = np.zeros((4, 32, 32, 3), np.uint8), np.array([[3], [3], [0], [0]], np.uint8)
    pretend(monkeypatch, name, images, numbers)
    source = registry.by_name(name, 32, label="class")
    np.testing.assert_array_equal(source.numbers, [[3], [3], [0], [0]])
    names = source.labels.factors["class"]
    assert len(names) == (100 if name == "cifar100" else 10)
    assert name != "cifar100" or list(names) == sorted(names)  # as its authors number them
    assert registry.by_name(name, 32).labels is None
    with pytest.raises(ValueError, match=r"label must be one of .*'class'.*, got 'colour'"):
        registry.by_name(name, 32, label="colour")
