"""CelebA as it is published: its crop, its splits, its checksums.

Liu, Luo, Wang and Tang (2015), *Deep Learning Face Attributes in the Wild*. For non-commercial
research only; data/README.md says where it comes from.
"""

import hashlib
from pathlib import Path

from sagan_lib import checks, shipped
from sagan_lib.datasets.folder import ImageFolder

CROP = 178  # the aligned images are 178 wide and 218 high
SPLITS = {"train": 0, "valid": 1, "test": 2}
PARTITION = "list_eval_partition.txt"
# MD5 of the files as published, as torchvision's CelebA loader lists them.
MD5 = {
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    PARTITION: "d32c9cbf5e040fd4025c592c306e6668",
}


def is_celeba(path):
    """Whether a folder or zip is CelebA: by its name, a folder in it, or a partition list near."""
    near = (path.name, path.parent.name, *(p.name for p in path.glob("*/") if path.is_dir()))
    named = any(Path(name).stem == "img_align_celeba" for name in near)
    return path.exists() and (named or _partition(path) is not None)


def _partition(path):
    """The list of splits that belongs to a folder or zip, or None."""
    root = path if path.is_dir() else path.parent
    above = (root, root.parent, root.parent.parent)  # CelebA has Img/img_align_celeba and Eval/
    lists = (p / below / PARTITION for p in above for below in ("", "Eval"))
    return next((p for p in lists if p.is_file()), None)


class CelebA(ImageFolder):
    """CelebA's aligned images, of one split where the partition list is there.

    Args:
        path: `img_align_celeba` or a folder that holds it, or `img_align_celeba.zip`.
        resolution: of the result, 16 to 256 pixels.
        split: "train", "valid" or "test", by `list_eval_partition.txt`; without the list, and
            with "all", every image.
        crop: side of the centred square, in pixels; 178 is customary, the full width.
        limit: take at most so many images, in the order of their names.
        cache: folder of the decoded images, as for `ImageFolder`.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: no image can be decoded, a wrong argument, or a list of another form.
    """

    def __init__(
        self, path, resolution=64, split="train", crop=CROP, limit=None, cache=None
    ):  # fmt: skip
        self.split = checks.one_of("split", split, {*SPLITS, "all"})
        self.partition = None if split == "all" else _partition(Path(path))
        super().__init__(path, resolution, crop, limit, cache)
        if self.partition:
            self.description = f"{self.path}: split {split} of {self.partition.name}"

    def _chosen(self, names):
        if self.partition is None:
            return names
        lines = [line.split() for line in self.partition.read_text().splitlines() if line.strip()]
        if any(len(line) != 2 for line in lines):
            raise ValueError(
                f"{self.partition}: each line must be 'name split', as CelebA publishes it"
            )
        chosen = {name for name, number in lines if int(number) == SPLITS[self.split]}
        return [name for name in names if Path(name).name in chosen]


def find(folder=None):
    """CelebA's images where data/README.md puts them: folder or zip, None if they are not there.

    Args:
        folder: where to look; by default `data/celeba` of this repository.
    """
    folder = Path(folder or shipped.root() / "data" / "celeba")
    places = (folder / name for name in ("img_align_celeba", "img_align_celeba.zip"))
    return next((str(place) for place in places if place.exists()), None)


def check(folder):
    """Compare the published files in a folder with their MD5 checksums.

    Args:
        folder: where they lie.

    Returns:
        {file name: True if it is as published}, of the files that are there.
    """
    found = {}
    for name, expected in MD5.items():
        if (Path(folder) / name).is_file():
            with open(Path(folder) / name, "rb") as stream:
                digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
            found[name] = digest.hexdigest() == expected
    return found
