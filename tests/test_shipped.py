"""Shipped weights: a file that is not the recorded one is refused."""

import errno
import hashlib
import os
import shutil
import subprocess

import pytest

from sagan_lib import runs, shipped
from sagan_lib.evaluation import judge


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A data folder of one's own: the judge's weights and the list."""
    data = tmp_path / "data"
    data.mkdir()
    for name in (judge.WEIGHTS, "SHA256SUMS"):
        shutil.copy(shipped.folder() / name, data)
    monkeypatch.setattr(shipped, "folder", lambda: data)
    return data


@pytest.mark.parametrize("name", [judge.WEIGHTS, runs.GENERATOR])
def test_the_books_weights_are_here_whole_and_small(name):
    found = shipped.path(name)
    assert hashlib.sha256(found.read_bytes()).hexdigest() == shipped.checksums()[name]
    assert found.stat().st_size < 5 * 2**20


def test_every_listed_file_is_as_listed():
    for name in shipped.checksums():
        assert shipped.path(name).is_file()


def test_a_tampered_file_is_refused(copy):
    whole = (copy / judge.WEIGHTS).read_bytes()
    assert shipped.path(judge.WEIGHTS) == copy / judge.WEIGHTS
    (copy / judge.WEIGHTS).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # one bit
    with pytest.raises(ValueError, match=f"{judge.WEIGHTS}: its checksum is not"):
        shipped.path(judge.WEIGHTS)


def test_the_judge_does_not_load_tampered_weights(copy, monkeypatch):
    monkeypatch.setattr(judge, "_loaded", {})
    (copy / judge.WEIGHTS).write_bytes(b"")
    with pytest.raises(ValueError, match="checksum"):
        judge.load()
    assert judge._loaded == {}


def test_a_missing_and_an_unknown_file_are_told_apart(copy):
    (copy / judge.WEIGHTS).unlink()
    with pytest.raises(FileNotFoundError, match="missing; restore it with git"):
        shipped.path(judge.WEIGHTS)
    with pytest.raises(ValueError, match=rf"other.h5 is not in .*there are .*{judge.WEIGHTS}"):
        shipped.path("other.h5")


def test_recording_replaces_a_files_line_and_keeps_the_others(copy):
    before = shipped.checksums()
    (copy / judge.WEIGHTS).write_bytes(b"new weights")
    (copy / "a.h5").write_bytes(b"abc")
    shipped.record(copy / judge.WEIGHTS)
    shipped.record(copy / "a.h5")
    # FIPS 180-2 gives the SHA-256 of "abc".
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    new = hashlib.sha256(b"new weights").hexdigest()
    assert shipped.checksums() == before | {"a.h5": abc, judge.WEIGHTS: new}
    assert shipped.path(judge.WEIGHTS) == copy / judge.WEIGHTS
    lines = (copy / "SHA256SUMS").read_text().splitlines()
    assert lines == sorted(lines, key=lambda line: line.split()[1])


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum here")
def test_the_list_is_one_that_sha256sum_can_check(copy):
    shutil.copy(copy / judge.WEIGHTS, copy / "other.h5")
    (copy / "SHA256SUMS").write_text("")
    for name in (judge.WEIGHTS, "other.h5"):
        shipped.record(copy / name)
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode == 0
    (copy / "other.h5").write_bytes(b"changed")
    assert subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode == 1


def test_without_the_repository_the_message_says_how_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "sagan_lib" / "shipped.py"))
    with pytest.raises(FileNotFoundError, match=r"pip install -e"):
        shipped.folder()


def test_a_file_is_replaced_as_a_whole_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "file.json"
    for text in ("first", "second"):
        with shipped.replacing(path) as part:
            assert part.suffix == ".json"
            part.write_text(text)
            assert not path.exists() or path.read_text() == "first"
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.json"
    path.write_text("old")

    def killed():
        with shipped.replacing(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_is_told_with_the_file(tmp_path):
    def full():
        with shipped.replacing(tmp_path / "run.keras"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"No space left on device: '.*/run\.keras'"):
        full()
    assert list(tmp_path.iterdir()) == []
