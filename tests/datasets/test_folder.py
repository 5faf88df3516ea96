"""Folders and zips: the crop, the resize, damaged files, the cache."""

import errno
import io
import os
import struct
import threading
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from sagan_lib.datasets import cache as caches
from sagan_lib.datasets import folder as folders
from sagan_lib.datasets.celeba import CelebA
from sagan_lib.datasets.folder import ImageFolder


def test_any_folder_works_to_any_depth_without_a_list(tmp_path, cache):
    for name in ("b/deep/er.PNG", "a.jpeg", "c.webp", "b/d.bmp", "e.tif", "f.gif", "notes.txt",
                 ".DS_Store", "README"):  # fmt: skip
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(("txt", "Store", "README")):
            (tmp_path / "own" / name).write_text("no picture")
        else:
            picture(1, (40, 40)).save(tmp_path / "own" / name)
    source = ImageFolder(tmp_path / "own", 16, cache=cache)
    assert source.names == ["a.jpeg", "b/d.bmp", "b/deep/er.PNG", "c.webp", "e.tif", "f.gif"]
    assert source.skipped == {}
    assert source.left_out == {".txt": 1, "hidden": 1, "no ending": 1}
    assert source.taken() == (
        f"{tmp_path / 'own'}: 6 pictures of 40x40; largest centred square, resized to 16 px; "
        "left out: 1 .txt, 1 hidden, 1 no ending"
    )
    assert ImageFolder(tmp_path / "own", 16, limit=3, cache=cache).names == source.names[:3]


