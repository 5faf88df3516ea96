"""Training images from any folder or zip: decoded once, cropped, resized, kept in a cache."""

import collections
import functools
import hashlib
import os
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sagan_lib import checks
from sagan_lib.datasets import cache as caches
from sagan_lib.datasets import decode
from sagan_lib.datasets.labels import Labels
from sagan_lib.datasets.source import Source


class ImageFolder(Source):
    """Images of a folder (searched to any depth), or of a zip archive of images.

    An image is cropped to a centred square and resized to `resolution` with an anti-aliasing
    filter (`decode.picture`). The first use decodes every file, in parallel, into a memory-mapped
    cache; later uses open the cache without reading it, if its size and time of change are those
    that it was written with. One process decodes, others that need the same pictures wait for it.

    Args:
        path: a folder, or a `.zip`. Links to folders are followed, each folder is entered once.
            Members of a zip that share a name are each taken, with a warning.
        resolution: of the result, 16 to 256 pixels.
        crop: side of the centred square, in pixels of the file; None, and where a picture is
            smaller, takes the largest square.
        limit: take at most so many images, in the order of their names.
        cache: folder of the decoded images; by default one of `cache.places()`, such as
            `~/.cache/sagan_lib` (XDG_CACHE_HOME).
        verify: read the whole cache and compare it with its checksum; if it is another one, decode
            all files anew.
        label: "folder" labels each picture by the folder that it lies in, the first below what all
            paths share; None for no labels.

    Attributes:
        names: the files used, in order; of members of a zip that share a name, all but the first
            with a number. skipped: {file that could not be decoded: why}.
        found: how many pictures there are, `limit` or not.
        left_out: {ending: how many files of it are no pictures}. sizes: {"WIDTHxHEIGHT": files}.
        fingerprint: follows from crop, resolution and the files, but not from where they lie: 24
            hexadecimal digits from their names and sizes (in a zip CRC-32), which are looked at
            each time, a hyphen, and 24 from their bytes, as they were when they were decoded.

    Raises:
        FileNotFoundError: there is no such path.
        PermissionError: a file may not be read; all of them are counted, some named.
        OSError: the cache's disk has too little space, or a file cannot be read for a reason of
            the system's, such as a disk that fails. Nothing is remembered of these.
        ValueError: no image can be decoded, an argument is wrong, or there are labels to be and no
            two folders, or pictures beside them. Files that cannot be decoded are skipped, counted
            and named in a warning.
    """

    def __init__(
        self, path, resolution=64, crop=None, limit=None, cache=None, verify=False, label=None
    ):
        self.path = Path(path)
        self._check_label(label)
        checks.integer("resolution", resolution, 16, 256)
        if crop is not None:
            checks.integer("crop", crop, 1)
        if limit is not None:
            checks.integer("limit", limit, 1)
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path}: no such folder or zip; see data/README.md")
        self.resolution, self.crop = resolution, crop
        if self.path.is_file() and self.path.suffix.lower() != ".zip":
            raise ValueError(f"path must be a folder or a .zip, got the file {self.path}")
        self._archive = self._open_zip() if self.path.suffix.lower() == ".zip" else None
        names = self._chosen(self._list())
        self.found, names = len(names), names[:limit]
        self._decode_all(names, [Path(cache)] if cache else caches.places(), verify)
        self.size = len(self.names)
        self.description = f"{self.path}: all images"
        if label is not None:
            self._label_by(label)

    def _check_label(self, label):
        checks.one_of("label", label, (None, "folder"))

    def _label_by(self, label):
        """Label the pictures that were decoded; a data set with a list of labels overrides this."""
        paths = [self._path_of(name).parts for name in self.names]
        folders = {path[:-1] for path in paths}
        depth = 0  # of what all of them share
        while min(map(len, folders)) > depth and len({f[: depth + 1] for f in folders}) == 1:
            depth += 1
        shared = min(folders)[:depth]
        if loose := [name for name, p in zip(self.names, paths, strict=True)
                     if len(p) == depth + 1]:  # fmt: skip
            raise ValueError(
                f"{self.path}: label 'folder' needs each picture in one of two folders or more, "
                f"got {_told(loose, 'in none')} below {'/'.join(shared) or 'the top'}"
            )
        of = [path[depth] for path in paths]
        names = sorted(set(of))
        if empty := sorted(self._folders(shared) - set(names)):
            warnings.warn(f"{self.path}: no picture in {_told(empty, 'folders')}; they are no "
                          "labels", stacklevel=4)  # fmt: skip
        self.label(Labels({"folder": names}), [[names.index(each)] for each in of])

    def _path_of(self, name):
        """The path of a picture by its name: of members that share one, that without a number."""
        return Path(self._members[name].filename if self._archive else name)

    def _folders(self, shared):
        """The folders directly below `shared`, with and without pictures."""
        if self._archive:
            depth, members = len(shared), self._archive.infolist()
            paths = (Path(each.filename, "*" * each.is_dir()).parts for each in members)
            found = {p[depth] for p in paths if p[:depth] == shared and len(p) > depth + 1}
        else:
            found = {each.name for each in self.path.joinpath(*shared).iterdir() if each.is_dir()}
        return {name for name in found if not name.startswith((".", "__MACOSX"))}

    def _chosen(self, names):
        """Which of all names are used; a data set with splits overrides this."""
        return names

    def _open_zip(self):
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise ValueError(f"{self.path}: not a whole zip archive ({error})") from error

    def _members_of_zip(self):
        """{name: ZipInfo}: by a name alone, the archive gives the last member that has it."""
        members, counts = {}, collections.Counter()
        for info in self._archive.infolist():
            if not info.is_dir():
                counts[info.filename] += 1
                again = f" ({counts[info.filename]})" if counts[info.filename] > 1 else ""
                members[info.filename + again] = info
        if double := [name for name, count in counts.items() if count > 1]:
            warnings.warn(
                f"{self.path}: each member is taken of {_told(double, 'names')} that several have",
                stacklevel=5 + (type(self) is not ImageFolder),
            )
        return members

    def _files(self):
        """All files' names, relative to the folder, or in the archive."""
        if self._archive:
            self._members = self._members_of_zip()
            return list(self._members)
        found, entered, closed = [], set(), []
        for folder, inner, files in os.walk(self.path, onerror=closed.append, followlinks=True):
            if os.path.realpath(folder) in entered:
                inner.clear()  # a link back: its files have been seen
                continue
            entered.add(os.path.realpath(folder))
            found += [os.path.relpath(os.path.join(folder, name), self.path) for name in files]
        if closed:
            raise self._unread({error.filename: error for error in closed})
        return found

    def _list(self):
        """The names of the pictures, in order; the others are counted in `left_out`."""
        readable, names = decode.suffixes(), []
        self.left_out = collections.Counter()
        for name in self._files():
            path = self._path_of(name)
            hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
            ending = "hidden" if hidden else path.suffix.lower() or "no ending"
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
            return [self._members[name].CRC for name in names], []
        stats = [(self.path / name).stat() for name in names]
        return [stat.st_size for stat in stats], [stat.st_mtime_ns for stat in stats]

    def _decode_all(self, names, folders, verify):
        """Fill `images` and what is known about the files, from a cache or from the files."""
        if not names:
            raise ValueError(f"{self.path}: no image files; {self._left_out()}")
        sizes, touched = self._stamps(names)
        named = _digest(self.resolution, self.crop, names, sizes)
        here = f"{_digest(named, str(self.path.resolve()), touched)}.npy"
        for done in (folder / here for folder in folders):
            if known := caches.kept(done, verify):
                break
        else:
            done = caches.writable(folders) / here
            with caches.alone(done, self.path):
                known = caches.kept(done, verify) or self._write_cache(names, done)
        self.fingerprint = f"{named}-{known['contents']}"
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
        with caches.pictures(done, (len(names), self.resolution, self.resolution, 3)) as file:
            known = self._fill(file, names)
        # Last: where there is a listing, the pictures were whole and on the disk before it.
        return caches.listing(done, known | {"path": str(self.path.resolve())})

    def _fill(self, file, names):
        """Decode all files into `file`, without gaps; returns what the listing says of them."""
        from tqdm.auto import tqdm

        skipped, sizes, unread, sums = {}, collections.Counter(), {}, []
        pool = ThreadPoolExecutor()
        try:
            bar = tqdm(names, "decoding", disable=len(names) < 1000)
            decoded = zip(bar, pool.map(self._try_decode, names), strict=True)
            for name, (image, size, crc, error) in decoded:
                if isinstance(error, OSError) and error.errno is not None:
                    unread[name] = error
                elif error is not None:
                    skipped[name] = f"{type(error).__name__}: {error}"[:200]
                elif image.shape != (self.resolution, self.resolution, 3):
                    raise ValueError(f"decode must give a square of {self.resolution} pixels in "
                                     f"colour, got {image.shape} of {name}")  # fmt: skip
                else:
                    file.write(image.tobytes())
                    sizes[f"{size[0]}x{size[1]}"] += 1
                    sums.append(crc)
        finally:
            pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the other files
        if unread:
            raise self._unread(unread)
        return {"skipped": skipped, "sizes": sizes, "contents": _digest(sums)}

    def _unread(self, errors):
        """What to raise for files that the system did not give."""
        if all(isinstance(error, PermissionError) for error in errors.values()):
            return PermissionError(f"{self.path}: no permission to read {_told(errors, 'files')}")
        first = next(error for error in errors.values() if not isinstance(error, PermissionError))
        return OSError(f"{self.path}: cannot read {_told(errors, 'files')} ({first.strerror})")

    def _try_decode(self, name):
        """(*what `decode` gives, None), or (None, None, None, what was raised)."""
        try:
            return *self.decode(name), None
        except Exception as error:  # whatever it is, the other files go on
            # Their frames hold the picture until the error is looked at.
            error.__traceback__ = error.__context__ = error.__cause__ = None
            return None, None, None, error

    def decode(self, name):
        """`decode.file` of the file `name`."""
        if self._archive:
            member = self._members[name]
            opened, size = functools.partial(self._archive.open, member), member.file_size
        else:
            path = self.path / name
            opened, size = functools.partial(open, path, "rb"), path.stat().st_size
        return decode.file(opened, size, self.resolution, self.crop)

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
