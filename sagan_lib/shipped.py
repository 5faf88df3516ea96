"""The files that come with the book, each verified by its checksum; and how a file is written."""

import contextlib
import functools
import hashlib
import importlib.resources
import os
import re
import secrets
import socket
import tempfile
from pathlib import Path

_CURE = "restore it with git, or install sagan_lib again"
_kept = contextlib.ExitStack()  # what lay in a zip file has a folder until the end


def _repository():
    """The folder above the package where it has the repository's data; None where installed."""
    above = Path(__file__).resolve().parent.parent
    return above if (above / "data" / "SHA256SUMS").is_file() else None


def root():
    """The repository's folder; without a repository, where the program works."""
    return _repository() or Path.cwd()


@functools.cache
def folder():
    """The folder of what is shipped: the repository's `data/`, or its copy in the package.

    Raises:
        FileNotFoundError: the installation has no data.
    """
    if repository := _repository():
        return repository / "data"
    inside = importlib.resources.files(__package__) / "_data"
    if not (inside / "SHA256SUMS").is_file():
        raise FileNotFoundError(f"{inside}: no data; install sagan_lib again, all of it")
    if isinstance(inside, Path):
        return inside
    target = Path(_kept.enter_context(tempfile.TemporaryDirectory(prefix="sagan_lib-")))
    (target / "results").mkdir()
    for each in (*inside.iterdir(), *(inside / "results").iterdir()):
        if each.is_file():
            (target / str(each).partition("_data/")[2]).write_bytes(each.read_bytes())
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


def _here():
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())[:32] + "-"


def made_here(maker):
    """Whether the second word of a half file's name (see `replacing`) is of this machine.

    Args:
        maker: that word.
    """
    return maker.startswith(_here())


@contextlib.contextmanager
def replacing(path):
    """Write a file whole or not at all: beside its place first, then into it.

    Args:
        path: the file to write; its folder is made if there is none. What was there stays until
            the body of the `with` has ended without an error.

    Yields:
        The path to write to: beside `path`, of this call alone, with the same endings. Its name
        is that of `path`, the machine's and a random word: in a folder that is shared, processes
        of two machines or containers may have one number.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    base = path.name.removesuffix("".join(path.suffixes))
    maker = _here() + secrets.token_hex(4)
    part = path.with_name(f"{base}.{maker}.part{''.join(path.suffixes)}")
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
