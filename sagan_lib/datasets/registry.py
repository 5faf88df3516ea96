"""The sources of images by name: what a recipe or a command line can ask for."""

import functools
import inspect
import os
import warnings
from pathlib import Path

from sagan_lib.datasets.celeba import CelebA, is_celeba
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.folder import ImageFolder
from sagan_lib.datasets.keras_sets import NAMES, KerasImages

#: Name -> what makes the `Source`: called with `resolution`, and with those of `size`,
#: `population`, `crop` and `label` that are among its parameters. Add yours, and every recipe
#: and command knows its name.
SOURCES = {"faces": Faces} | {name: functools.partial(KerasImages, name) for name in NAMES}


def by_name(data, resolution, size=50_000, population=0, crop=None, label=None):
    """The source of images that a recipe or a command line names.

    Args:
        data: a name of `SOURCES`, such as "faces" or "cifar10", and nothing but the name; all else
            is the path of a folder or zip. What lies beside under a data set's name is taken by
            a path with a separator, "./faces"; a warning says so. CelebA is recognised by its
            names.
        resolution: of the images in pixels.
        size: how many different pictures there are, where they are drawn.
        population: which ones, where they are drawn; none of `faces.RESERVED`.
        crop: side of the centred square of own pictures, in pixels of the file; None takes the
            largest square, of CelebA's aligned images the customary 178 pixels.
        label: what the images are labelled by, None for nothing: a name of `faces.LABELS`, "class"
            of Keras's sets, "folder" of own pictures, one of CelebA's attributes; of faces and
            CelebA several, joined by commas.

    Returns:
        A `source.Source`.

    Raises:
        FileNotFoundError: no such name, folder or zip.
        TypeError: `data` is neither a text nor a path.
        ValueError: no image in it can be decoded, or it is empty; a crop of what has no files; a
            population that is kept for scoring; no such label.
    """
    if not isinstance(data, str | os.PathLike):
        raise TypeError(f"data must be a name or a path, got {data!r}")
    if not str(data):  # which would be the folder one happens to be in
        raise ValueError(f"data must be a name or a path, got {data!r}")
    make = SOURCES.get(data) if isinstance(data, str) else None
    if make is None:
        make = functools.partial(_of_files(data), data)
    elif os.path.lexists(data):
        warnings.warn(f"data {data!r} is the data set of that name, not what lies in this folder "
                      f"under it; './{data}' is", stacklevel=2)  # fmt: skip
    takes = inspect.signature(make).parameters
    if crop is not None and "crop" not in takes:
        raise ValueError(f"crop is for pictures from files, got {crop} with data {data!r}")
    if label is not None and "label" not in takes:
        raise ValueError(f"data {data!r} has no labels, got label {label!r}")
    # Of another kind of data a recipe keeps its size and population, which mean nothing there.
    given = {"size": size, "population": population}
    given |= {k: v for k, v in {"crop": crop, "label": label}.items() if v is not None}
    return make(resolution=resolution, **{k: v for k, v in given.items() if k in takes})


def _of_files(data):
    """The class for a path, which exists."""
    path = Path(data)
    if not path.exists():
        names = "" if path.name != str(data) else f", and no data set: {', '.join(SOURCES)}"
        raise FileNotFoundError(f"{data}: no such folder or zip{names}; see data/README.md")
    return CelebA if is_celeba(path) else ImageFolder
