"""Sources by name: what each takes, one of the reader's own, and imports without a circle."""

from pathlib import Path

import numpy as np
import pytest
from pictures import picture

from sagan_lib.datasets import faces, registry
from sagan_lib.datasets.folder import ImageFolder
from sagan_lib.datasets.source import Source


class Grey(Source):
    """Pictures of one grey: a data set of the reader's own."""

    def __init__(self, resolution, size=3):
        self.resolution, self.size = resolution, size
        self.images = np.full((size, resolution, resolution, 3), 128, np.uint8)


def test_size_and_population_reach_what_is_drawn():
    data = registry.by_name("faces", 16, size=5, population=9)
    assert (data.size, data.resolution, data.population) == (5, 16, 9)
    np.testing.assert_array_equal(data.images, faces.Faces(16, 5, 9).images)


def test_a_set_of_the_readers_own_is_known_by_its_name(monkeypatch):
    monkeypatch.setitem(registry.SOURCES, "grey", Grey)
    data = registry.by_name("grey", 16, size=7, population=2)  # it has no populations
    assert isinstance(data, Grey)
    assert (data.size, data.resolution) == (7, 16)
    assert next(iter(data.batches(2))).shape == (2, 16, 16, 3)
    with pytest.raises(ValueError, match="crop is for pictures from files, got 9 with data 'grey'"):
        registry.by_name("grey", 16, crop=9)
    with pytest.raises(ValueError, match="data 'grey' has no labels, got label 'hair'"):
        registry.by_name("grey", 16, label="hair")


def test_a_folder_takes_a_crop_and_no_size(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "own").mkdir()
    picture(1, (40, 40)).save(tmp_path / "own" / "one.png")
    data = registry.by_name(tmp_path / "own", 16, size=50_000, population=2, crop=20)
    assert isinstance(data, ImageFolder)
    assert (data.size, data.crop) == (1, 20)


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder called faces with one picture, in the folder that the program works in."""
    (tmp_path / "faces").mkdir()
    picture(1, (40, 40)).save(tmp_path / "faces" / "one.png")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", ["./faces", "faces/", "../{0}/faces", Path("faces")])
def test_a_path_is_a_path(path, beside):
    if isinstance(path, str):
        path = path.format(Path.cwd().name)
    data = registry.by_name(path, 16)
    assert isinstance(data, ImageFolder)
    assert data.size == 1


def test_a_name_is_the_data_set_and_says_what_lies_beside_it(beside):
    with pytest.warns(UserWarning, match=r"'faces' is the data set .*'\./faces' is"):
        data = registry.by_name("faces", 16, size=3)
    assert isinstance(data, faces.Faces)


def test_the_path_of_a_data_set_is_not_the_data_set():
    with pytest.raises(FileNotFoundError, match=r"\./mnist: no such folder or zip; see"):
        registry.by_name("./mnist", 16)
    with pytest.raises(FileNotFoundError, match=r"cifar: no such .* no data set: faces, cifar10,"):
        registry.by_name("cifar", 16)


def test_a_label_reaches_what_has_some():
    assert registry.by_name("faces", 16, size=50, label="hair,skin").numbers.shape == (50, 2)
