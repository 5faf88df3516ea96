"""Training images from any folder, or from CelebA as it is published.

Batch k is a pure function of (seed, k): an index shuffle decides which images it holds, so a run
that was interrupted goes on with exactly the images it would have seen.
"""

import hashlib
import io
import os
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sagan_lib import checks

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
CELEBA_CROP = 178  # CelebA's aligned images are 178 wide and 218 high
# MD5 of the files as published, as torchvision's CelebA loader lists them.
CELEBA_MD5 = {
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
}
CELEBA_SPLITS = {"train": 0, "valid": 1, "test": 2}


class Source:
    """A numbered collection of images: it has `size`, `resolution` and `images`.

    `images` is uint8 of shape (size, resolution, resolution, 3), an array or a memory map.
    """

    size = 0
    resolution = 0
    images = None

    def batches(self, batch_size, seed=0, start=0):
        """An endless `tf.data.Dataset` of image batches, from batch number `start` on.

        Args:
            batch_size: images in a batch, 1 to `size`.
            seed: of the shuffle. Every epoch has its own full permutation.
            start: number of the first batch; batch k is the same whatever the start.

        Returns:
            Batches float32 (batch_size, resolution, resolution, 3) in [-1, 1], prefetched.
        """
        import tensorflow as tf

        checks.integer("batch_size", batch_size, 1, self.size)
        checks.integer("seed", seed, 0)
        checks.integer("start", start, 0)
        steps = tf.data.Dataset.range(start, np.iinfo(np.int64).max)
        return self._look_up(
            steps, lambda step: shuffled_indices(step, batch_size, self.size, seed), batch_size
        )

    def _look_up(self, dataset, indices_of, batch_size):
        """The images whose indices `indices_of` makes of each element of a dataset, as batches."""
        import tensorflow as tf

        images, shape = self.images, (batch_size, self.resolution, self.resolution, 3)

        def fetch(element):
            # numpy does the look-up: as a tensor the whole set would be copied into the graph.
            batch = tf.numpy_function(
                lambda i: images[i], [indices_of(element)], tf.uint8, stateful=False
            )
            return tf.cast(tf.ensure_shape(batch, shape), tf.float32) / 127.5 - 1

        return dataset.map(fetch, num_parallel_calls=2).prefetch(tf.data.AUTOTUNE)


def shuffled_indices(step, batch_size, size, seed):
    """Which images batch `step` holds: a fresh permutation of all `size` images every epoch.

    The permutation is computed index by index (TensorFlow's `RandomIndexShuffle`), so no buffer
    limits how far an image can travel.

    Args:
        step: number of the batch, an integer or a scalar tensor. batch_size: at most `size`.
        size: how many images there are. seed: of the shuffle, at least 0.

    Returns:
        int64 tensor of shape (batch_size,).
    """
    import tensorflow as tf

    position = tf.cast(step, tf.int64) * batch_size + tf.range(batch_size, dtype=tf.int64)
    epoch, offset = position // size, position % size
    # The op uses only the low bits of its key: given (seed, epoch) as it is, epochs 0 and 256
    # would be alike, and so would seeds 0 and 256. So the key is drawn from (seed, epoch).
    keys = [
        tf.random.stateless_uniform(
            (3,), [tf.constant(seed % 2**63, tf.int64), which], None, None, tf.int32
        )
        for which in (epoch[0], epoch[0] + 1)  # a batch touches two epochs at most
    ]
    return tf.raw_ops.RandomIndexShuffle(
        index=offset, seed=tf.gather(keys, epoch - epoch[0]),
        max_index=tf.constant(size - 1, tf.int64),
    )  # fmt: skip


