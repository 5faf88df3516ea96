"""The cache of decoded pictures: its place, its space, one process at a time, what kills leave."""

import errno
import os
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sagan_lib import shipped
from sagan_lib.datasets import cache as caches
from sagan_lib.datasets.celeba import CelebA
from sagan_lib.datasets.folder import ImageFolder


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A home that nobody can write to, whoever runs the test, and a temporary folder."""
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def test_a_home_that_cannot_be_written_to_is_said_once(celeba, nowhere):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = CelebA(celeba, 16)
        second = CelebA(celeba, 32)
    (place,) = {path.parent for path in nowhere.rglob("*.npy")}
    assert place.parent == nowhere
    assert first.images.any()
    assert second.images.any()
    assert len(caught) == 1
    assert "file/.cache/sagan_lib cannot be written to (Not a directory)" in str(caught[0].message)
    assert f"kept in {place}; XDG_CACHE_HOME" in str(caught[0].message)
    assert list(caches.check(celeba).values()) == [True, True]
    assert caches.check(nowhere) == {}, "those are of another folder"
    if os.name == "posix":
        assert place.stat().st_mode & 0o777 == 0o700


def test_a_cache_that_can_only_be_read_is_used(celeba, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "baked"))
    whole = np.array(CelebA(celeba, 16).images)
    assert len(list((tmp_path / "baked" / "sagan_lib").glob("*.npy"))) == 1
    monkeypatch.delattr(ImageFolder, "decode")
    monkeypatch.setattr(caches, "writable", lambda _: pytest.fail("asked for a place to write"))
    np.testing.assert_array_equal(CelebA(celeba, 16).images, whole)


def test_a_place_that_may_not_be_looked_into_is_passed_over(celeba, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "closed"))
    exists = Path.exists

    def refuse(path, **options):
        if "closed" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return exists(path, **options)

    monkeypatch.setattr(Path, "exists", refuse)
    assert caches.kept(tmp_path / "closed" / "sagan_lib" / "x.npy") is None


def test_a_user_without_a_home_has_the_temporary_folder(monkeypatch, tmp_path):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (place,) = caches.places()
    assert place.parent == Path(tempfile.gettempdir())
    caches._say.cache_clear()
    with pytest.warns(UserWarning, match=f"no home folder, so decoded pictures .* in {place};"):
        assert caches.writable(caches.places()) == place


def test_a_folder_of_somebody_else_in_the_temporary_one_is_not_taken(nowhere, monkeypatch):
    spare = caches.places()[-1]
    spare.symlink_to(nowhere)
    assert caches.places() == [Path(os.environ["HOME"]) / ".cache" / "sagan_lib"]
    spare.unlink()
    spare.mkdir()
    assert caches.places()[-1] == spare
    monkeypatch.setattr(caches, "_user", lambda: 123456)
    spare.rename(caches._spare())  # a folder of this name, but not of user 123456
    assert len(caches.places()) == 1


def test_a_cache_that_was_chosen_is_not_replaced_by_another(celeba, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        CelebA(celeba, 16, cache=tmp_path / "file" / "cache")


def at_once(*functions):
    """What the functions gave, each run in a thread of its own."""
    with ThreadPoolExecutor(len(functions)) as pool:
        return [each.result() for each in [pool.submit(function) for function in functions]]


def test_of_two_at_once_one_decodes_and_who_waits_is_told(celeba, cache, monkeypatch, work):
    monkeypatch.setattr(caches, "PATIENCE", 0.01)
    with pytest.warns(UserWarning, match="celeba: another process decodes these pictures"):
        one, other = at_once(*[lambda: CelebA(celeba, 16, cache=cache)] * 2)
    np.testing.assert_array_equal(one.images, other.images)
    assert one.images.any()
    assert set(work.values()) == {1}
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".npy"]


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks"), NotImplementedError("flock")])
def test_without_locks_both_decode_and_both_are_right(celeba, cache, monkeypatch, work, error):
    def none(*_, **__):
        raise error

    monkeypatch.setattr(caches.filelock.FileLock, "acquire", none)
    one, other = at_once(*[lambda: CelebA(celeba, 16, cache=cache)] * 2)
    np.testing.assert_array_equal(one.images, other.images)
    assert one.images.any()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system reserves no space")
def test_the_space_is_reserved_before_the_first_picture(celeba, cache, monkeypatch):
    """Else the disk fills up under a file that is long already: a bus error, without a word."""
    reserved, decode = [], ImageFolder.decode

    def looking(self, name):
        reserved.extend(path.stat().st_blocks * 512 for path in cache.glob("*.part.npy"))
        return decode(self, name)

    monkeypatch.setattr(ImageFolder, "decode", looking)
    CelebA(celeba, 256, cache=cache)
    assert min(reserved) >= 6 * 256 * 256 * 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_before_decoding(celeba, cache, monkeypatch, work, number):
    def full(*_):
        raise OSError(number, os.strerror(number))

    def little(_):
        return SimpleNamespace(free=1000)

    for patched in ((os, "posix_fallocate", full), (caches.shutil, "disk_usage", little)):
        with monkeypatch.context() as patch:
            patch.setattr(*patched, raising=False)
            with pytest.raises(OSError, match=r"MiB are needed .*set XDG_CACHE_HOME"):
                CelebA(celeba, 16, cache=cache)
    assert not work
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("lacks", ["the function", "the file system"])
def test_where_no_space_can_be_reserved_pictures_are_written(celeba, cache, monkeypatch, lacks):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, "not supported")

    if lacks == "the function":
        monkeypatch.delattr(os, "posix_fallocate")
    else:
        monkeypatch.setattr(os, "posix_fallocate", unsupported)
    source = CelebA(celeba, 16, cache=cache)
    assert source.images.any(axis=(1, 2, 3)).all()


def test_a_disk_that_fills_up_later_is_an_error_with_its_name(celeba, cache, monkeypatch):
    def full(self, file, names):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ImageFolder, "_fill", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*cache.*\.npy'"):
        CelebA(celeba, 16, cache=cache)


def test_half_files_go_where_nobody_holds_their_lock_and_those_of_other_machines_after_a_day(
    celeba, cache
):
    """Their process numbers mean nothing here, and their locks may not reach here."""
    cache.mkdir()
    here = shipped._here()
    stays = {"a.other-12": True, "old.other-12": False, "older_name.77": True,
             f"dead.{here}1": False, f"held.{here}1": True}  # fmt: skip
    parts = {name: cache / f"{name}.part.npy" for name in stays}
    for part in parts.values():
        part.write_bytes(b"half")
    os.utime(parts["old.other-12"], (time.time() - 2 * caches.DAY,) * 2)
    with caches._lock("held", cache):
        CelebA(celeba, 16, cache=cache)
    assert {name: part.exists() for name, part in parts.items()} == stays