@pytest.mark.parametrize(
    ("size", "crop", "box"),  # width and height; columns and rows that must be left
    [
        ((178, 218), 178, (0, 178, 20, 198)),  # CelebA: 20 rows go above and below
        ((300, 200), 178, (61, 239, 11, 189)),
        ((100, 60), 178, (20, 80, 0, 60)),  # smaller than the crop: the largest square
        ((300, 200), None, (50, 250, 0, 200)),
        ((64, 64), 16, (24, 40, 24, 40)),
    ],
)
def test_the_crop_is_the_centred_square(tmp_path, cache, size, crop, box):
    x, y = np.meshgrid(np.arange(size[0]) % 256, np.arange(size[1]) % 256)
    pixels = np.stack([x, y, 0 * x], -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    left, right, top, bottom = box
    source = ImageFolder(tmp_path, right - left, crop=crop, cache=cache)  # no resize: exact pixels
    np.testing.assert_array_equal(source.images[0], pixels[top:bottom, left:right])


def test_the_resize_is_lanczos_with_antialias(tmp_path, cache):
    pixels = np.random.default_rng(0).integers(0, 256, (178, 178, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    got = ImageFolder(tmp_path, 32, cache=cache).images[0]
    reference = Image.open(tmp_path / "noise.png").resize((32, 32), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(got, reference)


def test_damaged_files_are_skipped_counted_and_named(celeba, cache):
    whole = CelebA(celeba, 16, cache=cache).images
    (celeba / "000002.jpg").write_bytes(b"not a picture")
    (celeba / "000004.jpg").write_bytes(b"")
    data = (celeba / "000005.jpg").read_bytes()
    (celeba / "000005.jpg").write_bytes(data[: len(data) // 2])
    for _ in range(2):  # from the files, then from the cache
        with pytest.warns(UserWarning, match="skipped 3 undecodable") as caught:
            source = CelebA(celeba, 16, cache=cache)
        assert caught[0].filename == __file__  # it points at the caller
        for number in (2, 4, 5):
            assert f"{number:06}.jpg" in str(caught[0].message)
        assert list(source.skipped) == ["000002.jpg", "000004.jpg", "000005.jpg"]
        assert "truncated" in source.skipped["000005.jpg"]
        assert source.names == ["000001.jpg", "000003.jpg", "000006.jpg"]
        np.testing.assert_array_equal(source.images, whole[[0, 2, 5]])
        assert source.size == 3


def test_no_file_left_is_an_error_also_the_second_time_and_names_a_few(tmp_path, cache):
    for number in range(8):
        (tmp_path / f"bad{number}.jpg").write_text("text")
    for _ in range(2):
        with (
            pytest.warns(UserWarning, match=r"skipped 8 .*bad0.jpg.*bad4.jpg, \.\.\.$"),
            pytest.raises(ValueError, match=r"no image that can be decoded \(8 skipped\)"),
        ):
            ImageFolder(tmp_path, 16, cache=cache)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_of_a_zip_is_skipped(tmp_path, cache, compression):
    picture(1, (64, 64)).save(tmp_path / "a.bmp")
    with zipfile.ZipFile(tmp_path / "set.zip", "w", compression) as archive:
        for name in ("1.bmp", "2.bmp"):
            archive.write(tmp_path / "a.bmp", name)
    data = bytearray((tmp_path / "set.zip").read_bytes())
    data[100:140] = b"\xff" * 40  # inside the first member
    (tmp_path / "set.zip").write_bytes(data)
    with pytest.warns(UserWarning, match=r"skipped 1 undecodable: 1\.bmp"):
        source = ImageFolder(tmp_path / "set.zip", 64, cache=cache)
    np.testing.assert_array_equal(source.images, np.asarray(picture(1, (64, 64)))[None])


def test_the_second_use_decodes_nothing(celeba, cache, monkeypatch):
    first = np.array(CelebA(celeba, 16, cache=cache).images)
    monkeypatch.delattr(ImageFolder, "decode")
    again = CelebA(celeba, 16, cache=cache)
    np.testing.assert_array_equal(again.images, first)
    assert isinstance(again.images, np.memmap)  # the set need not fit into memory


def test_the_cache_notices_changed_files_and_arguments(celeba, cache):
    first = np.array(CelebA(celeba, 16, cache=cache).images)
    (celeba / "000003.jpg").write_bytes((celeba / "000009.jpg").read_bytes())
    second = CelebA(celeba, 16, cache=cache).images
    assert [np.array_equal(a, b) for a, b in zip(first, second, strict=True)].count(False) == 1
    np.testing.assert_array_equal(
        second[2], CelebA(celeba, 16, split="test", cache=cache).images[0]
    )
    assert not np.array_equal(CelebA(celeba, 16, crop=80, cache=cache).images, second)
    picture(30).save(celeba / "000000.jpg")
    assert CelebA(celeba, 16, split="all", cache=cache).size == 11


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupt_leaves_no_half_cache_and_does_not_wait(celeba, cache, monkeypatch, error):
    """In the thread that decodes, or (a picture of the wrong shape) in the one that collects."""
    calls, lock = [], threading.Lock()

    def slow(self, name):
        with lock:
            calls.append(name)
            if len(calls) == 3 and error is KeyboardInterrupt:
                raise error
        time.sleep(0.01)
        wrong = error is ValueError and len(calls) >= 10
        return np.zeros((5, 5, 3) if wrong else (16, 16, 3), np.uint8), (16, 16), 0

    for number in range(300):
        os.link(celeba / "000001.jpg", celeba / f"copy{number}.jpg")
    with monkeypatch.context() as patch:
        patch.setattr(ImageFolder, "decode", slow)
        with pytest.raises(error):
            CelebA(celeba, 16, split="all", cache=cache)
    assert len(calls) < 200
    assert list(cache.iterdir()) == []
    assert CelebA(celeba, 16, split="all", cache=cache).images[0].any()


def test_a_folder_that_may_not_be_entered_is_an_error(tmp_path, monkeypatch):
    labelled(tmp_path, "a.png", "closed/b.png")
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match=r"no permission to read 1 files: .*closed"):
        ImageFolder(tmp_path)


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("missing", FileNotFoundError, r"missing.*data/README\.md"),
        ("empty", ValueError, r"no image files.*left out: 1 \.txt"),
        ("broken.zip", ValueError, r"broken\.zip.*not a whole zip archive"),
        ("empty/notes.txt", ValueError, r"a folder or a \.zip, got the file .*notes\.txt"),
    ],
)
def test_where_no_pictures_are_it_is_said(tmp_path, path, error, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no picture")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(error, match=words):
        ImageFolder(tmp_path / path)


def test_names_with_any_character_in_any_encoding(tmp_path, cache):
    folder = os.fsencode(tmp_path)
    names = [b"new\nline.png", "grüße 图片.png".encode(), b"latin-\xe9.png", b"' \" %s.png"]
    for name in names:
        picture(1, (32, 32)).save(tmp_path / "one.bmp")
        with open(os.path.join(folder, name), "wb") as file:
            Image.open(tmp_path / "one.bmp").save(file, "PNG")
    (tmp_path / "one.bmp").unlink()
    with open(os.path.join(folder, b"bad-\xff\n.png"), "wb") as file:
        file.write(b"no picture")
    for _ in range(2):  # from the files, then from the cache
        with pytest.warns(UserWarning, match=r"skipped 1 undecodable: bad-\\udcff\\n\.png"):
            source = ImageFolder(tmp_path, 16, cache=cache)
        assert sorted(os.fsencode(name) for name in source.names) == sorted(names)


def test_linked_folders_are_entered_once(tmp_path, cache):
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    picture(1, (32, 32)).save(own / "a.png")
    picture(2, (32, 32)).save(other / "b.png")
    (own / "link").symlink_to(other, target_is_directory=True)
    (other / "back").symlink_to(own, target_is_directory=True)
    assert ImageFolder(own, 16, cache=cache).names == ["a.png", "link/b.png"]


@pytest.fixture
def fails(tmp_path, monkeypatch):
    """A folder of a.png, b.png and c.png, and a function that lets the second raise an error."""
    labelled(tmp_path, "a.png", "b.png", "c.png")
    real = ImageFolder.decode

    def let(error):
        def decode(self, name):
            if name == "b.png" and error:
                raise error
            return real(self, name)

        monkeypatch.setattr(ImageFolder, "decode", decode)

    return let


@pytest.mark.parametrize(
    ("error", "words"),
    [(PermissionError(13, "Permission denied", "b.png"), "no permission to read 1 files: b.png"),
     (OSError(errno.EIO, "Disk failure"), r"cannot read 1 files: b.png \(Disk failure\)")],
)  # fmt: skip
def test_what_the_system_does_not_give_is_an_error_and_is_not_remembered(
    error, words, tmp_path, cache, fails
):
    """A disk that fails, or too many open files, says nothing of the picture."""
    fails(error)
    with pytest.raises(type(error), match=words):
        ImageFolder(tmp_path, 16, cache=cache)
    assert list(cache.iterdir()) == []
    fails(None)
    assert ImageFolder(tmp_path, 16, cache=cache).names == ["a.png", "b.png", "c.png"]


def test_whatever_a_decoder_raises_the_others_go_on(tmp_path, cache, fails):
    fails(struct.error("bad EXIF"))
    with pytest.warns(UserWarning, match=r"skipped 1 undecodable: b\.png"):
        source = ImageFolder(tmp_path, 16, cache=cache)
    assert source.names == ["a.png", "c.png"]
    assert source.skipped == {"b.png": "error: bad EXIF"}


@pytest.mark.parametrize(
    "damage", ["truncated", "longer", "flipped", "no listing", "damaged listing", "no dict"]
)
def test_a_damaged_cache_is_made_again(celeba, cache, damage):
    whole = np.array(CelebA(celeba, 16, cache=cache).images)
    (rows,), (listing,) = cache.glob("*.npy"), cache.glob("*.json")
    if damage == "truncated":
        os.truncate(rows, rows.stat().st_size - 100)
    elif damage == "longer":
        os.truncate(rows, rows.stat().st_size + 1)
    elif damage == "flipped":
        flip_one_byte(rows)
    elif damage == "no listing":
        listing.unlink()
    else:
        listing.write_text("{" if damage == "damaged listing" else "[1]")
    np.testing.assert_array_equal(CelebA(celeba, 16, cache=cache).images, whole)


def flip_one_byte(rows, at=-5):
    data = bytearray(rows.read_bytes())
    data[at] ^= 255
    rows.write_bytes(data)


def test_damage_that_keeps_size_and_time_is_found_on_request(celeba, cache, work):
    whole = np.array(CelebA(celeba, 16, cache=cache).images)
    (rows,) = cache.glob("*.npy")
    stat = rows.stat()
    flip_one_byte(rows)
    os.utime(rows, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    work.clear()
    assert not np.array_equal(CelebA(celeba, 16, cache=cache).images, whole)
    assert work == {}
    assert caches.check(celeba, [cache]) == {rows: False}
    np.testing.assert_array_equal(CelebA(celeba, 16, cache=cache, verify=True).images, whole)
    assert work.keys() >= {f"{number:06}.jpg" for number in range(1, 7)}
    assert caches.check(celeba, [cache]) == {rows: True}


def test_a_cache_that_was_copied_is_read_once_and_kept(celeba, cache, work):
    whole = np.array(CelebA(celeba, 16, cache=cache).images)
    (rows,) = cache.glob("*.npy")
    os.utime(rows, (1, 1))
    for read in (1, 0):
        work.clear()
        np.testing.assert_array_equal(CelebA(celeba, 16, cache=cache).images, whole)
        assert work == Counter(read=read)


def test_what_a_kill_leaves_between_pictures_and_listing_is_decoded_anew(
    celeba, cache, work, monkeypatch
):
    """The listing comes last, when the pictures are on the disk and in their place."""
    synced, fsync = [], os.fsync

    def killed(*_):
        (rows,) = cache.glob("*.npy")
        assert synced[-1:] == [rows.stat().st_ino]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: (synced.append(os.fstat(file).st_ino), fsync(file)))
        patch.setattr(caches, "listing", killed)
        with pytest.raises(KeyboardInterrupt):
            CelebA(celeba, 16, cache=cache)
    assert list(cache.glob("*.json")) == []
    work.clear()
    assert CelebA(celeba, 16, cache=cache).images.any()
    assert work.keys() >= {f"{number:06}.jpg" for number in range(1, 7)}


def test_broken_links_and_what_is_no_file_are_counted(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "one.png")
    (tmp_path / "broken.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "pipe.jpg")
    source = ImageFolder(tmp_path, 32, cache=tmp_path / "cache")
    assert source.size == 1
    assert "left out: 2 broken link or no file" in source.taken()


def test_the_fingerprint_is_of_the_pictures_and_not_of_their_place(celeba, cache, tmp_path):
    first = CelebA(celeba, 16, cache=cache).fingerprint
    moved = celeba.rename(tmp_path / "celeba" / "renamed")
    assert CelebA(moved, 16, cache=cache).fingerprint == first
    assert CelebA(moved, 16, cache=cache).fingerprint == first  # from the cache
    assert CelebA(moved, 16, crop=100, cache=cache).fingerprint != first
    (moved / "000002.jpg").write_bytes((moved / "000001.jpg").read_bytes() + b" ")
    assert CelebA(moved, 16, cache=cache).fingerprint != first


def test_the_fingerprint_follows_from_the_files_bytes(tmp_path, cache):
    """Other pictures of the same names and sizes have another second half."""
    for number, colour in enumerate(("red", "blue")):
        Image.new("RGB", (16, 16), colour).save(tmp_path / f"{number}.bmp")
    first = ImageFolder(tmp_path, 16, cache=cache).fingerprint
    (tmp_path / "0.bmp").rename(tmp_path / "x")
    (tmp_path / "1.bmp").rename(tmp_path / "0.bmp")
    (tmp_path / "x").rename(tmp_path / "1.bmp")
    second = ImageFolder(tmp_path, 16, cache=cache).fingerprint
    assert [len(half) for half in first.split("-")] == [24, 24]
    assert second.split("-")[0] == first.split("-")[0]
    assert second.split("-")[1] != first.split("-")[1]


def zipped(path, *members):
    """A zip of (name, colour or bytes)."""
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name is there already
        for name, what in members:
            if isinstance(what, str):
                file = io.BytesIO()
                Image.new("RGB", (16, 16), what).save(file, "PNG")
                what = file.getvalue()
            archive.writestr(name, what)
    return path


def colours(source):
    assert len(source.images) == source.size == len(source.names)
    return [tuple(image[0, 0].tolist()) for image in source.images]


RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 128, 0)


def test_members_of_one_name_are_each_taken_and_said_though_some_are_damaged(tmp_path, cache):
    path = zipped(tmp_path / "a.zip", ("a.png", b"text"), ("a.png", "red"), ("a.png", b"text"),
                  ("b.png", "green"), ("a.png", "blue"))  # fmt: skip
    for _ in range(2):  # from the archive, then from the cache
        with (
            pytest.warns(UserWarning, match=r"skipped 2 undecodable: a\.png, a\.png \(3\)"),
            pytest.warns(UserWarning, match="each member is taken of 1 names: a.png") as caught,
        ):
            source = ImageFolder(path, 16, cache=cache)
        assert caught[0].filename == __file__
        assert source.names == ["a.png (2)", "a.png (4)", "b.png"]
        assert colours(source) == [RED, BLUE, GREEN]  # none is black


def test_a_members_size_is_looked_at_before_it_is_read(tmp_path, cache, monkeypatch):
    path = zipped(tmp_path / "a.zip", ("bomb.png", bytes(5000)), ("good.png", "red"))
    monkeypatch.setattr(folders.decode, "MOST_BYTES", 4999)
    with pytest.warns(UserWarning, match="skipped 1 undecodable: bomb.png"):
        source = ImageFolder(path, 16, cache=cache)
    assert "5,000 bytes are more than 4,999" in source.skipped["bomb.png"]
    assert colours(source) == [RED]


def labelled(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number, (40, 40)).save(root / name)
    return root


def zipped_folder(root):
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(root.rglob("*")):
            archive.write(each, each.relative_to(root.parent))  # all below the folder's own name
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("top", ["", "photos/2026"])
def test_a_folder_is_the_label_of_its_pictures(packed, top, tmp_path, cache):
    names = ["dogs/1.png", "cats/2.png", "cats/deep/3.png", "dogs/cats/4.png"]
    root = labelled(tmp_path / "pets", *(f"{top}/{name}".lstrip("/") for name in names))
    (root / top / "owls").mkdir()
    (root / top / "cats" / "notes.txt").write_text("no picture")
    path = zipped_folder(root) if packed else root
    with pytest.warns(UserWarning, match=r"no picture in 1 folders: owls; they are no labels"):
        source = ImageFolder(path, 16, cache=cache, label="folder")
    assert source.labels.factors == {"folder": ("cats", "dogs")}
    lies_in = ["cats" if "/cats/" in f"/{n}" and "dogs/" not in n else "dogs" for n in source.names]
    assert [source.labels.factors["folder"][i] for i in source.numbers[:, 0]] == lies_in
    assert source.told().startswith("2 folder=cats, 2 folder=dogs; each is trained as often")
    assert ImageFolder(path, 16, cache=cache).labels is None


def test_a_damaged_picture_is_no_labels_picture(tmp_path, cache):
    root = labelled(tmp_path / "own", "a/1.png", "a/2.png", "b/3.png", "b/4.png", "c/5.png")
    (root / "a" / "1.png").write_text("no picture")
    (root / "c" / "5.png").write_text("no picture")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source = ImageFolder(root, 16, cache=cache, label="folder")
    said = " ".join(str(each.message) for each in caught)
    assert "2 undecodable" in said
    assert "no picture in 1 folders: c" in said
    assert "folder=a: one image" in said
    np.testing.assert_array_equal(source.numbers, [[0], [1], [1]])


def test_pictures_without_a_folder_of_their_own_are_named(tmp_path, cache):
    root = labelled(tmp_path / "own", "cats/1.png", "dogs/2.png", "loose.png")
    with pytest.raises(ValueError, match=r"two folders or more, got 1 in none: loose\.png below"):
        ImageFolder(root, 16, cache=cache, label="folder")
    with pytest.raises(ValueError, match=r"got 1 in none: 1\.png below the top"):
        ImageFolder(root / "cats", 16, cache=cache, label="folder")
    (root / "loose.png").unlink()
    (root / "dogs" / "2.png").unlink()
    with pytest.raises(ValueError, match=r"got 1 in none: cats/1\.png below cats"):
        ImageFolder(root, 16, cache=cache, label="folder")
    with pytest.raises(ValueError, match=r"label must be one of .*'folder'.*, got 'hair'"):
        ImageFolder(root, 16, cache=cache, label="hair")
