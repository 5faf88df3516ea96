"""CelebA as it is published, and as people have it: its crop, its splits, its checksums.

Liu, Luo, Wang and Tang (2015), *Deep Learning Face Attributes in the Wild*. For non-commercial
research only; data/README.md says where it comes from.
"""

import csv
import hashlib
import zipfile
from pathlib import Path

from sagan_lib import checks, shipped
from sagan_lib.datasets.folder import ImageFolder
from sagan_lib.datasets.labels import Labels

CROP = 178  # the aligned images are 178 wide and 218 high
SPLITS = {"train": 0, "valid": 1, "test": 2}
#: The list of splits: as published, and as Kaggle has it (with commas and a header).
PARTITIONS = ("list_eval_partition.txt", "list_eval_partition.csv")
#: The list of attributes, in the same two forms.
ATTRIBUTES = ("list_attr_celeba.txt", "list_attr_celeba.csv")
LONGEST = 2**26  # bytes of a list: more than twice CelebA's longest
# MD5 of the files as published, as torchvision's CelebA loader lists them.
MD5 = {
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    PARTITIONS[0]: "d32c9cbf5e040fd4025c592c306e6668",
}


def is_celeba(path):
    """Whether a folder or zip is CelebA: by its name, a folder in it, or a list of its files."""
    if not path.exists():
        return False
    near = (path.name, path.parent.name, *(p.name for p in path.glob("*/") if path.is_dir()))
    if any(Path(name).stem == "img_align_celeba" for name in near):
        return True
    found = _list(path, PARTITIONS)
    if found is None:
        return False
    splits = read_partition(*found)
    if path.is_dir():
        return any(file.stem in splits for file in path.rglob("*"))
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(Path(name).stem in splits for name in archive.namelist())


def _list(path, wanted):
    """(where a list of one of these names stands, its bytes) for a folder or zip, or None."""
    if path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            inside = [n for n in archive.namelist() if Path(n).name in wanted]
            if inside:
                where = f"{path}/{inside[0]}"
                _check_length(where, archive.getinfo(inside[0]).file_size)
                return where, archive.read(inside[0])
    root = path if path.is_dir() else path.parent
    above = (root, root.parent, root.parent.parent)  # CelebA has Img/img_align_celeba, Eval/, Anno/
    lists = (p / below / name for p in above for below in ("", "Eval", "Anno") for name in wanted)
    found = next((p for p in lists if p.is_file()), None)
    if found is None:
        return None
    _check_length(found, found.stat().st_size)
    return str(found), found.read_bytes()


def _check_length(where, size):
    """Refuse what is no list before it is read: a member of a zip may claim anything."""
    if size > LONGEST:
        raise ValueError(f"{where}: {size:,} bytes are no list of CelebA's")