def to_bytes(images):
    """Images in [-1, 1] as uint8 0..255, rounded to the nearest level."""
    return np.clip(np.rint((np.asarray(images, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


def from_bytes(images):
    """uint8 images as float32 in [-1, 1]: the inverse of `to_bytes`."""
    return np.asarray(images).astype(np.float32) / 127.5 - 1


def _split_names(root, split):
    """Names that `list_eval_partition.txt` gives to this split, or None when there is no list."""
    above = (root, root.parent, root.parent.parent)  # CelebA has Img/img_align_celeba and Eval/
    lists = [p / below / "list_eval_partition.txt" for p in above for below in ("", "Eval")]
    found = next((p for p in lists if p.is_file()), None)
    if found is None:
        return None
    pairs = [line.split() for line in found.read_text().splitlines() if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{found}: each line must be 'name split', as CelebA publishes it")
    return {name for name, number in pairs if int(number) == CELEBA_SPLITS[split]}


class ImageFolder(Source):
    """Images of a folder (searched to any depth), or of a zip archive of images.

    An image is cropped to a centred square (of `crop` pixels where it is that large) and resized
    to `resolution` with an anti-aliasing filter. The first use decodes every file, in parallel,
    into a memory-mapped cache; later uses open the cache.

    Args:
        path: a folder, or a `.zip`. CelebA's `img_align_celeba` folder or its parent, or
            `img_align_celeba.zip`, work as published.
        resolution: 16 to 256 pixels.
        crop: side of the centred square; CelebA's customary 178 by default. None takes the
            largest square.
        split: "train", "valid", "test" use `list_eval_partition.txt` when it is there; "all" not.
        limit: take at most so many images, in the order of their names.
        cache: folder of the decoded images; by default `~/.cache/sagan_lib` (XDG_CACHE_HOME).

    Attributes:
        names: the files used, in order. skipped: the files that could not be decoded.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: no image can be decoded, or an argument is wrong. Files that cannot be decoded
            are skipped, counted and named in a warning.
    """

    def __init__(
        self, path, resolution=64, crop=CELEBA_CROP, split="train", limit=None, cache=None
    ):
        self.path = Path(path)
        checks.integer("resolution", resolution, 16, 256)
        checks.one_of("split", split, {*CELEBA_SPLITS, "all"})
        if crop is not None:
            checks.integer("crop", crop, 1)
        if limit is not None:
            checks.integer("limit", limit, 1)
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path}: no such folder or zip; see data/README.md")
        self.resolution, self.crop = resolution, crop
        self._archive = self._open_zip() if self.path.suffix.lower() == ".zip" else None
        names = self._list()
        root = self.path.parent if self._archive else self.path
        chosen = None if split == "all" else _split_names(root, split)
        if chosen is not None:
            names = [name for name in names if Path(name).name in chosen]
        self._decode_all(names[:limit], Path(cache) if cache else default_cache())
        self.size = len(self.names)

    def _open_zip(self):
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise ValueError(f"{self.path}: not a whole zip archive ({error})") from error

    def _list(self):
        if self._archive:
            names = self._archive.namelist()
        else:
            names = [str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file()]
        return sorted(name for name in names if Path(name).suffix.lower() in SUFFIXES)

    def _fingerprint(self, names):
        """Changes when the file list, a size, a date, the crop or the resolution does."""
        if self._archive:
            stamps = [self._archive.getinfo(name).CRC for name in names]
        else:
            stats = [(self.path / name).stat() for name in names]
            stamps = [(stat.st_size, stat.st_mtime_ns) for stat in stats]
        what = (str(self.path.resolve()), self.resolution, self.crop, names, stamps)
        return hashlib.sha256(repr(what).encode()).hexdigest()[:24]

    def _decode_all(self, names, cache):
        """Fill `images`, `names` and `skipped`, from the cache or from the files."""
        if not names:
            raise ValueError(f"{self.path}: no image files ({', '.join(sorted(SUFFIXES))})")
        done = cache / f"{self._fingerprint(names)}.npy"
        listing = done.with_suffix(".skipped")
        if not (done.exists() and listing.exists()):
            self._write_cache(names, done, listing)
        self.skipped = listing.read_text().splitlines()
        lost = set(self.skipped)
        self.names = [name for name in names if name not in lost]
        if self.skipped:
            shown = ", ".join(self.skipped[:5]) + (", ..." if len(self.skipped) > 5 else "")
            warnings.warn(
                f"{self.path}: skipped {len(self.skipped)} undecodable: {shown}", stacklevel=3
            )
        if not self.names:
            raise ValueError(f"{self.path}: no image that can be decoded ({len(lost)} skipped)")
        self.images = np.load(done, mmap_mode="r")[: len(self.names)]

    def _write_cache(self, names, done, listing):
        done.parent.mkdir(parents=True, exist_ok=True)
        part = done.with_suffix(f".{os.getpid()}.part")
        shape = (len(names), self.resolution, self.resolution, 3)
        try:
            rows = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
            skipped = self._fill(rows, names)
            rows.flush()
            listing.write_text("\n".join(skipped))
            part.replace(done)  # last, so that an interrupted run leaves no half cache
        finally:
            part.unlink(missing_ok=True)

    def _fill(self, rows, names):
        """Decode all files into `rows`, without gaps; returns the names that it skipped."""
        from tqdm.auto import tqdm

        skipped = []
        pool = ThreadPoolExecutor()
        try:
            bar = tqdm(names, "decoding", disable=len(names) < 1000)
            decoded = zip(bar, pool.map(self._try_decode, names), strict=True)
            for position, (name, image) in enumerate(decoded):
                if image is None:
                    skipped.append(name)
                else:
                    rows[position - len(skipped)] = image
        finally:
            pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the other files
        return skipped

    def _try_decode(self, name):
        from PIL import Image

        damaged_file = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
        damaged_zip = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # or encrypted
        try:
            return self.decode(name)
        except (*damaged_file, *damaged_zip):
            return None

    def decode(self, name):
        """The image in file `name` as uint8 (resolution, resolution, 3)."""
        from PIL import Image, ImageOps

        stream = io.BytesIO(self._archive.read(name)) if self._archive else self.path / name
        with Image.open(stream) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")  # as a viewer would turn it
        side = min(*image.size, self.crop or min(image.size))
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
        size = (self.resolution, self.resolution)
        return np.asarray(image.resize(size, Image.Resampling.LANCZOS), np.uint8)


def default_cache():
    """Where decoded images are kept: `$XDG_CACHE_HOME/sagan_lib` or `~/.cache/sagan_lib`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagan_lib"


def find_celeba(folder=None):
    """CelebA's images where data/README.md puts them: folder or zip, None if they are not there.

    `folder` is where to look, by default `data/celeba` of this repository.
    """
    folder = Path(folder or Path(__file__).resolve().parent.parent / "data" / "celeba")
    places = (folder / name for name in ("img_align_celeba", "img_align_celeba.zip"))
    return next((str(place) for place in places if place.exists()), None)


def check_celeba(folder):
    """Compare the published CelebA files in a folder with their MD5 checksums.

    Returns:
        {file name: True if it is as published}, of the files that are there.
    """
    found = {}
    for name, expected in CELEBA_MD5.items():
        if (Path(folder) / name).is_file():
            with open(Path(folder) / name, "rb") as stream:
                digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
            found[name] = digest.hexdigest() == expected
    return found
