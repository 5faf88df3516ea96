"""Training images from any folder or zip: decoded once, cropped, resized, kept in a cache."""

import collections
import hashlib
import io
import json
import os
import shutil
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sagan_lib import checks, shipped
from sagan_lib.datasets import decode
from sagan_lib.datasets.source import Source


class ImageFolder(Source):
    """Images of a folder (searched to any depth), or of a zip archive of images.

    An image is cropped to a centred square and resized to `resolution` with an anti-aliasing
    filter (`decode.picture`). The first use decodes every file, in parallel, into a memory-mapped
    cache; later uses open the cache without reading it, if its size and time of change are those
    that it was written with.

    Args:
        path: a folder, or a `.zip`. Links to folders are followed, each folder is entered once.
        resolution: of the result, 16 to 256 pixels.
        crop: side of the centred square, in pixels of the file; None, and where a picture is
            smaller, takes the largest square.
        limit: take at most so many images, in the order of their names.
        cache: folder of the decoded images; by default `~/.cache/sagan_lib` (XDG_CACHE_HOME).
        verify: read the whole cache and compare it with its checksum; if it is another one, decode
            all files anew.

    Attributes:
        names: the files used, in order. skipped: {file that could not be decoded: why}.
        left_out: {ending: how many files of it are no pictures}. sizes: {"WIDTHxHEIGHT": files}.
        fingerprint: 24 hexadecimal digits that follow from the names, sizes in bytes, crop and
            resolution, but not from where the pictures lie.

    Raises:
        FileNotFoundError: there is no such path.
        PermissionError: a file may not be read; all of them are counted, some named.
        OSError: the cache's disk has too little space.
        ValueError: no image can be decoded, or an argument is wrong. Files that cannot be decoded
            are skipped, counted and named in a warning.
    """

    def __init__(self, path, resolution=64, crop=None, limit=None, cache=None, verify=False):
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
        self._decode_all(names, Path(cache) if cache else default_cache(), verify)
        self.size = len(self.names)
        self.description = f"{self.path}: all images"

    def _chosen(self, names):
        """Which of all names are used; a data set with splits overrides this."""
        return names

    def _open_zip(self):
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise ValueError(f"{self.path}: not a whole zip archive ({error})") from error

    def _files(self):
        """All files' names, relative to the folder, or in the archive."""
        if self._archive:
            return [info.filename for info in self._archive.infolist() if not info.is_dir()]
        found, entered = [], set()
        for folder, inner, files in os.walk(self.path, followlinks=True):
            if os.path.realpath(folder) in entered:
                inner.clear()  # a link back: its files have been seen
                continue
            entered.add(os.path.realpath(folder))
            found += [os.path.relpath(os.path.join(folder, name), self.path) for name in files]
        return found

    def _list(self):
        """The names of the pictures, in order; the others are counted in `left_out`."""
        readable, names = decode.suffixes(), []
        self.left_out = collections.Counter()
        for name in self._files():
            hidden = any(part.startswith((".", "__MACOSX")) for part in Path(name).parts)
            ending = "hidden" if hidden else Path(name).suffix.lower() or "no ending"
            if ending in readable and not self._archive and not (self.path / name).is_file():
                self.left_out["broken link or no file"] += 1  # a pipe, too, would never end
            elif ending in readable:
                names.append(name)
            else:
                self.left_out[ending] += 1
        return sorted(names)

    def _stamps(self, names):
        """What changes with a file: (what a copy keeps, what says that it was touched)."""
        if self._archive:
            infos = [self._archive.getinfo(name) for name in names]
            return [info.CRC for info in infos], []
        stats = [(self.path / name).stat() for name in names]
        return [stat.st_size for stat in stats], [stat.st_mtime_ns for stat in stats]

    def _decode_all(self, names, cache, verify):
        """Fill `images` and what is known about the files, from the cache or from the files."""
        if not names:
            raise ValueError(f"{self.path}: no image files; {self._left_out()}")
        sizes, touched = self._stamps(names)
        self.fingerprint = _digest(self.resolution, self.crop, names, sizes)
        here = _digest(self.fingerprint, str(self.path.resolve()), touched)
        done = cache / f"{here}.npy"
        if (known := _kept(done, verify)) is None:
            known = self._write_cache(names, done)
        self.skipped, self.sizes = known["skipped"], known["sizes"]
        self.names = [name for name in names if name not in self.skipped]
        if self.skipped:
            warnings.warn(
                f"{self.path}: skipped {_told(self.skipped, 'undecodable')}",
                stacklevel=3 + (type(self) is not ImageFolder),  # it points at the caller
            )
        if not self.names:
            raise ValueError(
                f"{self.path}: no image that can be decoded ({len(self.skipped)} skipped)"
            )
        self.images = np.load(done, mmap_mode="r")[: len(self.names)]

    def _write_cache(self, names, done):
        shape = (len(names), self.resolution, self.resolution, 3)
        _make_room(done.parent, int(np.prod(shape)))
        with shipped.replacing(done) as part:  # an interrupted run leaves no half cache
            rows = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
            skipped, sizes = self._fill(rows, names)
            rows.flush()
            del rows  # some systems do not rename a file that is mapped
            known = {"path": str(self.path.resolve()), "skipped": skipped, "sizes": sizes,
                     "sha256": shipped.sha256(part)}  # fmt: skip
        # Last: where there is a listing, the pictures were whole and on the disk before it.
        return _list_cache(done, known)

    def _fill(self, rows, names):
        """Decode all files into `rows`, without gaps; returns what was skipped, and the sizes."""
        from tqdm.auto import tqdm

        skipped, sizes, closed = {}, collections.Counter(), []
        pool = ThreadPoolExecutor()
        try:
            bar = tqdm(names, "decoding", disable=len(names) < 1000)
            decoded = zip(bar, pool.map(self._try_decode, names), strict=True)
            for position, (name, (image, size, error)) in enumerate(decoded):
                if isinstance(error, PermissionError):
                    closed.append(name)
                elif error is not None:
                    skipped[name] = f"{type(error).__name__}: {error}"[:200]
                else:
                    rows[position - len(skipped) - len(closed)] = image
                    sizes[f"{size[0]}x{size[1]}"] += 1
        finally:
            pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the other files
        if closed:
            raise PermissionError(f"{self.path}: no permission to read {_told(closed, 'files')}")
        return skipped, sizes

    def _try_decode(self, name):
        """(the image, its size in the file, None), or (None, None, what a decoder raised)."""
        try:
            return *self.decode(name), None
        except Exception as error:  # whatever it is, the other files go on
            return None, None, error

    def decode(self, name):
        """`decode.picture` of the file `name`."""
        stream = io.BytesIO(self._archive.read(name)) if self._archive else self.path / name
        return decode.picture(stream, self.resolution, self.crop)

    def _left_out(self):
        """The files that are no pictures, in words."""
        counts = ", ".join(f"{n} {ending}" for ending, n in sorted(self.left_out.items()))
        return f"left out: {counts}" if counts else "nothing was left out"

    def taken(self):
        """What was taken, in one line: how many pictures, how large, which square, what not."""
        common = sorted(self.sizes.items(), key=lambda each: -each[1])
        more = len(common) - 1
        others = f" and {more} other size{'s' * (more > 1)}" if more else ""
        square = f"centred {self.crop} px" if self.crop else "largest centred square"
        return (
            f"{self.path}: {self.size} pictures of {common[0][0]}{others}; {square}, resized to "
            f"{self.resolution} px; {self._left_out()}"
        )


