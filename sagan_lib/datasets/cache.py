"""Decoded pictures kept on the disk: where, whole or not at all, by one process at a time."""

import contextlib
import errno
import functools
import json
import math
import os
import shutil
import tempfile
import time
import warnings
from pathlib import Path

import filelock
import numpy as np

from sagan_lib import shipped

#: Seconds after which it is said that another process decodes the same pictures.
PATIENCE = 1.0
#: Seconds after which a half cache of another machine is given up.
DAY = 24 * 60 * 60


def places():
    """Folders for decoded pictures, the best first.

    `$XDG_CACHE_HOME/sagan_lib` or `~/.cache/sagan_lib`; then one of this user's in the temporary
    folder, for who has no home, or none to write to, as in a container run by any user.
    """
    found = []
    with contextlib.suppress(RuntimeError):  # no HOME, and a user whom the system does not know
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        found.append(Path(home) / "sagan_lib")
    spare = _spare()
    # All may write beside it, so a folder of that name may be anybody's.
    if not os.path.lexists(spare) or (not spare.is_symlink() and spare.stat().st_uid == _user()):
        found.append(spare)
    return found


def _user():
    return os.getuid() if hasattr(os, "getuid") else 0


def _spare():
    return Path(tempfile.gettempdir()) / f"sagan_lib-{_user()}"


def writable(folders):
    """The first of some folders that can be written to; it is made. What it replaces is said once.

    Args:
        folders: such as `places()`.

    Raises:
        OSError: none can; it is that of the first.
    """
    wrong = []
    for each in folders:
        try:
            each.mkdir(0o700 if each == _spare() else 0o777, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=each).close()
        except OSError as error:
            wrong.append(error)
            continue
        if wrong or each == _spare():
            why = "there is no home folder"
            if wrong:
                why = f"{folders[0]} cannot be written to ({wrong[0].strerror})"
            _say(f"{why}, so decoded pictures are kept in {each}; XDG_CACHE_HOME chooses a place")
        return each
    raise wrong[0] if wrong else OSError("no folder for decoded pictures; set XDG_CACHE_HOME")


@functools.cache
def _say(text):
    warnings.warn(text, stacklevel=3)


def kept(done, verify=False):
    """What is known of a whole cache file; None if it is missing or not as it was written.

    Its bytes are read only where they must be: asked for, or where another time of change leaves
    open whether they were touched or only copied.

    Args:
        done: the file.
        verify: compare its bytes with their checksum.
    """
    known = _listed(done)
    if known is None or known["bytes"] != done.stat().st_size:
        return None
    untouched = known["mtime_ns"] == done.stat().st_mtime_ns
    if untouched and not verify:
        return known
    if known["sha256"] != shipped.sha256(done):
        return None
    return known if untouched else listing(done, known)


def _listed(done):
    """What the listing of a cache file says; None if either is missing, of old, or damaged."""
    beside = done.with_suffix(".json")
    try:
        if not (done.exists() and beside.exists()):
            return None
        known = json.loads(beside.read_text())
    except (OSError, ValueError):  # of another user, or damaged
        return None
    wanted = {"path", "contents", "sha256", "bytes", "mtime_ns"}
    return known if isinstance(known, dict) and wanted <= set(known) else None


def listing(done, known):
    """Write beside a cache file what is known of it, which makes it valid; returns it.

    Args:
        done: the file, whole and on the disk.
        known: {"path", "contents", ...}; its checksum, size and time of change are added.
    """
    if "sha256" not in known:
        known = known | {"sha256": shipped.sha256(done)}
    stat = done.stat()
    known = known | {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    with shipped.replacing(done.with_suffix(".json")) as part:
        part.write_text(json.dumps(known))
    return known


def check(path, folders=None):
    """Read what is kept of a folder's or zip's decoded pictures, and compare it with its checksums.

    Args:
        path: of the folder or zip.
        folders: where to look; `places()` by default.

    Returns:
        {cache file: whether it is as it was written}, of every resolution and crop.
    """
    path = str(Path(path).resolve())
    files = (done for each in folders or places() for done in sorted(Path(each).glob("*.npy")))
    found = {done: _listed(done) for done in files}
    return {
        done: known["sha256"] == shipped.sha256(done)
        for done, known in found.items()
        if known and known["path"] == path
    }


@contextlib.contextmanager
def alone(done, what):
    """Meanwhile no other process makes this cache file; who comes later waits.

    Where a file system has no locks, nobody waits: each writes a file of its own, and the last one
    stays.

    Args:
        done: the file.
        what: is made, for the message to who waits.
    """
    _sweep(done.parent)
    lock = _lock(done.stem, done.parent)
    try:
        lock.acquire(timeout=PATIENCE)
    except filelock.Timeout:
        warnings.warn(f"{what}: another process decodes these pictures; waiting for it",
                      stacklevel=5)  # fmt: skip
        lock.acquire()
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        _let_go(lock)


def _lock(name, folder):
    return filelock.FileLock(folder / f"{name}.lock", fallback_to_soft=False)


def _let_go(lock):
    with contextlib.suppress(OSError):  # Windows keeps an open file
        Path(lock.lock_file).unlink()
    lock.release()


@contextlib.contextmanager
def pictures(done, shape):
    """Write a file of pictures, as `np.save` would, one after the other; whole or not at all.

    Args:
        done: the file.
        shape: of the whole, (n, h, w, 3), uint8; fewer than n leave the rest empty.

    Yields:
        An open file that takes the bytes of each picture.

    Raises:
        OSError: the disk has too little space. All of it is reserved before the first picture: a
            file that is only as long as it should be would fill the disk later, hours later maybe.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with shipped.replacing(done) as part, open(part, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        size = file.tell() + math.prod(shape)
        file.flush()
        _reserve(file, size, done.parent)
        yield file
        file.truncate(size)


def _reserve(file, size, folder):
    free = shutil.disk_usage(folder).free
    fits = size + 2**20 <= free
    try:
        if fits and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:  # else the file system reserves nothing: then writing will tell
        fits = error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if not fits:
        raise OSError(
            f"{folder}: {size / 2**20:.0f} MiB are needed for the decoded pictures, "
            f"{free / 2**20:.0f} are free; set XDG_CACHE_HOME to a folder on another disk"
        )


def _sweep(folder):
    """Remove what dead processes left half done: nobody holds its lock.

    Of another machine, or container, only after a day: a network folder may be one that keeps
    locks within each machine.
    """
    for part in folder.glob("*.part.*"):
        name, maker = part.name.split(".")[:2]
        with contextlib.suppress(OSError, NotImplementedError):  # held, without locks, or gone
            if shipped.made_here(maker) or time.time() - part.stat().st_mtime > DAY:
                lock = _lock(name, folder)
                lock.acquire(timeout=0)
                part.unlink(missing_ok=True)
                _let_go(lock)
