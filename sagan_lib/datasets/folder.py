"""Training images from any folder or zip: decoded once, cropped, resized, kept in a cache."""

import hashlib
import io
import os
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sagan_lib import checks, shipped
from sagan_lib.datasets.source import Source

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


class ImageFolder(Source):
    """Images of a folder (searched to any depth), or of a zip archive of images.

    An image is cropped to a centred square and resized to `resolution` with an anti-aliasing
    filter. The first use decodes every file, in parallel, into a memory-mapped cache; later uses
    open the cache.

    Args:
        path: a folder, or a `.zip`.
        resolution: of the result, 16 to 256 pixels.
        crop: side of the centred square, in pixels of the file; None, and where a picture is
            smaller, takes the largest square.
        limit: take at most so many images, in the order of their names.
        cache: folder of the decoded images; by default `~/.cache/sagan_lib` (XDG_CACHE_HOME).

    Attributes:
        names: the files used, in order. skipped: the files that could not be decoded.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: no image can be decoded, or an argument is wrong. Files that cannot be decoded
            are skipped, counted and named in a warning.
    """

    def __init__(self, path, resolution=64, crop=None, limit=None, cache=None):
        self.path = Path(path)
        checks.integer("resolution", resolution, 16, 256)
        if crop is not None:
            checks.integer("crop", crop, 1)
        if limit is not None:
            checks.integer("limit", limit, 1)
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path}: no such folder or zip; see data/README.md")
        self.resolution, self.crop = resolution, crop
        self._archive = self._open_zip() if self.path.suffix.lower() == ".zip" else None
        names = self._chosen(self._list())[:limit]
        self._decode_all(names, Path(cache) if cache else default_cache())
        self.size = len(self.names)
        self.description = f"{self.path}: all images"

    def _chosen(self, names):
        """Which of all names are used; a data set with splits overrides this."""
        return names

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
                f"{self.path}: skipped {len(self.skipped)} undecodable: {shown}",
                stacklevel=3 + (type(self) is not ImageFolder),  # it points at the caller
            )
        if not self.names:
            raise ValueError(f"{self.path}: no image that can be decoded ({len(lost)} skipped)")
        self.images = np.load(done, mmap_mode="r")[: len(self.names)]

    def _write_cache(self, names, done, listing):
        shape = (len(names), self.resolution, self.resolution, 3)
        with shipped.replacing(done) as part:  # an interrupted run leaves no half cache
            rows = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
            skipped = self._fill(rows, names)
            rows.flush()
            listing.write_text("\n".join(skipped))

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
