"""The trained weights that come with the book, each verified by its checksum."""

import hashlib
from pathlib import Path


def folder():
    """The repository's `data/` folder.

    Raises:
        FileNotFoundError: the package was installed without its repository.
    """
    found = Path(__file__).resolve().parent.parent / "data"
    if not (found / "SHA256SUMS").is_file():
        raise FileNotFoundError(f"{found}: no data folder; install with 'pip install -e .'")
    return found


def checksums():
    """File name -> SHA-256, from `data/SHA256SUMS` (the format of the sha256sum command)."""
    lines = (folder() / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines if line.strip())}


def path(name):
    """The path of a shipped file.

    Raises:
        FileNotFoundError: no such file. ValueError: unknown, or its checksum is another one.
    """
    sums = checksums()
    if name not in sums:
        raise ValueError(f"{name} is not in data/SHA256SUMS; there are {sorted(sums)}")
    found = folder() / name
    if not found.is_file():
        raise FileNotFoundError(f"{found}: missing; restore it with git")
    if sha256(found) != sums[name]:
        raise ValueError(f"{found}: its checksum is not the one in SHA256SUMS; restore it with git")
    return found


def sha256(path):
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def record(path):
    """Write a file's checksum into `data/SHA256SUMS`, replacing its old line."""
    sums = checksums() | {Path(path).name: sha256(path)}
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder() / "SHA256SUMS").write_text(text)