def _decoded(data):
    """The text of a list in whatever encoding an editor left it."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    return data.decode("utf-8-sig", errors="replace")


def read_partition(where, data):
    """{file name without its ending: number of its split} from a list.

    Args:
        where: it stands, for errors.
        data: its bytes: lines of "name split", or "name,split" with or without a header.

    Raises:
        ValueError: another form.
    """
    splits = {}
    for number, row in enumerate(csv.reader(_decoded(data).replace("\t", " ").splitlines())):
        words = [word.strip() for word in (row if len(row) > 1 else " ".join(row).split())]
        if not any(words) or (number == 0 and words[0] == "image_id"):
            continue
        if len(words) != 2 or words[1] not in ("0", "1", "2"):
            raise ValueError(f"{where}: each line must be 'name split', as CelebA publishes it; "
                             f"line {number + 1} is {' '.join(words)[:80]!r}")  # fmt: skip
        splits[Path(words[0]).stem] = int(words[1])
    return splits


def read_attributes(where, data, wanted):
    """{file name without its ending: numbers of the wanted attributes, 0 or 1} from a list.

    Args:
        where: it stands, for errors.
        data: its bytes: a line with the count, one with the names of the attributes, then lines of
            "name -1 1 ..."; or with commas, without the count, "image_id" before the names.
        wanted: names of attributes.

    Raises:
        ValueError: another form, or no such attribute; the message lists those there are.
    """
    lines = _decoded(data).replace(",", " ").splitlines()
    rows = [words for words in map(str.split, lines) if words]
    if rows and len(rows[0]) == 1:
        rows = rows[1:]
    if not rows:
        raise ValueError(f"{where}: no attributes in it")
    names = rows[0][1:] if rows[0][0] == "image_id" else rows[0]
    columns = [names.index(checks.one_of("label", name, names)) for name in wanted]
    found = {}
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(names) + 1 or not {*row[1:]} <= {"-1", "0", "1"}:
            raise ValueError(
                f"{where}: each line must be a name and {len(names)} numbers that are -1 or 1, as "
                f"CelebA publishes it; line {number} of them is {' '.join(row)[:80]!r}"
            )
        found[Path(row[0]).stem] = [int(row[1 + column] == "1") for column in columns]
    return found


class CelebA(ImageFolder):
    """CelebA's aligned images, of one split where the partition list is there.

    Args:
        path: `img_align_celeba` or a folder that holds it, or `img_align_celeba.zip`.
        resolution: of the result, 16 to 256 pixels.
        split: "train", "valid" or "test", by the list of `PARTITIONS` that is in the folder, near
            it or in the zip; files are matched without their ending. Without a list that names any
            of the files, "train" is every image; so is "all".
        crop: side of the centred square, in pixels; 178 is customary, the full width.
        limit: take at most so many images, in the order of their names.
        cache: folder of the decoded images, as for `ImageFolder`.
        verify: compare the whole cache with its checksum, as for `ImageFolder`.
        label: an attribute such as "Smiling", several joined by commas, None for no labels. The
            list of `ATTRIBUTES` is looked for where that of splits is, and in a folder "Anno".

    Raises:
        FileNotFoundError: there is no such path, or no list of attributes for labels.
        ValueError: no image can be decoded, a wrong argument, a list of another form, a split that
            has no image here, or one that is asked for without a list; no such attribute, or
            images that their list does not name.
    """

    def __init__(
        self, path, resolution=64, split="train", crop=CROP, limit=None, cache=None, verify=False,
        label=None,
    ):  # fmt: skip
        self.split = checks.one_of("split", split, {*SPLITS, "all"})
        self.partition = None
        super().__init__(path, resolution, crop, limit, cache, verify, label)
        if self.partition:
            self.description = f"{self.path}: split {split} of {Path(self.partition).name}"

    def _chosen(self, names):
        if self.split == "all":
            return names
        found = _list(self.path, PARTITIONS)
        splits = read_partition(*found) if found else {}
        if not any(Path(name).stem in splits for name in names):
            if self.split == "train":
                return names
            raise ValueError(f"{self.path}: no list of splits ({' or '.join(PARTITIONS)}) names "
                             f"its files, so split {self.split!r} is not known")  # fmt: skip
        self.partition = found[0]
        if unlisted := sum(Path(name).stem not in splits for name in names):
            self.left_out["not in the list of splits"] += unlisted
        chosen = [name for name in names if splits.get(Path(name).stem) == SPLITS[self.split]]
        if not chosen:
            raise ValueError(
                f"{self.path}: {self.partition} has none of its files in split {self.split!r}"
            )
        return chosen

    def _check_label(self, label):
        """Before all images are decoded for it."""
        if label is None:
            return
        if not isinstance(label, str):
            raise TypeError(f"label must be a text such as 'Smiling', got {label!r}")
        self._wanted = [word.strip() for word in label.split(",")]
        checks.each_once("label", self._wanted)
        found = _list(self.path, ATTRIBUTES) if self.path.exists() else None
        if found is None:
            raise FileNotFoundError(f"{self.path}: label {label!r} needs the list of attributes "
                                    f"({' or '.join(ATTRIBUTES)}) in it or near it")  # fmt: skip
        self._attributes = read_attributes(*found, self._wanted)

    def _label_by(self, label):
        stems = [self._path_of(name).stem for name in self.names]
        if missing := [stem for stem in stems if stem not in self._attributes]:
            raise ValueError(f"{self.path}: the list of attributes lacks {len(missing)} of its "
                             f"images, such as {missing[0]!r}")  # fmt: skip
        labels = Labels(dict.fromkeys(self._wanted, ("no", "yes")))
        self.label(labels, [self._attributes[stem] for stem in stems])


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