def _digest(*parts):
    return hashlib.sha256(os.fsencode(repr(parts))).hexdigest()[:24]


def _told(names, what):
    """How many names, and the first of them, with any character in them readable."""
    shown = ", ".join(ascii(name)[1:-1] for name in list(names)[:5])
    return f"{len(names)} {what}: {shown}" + (", ..." if len(names) > 5 else "")


def _list_cache(done, known):
    """Write what is known of a cache file, with its size and time of change; returns it."""
    known = known | _stamp(done)
    with shipped.replacing(done.with_suffix(".json")) as listing:
        listing.write_text(json.dumps(known))
    return known


def _stamp(done):
    stat = done.stat()
    return {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _listed(done):
    """What the listing of a cache file says; None if either is missing, or it cannot be read."""
    listing = done.with_suffix(".json")
    if not (done.exists() and listing.exists()):
        return None
    try:
        known = json.loads(listing.read_text())
    except ValueError:
        return None
    return known if isinstance(known, dict) and "sha256" in known else None


def _kept(done, verify):
    """What is known of a whole cache file; None if it is missing or not as it was written.

    Its bytes are read only where they must be: asked for, or where another time of change (or none,
    in an old listing) leaves open whether they were touched or only copied.
    """
    known = _listed(done)
    if known is None or known.get("bytes", done.stat().st_size) != done.stat().st_size:
        return None
    untouched = {name: known.get(name) for name in ("bytes", "mtime_ns")} == _stamp(done)
    if untouched and not verify:
        return known
    if known["sha256"] != shipped.sha256(done):
        return None
    return known if untouched else _list_cache(done, known)


def check_caches(path, cache=None):
    """Read what is kept of a folder's or zip's decoded pictures, and compare it with its checksums.

    Args:
        path: of the folder or zip.
        cache: as for `ImageFolder`.

    Returns:
        {cache file: whether it is as it was written}, of every resolution and crop.
    """
    path = str(Path(path).resolve())
    found = {done: _listed(done) for done in sorted(Path(cache or default_cache()).glob("*.npy"))}
    return {
        done: known["sha256"] == shipped.sha256(done)
        for done, known in found.items()
        if known and known.get("path") == path
    }


def _make_room(cache, size):
    """Remove what dead processes left half done; OSError if so many bytes do not fit."""
    cache.mkdir(parents=True, exist_ok=True)
    for part in cache.glob("*.part.*"):
        process = part.name.split(".")[1]
        if process.isdigit() and not _alive(int(process)):
            part.unlink(missing_ok=True)
    free = shutil.disk_usage(cache).free
    if free < size + 2**20:
        raise OSError(
            f"{cache}: {size / 2**20:.0f} MiB are needed for the decoded pictures, "
            f"{free / 2**20:.0f} are free; set XDG_CACHE_HOME to a folder on another disk"
        )


def _alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def default_cache():
    """Where decoded images are kept: `$XDG_CACHE_HOME/sagan_lib` or `~/.cache/sagan_lib`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagan_lib"
