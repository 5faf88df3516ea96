"""The files that come with the book, each verified by its checksum; and how a file is written."""

import contextlib
import functools
import hashlib
import importlib.resources
import os
import tempfile
from pathlib import Path

_CURE = "restore it with git, or install sagan_lib again"
_kept = contextlib.ExitStack()  # a folder for an installation inside a zip file, until the end


def root():
    """The repository's folder: the one place that knows where the package lies in it.

    Returns:
        The folder above the package; the working folder where the package was installed without
        its repository.
    """
    above = Path(__file__).resolve().parent.parent
    return above if (above / "data" / "SHA256SUMS").is_file() else Path.cwd()


def folder():
    """The folder of what is shipped: the repository's `data/`, or its copy in the package.

    Raises:
        FileNotFoundError: the installation has no data.
    """
    return _folder(Path(__file__))


@functools.cache
def _folder(here):
    repository = here.resolve().parent.parent / "data"
    if (repository / "SHA256SUMS").is_file():
        return repository
    inside = importlib.resources.files(__package__) / "_data"
    if not (inside / "SHA256SUMS").is_file():
        raise FileNotFoundError(f"{inside}: no data; install sagan_lib again, all of it")
    return inside if isinstance(inside, Path) else _unpacked(inside)


def _unpacked(inside):
    """A copy of a folder that lies in a zip file, for readers that need a path."""
    target = Path(_kept.enter_context(tempfile.TemporaryDirectory(prefix="sagan_lib-")))
    for part in (inside, *(each for each in inside.iterdir() if each.is_dir())):
        place = target if part is inside else target / part.name
        place.mkdir(exist_ok=True)
        for each in part.iterdir():
            if each.is_file():
                (place / each.name).write_bytes(each.read_bytes())
    return target


def checksums():
    """File name -> SHA-256, from `data/SHA256SUMS` (the format of the sha256sum command)."""
    lines = (folder() / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines if line.strip())}


def path(name):
    """The path of a shipped file.

    Args:
        name: of the file in `data/`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unknown, or its checksum is another one.
    """
    sums = checksums()
    if name not in sums:
        raise ValueError(f"{name} is not in data/SHA256SUMS; there are {sorted(sums)}")
    found = folder() / name
    if not found.is_file():
        raise FileNotFoundError(f"{found}: missing; {_CURE}")
    if sha256(found) != sums[name]:
        raise ValueError(f"{found}: its checksum is not the one in SHA256SUMS; {_CURE}")
    return found


def sha256(path):
    """The SHA-256 of the file at `path`, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def record(path):
    """Write the checksum of the file at `path` into `data/SHA256SUMS`, replacing its old line."""
    sums = checksums() | {Path(path).name: sha256(path)}
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    with replacing(folder() / "SHA256SUMS") as part:
        part.write_text(text)


@contextlib.contextmanager
def replacing(path):
    """Write a file whole or not at all: beside its place first, then into it.

    Args:
        path: the file to write; its folder is made if there is none. What was there stays until
            the body of the `with` has ended without an error.

    Yields:
        The path to write to: beside `path`, of this process alone, with the same endings.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    base = path.name.removesuffix("".join(path.suffixes))
    part = path.with_name(f"{base}.{os.getpid()}.part{''.join(path.suffixes)}")
    try:
        yield part
        with open(part, "rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # such as a full disk
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)
